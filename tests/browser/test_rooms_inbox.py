"""The agents' page in a real browser, with customers over real sockets and an engine that says what the test wants."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bench.agents import session_cookie
from bench.engine_server import EngineServer, Exchange
from bench.server import Server, running
from tests.integration.customer import Customer
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

SLOW = "请问退款一般多久能到账呢？"
"""The engine stops in the middle of its answer to this."""
PHONE = {"width": 390, "height": 780}


class Quoting:
    """Answers by quoting the first passage, sentence by sentence; to `SLOW` only the first until it is let go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        prompt = exchange.body["messages"][-1]["content"]
        sentences = re.findall(r"[^.。!！?？\n]{12,}[.。!！?？]", prompt.partition("<customer_question")[0])
        exchange.start()
        exchange.delta("", role="assistant")
        exchange.delta(f"{sentences[0].strip()}[1]\n")
        if SLOW in prompt:
            exchange.delta("另外，")  # the sentence before is over
            while not self.go_on.is_set():
                exchange.delta("嗯")  # a stream that stands still is given up
                if exchange.wait(0.5):
                    return
        exchange.finish()


class Office:
    """A running Kefu with its staff."""

    def __init__(self, server: Server, engine: Quoting) -> None:
        self.server, self.engine = server, engine
        self.cookies = {name: self._account(name, role) for name, role in (("mei", "agent"), ("tom", "agent"))}
        self.cookies["boss"] = self._account("boss", "supervisor")

    def _account(self, name: str, role: str) -> str:
        made = json.loads(self.server.command("staff", "add", name, "--role", role, "--site", "demo"))
        return session_cookie(self.server.address, name, made["password"])

    def customer(self, *texts: str, language: str = "en") -> Customer:
        """Somebody who has said this, and got an answer to each."""
        customer = Customer(self.server.socket_url, language=language)
        for number, text in enumerate(texts, 1):
            customer.say(text)
            customer.until(lambda number=number: len(said_by(customer, "bot")) >= number)
        return customer


def said_by(customer: Customer, role: str) -> list[str]:
    return [message["text"] for message in customer.transcript.values() if message["role"] == role]


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    script = Quoting()
    engine = EngineServer(script)
    with engine.running():
        options = {"KEFU_ENGINE": "openai", "KEFU_ENGINE_URL": engine.url, "KEFU_ENGINE_MODEL": "scripted"}
        with running(options) as server:
            yield Office(server, script)


@pytest.fixture
def open_page(office: Office, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the inbox of an account. What goes wrong in a script fails the test."""
    contexts, problems = [], []

    def opened(name: str, *, language: str = "en", path: str = "/staff/inbox/", **options: Any) -> Page:
        context = browser.new_context(locale="en-GB", **{"viewport": {"width": 1360, "height": 800}, **options})
        contexts.append(context)
        key, _, value = office.cookies[name].partition("=")
        languages = {"name": "django_language", "value": language, "url": office.server.address}
        context.add_cookies([{"name": key, "value": value, "url": office.server.address}, languages])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(office.server.address + path)
        if path == "/staff/inbox/":
            expect(page.locator("#inbox")).to_have_attribute("data-line", "open")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def heard(page: Page, customer: Customer, *texts: str) -> None:
    """Wait until the customer has these replies; what could not be judged in time is sent again, as people do."""

    def are_there() -> bool:
        again = page.locator("#log .failure").get_by_text("Try again")
        if again.count():
            again.first.click()
        return said_by(customer, "agent") == list(texts)

    customer.until(are_there)


def search(page: Page, text: str) -> None:
    """Open the one conversation in which this was said."""
    press(page, "/")
    page.keyboard.type(text)
    expect(page.locator(".row mark")).to_have_count(1)
    press(page, "Enter", "Enter")


def row_of(page: Page, text: str) -> Locator:
    return page.locator(".row").filter(has_text=text).first


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_an_agent_takes_over_in_mid_stream_and_hands_back(office: Office, open_page: Callable[..., Page]) -> None:
    office.engine.go_on.clear()
    page = open_page("mei")
    customer = Customer(office.server.socket_url, language="zh")
    customer.say(SLOW)
    press(page, "5")
    row_of(page, SLOW).click()
    streaming = page.locator("#log .streaming .bubble")
    expect(streaming).to_contain_text("仓库")
    begun = streaming.inner_text().replace("[1]", "").strip()
    page.locator("#log").focus()
    press(page, "t")
    expect(page.locator("#state")).to_have_text("mine")
    expect(page.locator("#log .streaming")).to_have_count(0)
    expect(page.locator("#draft-text")).to_contain_text(begun[:20])
    page.locator("#use-draft").click()
    expect(page.locator("#text")).to_have_value(re.compile(re.escape(begun[:20])))
    page.locator("#text").fill("Three days, I have looked. – Mei")
    press(page, "Enter")
    heard(page, customer, "Three days, I have looked. – Mei")
    expect(page.locator("#log .by-agent.sent .bubble")).to_have_count(1)
    assert said_by(customer, "bot") == []
    customer.say("Thank you so much for looking!")
    expect(page.locator("#log")).to_contain_text("Thank you so much for looking!")
    press(page, "Alt+n")
    page.keyboard.type("Knows the jacket since 2019.")
    press(page, "Enter")
    expect(page.locator("#log .by-note.sent .bubble")).to_have_text("Knows the jacket since 2019.")
    assert "2019" not in json.dumps(list(customer.transcript.values()))
    press(page, "Escape", "b")
    expect(page.locator("#state")).to_have_text("with the bot")
    customer.until(lambda: said_by(customer, "bot") != [])
    office.engine.go_on.set()


def test_a_wrong_answer_is_reported_and_becomes_a_golden_question(
    office: Office, open_page: Callable[..., Page]
) -> None:
    office.customer("How long does a refund take?")
    page = open_page("mei")
    search(page, "refund take")
    expect(page.locator("#log [data-report]")).to_have_count(1)
    assert re.search(r"/staff/why/[0-9a-f-]{36}/", page.locator("#log .foot a").first.get_attribute("href") or "")
    page.locator("#log").focus()
    press(page, "w")
    dialog = page.locator("#report")
    expect(dialog.locator("[name=question]")).to_have_value(re.compile("refund"))
    dialog.locator("[name=reason]").select_option("outdated")
    dialog.locator("[name=question]").fill("How long does a refund take? Call Zhang Wei on 13812345678.")
    dialog.locator(".main").click()
    expect(dialog.locator(".wrong")).to_contain_text("personal data")
    dialog.locator("[name=question]").fill("How many days does a refund take since May?")
    dialog.locator("[name=facts]").fill("three working days\nbank card")
    dialog.locator(".main").click()
    expect(page.locator("#log .foot")).to_contain_text("outdated · mei")
    listed = office.server.command("knowledge", "golden", "list", "--base", "demo")
    kept = [row for row in map(json.loads, listed.splitlines()) if row["origin"] == "correction"]
    assert [(row["question"], row["facts"]) for row in kept] == [
        ("How many days does a refund take since May?", ["three working days", "bank card"])
    ]
    page.reload()
    expect(page.locator("#log .foot")).to_contain_text("outdated · mei")


def test_a_whole_day_is_worked_by_keyboard_alone(office: Office, open_page: Callable[..., Page]) -> None:
    customer = office.customer("My tent is torn and leaks, I want to talk to a person")
    page = open_page("mei", path="/staff/inbox/canned/")
    page.locator("#shortcut-new").fill("hello")
    page.locator("#text-new").fill("Hello {customer}, this is {agent} of {site}.")
    page.locator("form:has(#text-new) button.main").click()
    page = open_page("mei")
    tom = open_page("tom")
    press(page, "?")
    expect(page.locator("#keys")).to_contain_text("report the bot's last answer")
    press(page, "Escape", "a")
    expect(page.locator("#available")).to_be_checked()
    press(page, "a")
    expect(page.locator("#available")).not_to_be_checked()
    search(page, "torn LEAKS")
    expect(page.locator("#log")).to_contain_text("torn and leaks")
    press(page, "t")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("/hel")
    expect(page.locator("#canned .canned")).to_have_count(1)
    press(page, "Enter")
    expect(page.locator("#text")).to_have_value(re.compile(r"^Hello customer, this is mei of .*Spruce"))
    press(page, "Enter")
    customer.until(lambda: len(said_by(customer, "agent")) == 1)
    press(page, "Escape", "l")
    page.keyboard.type("zips")
    press(page, "Enter")
    expect(row_of(page, "# zips")).to_be_visible()
    press(page, "Escape", "n")
    page.keyboard.type("for tom")
    press(page, "Enter", "Escape", "m")
    page.locator("#transfer-to [value=tom]").focus()
    press(page, "Space", "Enter")
    expect(page.locator("#state")).to_contain_text("tom")
    press(tom, "2")
    expect(row_of(tom, "# zips")).to_be_visible()
    press(tom, "j", "Enter")
    expect(tom.locator("#log")).to_contain_text("for tom")
    press(tom, "e")
    expect(tom.locator("#sure")).to_be_visible()
    press(tom, "Enter")
    expect(tom.locator("#state")).to_have_text("closed")


def test_the_guards_refusals_are_told_and_the_text_is_kept(office: Office, open_page: Callable[..., Page]) -> None:
    customer = office.customer("Rope 5150: can I talk to a person please")
    page = open_page("mei")
    press(page, "1")
    row_of(page, "Rope 5150").click()
    page.locator("#take").click()
    page.locator("#text").fill("You are an idiot and nobody likes you")
    press(page, "Enter")
    failure = page.locator("#log .failure")
    expect(failure).to_contain_text("Not sent")
    expect(page.locator("#log .failed .bubble")).to_have_text("You are an idiot and nobody likes you")
    failure.get_by_text("Edit", exact=True).click()
    expect(page.locator("#text")).to_have_value("You are an idiot and nobody likes you")
    page.locator("#text").fill("We send you a new one.")
    press(page, "Enter")
    heard(page, customer, "We send you a new one.")


def test_originals_are_shown_for_a_reason_and_to_their_agent_alone(
    office: Office, open_page: Callable[..., Page]
) -> None:
    office.customer("Stove 6060: call me on 13812345678, I want to talk to a person")
    page = open_page("mei")
    press(page, "1")
    row_of(page, "Stove 6060").click()
    chip = page.locator("#log .by-customer .chip")
    expect(chip).to_have_text("Mobile 1")
    chip.click()
    expect(page.locator("#toasts")).to_contain_text("Take the conversation over")
    page.locator("#take").click()
    expect(page.locator("#state")).to_have_text("mine")
    chip.click()
    page.locator("#reveal-why").fill("to call back")
    press(page, "Enter")
    expect(chip).to_have_text("13812345678")
    assert "13812345678" not in page.evaluate("JSON.stringify([sessionStorage, localStorage])")


def test_a_supervisor_sees_the_team_and_takes_over_from_an_agent(
    office: Office, open_page: Callable[..., Page]
) -> None:
    office.customer("Lamp 7070: I want to talk to a person")
    page, boss = open_page("mei"), open_page("boss")
    row_of(page, "Lamp 7070").click()
    page.locator("#take").click()
    expect(page.locator("#state")).to_have_text("mine")
    press(boss, "v")
    line = boss.locator("#team tbody tr").filter(has=boss.locator("bdi", has_text=re.compile("^mei$")))
    expect(line).to_contain_text("here")
    line.locator("button").click()
    expect(boss.locator("#agent-only")).to_contain_text("mei")
    row_of(boss, "Lamp 7070").or_(boss.locator(".row").first).first.click()
    press(boss, "t")
    boss.locator("#sure .main").click()
    expect(boss.locator("#state")).to_have_text("mine")
    press(boss, "b")


def test_a_broken_line_is_said_and_what_was_written_goes_out_once(
    office: Office, open_page: Callable[..., Page]
) -> None:
    customer = office.customer("Boots 8080: I want to talk to a person")
    page = open_page("mei")
    row_of(page, "Boots 8080").click()
    page.locator("#take").click()
    expect(page.locator("#state")).to_have_text("mine")
    office.server.kill("web")
    expect(page.locator("#line")).to_be_visible()
    page.locator("#text").fill("Written while nobody heard it.")
    press(page, "Enter")
    expect(page.locator("#inbox")).to_have_attribute("data-line", "open", timeout=2000 * PATIENCE)
    expect(page.locator("#line")).to_be_hidden()
    heard(page, customer, "Written while nobody heard it.")
    expect(page.locator("#log .by-agent.sent .bubble")).to_have_count(1)
    customer.say("Heard you, boots are fine now")
    expect(page.locator("#log")).to_contain_text("Heard you")
    assert said_by(customer, "agent") == ["Written while nobody heard it."]


def test_a_phone_shows_list_conversation_and_customer_in_turn(office: Office, open_page: Callable[..., Page]) -> None:
    office.customer("背包 9090 坏了，我要找人工客服", language="zh")
    page = open_page("tom", language="zh-hans", viewport=PHONE, has_touch=True)
    expect(page.locator(".inbox-thread")).to_be_hidden()
    row_of(page, "9090").tap()
    expect(page.locator("#log")).to_contain_text("9090")
    expect(page.locator(".inbox-list")).to_be_hidden()
    page.locator("#panel-open").tap()
    expect(page.locator("#customer")).to_contain_text("Spruce")
    expect(page.locator("#thread")).to_be_hidden()
    page.locator("#panel-close").tap()
    expect(page.locator("#thread")).to_be_visible()
    page.go_back()
    expect(page.locator(".inbox-list")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# --- modules alone


def run(page: Page, module: str, body: str) -> Any:
    return page.evaluate(f"async () => {{ const m = await import('/static/rooms/inbox/{module}'); {body} }}")


ROW = (
    "const at = (s) => new Date(1e12 - s * 1000).toISOString();"
    "const row = (more) => ({conversation: 'c', state: 'waiting', site: 'a', language: 'zh', topic: '', intent: '',"
    " sentiment: '', tags: [], since: at(100), within: 120, asked: null, agent: null, offered_to: null, role: 'bot',"
    " updated: at(10), preview: 'Hi', ...more}); const now = 1e12;"
)


@pytest.fixture(scope="module")
def blank(office: Office, browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(office.server.address + "/healthz")
    yield page
    page.close()


def test_a_clock_turns_at_two_thirds_and_at_the_end_of_what_the_site_promises(blank: Page) -> None:
    body = "return [79, 80, 119, 120].map(s => m.clockOf(row({since: at(s)}), now).level)"
    assert run(blank, "rows.js", ROW + body) == ["", "warn", "warn", "bad"]
    body = "return [{state: 'bot'}, {state: 'message'}, {state: 'taken'}].map(x => m.clockOf(row(x), now))"
    assert run(blank, "rows.js", ROW + body) == [None, None, None]
    body = "return m.clockOf(row({state: 'taken', asked: at(200)}), now).level"
    assert run(blank, "rows.js", ROW + body) == "bad"
    body = "return [5, 65, 3600, 90000].map(s => m.spell(s, {hours: 'h', days: 'd'}))"
    assert run(blank, "rows.js", body) == ["0:05", "1:05", "1 h", "1 d"]


@pytest.mark.parametrize(
    ("row", "view", "filters", "expected"),
    [
        ("{}", "waiting", "{}", True),
        ("{}", "mine", "{}", False),
        ("{state: 'taken', agent: 'me'}", "mine", "{}", True),
        ("{state: 'taken', agent: 'you'}", "mine", "{}", False),
        ("{state: 'taken', agent: 'you'}", "taken", "{agent: 'you'}", True),
        ("{tags: ['vip']}", "all", "{tag: 'vip'}", True),
        ("{tags: ['vip']}", "all", "{tag: 'vi'}", False),
        ("{intent: 'invoice'}", "all", "{topic: 'invoice'}", True),
        ("{}", "all", "{language: 'en'}", False),
        ("{}", "waiting", "{wait: 60}", True),
        ("{}", "waiting", "{wait: 300}", False),
        ("{}", "waiting", "{late: true}", False),
        ("{since: at(121)}", "waiting", "{late: true}", True),
        ("{state: 'bot', since: at(999)}", "all", "{late: true}", False),
    ],
)
def test_a_changed_row_goes_into_the_lists_that_the_server_would_put_it_into(
    blank: Page, row: str, view: str, filters: str, expected: bool
) -> None:
    body = f"return Boolean(m.fits(row({row}), '{view}', {filters}, 'me', now))"
    assert run(blank, "rows.js", ROW + body) is expected


def test_variables_are_filled_in_and_what_is_none_stays(blank: Page) -> None:
    body = "return m.filled('Dear {customer}, {agent} {order} {}', {customer: '$&', agent: 'Mei'})"
    assert run(blank, "rows.js", body) == "Dear $&, Mei {order} {}"


MESSAGE = (
    "const t = new m.Transcript(); const message = (seq, id, more) => t.receive({type: 'message', seq, message:"
    " {id, role: 'bot', text: id, at: '2026-01-01T00:00:0' + seq, sources: [], files: [], reason: '', ...more}});"
    "const shown = () => t.entries.map(e => [e.role, e.text, e.state]);"
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            "t.receive({type: 'reply', seq: 1, reply: 'r', part: 0, text: 'A', replace: false});"
            "t.receive({type: 'reply', seq: 2, reply: 'r', part: 1, text: 'B', replace: false});"
            "const first = shown(); message(3, 'r', {text: 'AB.'}); return [first, shown()]",
            [[["bot", "AB", "streaming"]], [["bot", "AB.", "sent"]]],
            id="parts become the reply",
        ),
        pytest.param(
            "t.receive({type: 'reply', seq: 1, reply: 'r', part: 0, text: 'A', replace: false});"
            "message(2, 's', {role: 'system', reason: 'joined'}); return shown()",
            [["system", "s", "sent"]],
            id="a take-over drops what was being said",
        ),
        pytest.param(
            "t.receive({type: 'reply', seq: 1, reply: 'r', part: 0, text: 'A', replace: false});"
            "message(2, 's', {role: 'system', reason: 'closed'}); return shown().length",
            2,
            id="that people are away drops nothing",
        ),
        pytest.param(
            "t.sending('i', 'message', 'Hi', 'mei', '2026-01-01'); message(1, 'x', {role: 'agent', client_id: '7:i'});"
            "t.arrived('i', 'x'); return shown()",
            [["agent", "x", "sent"]],
            id="what one sent oneself comes once",
        ),
        pytest.param(
            "t.sending('i', 'message', 'Hi', 'mei', '2026-01-01'); t.arrived('i', 'x');"
            "message(1, 'x', {role: 'agent', client_id: '7:i'}); return shown()",
            [["agent", "x", "sent"]],
            id="whichever comes first",
        ),
        pytest.param(
            "message(2, 'a'); return [message(2, 'b'), message(1, 'c'), shown().length]",
            [False, False, 1],
            id="what was seen before changes nothing",
        ),
    ],
)
def test_events_become_what_is_read(blank: Page, body: str, expected: Any) -> None:
    assert run(blank, "transcript.js", MESSAGE + body) == expected


def test_no_text_becomes_markup_and_placeholders_become_chips(blank: Page) -> None:
    body = (
        "const box = document.createElement('div');"
        "m.fill(box, '<img src=x onerror=alert(1)> **b** <CN_MOBILE_1>\\n- [x](javascript:1) https://a.example/?q.',"
        "{chip: (p) => m.element('button', p)}); return box.innerHTML"
    )
    assert run(blank, "text.js", body) == (
        "<p>&lt;img src=x onerror=alert(1)&gt; <strong>b</strong> <button>&lt;CN_MOBILE_1&gt;</button></p>"
        '<ul><li>[x](javascript:1) <a href="https://a.example/?q" target="_blank" rel="noopener nofollow">'
        "https://a.example/?q</a>.</li></ul>"
    )


def test_a_thousand_rows_are_a_few_dozen_elements_and_the_cursor_reaches_the_last(
    office: Office, open_page: Callable[..., Page]
) -> None:
    page = open_page("tom")
    body = (
        ROW + "const box = document.createElement('div'); box.style.cssText = 'height:600px;overflow:auto';"
        "document.body.append(box); const look = {words: {hours: 'h', days: 'd'}, me: 'me', topics: {},"
        " sites: new Map(), seen: new Map(), name: (r) => r.conversation, query: () => ''};"
        "const list = new m.List(box, look, {onOpen() {}, onEnd() {}});"
        "const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));"
        "list.rows = Array.from({length: 1000}, (_, i) => row({conversation: `c${i}`})); await frame();"
        "const first = box.querySelectorAll('.row').length; for (let i = 0; i < 1000; i++) list.move(1); await frame();"
        "return [first, box.querySelectorAll('.row').length, list.current.conversation,"
        " document.getElementById('row-c999').getBoundingClientRect().bottom <= box.getBoundingClientRect().bottom + 1]"
    )
    first, last, current, in_sight = run(page, "list.js", body)
    assert (first < 40, last < 40, current, in_sight) == (True, True, "c999", True)
