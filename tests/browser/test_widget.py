"""The customer's widget in a real browser, against a small real server that speaks its protocol."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.scripted_server import ERROR, ScriptedServer
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

XSS = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
SOURCE = {"number": 1, "document": "returns.md", "ref": "r-1", "heading": "Returns", "excerpt": "Within 15 days."}


def page_html(*, lang: str = "en", src: str = "/static/kefu/kefu.js", attributes: str = "", extra: str = "") -> str:
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title>'
    )
    tag = f'<script src="{src}" data-key="demo" {attributes}></script>'
    return f'<!doctype html><html lang="{lang}">{head}<h1>Shop</h1>{tag}{extra}'


@pytest.fixture
def server(scripted: ScriptedServer) -> ScriptedServer:
    scripted.reset()
    scripted.pages["/"] = page_html()
    scripted.welcome = {"site": "Spruce Outdoor", "language": "en"}
    return scripted


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB", timezone_id="Asia/Shanghai", reduced_motion="reduce")
    context.set_default_timeout(1000 * PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(server: ScriptedServer, context: BrowserContext) -> Iterator[Page]:
    """An empty tab that remembers nothing; fails the test when the page itself saw an error."""
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.evaluate("() => { try { localStorage.clear() } catch {} }")
    page.close()
    assert errors == []


@pytest.fixture
def chat(server: ScriptedServer, page: Page) -> "Chat":
    """The widget, open and connected."""
    return Chat(server, page).visit().open()


class Chat:
    """What a customer sees and does."""

    def __init__(self, server: ScriptedServer, page: Page) -> None:
        self.server, self.page = server, page
        self.launcher = page.locator("kefu-chat .launcher")
        self.panel = page.locator("kefu-chat .panel")
        self.composer = page.locator("kefu-chat textarea")
        self.banner = page.locator("kefu-chat .banner:not(.queue)")
        self.queue = page.locator("kefu-chat .queue")
        self.status = page.locator("kefu-chat .status")
        self.messages = page.locator("kefu-chat .message")
        self.hello: dict[str, Any] = {}

    def visit(self, path: str = "/") -> "Chat":
        self.page.goto(self.server.origin + path)
        self.launcher.wait_for()
        return self

    def open(self) -> "Chat":
        self.launcher.click()
        self.hello = self.server.expect("hello")
        expect(self.page.locator("kefu-chat .presence")).to_have_text("Assistant online")
        return self

    def say(self, text: str) -> dict[str, Any]:
        self.composer.fill(text)
        self.composer.press("Enter")
        frame = self.server.expect("say")
        if self.server.confirming:
            expect(self.page.locator(f"kefu-chat [data-key='{frame['id']}']")).to_have_attribute("data-state", "sent")
        return frame

    def bubble(self, number: int) -> Locator:
        return self.messages.nth(number).locator(".bubble")

    def shows(self, *texts: str) -> None:
        expect(self.messages.locator(".bubble")).to_have_text(list(texts))


# Waiting for a person


def test_the_queue_is_told_above_the_conversation_and_taken_back(server: ScriptedServer, chat: Chat) -> None:
    queue, told = chat.queue, "You are number 2 in the queue, about 3 min"
    expect(queue).to_have_text("")
    expect(queue).to_have_attribute("role", "status")
    server.send({"type": "waiting", "state": "waiting", "place": 2, "text": told})
    expect(queue).to_have_text(told)
    server.send({"type": "waiting", "state": "taken", "text": ""})
    expect(queue).to_have_text("")
    server.send({"type": "waiting", "state": "message", "text": XSS})
    expect(queue).to_have_text(XSS)
    assert chat.page.evaluate("() => globalThis.pwned") is None
    server.drop()
    expect(queue).to_have_text("")
    server.expect("hello")
    expect(chat.page.locator("kefu-chat .presence")).to_have_text("Assistant online")
    expect(queue).to_have_text("")  # a new line begins without a place


def test_an_agent_who_types_is_shown_until_they_write_or_stop(server: ScriptedServer, chat: Chat) -> None:
    chat.page.clock.install()
    server.send({"type": "typing", "author": "Mei"})
    expect(chat.status).to_have_text("Mei is typing")
    expect(chat.status).to_have_attribute("role", "status")
    chat.page.clock.run_for(4000)
    server.send({"type": "typing", "author": "Mei"})
    expect(chat.status).to_have_text("Mei is typing")
    chat.page.clock.run_for(4000)
    expect(chat.status).to_have_text("Mei is typing")
    chat.page.clock.run_for(3000)
    expect(chat.status).to_be_hidden()
    server.send({"type": "typing", "author": "Mei"})
    expect(chat.status).to_be_visible()
    server.message("a1", "Hello, this is Mei.", role="agent", author="Mei")
    expect(chat.status).to_be_hidden()
    expect(chat.messages.first.locator(".author")).to_have_text("Mei")


def test_messages_of_the_system_are_said_in_the_middle(server: ScriptedServer, chat: Chat) -> None:
    server.message("b1", "I pass you on.", outcome="handed_off")
    server.message("s1", "Our people are away now.", role="system", reason="closed")
    server.publish("reply", reply="b2", part=0, text="While you wait: ", replace=False)
    server.message("s2", "They are back on Monday.", role="system", reason="closed")
    expect(chat.messages.nth(1)).to_have_attribute("data-role", "system")
    expect(chat.messages.nth(1).locator(".author")).to_be_hidden()
    expect(chat.messages).to_have_count(4)  # such a notice ends no running reply
    server.message("s3", "Mei has joined.", role="system", reason="joined")
    chat.shows("I pass you on.", "Our people are away now.", "They are back on Monday.", "Mei has joined.")


def test_the_bot_speaks_under_its_own_name(server: ScriptedServer, page: Page) -> None:
    server.welcome["bot"] = "Pine"
    chat = Chat(server, page).visit().open()
    expect(page.locator("kefu-chat .empty p").first).to_contain_text("I am Pine. I answer from")
    server.message("b1", "Hello.")
    expect(chat.messages.first.locator(".author")).to_have_text("Pine")


def test_a_message_that_changed_keeps_its_place(server: ScriptedServer, chat: Chat) -> None:
    said = chat.say("My number is secret")
    server.publish("reply", reply="b1", part=0, text="You said", replace=False)
    server.message("b0", "Hello.", at="2026-11-21T12:00:05Z")
    own = {"role": "customer", "client_id": said["id"], "outcome": ""}
    server.publish("reply", reply="b1", part=0, text="You said", replace=False)
    server.message(f"m-{said['id']}", "My number", **own, edited=True)
    chat.shows("My number", "Hello.")
    server.message(f"m-{said['id']}", "", **own, deleted=True)
    chat.shows("Message withdrawn", "Hello.")
    chat.page.reload()
    chat.launcher.wait_for()
    chat.shows("Message withdrawn", "Hello.")


# A conversation


def test_a_reply_streams_part_by_part_and_is_finished_in_place(server: ScriptedServer, chat: Chat) -> None:
    said = chat.say("Can I return this?")
    assert said["text"] == "Can I return this?"
    server.publish("status", reply="r1", stage="searching")
    expect(chat.status).to_have_text("Searching our documents")
    server.publish("reply", reply="r1", part=0, text="Yes. ", replace=False)
    chat.shows("Can I return this?", "Yes. ")
    first = chat.bubble(1).locator("span").first.element_handle()
    server.publish("reply", reply="r1", part=1, text="Within **15 days** [1].", replace=False)
    expect(chat.bubble(1).locator("strong")).to_have_text("15 days")
    expect(chat.status).to_have_text("Writing")
    server.message("r1", "Yes. Within **15 days** [1].", sources=[SOURCE])
    expect(chat.messages.nth(1)).to_have_attribute("data-state", "sent")
    expect(chat.status).to_be_hidden()
    assert first is not None
    assert first.evaluate("node => node.isConnected"), "released text must not be drawn, and read aloud, twice"
    log = chat.page.locator("kefu-chat [role=log]")
    expect(log).to_have_attribute("aria-live", "polite")


def test_replace_takes_back_what_was_shown(server: ScriptedServer, chat: Chat) -> None:
    chat.say("q")
    server.publish("reply", reply="r1", part=0, text="A safe beginning. ", replace=False)
    chat.shows("q", "A safe beginning. ")
    server.publish("reply", reply="r1", part=1, text="I cannot answer that.", replace=True)
    chat.shows("q", "I cannot answer that.")


def test_stop_is_offered_while_answering_only(server: ScriptedServer, chat: Chat) -> None:
    stop = chat.page.get_by_role("button", name="Stop answering")
    expect(stop).to_be_hidden()
    chat.say("q")
    server.publish("status", reply="r1", stage="writing")
    stop.click()
    server.expect("stop")
    server.message("r1", "So far.")
    expect(stop).to_be_hidden()
    expect(chat.composer).to_be_focused()


def test_a_dropped_socket_resumes_after_the_last_event_and_repeats_nothing(server: ScriptedServer, chat: Chat) -> None:
    assert chat.hello["after"] == 0
    assert chat.hello["token"] == ""
    chat.say("q")
    last = server.publish("reply", reply="r1", part=0, text="One. ", replace=False)
    chat.shows("q", "One. ")
    server.drop()
    server.publish("reply", reply="r1", part=1, text="Two. ", replace=False)
    hello = server.expect("hello")
    assert (hello["after"], hello["token"]) == (last["seq"], "token-1")
    chat.shows("q", "One. Two. ")
    server.publish("reply", reply="r1", part=2, text="Three.", replace=False)
    chat.shows("q", "One. Two. Three.")


def test_a_message_lost_with_the_socket_is_sent_again_with_its_id(server: ScriptedServer, chat: Chat) -> None:
    server.confirming = False
    said = chat.say("Are you there?")
    server.confirming = True
    server.drop()
    server.expect("hello")
    assert server.expect("say") == said
    expect(chat.messages.first).to_have_attribute("data-state", "sent")
    chat.shows("Are you there?")


def test_messages_typed_offline_wait_and_go_out_in_order(server: ScriptedServer, chat: Chat) -> None:
    server.reachable = False
    server.drop()
    for text in ("first", "second"):
        chat.composer.fill(text)
        chat.composer.press("Enter")
    expect(chat.messages.first.locator(".meta")).to_have_text("Waiting to send")
    keys = [chat.messages.nth(i).get_attribute("data-key") for i in (0, 1)]
    expect(chat.banner).to_contain_text("Reconnecting")
    server.reachable = True
    chat.banner.get_by_role("button", name="Try again").click()
    server.expect("hello")
    said = [server.expect("say"), server.expect("say")]
    assert [(frame["id"], frame["text"]) for frame in said] == [(keys[0], "first"), (keys[1], "second")]
    expect(chat.banner).to_have_text("")
    expect(chat.messages.nth(1)).to_have_attribute("data-state", "sent")


def test_a_refused_message_says_why_and_can_be_sent_again(server: ScriptedServer, chat: Chat) -> None:
    server.confirming = False
    said = chat.say("again and again")
    server.error("Please wait a moment.", id=said["id"], retry_after=0.3)
    expect(chat.messages.first.locator(".error")).to_have_text("Please wait a moment.")
    server.confirming = True
    chat.messages.first.get_by_role("button", name="Try again").click()  # waits until retry_after has passed
    assert server.expect("say") == said
    expect(chat.messages.first).to_have_attribute("data-state", "sent")


def test_an_error_without_a_message_is_shown_until_dismissed(server: ScriptedServer, chat: Chat) -> None:
    server.error("That was odd.")
    expect(chat.banner).to_contain_text("That was odd.")
    chat.banner.get_by_role("button", name="Dismiss").click()
    expect(chat.banner).to_have_text("")


def test_a_signed_user_is_handed_over_with_the_browsers_own_secret(server: ScriptedServer, chat: Chat) -> None:
    assert "user" not in chat.hello
    element = chat.page.locator("kefu-chat")
    element.evaluate("e => e.setUser('a.b.c')")
    hello = server.expect("hello")
    assert hello["user"] == "a.b.c"
    assert len(hello["device"]) == 36
    element.evaluate("e => e.setUser('d.e.f')")
    assert {**server.expect("hello"), "user": ""} == {**hello, "user": ""}
    element.evaluate("e => e.setUser('')")
    assert "user" not in server.expect("hello")


def test_a_page_can_give_a_fresh_user_as_soon_as_one_is_refused(server: ScriptedServer, chat: Chat) -> None:
    server.refusal = {**ERROR, "code": "user_expired", "message": "Expired.", "fatal": True}
    give = "e => e.addEventListener('kefu:user-refused', () => e.setUser('fresh'), {once: true})"
    chat.page.locator("kefu-chat").evaluate(give)
    chat.page.locator("kefu-chat").evaluate("e => e.setUser('old')")
    assert server.expect("hello")["user"] == "old"
    assert server.expect("hello")["user"] == "fresh"


def test_after_a_fatal_error_only_the_customer_reconnects(server: ScriptedServer, page: Page) -> None:
    server.refusal = {**ERROR, "message": "Wrong key.", "fatal": True}
    chat = Chat(server, page).visit()
    chat.launcher.click()
    server.expect("hello")
    expect(chat.banner).to_contain_text("Wrong key.")
    server.refusal = None
    chat.banner.get_by_role("button", name="Try again").click()
    server.expect("hello")
    expect(chat.banner).to_have_text("")


def test_trouble_of_the_service_is_told_and_taken_back(server: ScriptedServer, chat: Chat) -> None:
    server.send({"type": "service", "state": "degraded"})
    expect(chat.banner).to_have_text("We are busy. Replies may take longer.")
    server.send({"type": "service", "state": "ok"})
    expect(chat.banner).to_have_text("")


def test_a_reload_restores_the_conversation(server: ScriptedServer, chat: Chat) -> None:
    chat.say("q")
    server.message("r1", "An answer.", sources=[SOURCE])
    chat.shows("q", "An answer.")
    chat.page.reload()
    hello = server.expect("hello")
    assert (hello["after"], hello["token"]) == (0, "token-1")
    chat.shows("q", "An answer.")
    expect(chat.panel).to_be_visible()


def test_a_fresh_conversation_forgets_the_old_one(server: ScriptedServer, chat: Chat) -> None:
    chat.say("q")
    chat.shows("q")
    server.log.clear()
    server.welcome["fresh"] = True
    server.drop()
    server.expect("hello")
    expect(chat.messages).to_have_count(0)
    server.message("m1", "Hello again.", role="agent")
    chat.shows("Hello again.")


def test_answers_that_arrive_while_closed_are_counted(server: ScriptedServer, chat: Chat) -> None:
    chat.say("q")
    chat.page.keyboard.press("Escape")
    server.message("r1", "An answer.")
    server.message("a1", "Anything else?", role="agent")
    expect(chat.page.locator("kefu-chat .badge")).to_have_text("2")
    expect(chat.launcher).to_have_attribute("aria-label", "Open support chat · 2 unread messages")
    chat.page.reload()
    server.expect("hello")
    expect(chat.page.locator("kefu-chat .badge")).to_have_text("2")
    chat.launcher.click()
    expect(chat.page.locator("kefu-chat .badge")).to_be_hidden()
    assert chat.page.evaluate("document.querySelector('kefu-chat').unread") == 0


def test_a_person_can_be_asked_for(server: ScriptedServer, chat: Chat) -> None:
    chat.page.get_by_role("button", name="Talk to a person").click()
    assert server.expect("say")["text"] == "I would like to talk to a person"
    server.message("s1", "A colleague is coming.", role="system")
    server.message("a1", "Hello, I am Lin.", role="agent")
    expect(chat.page.locator("kefu-chat .presence")).to_have_text("You are talking to a person")
    expect(chat.messages.nth(2).locator(".author")).to_have_text("Support agent")


def test_frames_that_make_no_sense_do_no_harm(server: ScriptedServer, chat: Chat) -> None:
    assert server._live is not None
    for text in ("{", "null", "7", '{"type": "dance"}', '{"type": "message", "seq": 1}', '{"type": "reply", "seq": 2}'):
        server._live.send(text)
    server.message("r1", "Still here.")
    expect(chat.messages.last.locator(".bubble")).to_have_text("Still here.")


# Text and sources


def test_markup_is_shown_as_text_everywhere(server: ScriptedServer, chat: Chat) -> None:
    server.confirming = False
    said = chat.say(XSS)
    server.error(XSS, id=said["id"])
    expect(chat.messages.first.locator(".error")).to_have_text(XSS)
    server.error(XSS)
    hostile = {"number": 1, "document": XSS, "ref": XSS, "heading": XSS, "excerpt": XSS}
    server.message("r1", f"{XSS} **{XSS}** [1] javascript:alert(1)", sources=[hostile])
    server.message("s1", XSS, role="system")
    expect(chat.messages).to_have_count(3)
    chat.messages.nth(1).locator(".chip").click()
    expect(chat.page.locator("kefu-chat .passage blockquote")).to_have_text(XSS)
    assert chat.page.locator("kefu-chat :is(img, script, iframe)").count() == 0
    assert chat.page.evaluate("window.pwned") is None
    assert chat.page.locator("kefu-chat .bubble a").count() == 0


def test_links_open_elsewhere_and_only_to_the_web(server: ScriptedServer, chat: Chat) -> None:
    server.message("r1", "See https://shop.example/returns?a=1. Not javascript:alert(1)")
    link = chat.bubble(0).locator("a")
    expect(link).to_have_text("https://shop.example/returns?a=1")
    expect(link).to_have_attribute("href", "https://shop.example/returns?a=1")
    expect(link).to_have_attribute("rel", "noopener nofollow")
    expect(link).to_have_attribute("target", "_blank")


def test_marks_and_chips_open_the_passage(server: ScriptedServer, chat: Chat) -> None:
    other = {**SOURCE, "number": 2, "heading": "Refunds", "excerpt": "Three working days."}
    server.message("r1", "Fifteen days [1], paid back in three [2]. Nothing on [3].", sources=[SOURCE, other])
    chips, passages = chat.page.locator("kefu-chat .chip"), chat.page.locator("kefu-chat .passage")
    expect(chips).to_have_text(["1Returns", "2Refunds"])
    expect(chat.page.locator("kefu-chat .mark")).to_have_text(["1", "2"])
    chat.page.get_by_role("button", name="Show source 2").press("Enter")
    expect(passages.nth(1)).to_contain_text("Three working days.")
    expect(chips.nth(1)).to_have_attribute("aria-expanded", "true")
    chips.nth(0).click()
    expect(passages.nth(0)).to_be_visible()
    expect(passages.nth(1)).to_be_hidden()
    chips.nth(0).click()
    expect(passages.nth(0)).to_be_hidden()


# Keyboard, language, screen


def test_the_keyboard_is_enough(server: ScriptedServer, page: Page) -> None:
    listen = "addEventListener('keydown', (e) => (window.keys ??= []).push(e.key))"
    server.pages["/"] = page_html(extra=f"<script>{listen}</script>")
    chat = Chat(server, page).visit()
    chat.launcher.focus()
    page.keyboard.press("Enter")
    server.expect("hello")
    expect(chat.composer).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    assert server.expect("say")["text"] == "one\ntwo"
    expect(chat.composer).to_have_value("")
    page.keyboard.press("Enter")  # nothing to send
    page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_focused()
    assert page.evaluate("window.keys") is None, "the page's shortcuts must not hear what is typed into the chat"
    assert server.frames.empty()


def test_enter_belongs_to_the_input_method_while_it_composes(server: ScriptedServer, chat: Chat) -> None:
    keyboard = chat.page.context.new_cdp_session(chat.page)
    keyboard.send("Input.imeSetComposition", {"text": "tui huo", "selectionStart": 7, "selectionEnd": 7})
    chat.page.keyboard.press("Enter")
    chat.page.keyboard.press("Escape")
    expect(chat.panel).to_be_visible()
    keyboard.send("Input.insertText", {"text": "退货"})
    # Safari ends the composition first and tells of the Enter that did it only by the key code.
    enter = "new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true})"
    chat.composer.evaluate(f"element => element.dispatchEvent({enter})")
    assert server.frames.empty()
    chat.page.keyboard.press("Enter")
    assert "退货" in server.expect("say")["text"]


@pytest.mark.parametrize(
    ("lang", "attributes", "placeholder"),
    [
        ("zh-CN", "", "输入你的问题…"),
        ("en", "", "Ask a question…"),
        ("fr", "", "Ask a question…"),
        ("", "", "Ask a question…"),
        ("en", 'data-language="zh"', "输入你的问题…"),
        ("zh", 'data-language="en"', "Ask a question…"),
    ],
)
def test_the_language_is_the_attributes_else_the_pages_else_the_browsers(
    server: ScriptedServer, page: Page, lang: str, attributes: str, placeholder: str
) -> None:
    server.pages["/"] = page_html(lang=lang, attributes=attributes)
    chat = Chat(server, page).visit()
    chat.launcher.click()
    expect(chat.composer).to_have_attribute("placeholder", placeholder)
    assert server.expect("hello")["language"] == ("zh" if "你" in placeholder else "en")


def test_a_message_too_long_is_not_sent(server: ScriptedServer, page: Page) -> None:
    server.welcome["limit"] = 300
    chat = Chat(server, page).visit().open()
    counter = page.locator("kefu-chat .counter")
    chat.composer.fill("客" * 200)
    expect(counter).to_have_text("")
    chat.composer.fill("👍" * 290)
    expect(counter).to_have_text("10 characters left")
    chat.composer.fill("客" * 301)
    expect(counter).to_have_text("1 characters too many")
    chat.composer.press("Enter")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    assert server.frames.empty()


def test_a_phone_gets_the_whole_screen(server: ScriptedServer, browser: Browser) -> None:
    with browser.new_context(viewport={"width": 390, "height": 780}, has_touch=True, locale="en-GB") as context:
        chat = Chat(server, context.new_page()).visit()
        chat.launcher.tap()
        expect(chat.panel).to_be_visible()
        chat.panel.evaluate("e => Promise.all(e.getAnimations().map(a => a.finished))")
        assert chat.panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 780}
        expect(chat.launcher).to_be_hidden()
        for _ in range(6):
            chat.page.keyboard.press("Tab")
            assert chat.page.evaluate("document.activeElement.localName") == "kefu-chat"


# On somebody else's page


def test_it_runs_from_another_origin_under_a_strict_policy(server: ScriptedServer, page: Page) -> None:
    kefu = server.origin
    server.pages["/"] = page_html(src=f"{kefu}/static/kefu/kefu.js", attributes='data-colour="#1f6b54"')
    socket = kefu.replace("http", "ws")
    server.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src {kefu}; style-src {kefu}; connect-src {kefu} {socket};"
        " require-trusted-types-for 'script'"
    )
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)
    page.goto(f"http://localhost:{server.port}/")
    chat = Chat(server, page)
    chat.open()
    chat.say("hello")
    chat.shows("hello")
    expect(chat.launcher).to_have_css("background-color", "rgb(31, 107, 84)")
    assert complaints == []


def test_it_leaves_the_page_as_it_was(server: ScriptedServer, page: Page) -> None:
    note = "<script>window.before = Object.keys(window)</script>"
    server.pages["/"] = page_html().replace("<h1>", f"{note}<h1>")
    chat = Chat(server, page).visit().open()
    added = page.evaluate("Object.keys(window).filter((name) => !before.includes(name) && name !== 'before')")
    assert added == []
    assert page.evaluate("Object.keys(window).filter((name) => name.startsWith('on') && window[name])") == []
    assert chat.page.title() == "Shop"


def test_hostile_page_styles_do_not_reach_in(server: ScriptedServer, page: Page) -> None:
    style = "* { display: none; color: red !important; font-size: 40px } html, body, h1 { display: block }"
    server.pages["/"] = page_html(extra=f"<style>{style}</style>")
    chat = Chat(server, page).visit().open()
    expect(chat.composer).to_have_css("font-size", "15px")


def test_two_tags_make_one_chat_and_a_swapped_body_keeps_it(server: ScriptedServer, page: Page) -> None:
    server.pages["/"] = page_html(extra='<script src="/static/kefu/kefu.js" data-key="demo"></script>')
    chat = Chat(server, page).visit().open()
    chat.say("q")
    chat.shows("q")
    assert page.locator("kefu-chat").count() == 1
    page.evaluate("document.body.replaceChildren(); document.dispatchEvent(new Event('turbo:load'))")
    assert server.expect("hello")["after"] > 0
    chat.shows("q")


def test_it_works_where_storage_is_forbidden(server: ScriptedServer, page: Page) -> None:
    for area in ("localStorage", "sessionStorage"):
        page.add_init_script(f"Object.defineProperty(window, '{area}', {{get() {{ throw new Error('forbidden') }}}})")
    chat = Chat(server, page).visit().open()
    chat.say("q")
    server.drop()
    assert server.expect("hello")["token"] == "token-1"
    chat.shows("q")


def test_a_page_can_drive_the_chat(server: ScriptedServer, page: Page) -> None:
    server.pages["/"] = page_html(attributes='data-questions="How long?|How much?" data-position="left"')
    chat = Chat(server, page).visit()
    for name in ("open", "close", "message"):
        page.evaluate(f"addEventListener('kefu:{name}', () => (window.told ??= []).push('{name}'))")
    page.evaluate("document.querySelector('kefu-chat').fill('a draft')")
    server.expect("hello")
    expect(chat.composer).to_have_value("a draft")
    page.get_by_role("button", name="How much?").click()
    assert server.expect("say")["text"] == "How much?"
    expect(chat.messages.first).to_have_attribute("data-state", "sent")
    page.evaluate("document.querySelector('kefu-chat').close()")
    expect(chat.panel).to_be_hidden()
    assert page.evaluate("told") == ["open", "message", "close"]
    box = chat.launcher.bounding_box()
    assert box is not None
    assert box["x"] < 100
