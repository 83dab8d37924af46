"""The knowledge room in a real browser, over a real Kefu: what a manager puts in answers customers, until it is out."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bench.agents import session_cookie
from bench.server import Server, running
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser
ASKED = {
    "zh": ("可以租防熊罐吗？", "可以，每晚八元，押金二百元。", "每晚八元"),
    "en": ("Do you rent out bear canisters?", "Yes, for eight yuan a night.", "eight yuan a night"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def cookie(server: Server) -> str:
    made = json.loads(server.command("staff", "add", "mei", "--role", "knowledge_manager", "--site", "demo"))
    return session_cookie(server.address, "mei", made["password"])


def context_of(browser: Browser, server: Server, cookie: str, language: str) -> BrowserContext:
    context = browser.new_context()
    name, value = cookie.split("=", 1)
    code = {"zh": "zh-hans", "en": "en"}[language]
    context.add_cookies(
        [
            {"name": name, "value": value, "url": server.address},
            {"name": "django_language", "value": code, "url": server.address},
        ]
    )
    context.set_default_timeout(1000 * PATIENCE)
    return context


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, server: Server, cookie: str, language: str) -> Iterator[Page]:
    context = context_of(browser, server, cookie, language)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(f"{server.address}/staff/knowledge/")
    yield page
    context.close()
    assert not problems


def said_to_a_customer(browser: Browser, server: Server, language: str) -> str:
    """Ask in the widget, as somebody new, and return the whole answer."""
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(f"{server.address}/?lang={language}")
    page.locator("kefu-chat .launcher").click()
    page.locator("kefu-chat textarea").fill(ASKED[language][0])
    page.keyboard.press("Enter")
    answer = page.locator("kefu-chat .message .bubble").nth(1)
    expect(answer).to_contain_text(re.compile(r"\S{2}"))
    page.wait_for_function(
        "text => text === (window.before ?? '') ? true : (window.before = text, false)",
        arg=answer.inner_text(),
        polling=300,
    )
    found = answer.inner_text()
    context.close()
    return found


def test_a_document_is_uploaded_published_answers_customers_and_no_more_once_it_is_rolled_back(
    server: Server, browser: Browser, page: Page, language: str
) -> None:
    question, answer, fact = ASKED[language]
    name = f"canisters-{language}.csv"
    table = f'question,answer\n"{question}","{answer}"\n'.encode()
    page.locator("#files").set_input_files({"name": name, "mimeType": "text/csv", "buffer": table})
    coming = page.locator("[data-coming] > li").filter(has_text=name)
    expect(coming.locator(".steps .done")).to_have_count(5)
    expect(page.locator("#documents tr").filter(has_text=name)).to_be_visible()
    assert fact not in said_to_a_customer(browser, server, language)

    page.locator('.tabs a[href$="/draft/"]').click()
    expect(page.locator("#main table")).to_contain_text(name)
    page.locator("[data-publish]").click()
    expect(page.locator("#live:not([hx-get])")).to_be_visible()
    assert fact in said_to_a_customer(browser, server, language)

    page.locator('.tabs a[href$="/releases/"]').click()
    before = page.locator("article.card").nth(1)
    before.locator("summary").click()
    expect(before).to_contain_text(name)
    page.once("dialog", lambda dialog: dialog.accept())
    before.locator("form button").click()
    expect(page.locator("#live:not([hx-get])")).to_be_visible()
    assert fact not in said_to_a_customer(browser, server, language)


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_a_chunk_is_read_beside_its_source_edited_split_and_kept_by_keys_alone(page: Page, language: str) -> None:
    page.get_by_role("link", name="shipping-en.md").click()
    expect(page.locator("#source [data-in='0']").first).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("#chunk-0")).to_be_focused()
    expect(page.locator("#source .in").first).to_be_visible()
    count = page.locator("[data-chunk]").count()
    page.keyboard.press("e")
    text = page.locator("#text-0")
    expect(text).to_be_focused()
    page.keyboard.press("Escape")
    expect(text).to_have_count(0)
    page.locator("#chunk-0").focus()
    page.keyboard.press("e")
    expect(text).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("Parcels leave on the same day. Ask before noon.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#chunk-0")).to_contain_text("Ask before noon.")
    expect(page.locator("#chunks")).to_have_attribute("data-number", "2")
    expect(page.locator("#chunk-0")).to_be_focused()
    page.keyboard.press("e")
    expect(text).to_be_focused()
    page.keyboard.press("Control+Home")
    for _ in range(len("Parcels leave on the same day.")):
        page.keyboard.press("ArrowRight")
    page.locator("[data-split]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chunk-1")).to_contain_text("Ask before noon.")
    expect(page.locator("#chunks")).to_have_attribute("data-number", "3")
    assert page.locator("[data-chunk]").count() in (count, count + 1)
    expect(page.locator("#state")).to_be_empty()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("edit the chunk")


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_two_managers_who_edit_one_chunk_lose_nothing(
    server: Server, browser: Browser, cookie: str, page: Page, language: str
) -> None:
    other_context = context_of(browser, server, cookie, language)
    other = other_context.new_page()
    page.get_by_role("link", name="warranty-en.md").click()
    other.goto(page.url)
    for one in (page, other):
        one.locator("#chunk-0 [data-edit]").click()
        expect(one.locator("#text-0")).to_be_focused()
    page.locator("#text-0").fill("Their words about the warranty.")
    page.locator("#chunk-0 [value=save]").click()
    expect(page.locator("#chunks")).to_have_attribute("data-number", "2")
    other.locator("#text-0").fill("My own words about the warranty.")
    other.locator("#chunk-0 [value=save]").click()
    expect(other.get_by_role("alert")).to_contain_text("Their words about the warranty.")
    expect(other.locator("#text-0")).to_have_value("My own words about the warranty.")
    other.locator("#chunk-0 [value=save]").click()
    expect(other.locator("#chunk-0")).to_contain_text("My own words")
    other_context.close()


@pytest.mark.parametrize("language", ["zh"], indirect=True)
def test_a_question_is_tried_before_and_after_and_becomes_a_golden_question(page: Page, language: str) -> None:
    page.locator('.tabs a[href$="/try/"]').click()
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("退款多久到账？")
    page.keyboard.press("Enter")
    expect(page.locator("#tried .answer").first).to_contain_text("工作日")
    expect(page.locator("#tried .scores").first).to_be_visible()
    page.locator("#tried a.small").first.click()
    dialog = page.locator("#golden-new")
    expect(dialog.locator("[name=question]")).to_have_value("退款多久到账？")
    dialog.locator(".main").click()
    expect(page.locator("#golden")).to_contain_text("退款多久到账？")
