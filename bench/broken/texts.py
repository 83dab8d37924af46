"""Broken texts: encodings, Markdown, csv, jsonl, html."""

import json
import random
from collections.abc import Callable

from bench.broken.cases import Case

SIMPLIFIED = "退货政策：签收后七天内可以申请退货，运费由我们承担。客服会在两个工作日内答复您的申请。"
TRADITIONAL = "退貨政策：簽收後七天內可以申請退貨，運費由我們承擔。客服會在兩個工作日內答覆您的申請。"
ENGLISH = "We refund every order within seven days of delivery. "


def of(text: str, encoding: str = "utf-8") -> Callable[[], bytes]:
    """Makes those words in that encoding."""
    return lambda: text.encode(encoding)


def _long_line() -> bytes:
    return ((ENGLISH + SIMPLIFIED) * 40_000).encode()[: 5 * 2**20]


def _wide() -> bytes:
    header = ",".join(f"column {i}" for i in range(10_000))
    return f"{header}\n{','.join(str(i) for i in range(10_000))}\n".encode()


def _tall() -> bytes:
    return ("region,fee,days\n" + "".join(f"region {i},{i % 40},{i % 9}\n" for i in range(100_000))).encode()


def _noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


_HIDDEN = """<html><head><style>.x1 {display: none} #gone{visibility:hidden}</style><title>t</title></head><body>
<h1>Returns</h1><p>Seven days.</p><p class="x1">SECRET one</p><div id="gone">SECRET two</div>
<p style="font-size:0">SECRET three</p><p style="color:#fff;background:#ffffff">SECRET four</p><p hidden>SECRET five</p>
<p style="position:absolute;left:-9999px">SECRET six</p><!-- SECRET seven --><script>SECRET()</script>
<noscript>SECRET eight</noscript><p style="opacity:0">SECRET nine</p><template>SECRET ten</template></body></html>"""

CASES = (
    Case("empty.txt", of(""), ("empty",)),
    Case("spaces.txt", of("  \n\t \r\n"), ("empty",)),
    Case("nul-only.txt", lambda: b"\0" * 1000, ("empty",)),
    Case("nul-between.txt", lambda: (ENGLISH * 20).encode().replace(b". ", b".\0 ", 1), holds="seven days"),
    Case("noise.txt", lambda: _noise(5000), ("not_text", "encoding")),
    Case("program.txt", lambda: b"\x7fELF\x02\x01\x01" + _noise(9000), ("not_text", "encoding")),
    Case("gb18030.txt", of(SIMPLIFIED, "gb18030"), holds="签收后七天"),
    Case("big5.txt", of(TRADITIONAL, "big5"), holds="簽收後七天"),
    Case("utf16-le.txt", of("\ufeff" + SIMPLIFIED, "utf-16-le"), holds="签收后七天"),
    Case("utf16-be.txt", of("\ufeff" + SIMPLIFIED, "utf-16-be"), holds="签收后七天"),
    Case("utf16-without-mark.txt", of(f"{SIMPLIFIED}\n{ENGLISH}\n{SIMPLIFIED}", "utf-16-le"), holds="签收后七天"),
    Case("utf8-with-mark.csv", of("\ufeffquestion,answer\nHow long?,Three days\n"), holds="Three days"),
    Case("cut-in-a-character.txt", lambda: (SIMPLIFIED * 3).encode()[:-2], holds="签收后七天"),
    Case("windows-quotes.txt", of("We don’t charge – ever.", "cp1252"), holds="don’t"),
    Case(
        "invisible-letters.txt", of("Re\u200bfund \u202ewithin\u2066 days"), holds="Refund within days", lacks="\u202e"
    ),
    Case("control-characters.txt", lambda: b"\x01\x02\x03\x04 text " * 99, ("not_text",)),
    Case("one-line-of-5-mb.txt", _long_line, holds="seven days", slow=True),
    Case("front-matter-only.md", of("---\ntitle: x\n---\n"), ("no_text",)),
    Case("front-matter-unclosed.md", of(f"---\ntitle: x\n\n{ENGLISH}"), holds="seven days"),
    Case("fence-unclosed.md", of(f"# A\n\n```\n{ENGLISH}"), holds="seven days"),
    Case("comment-only.md", of("<!-- nothing to see -->"), ("no_text",)),
    Case("quotes-5000-deep.md", of(">" * 5000 + " deep"), ("content", "no_text", "too_deep")),
    Case("lists-1000-deep.md", of("\n".join("  " * i + "- x" for i in range(1000))), ("content", "too_deep")),
    Case("stars.md", of("**a *b " * 20_000), ("content", "time"), slow=True),
    Case("brackets.md", of("[" * 50_000), ("content", "time"), slow=True),
    Case("ragged-table.md", of("| a | b |\n|---|---|\n| 1 |\n| 2 | 3 | 4 |\n"), holds="2"),
    Case("10000-columns.csv", _wide, holds="9999"),
    Case("100000-rows.csv", _tall, holds="region 99999", slow=True),
    Case("quote-unclosed.csv", of('question,answer\n"open,b'), ("table_damaged",)),
    Case("too-many-cells.csv", of("question,answer\nwhen,soon, maybe\n"), ("row_too_long",)),
    Case("header-only.csv", of("question,answer\n"), ("table_empty",)),
    Case("cell-of-5-mb.csv", of("a,b\n1," + "x" * 5_000_000), holds="xxx", slow=True),
    Case("semicolons.csv", of('name;price\n"tea; green";3,50\n'), holds="3,50"),
    Case("tabs.tsv", of("name\tprice\ntea, green\t3\n"), holds="tea, green"),
    Case("half-a-pair.jsonl", of('{"question": "How long?"}\n{broken'), ("json_line",)),
    Case("a-list.jsonl", of("[1, 2]"), ("json_object",)),
    Case("100000-deep.jsonl", of("[" * 100_000), ("json_line", "too_deep")),
    Case("long-number.jsonl", of('{"a": 1' + "0" * 9999 + "}"), ("json_line", "content")),
    Case("lone-surrogate.jsonl", of(json.dumps({"a": "x\ud800y", "b": "z"})), holds="z"),
    Case("script-only.html", of("<html><script>steal()</script><style>p{}</style></html>"), ("no_text",)),
    Case("hidden-text.html", of(_HIDDEN), holds="Seven days", lacks="SECRET"),
    Case("50000-deep.html", of("<div>" * 50_000 + "end"), ("content", "no_text", "too_deep")),
    Case("5000-deep-tables.html", of("<table><tr><td>" * 5000 + "end"), ("content", "no_text", "too_deep")),
    Case("unclosed.html", of(f"<h1>Returns<p>{ENGLISH}<table><tr><td>a<td>b<tr><td>1<td>2"), holds="seven days"),
    Case(
        "wide-spans.html",
        of("<table>" + "<tr><td colspan=999999999 rowspan=99999999>x</td></tr>" * 5000 + "</table>"),
        ("content", "too_much_text"),
        slow=True,
    ),
    Case(
        "billion-laughs.html",
        of('<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><html><body><p>&b; fine</p></body></html>'),
        holds="fine",
    ),
    Case(
        "wrong-charset.html",
        lambda: f'<meta charset="iso-8859-1"><p>{SIMPLIFIED}</p>'.encode("gb18030"),
        holds="签收后七天",
    ),
    Case("picture-inside.html", of(f'<img src="data:image/png;base64,{"A" * 3_000_000}"><p>text</p>'), holds="text"),
    Case("program.exe", lambda: b"MZ" + _noise(3000), ("unsupported",)),
    Case("no-extension", of(ENGLISH), ("unsupported",)),
)
