"""What a page, or somebody who pretends to be one, can send."""

import json
import string
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatbot.models import Feedback as StoredFeedback
from chatbot.protocol import (
    Delete,
    Earlier,
    Edit,
    Feedback,
    Frame,
    FrameError,
    Hello,
    Link,
    Passage,
    Ping,
    Profile,
    Rate,
    Reason,
    Related,
    Say,
    Stop,
    Transcript,
    frame,
    read_frame,
)

LONGEST = 100
ID = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"
FIVE = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(5)]
HELLO = {"type": "hello", "protocol": 1, "key": "shop", "token": "", "after": 0, "language": "en"}


def say(text: object, **fields: object) -> str:
    return json.dumps({"type": "say", "id": ID, "text": text, **fields})


def hello(**fields: object) -> str:
    return json.dumps({**HELLO, **fields})


def asked(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, "id": ID, **fields})


GOOD = {
    "a message": (say("你好"), Say(ID, "你好")),
    "blanks around a message": (say("  hi \n"), Say(ID, "hi")),
    "newline and tab inside": (say("a\n\tb"), Say(ID, "a\n\tb")),
    "NUL inside": (say("a\0b"), Say(ID, "ab")),
    "control characters inside": (say("a\x1b[31m\x07\x7fb\r\n"), Say(ID, "a[31mb")),
    "text that looks like a placeholder": (say("<CN_MOBILE_1>"), Say(ID, "<CN_MOBILE_1>")),
    "text that looks like markup": (say("<script>alert(1)</script>"), Say(ID, "<script>alert(1)</script>")),
    "an emoji of several code points": (say("👩‍👩‍👧"), Say(ID, "👩‍👩‍👧")),
    "a message as long as allowed": (say("a" * LONGEST), Say(ID, "a" * LONGEST)),
    "a message as long as allowed, every character escaped": (say("😀" * LONGEST), Say(ID, "😀" * LONGEST)),
    "a message with files": (say("look", files=[ID, OTHER]), Say(ID, "look", (ID, OTHER))),
    "files alone": (say(" \u200b", files=[ID]), Say(ID, "", (ID,))),
    "as many files as allowed": (say("", files=FIVE), Say(ID, "", tuple(FIVE))),
    "no files": (say("hi", files=[]), Say(ID, "hi")),
    "unknown fields": (say("hi", extra={"a": [1]}), Say(ID, "hi")),
    "a doubled field, of which the last counts": ('{"type": "ping", "type": "stop"}', Stop()),
    "an edit": (say(" new ", type="edit", files=[ID]), Edit(ID, "new")),
    "a withdrawal": (say(7, type="delete"), Delete(ID)),
    "stop": ('{"type": "stop"}', Stop()),
    "ping": (' {"type": "ping"}\n', Ping()),
    "hello": (hello(), Hello("shop", "", 0, "en")),
    "hello in Chinese": (hello(language="zh-CN"), Hello("shop", "", 0, "zh")),
    "hello in traditional Chinese": (hello(language="zh-Hant-TW"), Hello("shop", "", 0, "zh", traditional=True)),
    "hello from Hong Kong": (hello(language="zh-HK"), Hello("shop", "", 0, "zh", traditional=True)),
    "a form": (asked("profile", values={"name": " Li\0 "}), Profile(ID, (("name", "Li"),))),
    "a thumb up": (asked("feedback", message=OTHER, helpful=True), Feedback(ID, OTHER, True)),
    "a thumb down with its reason": (
        asked("feedback", message=OTHER, helpful=False, reason="outdated", comment="c" * 1001),
        Feedback(ID, OTHER, False, "outdated", "c" * 1000),
    ),
    "a rating": (asked("rate", score=5, comment=" ok "), Rate(ID, 5, "ok")),
    "a passage": (asked("passage", message=OTHER, number=1), Passage(ID, OTHER, 1)),
    "related questions": (asked("related", message=OTHER), Related(ID, OTHER)),
    "what was earlier": (asked("earlier", before=OTHER), Earlier(ID, OTHER)),
    "a file's address": (asked("link", file=OTHER), Link(ID, OTHER)),
    "a transcript": (asked("transcript"), Transcript(ID)),
    "a transcript by e-mail": (asked("transcript", email=" a@b.example "), Transcript(ID, "a@b.example")),
    "hello in another language": (hello(language="fr"), Hello("shop", "", 0, "en")),
    "hello in no language at all": (hello(language=[["zh"]]), Hello("shop", "", 0, "en")),
    "hello that resumes": (hello(token="t", after=7), Hello("shop", "t", 7, "en")),
    "hello of a user": (
        hello(user="a.b.c", device="d" * 16),
        Hello("shop", "", 0, "en", "a.b.c", "d" * 16),
    ),
    "the longest user and device are cut": (
        hello(user="u" * 4097, device="d" * 64),
        Hello("shop", "", 0, "en", "u" * 4096, "d" * 64),
    ),
    "the highest number": (hello(after=2**53 - 1), Hello("shop", "", 2**53 - 1, "en")),
    "a long key and token are cut": (hello(key="k" * 65, token="t" * 2049), Hello("k" * 64, "t" * 2048, 0, "en")),
}

BAD = {
    "10 MB of message": (say("a" * 10_000_000), "too_long"),
    "10 MB of blanks": (" " * 10_000_000, "too_long"),
    "10 MB of open brackets": ("[" * 10_000_000, "too_long"),
    "one character too many": (say("a" * (LONGEST + 1)), "too_long"),
    "10,000 zero-width characters": (say("\u200b" * 10_000), "too_long"),
    "an edit that is too long": (say("a" * (LONGEST + 1), type="edit"), "too_long"),
    "an edit to nothing": (say(" ", type="edit"), "empty"),
    "an edit without an id": ('{"type": "edit", "text": "a"}', "unknown_type"),
    "a withdrawal of a number": ('{"type": "delete", "id": 7}', "unknown_type"),
    "one file too many": (say("hi", files=[*FIVE, ID]), "too_many_files"),
    "the same file twice": (say("hi", files=[ID, ID]), "too_many_files"),
    "a path instead of a file": (say("hi", files=["../../etc/passwd"]), "files_gone"),
    "a file id in capitals": (say("hi", files=[ID[:-1] + "A"]), "files_gone"),
    "files that are no list": (say("hi", files=ID), "files_gone"),
    "a file that is no text": (say("hi", files=[{"id": ID}]), "files_gone"),
    "null instead of files": (say("hi", files=None), "files_gone"),
    "no files and no text": (say("", files=[]), "empty"),
    "files and no text at all": (json.dumps({"type": "say", "id": ID, "files": [ID]}), "empty"),
    "no text": ('{"type": "say", "id": "00000000-0000-4000-8000-000000000001"}', "empty"),
    "only zero-width characters": (say("\u200b\u200d\ufeff" * 20), "empty"),
    "only blanks": (say(" \t\n\u3000\xa0"), "empty"),
    "only NUL": (say("\0\0"), "empty"),
    "nothing": (say(""), "empty"),
    "a number instead of text": (say(5), "empty"),
    "a list instead of text": (say(["hi"]), "empty"),
    "null instead of text": (say(None), "empty"),
    "no id": ('{"type": "say", "text": "hi"}', "unknown_type"),
    "an empty id": (say("hi", id=""), "unknown_type"),
    "an id that is no UUID": (say("hi", id="13912345678"), "unknown_type"),
    "a number as id": (say("hi", id=1), "unknown_type"),
    "an id that is too long": (say("hi", id="x" * 65), "unknown_type"),
    "an id with NUL": (say("hi", id="a\0"), "unknown_type"),
    "an empty frame": ("", "invalid_json"),
    "no JSON": ("hello", "invalid_json"),
    "half a JSON object": ('{"type": "say"', "invalid_json"),
    "a JSON array": ('[{"type": "ping"}]', "invalid_json"),
    "a JSON string": ('"ping"', "invalid_json"),
    "a JSON number": ("1e400", "invalid_json"),
    "NaN": ('{"type": NaN}', "invalid_json"),
    "deep nesting": ("[" * 2000 + "]" * 2000, "invalid_json"),
    "a lone surrogate": ('{"type": "ping", "x": "\ud800"}', "invalid_json"),
    "an escaped lone surrogate": (
        '{"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": "\\ud800"}',
        "invalid_json",
    ),
    "a form that is a list": (asked("profile", values=["Li"]), "form_incomplete"),
    "a form with a number": (asked("profile", values={"age": 7}), "form_incomplete"),
    "a form with a long value": (asked("profile", values={"name": "x" * 201}), "form_incomplete"),
    "a form with many values": (asked("profile", values={str(n): "" for n in range(17)}), "form_incomplete"),
    "a thumb in between": (asked("feedback", message=OTHER, helpful=None), "unknown_type"),
    "a thumb on nothing": (asked("feedback", helpful=True), "unknown_type"),
    "a thumb for a reason of its own": (
        asked("feedback", message=OTHER, helpful=False, reason="<b>"),
        "unknown_type",
    ),
    "a thumb for a list": (asked("feedback", message=OTHER, helpful=False, reason=[]), "unknown_type"),
    "six stars": (asked("rate", score=6), "unknown_type"),
    "no star": (asked("rate", score=0), "unknown_type"),
    "half a star": (asked("rate", score=2.5), "unknown_type"),
    "true stars": (asked("rate", score=True), "unknown_type"),
    "a comment that is no text": (asked("rate", score=1, comment={}), "unknown_type"),
    "a passage without a number": (asked("passage", message=OTHER), "unknown_type"),
    "a passage of nothing": (asked("passage", message="../1", number=1), "unknown_type"),
    "earlier than nothing": (asked("earlier"), "unknown_type"),
    "a file by its path": (asked("link", file="/etc/passwd"), "unknown_type"),
    "a transcript to a long address": (asked("transcript", email="a" * 255), "bad_email"),
    "a transcript to a list": (asked("transcript", email=[]), "bad_email"),
    "a question without an id": ('{"type": "rate", "score": 5}', "unknown_type"),
    "an unknown type": ('{"type": "drop table"}', "unknown_type"),
    "no type": ("{}", "unknown_type"),
    "a list as type": ('{"type": ["say"]}', "unknown_type"),
    "a server's frame": ('{"type": "welcome"}', "unknown_type"),
    "another protocol": (hello(protocol=2), "bad_hello"),
    "no protocol": (hello(protocol=None), "bad_hello"),
    "no key": (hello(key=None), "bad_hello"),
    "a key with NUL": (hello(key="shop\0"), "bad_hello"),
    "a list as token": (hello(token=[]), "bad_hello"),
    "null as token": (hello(token=None), "bad_hello"),
    "a user without a device": (hello(user="a.b.c"), "bad_hello"),
    "a user with a device that can be guessed": (hello(user="a.b.c", device="d" * 15), "bad_hello"),
    "a device that is too long": (hello(user="a.b.c", device="d" * 65), "bad_hello"),
    "a list as user": (hello(user=["a"]), "bad_hello"),
    "null as device": (hello(device=None), "bad_hello"),
    "a bool as number": (hello(after=True), "bad_hello"),
    "a text as number": (hello(after="7"), "bad_hello"),
    "a fraction as number": (hello(after=1.5), "bad_hello"),
    "a negative number": (hello(after=-1), "bad_hello"),
    "a number that is too high": (hello(after=2**53), "bad_hello"),
    "a huge number": ('{"type": "hello", "protocol": 1, "key": "shop", "after": 1' + "0" * 300 + "}", "bad_hello"),
}


@pytest.mark.parametrize(("text", "expected"), GOOD.values(), ids=GOOD)
def test_a_good_frame_is_read(text: str, expected: Frame) -> None:
    assert read_frame(text, longest=LONGEST) == expected


@pytest.mark.parametrize(("text", "code"), BAD.values(), ids=BAD)
def test_a_bad_frame_gets_a_code(text: str, code: str) -> None:
    with pytest.raises(FrameError) as caught:
        read_frame(text, longest=LONGEST)
    assert caught.value.code == code


def test_the_reasons_are_those_that_are_kept() -> None:
    assert {*StoredFeedback.Reason.values, ""} == set(get_args(Reason))


@pytest.mark.parametrize("text", ["", "\u200b", "a" * (LONGEST + 1), 5])
def test_a_refused_message_is_named_by_its_id(text: object) -> None:
    with pytest.raises(FrameError) as caught:
        read_frame(say(text), longest=LONGEST)
    assert caught.value.frame_id == "00000000-0000-4000-8000-000000000001"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_FIELDS = st.fixed_dictionaries(
    {"type": st.sampled_from(["say", "hello", "stop", "profile", "feedback", "rate", "transcript", "x"])},
    optional={name: _JSON for name in ("text", "protocol", "key", "token", "after", "language", "values", "helpful")}
    | {name: _JSON | st.just(ID) for name in ("id", "message", "reason", "score", "email")},
)


@settings(max_examples=150)
@given(_FIELDS.map(json.dumps) | st.text(st.characters(exclude_categories=[])) | st.text(string.printable + '{}[]":,'))
@example("\ud83d\ude00")
def test_reading_raises_nothing_but_a_frame_error(text: str) -> None:
    try:
        read = read_frame(text, longest=LONGEST)
    except FrameError:
        return
    assert not isinstance(read, Say) or (0 < len(read.text) <= LONGEST and "\0" not in read.text)


def test_a_frame_is_json_with_its_type() -> None:
    assert json.loads(frame("error", code="x", message="中文 \u2028")) == {
        "type": "error",
        "code": "x",
        "message": "中文 \u2028",
    }
