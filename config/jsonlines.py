"""The manners of every batch command that reads JSON lines: one line in, one line out, in order, `id` echoed.

Knows nothing of what the commands do.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any, TextIO

import orjson

Row = dict[str, Any]


class RowError(Exception):
    """What is wrong with one line; shown to whoever runs the command."""


def read_row(line: str) -> Row:
    """Return the line's JSON object. Raises RowError."""
    try:
        row = orjson.loads(line.encode("utf-8"))
    except (ValueError, UnicodeEncodeError):
        raise RowError("not valid JSON in UTF-8") from None
    if not isinstance(row, dict):
        raise RowError("not a JSON object")
    return row


def text_of(row: Row, key: str = "text") -> str:
    """Return the row's string under `key`. Raises RowError."""
    value = row.get(key)
    if not isinstance(value, str):
        raise RowError(f"{key!r} is missing or not a string")
    return value


def run_lines(handle: Callable[[Row], Row], lines: Iterable[str] | None = None, out: TextIO | None = None) -> int:
    """Write one JSON line per input line and return the exit status: 1 when any line could not be processed.

    `handle` returns the answer without `id`, or raises RowError; anything else it raises is reported by its type
    alone (the text of an exception may hold personal data) and the run goes on.
    """
    status = 0
    source, sink = lines if lines is not None else stdin_lines(), out or sys.stdout
    for line in source:
        if not line.strip():
            continue
        identity: object = None
        try:
            row = read_row(line)
            identity = row.get("id")
            answer = orjson.dumps({"id": identity, **handle(row)})
        except RowError as error:
            answer, status = orjson.dumps({"id": identity, "error": str(error)}), 1
        except Exception as error:  # one bad line must not end the run
            what = f"could not be processed ({type(error).__name__})"
            answer, status = orjson.dumps({"id": identity, "error": what}), 1
        sink.write(answer.decode() + "\n")
        sink.flush()
    return status


def stdin_lines() -> Iterable[str]:
    """Standard input in UTF-8, whatever the shell's locale; what is not becomes surrogates, which no JSON may hold."""
    return open(sys.stdin.fileno(), encoding="utf-8", errors="surrogateescape", closefd=False)
