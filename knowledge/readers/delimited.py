"""Reads .csv and .jsonl: a table, be it of questions and answers or of anything else."""

import csv
import io
import json

from knowledge.blocks import Block, Unreadable
from knowledge.readers.reading import Note
from knowledge.readers.table import table_of_rows
from knowledge.readers.text import decode

_LONGEST_CELL = 10_000_000


def read_csv(data: bytes, note: Note) -> tuple[Block, ...]:
    """The table of a csv file whose first row is the header; separated by comma, semicolon, tab or bar.

    Raises `Unreadable` for a row that has more cells than the header: a comma that should have been quoted would
    silently cut an answer.
    """
    text = decode(data, note)
    first = text.lstrip("\n").split("\n", 1)[0]
    separator = max(",;\t|", key=first.count)
    csv.field_size_limit(_LONGEST_CELL)
    rows: list[list[str]] = []
    numbers: list[int] = []
    table = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        for number, row in enumerate(table, 1):
            if any(map(str.strip, row)):
                rows.append([cell.strip() for cell in row])
                numbers.append(number)
    except csv.Error as error:
        raise Unreadable("table_damaged", error) from None
    width = len(rows[0]) if rows else 0
    for number, row in zip(numbers, rows, strict=True):
        if any(row[width:]):
            raise Unreadable("row_too_long", number)
    blocks = table_of_rows(rows, numbers=numbers)
    if not blocks:
        raise Unreadable("table_empty")
    return tuple(blocks)


def read_jsonl(data: bytes, note: Note) -> tuple[Block, ...]:
    """The table of a file of one JSON object a line, with a column for every field met.

    Raises `Unreadable` and names the bad line.
    """
    records: list[dict[str, object]] = []
    numbers = [1]
    for number, line in enumerate(decode(data, note).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise Unreadable("json_line", number) from None
        if not isinstance(record, dict):
            raise Unreadable("json_object", number)
        records.append(record)
        numbers.append(number)
    header = list(dict.fromkeys(field for record in records for field in record))
    rows = [[_cell(record.get(field)) for field in header] for record in records]
    blocks = table_of_rows([header, *rows], numbers=numbers)
    if not blocks:
        raise Unreadable("json_empty")
    return tuple(blocks)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
