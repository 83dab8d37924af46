"""The widget as it travels: the same, smaller, and gzipped for whoever takes that."""

import gzip
import os
import re
from pathlib import Path

import pytest
from django.test import Client

import chatbot
from chatbot import minifying

SCRIPT = "/** Says so. */\nexport const a = 1; // one\nexport const b = `two  // ${a}\nlines`;\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.js", SCRIPT, "export const a=1;export const b=`two  // ${a}\nlines`;"),
        (
            "a.css",
            "/* All. */\na,\nb:hover {\n  color: red;\n  margin: 0 1px;\n}\n",
            "a,b:hover{color:red;margin:0 1px;}",
        ),
        (
            "b.css",
            "@media (x) {\n  a > b {\n    top: calc(1px + 2px);\n  }\n}\n",
            "@media (x){a > b{top:calc(1px + 2px);}}",
        ),
    ],
)
def test_comments_and_blanks_go_and_nothing_else(name: str, text: str, expected: str) -> None:
    assert minifying.minified(name, text).strip() == expected


def test_no_script_has_a_template_in_a_template_whose_blanks_would_go() -> None:
    scripts = (Path(chatbot.__file__).parent / "static").rglob("*.js")
    nested = re.compile(r"\$\{[^}`]*`")
    assert [script.name for script in scripts if nested.search(script.read_text())] == []


def test_copies_are_made_once_for_each_change(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "kefu").mkdir(parents=True)
    script = source / "kefu" / "a.js"
    script.write_text(SCRIPT)
    (source / "kefu" / "a.svg").write_text("<svg/>")
    minifying.write(source, target)
    copy = target / "kefu" / "a.js"
    assert sorted(path.name for path in copy.parent.iterdir()) == ["a.js", "a.js.gz"]
    assert gzip.decompress(copy.with_name("a.js.gz").read_bytes()) == copy.read_bytes()
    first = copy.stat().st_ino
    minifying.write(source, target)
    assert copy.stat().st_ino == first
    script.write_text("x")
    os.utime(script, (1, 1))
    minifying.write(source, target)
    assert copy.read_text() == "x"


def test_the_widget_is_served_so(client: Client, db: None) -> None:
    address = "/static/kefu/widget/kefu-chat.js"
    answer = client.get(address, headers={"accept-encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert answer["Access-Control-Allow-Origin"] == "*"
    small = gzip.decompress(b"".join(answer))
    plain = b"".join(client.get(address))
    assert small == plain
    assert b"/**" not in plain
