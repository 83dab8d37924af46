"""Every page of staff, in a real browser: nothing serious that axe finds, nothing that the keyboard cannot reach.

The pages are read from the routes: one that is new is looked at without being named here.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from bench.rooms import filled
from bench.screens import signed_in
from bench.server import Server, running
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

LOOKS = [("wide", "zh", "light"), ("phone", "en", "dark")]
GRAVE = {"serious", "critical"}
NO_PAGES = {"staff:logout", "staff:language"}
REACHED = """() => {
  const box = (e) => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1; };
  const seen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && box(e);
  const focusable = "a[href], button:not(:disabled), input:not(:disabled):not([type=hidden]), select:not(:disabled), "
    + "textarea:not(:disabled), summary, [tabindex]:not([tabindex='-1']), [contenteditable=true]";
  const own = ", label, [role=option], tr[data-href]";
  const closed = (e) => e.closest("dialog:not([open]), details:not([open]) > :not(summary), [inert]");
  const told = (e) => e.outerHTML.slice(0, 120);
  const mouse = [...document.querySelectorAll("main *")].filter((e) =>
    seen(e) && !closed(e) && getComputedStyle(e).cursor === "pointer" && !e.closest(focusable + own));
  const lost = [...document.querySelectorAll(focusable)].filter((e) => seen(e) && !closed(e) && e.tabIndex < 0
    && !e.closest("[role=tablist], [role=listbox], [role=radiogroup], [role=toolbar], [role=grid], [role=menu]"));
  return { mouse: mouse.map(told), lost: lost.map(told) };
}"""
"""What can be clicked but not focused, and what the Tab key passes by although nothing else leads to it."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def pages(server: Server) -> dict[str, str]:
    return filled(server, conversations=60, chunks=120)


@pytest.fixture(params=LOOKS, ids="-".join)
def page(browser: Browser, server: Server, pages: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Page]:
    size, language, theme = request.param
    page = signed_in(browser, server, size=size, language=language, theme=theme)
    page.set_default_timeout(1000 * PATIENCE)
    yield page
    page.context.close()


def shown(page: Page, pages: dict[str, str]) -> Iterator[str]:
    """Go to every whole page in turn; yield its route."""
    for route, address in sorted(pages.items()):
        if route in NO_PAGES:
            continue
        answer = page.request.get(address, max_redirects=0)
        if answer.status == 200 and answer.text().lstrip().startswith("<!doctype html>"):
            page.goto(address)
            page.wait_for_load_state("networkidle")
            yield route


def test_axe_finds_nothing_serious_on_any_page(page: Page, pages: dict[str, str]) -> None:
    found: list[tuple[str, str, Any]] = []
    for route in shown(page, pages):
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in GRAVE:
                found.append((route, violation["id"], [node["html"][:160] for node in violation["nodes"][:3]]))
    assert not found


def test_the_keyboard_reaches_everything_and_nothing_is_wider_than_the_screen(
    page: Page, pages: dict[str, str]
) -> None:
    wrong: list[tuple[str, Any]] = []
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    looked_at = 0
    for route in shown(page, pages):
        looked_at += 1
        unreached = page.evaluate(REACHED)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if unreached["mouse"] or unreached["lost"] or wide > 1:
            wrong.append((route, {**unreached, "too wide by": wide}))
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        if outline == "none":
            wrong.append((route, "the focus cannot be seen"))
    assert looked_at > 20
    assert not wrong
    assert not problems
