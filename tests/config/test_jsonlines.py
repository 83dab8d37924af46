"""The manners of every command that reads JSON lines."""

import io
import json
from typing import Any

import pytest

from config.jsonlines import Row, RowError, read_row, run_lines, text_of


def upper(row: Row) -> Row:
    return {"upper": text_of(row).upper()}


def run(handle: Any, *lines: str) -> tuple[int, list[dict[str, Any]]]:
    out = io.StringIO()
    status = run_lines(handle, lines, out)
    return status, [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_line_is_answered_in_order_with_its_id() -> None:
    lines = [f'{{"id": {n}, "text": "a{n}"}}\n' for n in range(50)]
    assert run(upper, *lines) == (0, [{"id": n, "upper": f"A{n}"} for n in range(50)])


@pytest.mark.parametrize("identity", ["a", "客", 7, 1.5, None, True, ["a", {"b": None}]])
def test_any_id_is_echoed(identity: object) -> None:
    assert run(upper, json.dumps({"id": identity, "text": "a"})) == (0, [{"id": identity, "upper": "A"}])


def test_blank_lines_are_skipped_and_an_empty_input_is_no_error() -> None:
    assert run(upper, "\n", '{"id": 1, "text": "a"}', "  \n") == (0, [{"id": 1, "upper": "A"}])
    assert run(upper) == (0, [])


@pytest.mark.parametrize(
    ("line", "identity"),
    [
        ("not json", None),
        ('["a"]', None),
        ('{"id": 3}', 3),
        ('{"id": 3, "text": 5}', 3),
        ('{"id": 3, "text": null}', 3),
        ('{"id": 3, "text": "\udcff"}', None),
        ('{"id": 3, "text": "\\ud800"}', None),
        ("[" * 5000, None),
    ],
)
def test_a_bad_line_is_named_and_the_run_goes_on(line: str, identity: object) -> None:
    status, answers = run(upper, line, '{"id": 2, "text": "b"}')
    assert status == 1
    assert answers[0].keys() == {"id", "error"}
    assert answers[0]["id"] == identity
    assert answers[1] == {"id": 2, "upper": "B"}


def test_an_unexpected_error_is_named_by_its_type_alone() -> None:
    def fail(row: Row) -> Row:
        raise ValueError("13800138000 is not a number")

    assert run(fail, '{"id": 1, "text": "a"}') == (1, [{"id": 1, "error": "could not be processed (ValueError)"}])


def test_an_answer_that_is_no_json_does_not_end_the_run() -> None:
    status, answers = run(lambda row: {"set": {1} if row["id"] == 1 else 2}, '{"id": 1}', '{"id": 2}')
    assert status == 1
    assert "error" in answers[0]
    assert answers[1] == {"id": 2, "set": 2}


def test_each_answer_is_written_before_the_next_line_is_read() -> None:
    out = io.StringIO()

    def lines() -> Any:
        yield '{"id": 1, "text": "a"}'
        assert json.loads(out.getvalue())["id"] == 1
        yield '{"id": 2, "text": "b"}'

    assert run_lines(upper, lines(), out) == 0


def test_what_is_wrong_with_a_row_is_said() -> None:
    with pytest.raises(RowError, match="JSON"):
        read_row("{")
    with pytest.raises(RowError, match="'question'"):
        text_of({"text": "a"}, "question")
