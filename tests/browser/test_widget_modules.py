"""The widget's modules, each alone, in a real browser: the users of this project have no other JavaScript engine."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from chatbot.minifying import minified
from tests.browser.scripted_server import STATIC, ScriptedServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def blank(scripted: ScriptedServer, browser: Browser) -> Iterator[Page]:
    """An empty page of the server's origin, whose clock stands still until it is told to run."""
    page = browser.new_page()
    page.goto(scripted.origin + "/blank")
    page.clock.install()
    yield page
    page.close()


def run(page: Page, module: str, body: str) -> Any:
    """Runs `body` in the browser with the exports of one widget module as `m`, and returns what it returns."""
    return page.evaluate(f"async () => {{ const m = await import('/static/kefu/widget/{module}'); {body} }}")


def test_back_off_doubles_to_half_a_minute_and_spreads_the_crowd(blank: Page) -> None:
    waits = run(blank, "connection.js", "return [0,1,2,6,40].map(n => [m.backOff(n, 0), m.backOff(n, 1)])")
    assert waits == [[250, 500], [500, 1000], [1000, 2000], [15000, 30000], [15000, 30000]]


FAKE_SOCKET = """
const sockets = [], states = [];
class Fake {
  constructor() { sockets.push(this); this.readyState = 1; this.sent = []; }
  send(text) { this.sent.push(JSON.parse(text).type); }
  close() {}
  hear(event) { this.onmessage({data: JSON.stringify(event)}); }
}
const line = new m.Connection("ws://x", {
  hello: () => ({type: "hello"}), onEvent() {}, onState: (state) => states.push(state), Socket: Fake, random: () => 1,
});
const welcome = () => { const s = sockets.at(-1); s.onopen(); s.hear({type: "welcome"}); return s; };
const tick = (ms) => new Promise((done) => setTimeout(done, ms));
line.start();
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            "const s = welcome(); await tick(59e3); const before = sockets.length; await tick(7e3);"
            "return [s.sent, before, sockets.length, states]",
            [["hello", "ping", "ping"], 1, 2, ["connecting", "open", "reconnecting"]],
            id="a line silent for a minute is given up",
        ),
        pytest.param(
            "const s = welcome(); for (let i = 0; i < 8; i++) { await tick(20e3); s.hear({type: 'pong'}); }"
            "return [sockets.length, states]",
            [1, ["connecting", "open"]],
            id="a line that answers is kept",
        ),
        pytest.param(
            "const counts = []; for (let i = 0; i < 3; i++) { welcome().onclose({code: 1012}); await tick(600);"
            "counts.push(sockets.length); await tick(2000); } return counts",
            [2, 2, 3],
            id="a server that welcomes and hangs up is called ever more rarely",
        ),
        pytest.param(
            "const s = sockets[0]; s.onopen(); s.hear({type: 'error', fatal: true, id: null}); s.onclose({code: 4403});"
            "await tick(120e3); return [sockets.length, states]",
            [1, ["connecting", "closed"]],
            id="nothing is tried after a fatal error",
        ),
        pytest.param(
            "const s = welcome(); s.hear({type: 'error', fatal: false, id: null, retry_after: 40});"
            "s.onclose({code: 4429}); await tick(39e3); const before = sockets.length; await tick(2e3);"
            "return [before, sockets.length]",
            [1, 2],
            id="retry_after is respected",
        ),
        pytest.param(
            "const s = welcome(); await tick(6e3); line.wake(); await tick(6e3); return [sockets.length, s.sent]",
            [2, ["hello", "ping"]],
            id="a line that died in its sleep is found out at waking",
        ),
    ],
)
def test_the_connection_keeps_and_gives_up_lines(blank: Page, body: str, expected: Any) -> None:
    run(blank, "connection.js", f"globalThis.result = (async () => {{ {FAKE_SOCKET} {body} }})();")
    blank.clock.run_for(200_000)
    assert blank.evaluate("() => result") == expected


TRANSCRIPT = """
const t = new m.Transcript(); let seq = 0;
const message = (id, role, text, more = {}) =>
  t.receive({type: "message", seq: ++seq, message: {id, role, text, client_id: null, sources: [], at: "", ...more}});
const part = (reply, part, text, replace = false) => t.receive({type: "reply", seq: ++seq, reply, part, text, replace});
const status = (reply, stage) => t.receive({type: "status", seq: ++seq, reply, stage});
const view = () => t.entries.map((e) => `${e.role}:${e.text}:${e.state}`);
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            "part('r', 0, 'A.'); part('r', 1, 'B.'); const seen = t.seq;"
            "t.receive({type:'reply', seq: seen, reply:'r', part: 1, text:'B.'}); return [view(), t.answering]",
            [["bot:A.B.:streaming"], True],
            id="an event seen before changes nothing",
        ),
        pytest.param(
            "part('r', 1, 'B.'); part('r', 0, 'A.'); part('r', 0, 'A.'); return view()",
            ["bot:A.B.:streaming"],
            id="parts are ordered by number and replaced by number",
        ),
        pytest.param(
            "part('r', 0, 'A.'); part('r', 1, 'B.'); part('r', 2, 'Sorry.', true); return view()",
            ["bot:Sorry.:streaming"],
            id="replace drops all parts shown before",
        ),
        pytest.param(
            "status('r', 'searching'); part('r', 0, 'A.'); message('r', 'bot', 'A. B.'); part('r', 1, 'late');"
            "status('r', 'writing'); return [view(), t.status, t.answering]",
            [["bot:A. B.:sent"], None, False],
            id="a finished message replaces its stream and nothing late revives it",
        ),
        pytest.param(
            "message('1', 'bot', 'old'); message('1', 'bot', 'new'); return view()",
            ["bot:new:sent"],
            id="a message is idempotent by id",
        ),
        pytest.param(
            "t.say('x', 'one', ''); t.say('y', 'two', ''); message('1', 'agent', 'hi');"
            "message('2', 'customer', 'one', {client_id: 'x'}); return [view(), t.unsent().map(e => e.key)]",
            [["agent:hi:sent", "customer:one:sent", "customer:two:queued"], ["y"]],
            id="what is still to be sent stays last, and is confirmed by client_id",
        ),
        pytest.param(
            "t.say('x', 'one', ''); t.sending('x'); t.fail('x', 'no'); t.say('y', 'two', ''); t.retry('x');"
            "t.fail('z', 'unknown'); return view()",
            ["customer:two:queued", "customer:one:queued"],
            id="a retried message is said last",
        ),
        pytest.param(
            "t.say('x', 'one', ''); message('2', 'customer', 'one', {client_id: 'x'});"
            "t.fail('x', 'late'); return view()",
            ["customer:one:sent"],
            id="a confirmed message cannot fail",
        ),
        pytest.param(
            "message('1', 'bot', 'old'); t.say('x', 'one', ''); t.forget(); return [view(), t.seq]",
            [["customer:one:queued"], 0],
            id="a new conversation keeps what is to be sent",
        ),
        pytest.param(
            "t.say('x', 'one', ''); t.say('y', 'two', ''); t.fail('x', 'erased'); t.forget(); return view()",
            ["customer:one:failed", "customer:two:queued"],
            id="a new conversation keeps what failed, to be sent again",
        ),
        pytest.param(
            "message('1', 'bot', 'old'); t.say('x', 'one', ''); t.fail('x', ''); t.forget(true); return view()",
            [],
            id="somebody else's conversation keeps nothing",
        ),
        pytest.param(
            "message('2', 'bot', 'new'); t.prepend([{id: '1', role: 'customer', text: 'old'}, {id: '2', role: 'bot'}]);"
            "return [view(), t.unread(0)]",
            [["customer:old:sent", "bot:new:sent"], 1],
            id="what was said earlier goes above and is not news",
        ),
        pytest.param(
            "message('1', 'bot', 'a'); t.note('1', {thumb: true}); message('1', 'bot', 'b'); return t.find('1').thumb",
            True,
            id="a thumb stays on a message that changes",
        ),
        pytest.param(
            "part('r', 0, 'A.'); message('1', 'agent', 'I take over.'); return [view(), t.answering]",
            [["bot:A.:sent", "agent:I take over.:sent"], False],
            id="an agent's word ends the running reply",
        ),
        pytest.param(
            "t.receive({}); t.receive({type: 'message', seq: 5}); t.receive({type: 'dance', seq: 6});"
            "return [view(), t.seq]",
            [[], 6],
            id="what is not understood is passed over",
        ),
        pytest.param(
            "message('1', 'bot', 'a'); message('2', 'customer', 'b'); message('3', 'agent', 'c');"
            "return [t.unread(0), t.unread(1)]",
            [2, 1],
            id="unread counts the messages of others",
        ),
    ],
)
def test_the_transcript(blank: Page, body: str, expected: Any) -> None:
    assert run(blank, "transcript.js", TRANSCRIPT + body) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [["p", ["plain"]]]),
        ("one\ntwo\n\nthree", [["p", ["one\ntwo"]], ["p", ["three"]]]),
        ("- a\n- **b**\nafter", [["ul", ["a"], ["bold:b"]], ["p", ["after"]]]),
        ("1. a\n2. b", [["ol", ["a"], ["b"]]]),
        ("2、打开订单", [["ol", ["打开订单"]]]),
        ("3、4月可以", [["p", ["3、4月可以"]]]),
        ("1.5 kg and 2 * 3 * 4", [["p", ["1.5 kg and 2 * 3 * 4"]]]),
        ("## Title\ntext", [["p", ["bold:Title"]], ["p", ["text"]]]),
        ("is so [1], not [7] or [x]", [["p", ["is so ", "mark:1", ", not [7] or [x]"]]]),
        ("see https://a.example/x(y).", [["p", ["see ", "link:https://a.example/x(y)", "."]]]),
        ("请看https://a.example/x。谢谢", [["p", ["请看", "link:https://a.example/x", "。谢谢"]]]),
        ("https://a.example/x[1]", [["p", ["link:https://a.example/x", "mark:1"]]]),
        ("javascript:alert(1) ftp://a.example https://", [["p", ["javascript:alert(1) ftp://a.example https://"]]]),
        ("<img src=x onerror=alert(1)>", [["p", ["<img src=x onerror=alert(1)>"]]]),
        ("<PHONE_1>", [["p", ["<PHONE_1>"]]]),
        ("run `make run` now", [["p", ["run ", "code:make run", " now"]]]),
        ("```sh\nls *\n# x\n```\nafter", [["pre", "ls *\n# x"], ["p", ["after"]]]),
        ("```\nnot closed", [["pre", "not closed"]]),
        (
            "Prices:\n| Size | Price |\n|---|---:|\n| S | **9** [1] |\n| M | 12 |\nafter",
            [
                ["p", ["Prices:"]],
                ["table", [[["Size"], ["Price"]], [["S"], ["bold:9", " ", "mark:1"]], [["M"], ["12"]]]],
                ["p", ["after"]],
            ],
        ),
        ("a | b\nno table", [["p", ["a | b\nno table"]]]),
        ("see [our shop](https://a.example/x)!", [["p", ["see ", "link:our shop>https://a.example/x", "!"]]]),
        ("[https://a.example](https://b.example)", [["p", ["link:https://b.example"]]]),
        ("[x](javascript:alert(1))", [["p", ["[x](javascript:alert(1))"]]]),
    ],
)
def test_text_becomes_paragraphs_lists_links_and_marks(blank: Page, text: str, expected: Any) -> None:
    run_shape = (
        "(r) => Array.isArray(r) ? r.map(one) : r.kind === 'text' ? r.text"
        " : r.kind === 'link' && r.href !== r.text ? `link:${r.text}>${r.href}` : `${r.kind}:${r.text}`"
    )
    shape = (
        "({tag, items}) => tag === 'pre' ? [tag, items] : tag === 'table' ? [tag, items.map((i) => i.map(one))]"
        " : [tag, ...items.map((i) => i.map(one))]"
    )
    body = f"const one = {run_shape};"
    body += f"return m.parse({json.dumps(text)}, {{isSource: (n) => n === 1}}).map({shape})"
    assert run(blank, "text.js", body) == expected


def test_any_brand_colour_gives_readable_text(blank: Page) -> None:
    worst = run(
        blank,
        "colour.js",
        """const rgb = (css) => css.match(/\\d+/g).map(Number); const found = [];
        for (const brand of [[47,91,234],[245,179,1],[255,255,255],[0,0,0],[31,107,84],[255,90,160],[128,128,128]])
          for (const [theme, surface] of [["light", [241,243,246]], ["dark", [36,40,48]]]) {
            const {on, ink} = m.palette(brand, theme);
            found.push([m.contrast(rgb(on), brand), m.contrast(rgb(ink), surface)]);
          }
        return [Math.min(...found.map(f => f[0])), Math.min(...found.map(f => f[1]))];""",
    )
    assert worst[0] >= 3.6
    assert worst[1] >= 4.5


WIDGET = STATIC / "kefu" / "widget"
LATER = ("extras.js", "extras.css", "form.js", "files.js", "-later.js")
"""What is loaded when it is needed."""


def test_all_that_loads_before_the_first_answer_is_at_most_25_kb_gzipped() -> None:
    languages = {"en.js", "zh-hans.js", "zh-hant.js"}
    files = [STATIC / "kefu" / "kefu.js", *(path for path in WIDGET.rglob("*.*") if not path.name.endswith(LATER))]
    sizes = {path.name: len(gzip.compress(minified(path.name, path.read_text()).encode())) for path in files}
    assert languages < sizes.keys()
    words = max(sizes.pop(name) for name in languages)
    assert sum(sizes.values()) + words <= 25_000


@pytest.mark.parametrize("part", ["", "-later"])
def test_all_languages_have_the_same_words(blank: Page, part: str) -> None:
    shape = "Object.entries(m.default).map(([k, v]) => [k, Object.keys(Object(v)).join(), typeof v])"
    english, simplified, traditional = (
        run(blank, f"words/{name}{part}.js", f"return {shape}.map(([k, v, t]) => [k, t === 'object' ? v : t])")
        for name in ("en", "zh-hans", "zh-hant")
    )
    assert english == simplified == traditional
