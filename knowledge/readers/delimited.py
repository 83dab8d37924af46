"""Reads .csv and .jsonl: a table, be it of questions and answers or of anything else."""

import csv
import io
import json

from knowledge.blocks import Block, Unreadable
from knowledge.readers.markdown import table_of_rows
from knowledge.readers.text import decode


def read_csv(data: bytes) -> tuple[Block, ...]:
    """The table of a csv file whose first row is the header; separated by comma, semicolon or tab.

    Raises `Unreadable` for a row that has more cells than the header: a comma that should have been quoted would
    silently cut an answer.
    """
    text = decode(data)
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=separator, strict=True)
        ]
    except csv.Error as error:
        raise Unreadable(f"the table is damaged: {error}") from None
    width = len(rows[0])
    for number, row in enumerate(rows, 1):
        if any(row[width:]):
            raise Unreadable(
                f"row {number} has {len(row)} cells, the header has {width}; quote cells that hold the separator"
            )
    table = table_of_rows(rows)
    if not table:
        raise Unreadable("the table has no rows below its header")
    return tuple(table)


def read_jsonl(data: bytes) -> tuple[Block, ...]:
    """The table of a file of one JSON object a line, with a column for every field met.

    Raises `Unreadable` and names the bad line.
    """
    records: list[dict[str, object]] = []
    for number, line in enumerate(decode(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise Unreadable(f"line {number} is not valid JSON") from None
        if not isinstance(record, dict):
            raise Unreadable(f"line {number} is not a JSON object")
        records.append(record)
    header = list(dict.fromkeys(field for record in records for field in record))
    rows = [[_cell(record.get(field)) for field in header] for record in records]
    table = table_of_rows([header, *rows])
    if not table:
        raise Unreadable("the file has no fields with content")
    return tuple(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
