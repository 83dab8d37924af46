"""Django's settings with a folder of the tests' own: pytest-django reads the settings before any conftest.py runs."""

import os
import tempfile

if not os.environ.get("KEFU_VAR"):
    _folder = tempfile.TemporaryDirectory(prefix="kefu-test-", ignore_cleanup_errors=True)  # gone when the tests end
    os.environ["KEFU_VAR"] = _folder.name
if worker := os.environ.get("PYTEST_XDIST_WORKER"):  # what one deletes, another may need
    os.environ["KEFU_VAR"] = os.path.join(os.environ["KEFU_VAR"], worker)

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # accounts of tests need not resist guessing
