"""The widget in a real browser, on the demo page of a real Kefu: ask, see the answer with its sources, reload."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.server import Server, running
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    yield page
    page.close()


@pytest.mark.parametrize(
    ("language", "question", "fact"),
    [("zh", "退款多久到账？", "工作日"), ("en", "How long does a refund take?", "working days")],
)
def test_a_customer_asks_and_gets_a_sourced_answer(
    server: Server, page: Page, language: str, question: str, fact: str
) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{server.address}/?lang={language}")
    page.locator("kefu-chat .launcher").click()
    page.locator("kefu-chat textarea").fill(question)
    page.keyboard.press("Enter")
    bubbles = page.locator("kefu-chat .message .bubble")
    expect(bubbles.nth(1)).to_contain_text(fact)
    expect(page.locator("kefu-chat").get_by_text(re.compile(r"faq-|returns-")).first).to_be_attached()
    page.reload()
    if not page.locator("kefu-chat .panel").is_visible():
        page.locator("kefu-chat .launcher").click()
    expect(bubbles.nth(0)).to_contain_text(question)
    expect(bubbles.nth(1)).to_contain_text(fact)
    assert bubbles.count() == 2
    assert not problems


def test_the_widget_reconnects_after_web_was_killed(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/?lang=en")
    page.locator("kefu-chat .launcher").click()
    page.locator("kefu-chat textarea").fill("How do I cancel an order?")
    page.keyboard.press("Enter")
    bubbles = page.locator("kefu-chat .message .bubble")
    expect(bubbles.nth(1)).to_contain_text("cancel")
    server.kill("web")
    page.locator("kefu-chat textarea").fill("How long does a refund take?")
    page.keyboard.press("Enter")
    expect(bubbles.nth(3)).to_contain_text("working days", timeout=2000 * PATIENCE)
    assert bubbles.count() == 4
