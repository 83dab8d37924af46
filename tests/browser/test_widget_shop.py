"""What a shop expects of the widget besides talking: looks, forms, opinions, files, transcripts, tabs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, Route, expect

from tests.browser.scripted_server import ERROR, NOON, ScriptedServer
from tests.browser.test_widget import (  # noqa: F401  fixtures
    SOURCE,
    XSS,
    Chat,
    chat,
    context,
    page,
    page_html,
    server,
)
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

FORM = [
    {"name": "name", "label": "Your name", "kind": "text", "required": True},
    {"name": "mail", "label": "E-mail", "kind": "email"},
    {"name": "topic", "label": "Topic", "kind": "choice", "required": True, "choices": ["Order", "Return"]},
]
HIDE = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});" \
    "document.dispatchEvent(new Event('visibilitychange'))"  # fmt: skip


def user(name: str) -> str:
    """A token about somebody; the widget reads no more of it."""
    import base64

    payload = base64.urlsafe_b64encode(json.dumps({"sub": name}).encode()).decode().rstrip("=")
    return f"e.{payload}.s"


# Looks


def test_the_button_looks_as_the_site_says_before_anybody_opens_it(
    server: ScriptedServer,  # noqa: F811
    page: Page,  # noqa: F811
) -> None:
    server.look = {"colour": "#1f6b54", "side": "left", "launcher": "Ask us", "theme": "dark"}
    chat = Chat(server, page).visit()  # noqa: F811
    expect(chat.launcher).to_have_css("background-color", "rgb(31, 107, 84)")
    expect(chat.launcher).to_contain_text("Ask us")
    box = chat.launcher.bounding_box()
    assert box is not None
    assert box["x"] < 100
    expect(page.locator("kefu-chat .kefu")).to_have_attribute("data-theme", "dark")
    assert server.frames.empty(), "nothing is said before the chat is opened"


def test_attributes_win_over_what_the_site_says(server: ScriptedServer, page: Page) -> None:  # noqa: F811
    server.look = {"colour": "#1f6b54", "side": "left", "launcher": "Ask us"}
    server.pages["/"] = page_html(attributes='data-colour="#c02637" data-position="right" data-launcher=""')
    chat = Chat(server, page).visit()  # noqa: F811
    expect(chat.launcher).to_have_css("background-color", "rgb(192, 38, 55)")
    expect(page.locator("kefu-chat .label")).to_be_hidden()
    box = chat.launcher.bounding_box()
    assert box is not None
    assert box["x"] > 500


def test_what_the_site_offers_comes_with_the_welcome(server: ScriptedServer, page: Page) -> None:  # noqa: F811
    server.welcome |= {
        "widget": {"greeting": "Welcome!", "questions": ["How long?", XSS], "off": ["uploads"]},
        "away": "Our people are back on Monday.",
    }
    chat = Chat(server, page).visit()  # noqa: F811
    chat.launcher.click()
    server.expect("hello")
    expect(page.locator("kefu-chat .empty h3")).to_have_text("Welcome!")
    expect(page.locator("kefu-chat .away")).to_have_text("Our people are back on Monday.")
    expect(page.locator("kefu-chat .presence")).to_have_text("People are away")
    expect(page.get_by_role("button", name="Add files")).to_be_hidden()
    expect(page.locator("kefu-chat .questions button")).to_have_text(["How long?", XSS])
    page.get_by_role("button", name="How long?").click()
    assert server.expect("say")["text"] == "How long?"


def test_an_unread_message_is_shown_beside_the_button(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    chat.say("q")
    chat.page.keyboard.press("Escape")
    preview = chat.page.locator("kefu-chat .preview")
    expect(preview).to_be_hidden()
    server.message("a1", f"Look at this: {XSS}", role="agent", author="Mei")
    expect(preview).to_contain_text("Mei")
    expect(preview).to_contain_text(XSS)
    preview.get_by_role("button", name="Dismiss").click()
    expect(preview).to_be_hidden()
    expect(chat.page.locator("kefu-chat .badge")).to_have_text("1")
    server.message("a2", "Are you there?", role="agent", author="Mei")
    preview.get_by_text("Are you there?").click()
    expect(chat.panel).to_be_visible()
    expect(preview).to_be_hidden()


def test_traditional_characters_and_another_language_at_any_time(
    server: ScriptedServer,  # noqa: F811
    page: Page,  # noqa: F811
) -> None:
    server.pages["/"] = page_html(lang="zh-TW")
    chat = Chat(server, page).visit()  # noqa: F811
    chat.launcher.click()
    assert server.expect("hello")["language"] == "zh-hant"
    expect(chat.composer).to_have_attribute("placeholder", "輸入你的問題…")
    expect(page.locator("kefu-chat .kefu")).to_have_attribute("lang", "zh-Hant")
    chat.composer.fill("草稿")
    page.evaluate("document.querySelector('kefu-chat').setLocale('en')")
    assert server.expect("hello")["language"] == "en"
    expect(chat.composer).to_have_attribute("placeholder", "Ask a question…")
    expect(chat.composer).to_have_value("草稿")
    expect(chat.panel).to_be_visible()


def test_a_page_that_reads_from_right_to_left_keeps_it_whole(
    server: ScriptedServer,  # noqa: F811
    page: Page,  # noqa: F811
) -> None:
    server.pages["/"] = page_html().replace('lang="en"', 'lang="en" dir="rtl"')
    chat = Chat(server, page).visit().open()  # noqa: F811
    expect(chat.panel).to_have_css("direction", "ltr")
    server.message("r1", "שלום עולם")
    expect(chat.bubble(0)).to_have_attribute("dir", "auto")


# Before the chat


def test_a_form_comes_before_the_chat_and_only_once(server: ScriptedServer, page: Page) -> None:  # noqa: F811
    server.welcome["widget"] = {"form": FORM}
    chat = Chat(server, page).visit()  # noqa: F811
    chat.launcher.click()
    server.expect("hello")
    expect(page.get_by_label("Your name")).to_be_focused()
    expect(chat.composer).to_be_hidden()
    expect(page.get_by_role("button", name="Talk to a person")).to_be_visible()
    page.get_by_label("E-mail").fill("nowhere")
    page.get_by_role("button", name="Start chatting").click()
    wrong = page.locator("kefu-chat .row .error")
    expect(wrong).to_have_text(["Please fill this in", "Please check this", "Please fill this in"])
    expect(page.get_by_label("Your name")).to_be_focused()
    page.get_by_label("Your name").fill("Li Wei")
    page.get_by_label("E-mail").fill("li@post.example")
    page.get_by_label("Topic").select_option("Return")
    page.get_by_role("button", name="Start chatting").click()
    values = {"name": "Li Wei", "mail": "li@post.example", "topic": "Return"}
    assert server.expect_asked("profile")["values"] == values
    expect(chat.composer).to_be_focused()
    assert "Li Wei" not in page.evaluate("JSON.stringify(localStorage)")
    server.drop()
    server.expect("hello")
    expect(chat.composer).to_be_visible()


def test_what_was_typed_into_the_form_survives_a_new_line(server: ScriptedServer, page: Page) -> None:  # noqa: F811
    server.welcome["widget"] = {"form": FORM}
    chat = Chat(server, page).visit()  # noqa: F811
    chat.launcher.click()
    server.expect("hello")
    page.get_by_label("Your name").fill("Li Wei")
    server.drop()
    server.expect("hello")
    expect(page.get_by_label("Your name")).to_have_value("Li Wei")


# Answers


def test_tables_and_code_are_shown_as_such(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    table = "| Size | Price |\n|---|---|\n| S | **9** |\n| <b>M</b> | 12 |"
    server.publish("reply", reply="r1", part=0, text="| Size | Price |\n", replace=False)
    server.message("r1", f"{table}\n\n```\nls <dir>\n```\nUse `code`.")
    expect(chat.bubble(0).locator("th")).to_have_text(["Size", "Price"])
    expect(chat.bubble(0).locator("td")).to_have_text(["S", "9", "<b>M</b>", "12"])
    expect(chat.bubble(0).locator("pre")).to_have_text("ls <dir>")
    expect(chat.bubble(0).locator("code")).to_have_text("code")


def test_a_source_opens_the_whole_passage(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    server.answers["passage"] = {"text": f"Within 15 days, unless it is worn. {XSS}"}
    server.message("r1", "Fifteen days [1].", sources=[SOURCE])
    chat.page.locator("kefu-chat .chip").click()
    expect(chat.page.locator("kefu-chat blockquote")).to_have_text(f"Within 15 days, unless it is worn. {XSS}")
    asked = server.expect_asked("passage")
    assert (asked["message"], asked["number"]) == ("r1", 1)


def test_sources_can_be_left_out(server: ScriptedServer, page: Page) -> None:  # noqa: F811
    server.welcome["widget"] = {"off": ["show_sources", "feedback"]}
    chat = Chat(server, page).visit().open()  # noqa: F811
    server.message("r1", "Fifteen days [1].", sources=[SOURCE])
    expect(chat.bubble(0)).to_have_text("Fifteen days.")
    expect(page.locator("kefu-chat .chip")).to_have_count(0)
    expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_count(0)


def test_a_thumb_is_told_with_its_reason_and_remembered(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    server.message("r0", "Hello!", outcome="chitchat")
    server.message("r1", "Fifteen days.")
    expect(chat.page.get_by_role("button", name="Helpful", exact=True)).to_have_count(1)
    chat.page.get_by_role("button", name="Not helpful").click()
    first = server.expect_asked("feedback")
    assert (first["message"], first["helpful"]) == ("r1", False)
    chat.page.get_by_role("button", name="Out of date").click()
    chat.page.get_by_placeholder("Anything to add").fill("It is 30 days now")
    chat.page.get_by_role("button", name="Send").first.click()
    second = server.expect_asked("feedback")
    assert (second["reason"], second["comment"]) == ("outdated", "It is 30 days now")
    expect(chat.page.get_by_text("Thank you for telling us!")).to_be_visible()
    chat.page.reload()
    chat.launcher.wait_for()
    pressed = chat.page.locator("kefu-chat .tool[aria-pressed=true]")
    expect(pressed).to_have_attribute("aria-label", "Not helpful")
    pressed.locator("xpath=preceding-sibling::button[1]").click()
    assert server.expect_asked("feedback")["helpful"] is True


def test_questions_to_go_on_with_stand_under_the_last_answer(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    server.answers["related"] = {"questions": ["Who pays for it?", "How do I send it?"]}
    chat.say("How long?")
    server.message("r1", "Fifteen days.")
    related = chat.page.locator("kefu-chat .related button")
    expect(related).to_have_text(["Who pays for it?", "How do I send it?"])
    related.first.click()
    assert server.expect("say")["text"] == "Who pays for it?"
    expect(related).to_have_count(0)


def test_an_answer_can_be_copied_without_its_marks(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    server.message("r1", "Fifteen days [1].", sources=[SOURCE])
    chat.page.get_by_role("button", name="Copy").click()
    expect(chat.page.get_by_role("button", name="Copied")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == "Fifteen days."


def test_ones_own_words_can_be_changed_and_withdrawn(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    now = datetime.now(UTC).isoformat()
    said: dict[str, Any] = {"role": "customer", "client_id": "0-1", "at": now}
    server.message("m1", "My number is secret", **said)
    server.message("m0", "An old one", role="customer")
    change = chat.page.get_by_role("button", name="Change this message")
    expect(change).to_have_count(1)
    chat.messages.last.hover()
    change.click()
    expect(chat.page.get_by_label("Save")).to_have_value("My number is secret")
    chat.page.get_by_label("Save").fill("My number")
    chat.page.get_by_role("button", name="Save").click()
    edit = server.expect("edit")
    assert (edit["id"], edit["text"]) == ("0-1", "My number")
    server.error("It is too late.", id="0-1")
    expect(chat.banner).to_contain_text("It is too late.")
    server.message("b1", "Thank you.", at=now)
    change.click()
    expect(chat.page.get_by_role("button", name="Save")).to_have_count(0)
    chat.page.get_by_role("button", name="Withdraw").click()
    assert server.expect("delete")["id"] == "0-1"
    server.message("m1", "", deleted=True, **said)
    expect(change).to_have_count(0)


# At the end


def test_a_conversation_that_an_agent_ends_is_rated_once(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    chat.page.evaluate("addEventListener('kefu:rated', (e) => { window.rated = e.detail.score })")
    server.message("a1", "Done!", role="agent", author="Mei")
    server.message("s1", "Mei has left.", role="system", reason="left")
    expect(chat.page.get_by_text("How satisfied are you?")).to_be_visible()
    expect(chat.page.locator("kefu-chat .card .primary")).to_be_disabled()
    chat.page.get_by_label("Satisfied", exact=True).check(force=True)
    chat.page.get_by_placeholder("Anything to add").fill("quick")
    chat.page.locator("kefu-chat .card .primary").click()
    asked = server.expect_asked("rate")
    assert (asked["score"], asked["comment"]) == (4, "quick")
    chat.page.wait_for_function("window.rated === 4")
    chat.page.reload()
    chat.launcher.wait_for()
    expect(chat.messages).to_have_count(2)
    expect(chat.page.locator("kefu-chat .card")).to_be_hidden()


def test_nobody_is_asked_to_rate_what_goes_on_or_where_the_site_does_not_ask(
    server: ScriptedServer,  # noqa: F811
    page: Page,  # noqa: F811
) -> None:
    server.welcome["widget"] = {"off": ["csat"]}
    chat = Chat(server, page).visit().open()  # noqa: F811
    server.message("a1", "Done!", role="agent")
    server.message("s1", "Mei has left.", role="system", reason="ended")
    expect(chat.messages).to_have_count(2)
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("button", name="Download conversation")).to_be_visible()
    expect(page.get_by_role("button", name="Rate this conversation")).to_have_count(0)
    expect(page.locator("kefu-chat .card")).to_be_hidden()


def test_the_menu_rates_and_downloads_and_closes_by_escape(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    server.message("r1", "Fifteen days.")
    more = chat.page.get_by_role("button", name="More")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(chat.page.get_by_role("button", name="E-mail conversation")).to_have_count(0)  # no mail is set up
    chat.page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(chat.panel).to_be_visible()
    more.click()
    server.answers["transcript"] = {"text": "You: 你好\n"}
    with chat.page.expect_download() as download:
        chat.page.get_by_role("button", name="Download conversation").click()
    assert download.value.path().read_text(encoding="utf-8-sig") == "You: 你好\n"
    assert server.expect_asked("transcript")["email"] == ""
    more.click()
    chat.page.get_by_role("button", name="Rate this conversation").click()
    expect(chat.page.get_by_label("Very dissatisfied")).to_be_focused()


def test_a_transcript_goes_out_by_mail_where_that_is_set_up(server: ScriptedServer, page: Page) -> None:  # noqa: F811
    server.welcome["mail"] = True
    Chat(server, page).visit().open()
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="E-mail conversation").click()
    page.get_by_label("E-mail address").fill("li@post.example")
    page.keyboard.press("Enter")
    assert server.expect_asked("transcript")["email"] == "li@post.example"
    expect(page.get_by_text("On its way.")).to_be_visible()
    assert "li@post" not in page.evaluate("JSON.stringify(localStorage)")


# Files


def uploads(page: Page, status: int = 201, **answer: Any) -> list[dict[str, str]]:  # noqa: F811
    """Takes uploads in the server's place; returns what they came with."""
    came: list[dict[str, str]] = []

    def take(route: Route) -> None:
        came.append(route.request.headers)
        route.fulfill(status=status, json=answer)

    page.route("**/files/", take)
    return came


def test_a_file_is_uploaded_and_sent_alone(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    sent: dict[str, Any] = {"id": "f-1", "name": "bill.pdf", "type": "application/pdf", "size": 1_234_567}
    came = uploads(chat.page, **sent)
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Add files").click()
    chooser.value.set_files(FilePayload(name="bill.pdf", mimeType="application/pdf", buffer=b"%PDF" * 300_000))
    expect(chat.page.locator("kefu-chat .tray")).to_contain_text("1.2 MB")
    assert (came[0]["authorization"], came[0]["x-kefu-key"]) == ("Bearer token-1", "demo")
    server.confirming = False
    chat.page.get_by_role("button", name="Send").click()
    said = server.expect("say")
    assert (said["text"], said["files"]) == ("", ["f-1"])
    expect(chat.page.locator("kefu-chat .tray")).to_be_hidden()
    server.message("m1", "", role="customer", client_id=said["id"], files=[{**sent, "url": "/files/signed/"}])
    expect(chat.messages).to_have_attribute("data-state", "sent")
    expect(chat.bubble(0)).to_be_hidden()
    link = chat.messages.first.locator(".files a")
    expect(link).to_have_text("bill.pdf1.2 MB")
    server.answers["link"] = {"url": "/blank?fresh"}
    with chat.page.expect_popup() as popup:
        link.click()
    assert popup.value.url.endswith("/blank?fresh")
    assert server.expect_asked("link")["file"] == "f-1"
    popup.value.close()


def test_a_file_that_is_refused_says_why_and_is_not_sent(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    uploads(chat.page, 415, error="file_type", message="Files of this type are not accepted.")
    drop = """(panel) => {
        const data = new DataTransfer(); data.items.add(new File(['x'], 'a.exe'));
        panel.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})); }"""
    chat.panel.evaluate(drop)
    expect(chat.page.locator("kefu-chat .tray")).to_contain_text("Files of this type are not accepted.")
    expect(chat.page.get_by_role("button", name="Send")).to_be_disabled()
    chat.page.get_by_role("button", name="Remove a.exe").click()
    expect(chat.page.locator("kefu-chat .tray")).to_be_hidden()


# Whose words


def away(server: ScriptedServer, chat: Chat, *texts: str) -> None:  # noqa: F811
    """Says something while nobody can be reached."""
    server.reachable = False
    server.drop()
    for text in texts:
        chat.composer.fill(text)
        chat.composer.press("Enter")
    expect(chat.messages.last.locator(".meta")).to_have_text("Waiting to send")


def set_user(chat: Chat, token: str) -> None:  # noqa: F811
    chat.page.locator("kefu-chat").evaluate("(e, token) => e.setUser(token)", token)


def test_what_a_user_has_not_sent_goes_into_nobody_elses_conversation(
    server: ScriptedServer,  # noqa: F811
    chat: Chat,  # noqa: F811
) -> None:
    set_user(chat, user("li"))
    server.expect("hello")
    away(server, chat, "my secret")
    chat.composer.fill("my draft")
    set_user(chat, user("mei"))
    expect(chat.messages).to_have_count(0)
    expect(chat.composer).to_have_value("")
    assert "my secret" not in chat.page.evaluate("JSON.stringify(localStorage)")
    server.reachable = True
    chat.page.evaluate("document.querySelector('kefu-chat').say('hello')")
    while (frame := server.frames.get(timeout=PATIENCE))["type"] == "hello":
        assert frame["user"] == user("mei")
    assert frame["text"] == "hello"


def test_what_was_in_flight_is_not_said_again_for_somebody_else(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    set_user(chat, user("li"))
    server.expect("hello")
    server.confirming = False
    chat.say("my secret")
    set_user(chat, "")
    server.expect("hello")
    expect(chat.messages).to_have_count(0)
    chat.page.reload()
    chat.launcher.wait_for()
    server.expect("hello")
    expect(chat.messages).to_have_count(0)
    assert server.frames.empty()


def test_a_fresh_token_of_the_same_user_keeps_what_waits(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    set_user(chat, user("li"))
    server.expect("hello")
    away(server, chat, "my question")
    server.reachable = True
    set_user(chat, user("li") + "2")
    server.expect("hello")
    assert server.expect("say")["text"] == "my question"


def test_what_was_not_sent_before_logging_in_is_kept_to_be_sent_by_hand(
    server: ScriptedServer,  # noqa: F811
    chat: Chat,  # noqa: F811
) -> None:
    away(server, chat, "my question")
    server.reachable = True
    set_user(chat, user("li"))
    server.expect("hello")
    expect(chat.messages.first).to_have_attribute("data-state", "failed")
    chat.messages.first.get_by_role("button", name="Try again").click()
    assert server.expect("say")["text"] == "my question"


def test_a_message_that_met_an_erased_conversation_can_be_sent_into_the_next(
    server: ScriptedServer,  # noqa: F811
    chat: Chat,  # noqa: F811
) -> None:
    server.confirming = False
    said = chat.say("Are you there?")
    server.send({**ERROR, "code": "expired", "message": "Expired.", "id": said["id"], "fatal": True})
    server.drop(4410)
    server.welcome["fresh"] = True
    server.confirming = True
    chat.banner.get_by_role("button", name="Try again").click()
    server.expect("hello")
    chat.messages.first.get_by_role("button", name="Try again").click()
    assert server.expect("say") == said
    expect(chat.messages.first).to_have_attribute("data-state", "sent")


def test_a_page_can_begin_anew(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    chat.say("q")
    chat.page.evaluate("document.querySelector('kefu-chat').reset()")
    hello = server.expect("hello")
    assert (hello["token"], hello["after"]) == ("", 0)


# Offline, tabs, and looking elsewhere


def test_what_is_said_offline_outlives_the_page(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    away(server, chat, "first", "second")
    chat.page.reload()
    chat.launcher.wait_for()
    chat.shows("first", "second")
    expect(chat.messages.first.locator(".meta")).to_have_text("Waiting to send")
    server.reachable = True
    chat.page.reload()
    server.expect("hello")
    assert [server.expect("say")["text"] for _ in range(2)] == ["first", "second"]
    expect(chat.messages.nth(1)).to_have_attribute("data-state", "sent")
    chat.page.wait_for_function("!JSON.stringify(localStorage).includes('second')")


def test_a_cut_in_mid_stream_of_twenty_seconds_loses_and_repeats_nothing(
    server: ScriptedServer,  # noqa: F811
    page: Page,  # noqa: F811
) -> None:
    page.clock.install()
    chat = Chat(server, page).visit().open()  # noqa: F811
    chat.say("q")
    server.publish("reply", reply="r1", part=0, text="One. ", replace=False)
    chat.shows("q", "One. ")
    server.reachable = False
    server.drop()
    server.publish("reply", reply="r1", part=1, text="Two. ", replace=False)
    for _ in range(20):
        page.clock.run_for(1000)
    expect(chat.banner).to_contain_text("Reconnecting")
    server.reachable = True
    server.message("r1", "One. Two. Three.")
    page.clock.run_for(31_000)
    server.expect("hello")
    chat.shows("q", "One. Two. Three.")
    expect(chat.banner).to_have_text("")


def test_a_reload_in_mid_stream_goes_on(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    chat.say("q")
    server.publish("reply", reply="r1", part=0, text="One. ", replace=False)
    chat.shows("q", "One. ")
    chat.page.reload()
    server.expect("hello")
    chat.shows("q", "One. ")
    server.publish("reply", reply="r1", part=1, text="Two.", replace=False)
    chat.shows("q", "One. Two.")


def test_what_one_tab_has_read_is_read_in_the_other(
    server: ScriptedServer,  # noqa: F811
    chat: Chat,  # noqa: F811
    context: BrowserContext,  # noqa: F811
) -> None:
    chat.say("q")
    other = Chat(server, context.new_page()).visit()
    server.expect("hello")
    assert other.page.evaluate("document.querySelector('kefu-chat').isOpen") is False
    expect(other.messages).to_have_count(1)
    chat.page.bring_to_front()
    server.message("r1", "An answer.")  # to the newest line: the other tab's
    expect(other.page.locator("kefu-chat .badge")).to_have_text("1")
    chat.page.evaluate(
        """() => { const key = Object.keys(localStorage).find((k) => k.startsWith('kefu:'));
        localStorage[key] = JSON.stringify({...JSON.parse(localStorage[key]), read: 99}) }"""
    )
    expect(other.page.locator("kefu-chat .badge")).to_be_hidden()
    other.page.close()


def test_a_tab_without_words_follows_the_others_conversation(
    server: ScriptedServer,  # noqa: F811
    chat: Chat,  # noqa: F811
    context: BrowserContext,  # noqa: F811
) -> None:
    other = Chat(server, context.new_page()).visit()
    other.page.evaluate(
        """() => { const key = Object.keys(localStorage).find((k) => k.startsWith('kefu:'));
        const told = {...JSON.parse(localStorage[key]), conversation: 'c-2', token: 'token-2'};
        localStorage[key] = JSON.stringify(told) }"""
    )
    assert server.expect("hello")["token"] == "token-2"
    other.page.close()


def test_whoever_looks_elsewhere_is_told_in_the_title(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    chat.page.evaluate(HIDE % "true")
    server.message("r1", "An answer.")
    server.message("r2", "Another one.")
    chat.page.wait_for_function("document.title === '(2) Shop'")
    chat.page.evaluate(HIDE % "false")
    assert chat.page.title() == "Shop"


def test_sound_is_the_customers_choice_and_remembered(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    note = "AudioContext.prototype.createOscillator = new Proxy(AudioContext.prototype.createOscillator,"
    note += "{apply: (f, me, args) => { window.notes = (window.notes ?? 0) + 1; return f.apply(me, args) }}); 0"
    chat.page.evaluate(note)
    chat.page.keyboard.press("Escape")
    server.message("r1", "Quiet.")
    expect(chat.page.locator("kefu-chat .badge")).to_have_text("1")
    assert chat.page.evaluate("window.notes") is None
    chat.launcher.click()
    chat.page.get_by_role("button", name="More").click()
    chat.page.get_by_role("button", name="Turn sound on").click()
    chat.page.evaluate("window.notes = 0")
    chat.page.keyboard.press("Escape")
    server.message("r2", "Loud.")
    chat.page.wait_for_function("window.notes > 0")
    chat.launcher.click()
    chat.page.get_by_role("button", name="More").click()
    expect(chat.page.get_by_role("button", name="Turn sound off")).to_be_visible()


def test_what_was_said_earlier_comes_when_one_scrolls_up(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    for number in range(200):
        server.message(f"b{number}", f"message {number}", at=f"2026-11-21T12:{number // 60:02}:{number % 60:02}Z")
    expect(chat.messages).to_have_count(200)
    blank: dict[str, Any] = {
        "role": "bot",
        "client_id": None,
        "sources": [],
        "outcome": "",
        "at": NOON.replace("T12", "T10"),
    }
    older = [{**blank, "id": f"o{number}", "text": f"older {number}"} for number in range(3)]
    server.answers["earlier"] = {"messages": older, "more": False}
    chat.page.locator("kefu-chat .scroller").evaluate("e => { e.scrollTop = 0 }")
    assert server.expect_asked("earlier")["before"] == "b0"
    expect(chat.messages).to_have_count(203)
    expect(chat.bubble(0)).to_have_text("older 0")
    expect(chat.bubble(3)).to_be_in_viewport()
    assert chat.page.locator("kefu-chat .scroller").evaluate("e => e.scrollTop") > 0


# On somebody else's page


def test_nothing_of_the_page_moves(server: ScriptedServer, page: Page) -> None:  # noqa: F811
    watch = (
        "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach((e) => window.moved += e.value))"
    )
    watch += ".observe({type: 'layout-shift', buffered: true})"
    server.pages["/"] = page_html(extra=f"<script>{watch}</script><p>{'text ' * 500}</p>")
    before = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight].join()"
    chat = Chat(server, page).visit()  # noqa: F811
    size = page.evaluate(before)
    chat.open()
    server.message("r1", "An answer. " * 50)
    chat.page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    assert page.evaluate(before) == size
    assert page.evaluate("window.moved") == 0


def test_a_body_that_is_emptied_keeps_the_chat_and_a_page_can_remove_it(
    server: ScriptedServer,  # noqa: F811
    chat: Chat,  # noqa: F811
) -> None:
    chat.say("q")
    for swap in (
        "document.body.innerHTML = '<h1>Next</h1>'",
        "const b = document.createElement('body'); b.textContent = 'New'; document.body.replaceWith(b)",
    ):
        chat.page.evaluate(swap)
        assert server.expect("hello")["after"] > 0
        chat.shows("q")
    chat.page.evaluate("document.querySelector('kefu-chat').remove()")
    chat.page.evaluate("new Promise((done) => setTimeout(done))")
    assert chat.page.locator("kefu-chat").count() == 0


def problems(page: Page) -> list[str]:  # noqa: F811
    found = Axe().run(
        page, context="kefu-chat", options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}
    )
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found.response["violations"]]


def with_everything(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    """A conversation that has a bit of all."""
    server.answers["related"] = {"questions": ["Who pays for it?"]}
    chat.say("How long?")
    server.message("r0", "| A | B |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n- https://a.example [1]", sources=[SOURCE])
    server.message("m9", "", role="customer", files=[{"id": "f", "name": "a.pdf", "size": 9, "type": "x", "url": "/"}])
    chat.page.locator("kefu-chat .chip").click()
    server.message("a1", "Hello!", role="agent", author="Mei")
    server.message("s1", "Mei has left.", role="system", reason="left")
    expect(chat.page.get_by_text("How satisfied are you?")).to_be_visible()
    chat.page.get_by_role("button", name="More").click()
    expect(chat.page.get_by_role("button", name="Download conversation")).to_be_visible()


def with_form(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    expect(chat.page.get_by_label("Your name")).to_be_visible()
    chat.page.get_by_role("button", name="Start chatting").click()


def closed(server: ScriptedServer, chat: Chat) -> None:  # noqa: F811
    chat.page.keyboard.press("Escape")
    server.message("a1", "Hello!", role="agent", author="Mei")
    expect(chat.page.locator("kefu-chat .preview")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 390])
@pytest.mark.parametrize("state", [with_everything, with_form, closed])
def test_axe_finds_nothing(
    server: ScriptedServer,  # noqa: F811
    browser: Browser,
    state: Callable[[ScriptedServer, Chat], None],
    width: int,
    theme: str,
) -> None:
    server.pages["/"] = page_html(attributes=f'data-theme="{theme}" data-colour="#1f6b54"')
    server.welcome["widget"] = {"questions": ["How long?"], **({"form": FORM} if state is with_form else {})}
    server.welcome["away"] = "Our people are back on Monday."
    size: Any = {"width": width, "height": 800}
    with browser.new_context(viewport=size, locale="en-GB", reduced_motion="reduce") as own:
        chat = Chat(server, own.new_page()).visit()
        chat.launcher.click()
        server.expect("hello")
        state(server, chat)
        assert problems(chat.page) == []
