"""Rows as CSV that a spreadsheet shows and never computes. Knows nothing of what is in them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

Cell = str | float | None
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_SPACE = ("\t", "\r", "\n")


def lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield the rows as CSV; the first begins with a mark by which spreadsheets know UTF-8."""
    mark = "\ufeff"
    for row in rows:
        out = io.StringIO()
        csv.writer(out).writerow([cell(one) for one in row])
        yield mark + out.getvalue()
        mark = ""


def cell(value: Cell) -> str | float:
    """Return what stands in a cell: a text that begins like a formula gets an apostrophe, nothing is empty."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_SPACE) or value.lstrip().startswith(_FORMULA) else value
    return "" if value is None else value
