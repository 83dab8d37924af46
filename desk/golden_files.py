"""Reads golden questions from a file, JSON lines or CSV with a header. Pure; knows nothing of where they are kept.

Fields: question, and if wanted expects (answer or refusal), document, facts (a list; in CSV divided by | or new lines).
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, TypeGuard

from knowledge.golden import Golden

MOST_BYTES = 5 * 2**20
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Unusable(Exception):
    """The file cannot be read, or one line of it: `line` counts from 1, 0 is the whole file; `code` is "encoding",
    "too_large", "json", "question", "expects", "facts" or "columns"."""

    def __init__(self, code: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {code}" if line else code)
        self.code, self.line = code, line


def read(name: str, data: bytes) -> list[Golden | Unusable]:
    """Return the question of each line, or what is wrong with it. Raises Unusable for the whole file."""
    if len(data) > MOST_BYTES:
        raise Unusable("too_large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise Unusable("encoding") from None
    rows = _csv(text) if name.lower().endswith(".csv") else _json_lines(text)
    return [one if isinstance(one, Unusable) else _checked(number, one) for number, one in rows]


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any] | Unusable]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        yield number, row if isinstance(row, dict) else Unusable("json", number)


def _csv(text: str) -> Iterator[tuple[int, dict[str, Any] | Unusable]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if "question" not in (reader.fieldnames or ()):
            raise Unusable("columns")
        for row in reader:
            facts = [one.strip() for one in re.split(r"[|\n]", row.get("facts") or "")]
            yield reader.line_num, {**row, "facts": [one for one in facts if one]}
    except csv.Error:  # a field beyond all bounds: where the next line begins, nobody knows
        yield reader.reader.line_num, Unusable("columns", reader.reader.line_num)


def _checked(number: int, row: dict[str, Any]) -> Golden | Unusable:
    question, expects = row.get("question"), row.get("expects") or "answer"
    document, facts = row.get("document") or "", row.get("facts") or []
    if not _is_text(question) or not question.strip() or len(question) > 2_000:
        return Unusable("question", number)
    if expects not in ("answer", "refusal") or not _is_text(document):
        return Unusable("expects", number)
    if not isinstance(facts, list) or not all(_is_text(one) for one in facts):
        return Unusable("facts", number)
    return Golden(question.strip(), expects == "answer", document[:500], tuple(facts[:20]))


def _is_text(value: object) -> TypeGuard[str]:
    """Whether it is a text that every database takes: JSON can name halves of characters, and NUL."""
    return isinstance(value, str) and not _UNSTORABLE.search(value)
