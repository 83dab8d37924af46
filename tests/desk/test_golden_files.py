"""Golden questions from files: what is read, and what is wrong by its line."""

import csv

import pytest

from desk.golden_files import MOST_BYTES, Unusable, read
from knowledge.golden import Golden


def told(name: str, text: str | bytes) -> list[object]:
    data = text if isinstance(text, bytes) else text.encode()
    return [one if isinstance(one, Golden) else (one.line, one.code) for one in read(name, data)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.jsonl", '{"question": " How long? "}\n\n', [Golden("How long?")]),
        ("a.jsonl", '{"question": "x", "expects": "refusal"}', [Golden("x", answered=False)]),
        ("a.jsonl", '{"question": "x", "document": "a.md", "facts": ["7"]}', [Golden("x", True, "a.md", ("7",))]),
        ("a.csv", "question,facts\nx,a | b\n", [Golden("x", True, "", ("a", "b"))]),
        ("a.CSV", '\ufeffquestion,expects\n"x, y",refusal\n', [Golden("x, y", answered=False)]),
        ("a.csv", "question\n退款多久？\n".encode("gb18030"), [Golden("退款多久？")]),
        ("a.jsonl", "no\n[1]\n", [(1, "json"), (2, "json")]),
        ("a.jsonl", '{"expects": "answer"}\n{"question": 3}\n', [(1, "question"), (2, "question")]),
        ("a.jsonl", '{"question": "x", "expects": "maybe"}', [(1, "expects")]),
        ("a.jsonl", '{"question": "x", "facts": "7"}', [(1, "facts")]),
        ("a.csv", "question,expects\n,answer\nx,maybe\n", [(2, "question"), (3, "expects")]),
        ("a.jsonl", "[" * 200_000 + '\n{"question": "x"}', [(1, "json"), Golden("x")]),
        ("a.jsonl", '{"question": "\\ud800"}\n{"question": "a\\u0000b"}', [(1, "question"), (2, "question")]),
        ("a.jsonl", '{"question": "x", "document": "\\u0000"}', [(1, "expects")]),
        ("a.jsonl", '{"question": "x", "facts": ["\\udfff"]}', [(1, "facts")]),
    ],
)
def test_each_line_is_a_question_or_says_what_is_wrong(name: str, text: str | bytes, expected: list[object]) -> None:
    assert told(name, text) == expected


def test_a_field_beyond_all_bounds_ends_the_file_where_it_begins() -> None:
    before = csv.field_size_limit(1_000)
    try:
        assert told("a.csv", 'question\nx\n"' + "a" * 2_000 + '"\ny\n') == [Golden("x"), (3, "columns")]
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"a,b\n1,2\n", "columns"),
        ("a.csv", b"", "columns"),
        ("a.jsonl", b"\xff\xff\xff", "encoding"),
        ("a.jsonl", b" " * (MOST_BYTES + 1), "too_large"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name: str, data: bytes, code: str) -> None:
    with pytest.raises(Unusable) as refused:
        read(name, data)
    assert (refused.value.code, refused.value.line) == (code, 0)
