"""The widget in a real browser, on the demo page of a real Kefu: ask, see the answer with its sources, reload."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

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


def ask(page: Page, server: Server, question: str, fact: str) -> None:
    """Asks and waits for the answer."""
    page.goto(f"{server.address}/?lang=en")
    page.locator("kefu-chat .launcher").click()
    page.locator("kefu-chat textarea").first.fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("kefu-chat .message .bubble").nth(1)).to_contain_text(fact)


def test_a_customer_opens_the_passage_judges_the_answer_and_takes_it_along(server: Server, page: Page) -> None:
    ask(page, server, "How long does a refund take?", "working days")
    page.locator("kefu-chat .chip").first.click()
    expect(page.locator("kefu-chat .passage[data-whole]").first).to_contain_text("working days")
    page.get_by_role("button", name="Not helpful").click()
    page.get_by_role("button", name="Incomplete").click()
    page.get_by_placeholder("Anything to add").fill("My number is 13800138000")
    page.locator("kefu-chat .card .primary").click()
    expect(page.get_by_text("Thank you for telling us!")).to_be_visible()
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Rate this conversation").click()
    page.get_by_label("Neutral").check(force=True)
    page.locator("kefu-chat .card .primary").click()
    expect(page.get_by_text("Thank you for telling us!")).to_be_visible()
    page.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download conversation").click()
    assert "You: How long does a refund take?" in download.value.path().read_text(encoding="utf-8-sig")
    told = "from chatbot.models import *; f = Feedback.objects.get(); r = Rating.objects.get();"
    told += "print(f.helpful, f.reason, f.comment, r.score)"
    assert server.command("shell", "-c", told).splitlines()[-1] == "False incomplete My number is <CN_MOBILE_1> 3"


def test_a_file_goes_all_the_way_and_opens_again(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/?lang=en")
    page.locator("kefu-chat .launcher").click()
    expect(page.locator("kefu-chat .presence")).to_have_text("Assistant online")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add files").click()
    chooser.value.set_files(FilePayload(name="order.txt", mimeType="text/plain", buffer=b"order 7"))
    expect(page.locator("kefu-chat .tray")).to_contain_text("1 kB")
    page.get_by_role("button", name="Send").click()
    link = page.locator("kefu-chat .message .files a")
    expect(link).to_contain_text("order.txt")
    expect(page.locator("kefu-chat .message").first).to_have_attribute("data-state", "sent")
    with page.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes() == b"order 7"


def test_two_tabs_are_in_step_and_what_is_said_offline_goes_out_later(server: Server, browser: Browser) -> None:
    with browser.new_context() as context:
        context.set_default_timeout(1000 * PATIENCE)
        page, other = context.new_page(), context.new_page()
        ask(page, server, "How do I cancel an order?", "cancel")
        other.goto(f"{server.address}/?lang=en")
        other.locator("kefu-chat .launcher").click()
        bubbles = other.locator("kefu-chat .message .bubble")
        expect(bubbles).to_have_count(2)
        context.set_offline(True)
        page.locator("kefu-chat textarea").first.fill("How long does a refund take?")
        page.keyboard.press("Enter")
        context.set_offline(False)
        expect(bubbles.nth(3)).to_contain_text("working days")
        expect(bubbles).to_have_count(4)
        expect(page.locator("kefu-chat .message .bubble")).to_have_count(4)
