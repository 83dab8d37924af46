"""A real browser for the tests in this folder: the Chromium of this machine, driven by Playwright."""

import os
import shutil
import warnings
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.scripted_server import ScriptedServer
from tests.patience import PATIENCE

expect.set_options(timeout=1000 * PATIENCE)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium: `KEFU_CHROMIUM`, else the first on PATH. Without one: a loud skip; in CI a failure."""
    path = os.environ.get("KEFU_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path:
        return path
    lacking = "no Chromium for the browser tests: install one or set KEFU_CHROMIUM to its path"
    if os.environ.get("CI"):
        pytest.fail(lacking)
    warnings.warn(lacking, stacklevel=1)
    pytest.skip(lacking)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser a module. Not longer: Playwright's event loop makes Django's database refuse other tests."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--renderer-process-limit=1"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedServer]:
    """A server that does what the test says; see scripted_server.py."""
    server = ScriptedServer()
    yield server
    server.stop()
