"""Django's settings with a folder of the tests' own: pytest-django reads the settings before any conftest.py runs."""

import os
import tempfile

os.environ.setdefault("KEFU_VAR", tempfile.mkdtemp(prefix="kefu-test-"))

from config.settings import *  # noqa: E402, F403
from config.settings import STATIC_ROOT  # noqa: E402

STATIC_ROOT.mkdir(exist_ok=True)
