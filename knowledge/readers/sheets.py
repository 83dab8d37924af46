"""Reads .xlsx (and .xlsm) through openpyxl: what the cells show, formulas by their saved results, no hidden sheets."""

import datetime
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from lxml import etree

from knowledge.blocks import Block, Heading, Paragraph, Unreadable
from knowledge.readers.packages import Package
from knowledge.readers.reading import Note
from knowledge.readers.table import MOST_CELLS, table_of_rows
from knowledge.readers.text import clean

SMALL_BYTES = 6 * 2**20
"""Sheets up to this size are loaded whole, for their merged cells and hidden rows; larger ones are read as a stream."""
_UNNAMED = re.compile(r"(?:sheet|工作表|工作簿)\s*\d*$", re.IGNORECASE)
_NO_RESULT = re.compile(rb"<f[^>]*>[^<]*</f>\s*(?:<v\s*/>|<v></v>|</c>)|<f[^>]*/>\s*</c>")
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]')
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_WIDEST = 4_000_000  # cells, most of them empty
_CURRENCY = "¥￥$€£₩元"


def read_xlsx(data: bytes, note: Note) -> tuple[Block, ...]:
    """A table for every stretch of rows between blank ones that has a header, sheet by sheet. Raises `Unreadable`."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    package = Package(data, note)
    package.check()
    stream = _must_stream(package, note)
    blocks: list[Block] = []
    hidden = []
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, read_only=stream, keep_links=False)
        if not stream and any(one.max_row * one.max_column > _WIDEST for one in book.worksheets):
            book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, read_only=True, keep_links=False)
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                hidden.append(sheet.title)
                continue
            tables = list(_tables(sheet))
            if tables and not _UNNAMED.match(sheet.title):
                blocks.append(Heading(2, clean(sheet.title), f"sheet {sheet.title}"))
            blocks += tables
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable("damaged", type(error).__name__) from None
    except (etree.LxmlError, SyntaxError, IndexError, OverflowError) as error:  # a damaged part
        raise Unreadable("damaged", type(error).__name__) from None
    if hidden:
        note("hidden_sheets", ", ".join(hidden))
    return tuple(blocks)


def _must_stream(package: Package, note: Note) -> bool:
    """Whether the sheets are too large to be loaded whole."""
    stream, merged = False, []
    size = 0
    for name in package.names():
        if not (name.startswith("xl/worksheets/") and name.endswith(".xml")):
            continue
        sheet = package.part(name) or b""
        size += len(sheet)
        if _NO_RESULT.search(sheet):
            note("formulas")
        areas = [_area(*hit.groups()) for hit in _MERGED.finditer(sheet)]
        stream = stream or sum(areas) > _WIDEST
        if areas:
            merged.append(PurePosixPath(name).stem)
    stream = stream or size > SMALL_BYTES
    if stream and merged:
        note("merged_cells", ", ".join(merged))
    return stream


def _area(left: bytes, top: bytes, right: bytes, bottom: bytes) -> int:
    """Cells of a range."""
    first, last = _column(left), _column(right)
    return (last - first + 1) * (int(bottom) - int(top) + 1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _tables(sheet: Any) -> Iterator[Block]:
    """Blank rows part tables; a stretch that is a single row joins what follows it (a title above its table)."""
    source = f"sheet {sheet.title}"
    rows: list[list[str]] = []
    numbers: list[int] = []
    blank = False
    for number, row in _rows(sheet):
        if not any(row):
            blank = bool(rows)
            continue
        # A lone text after a gap is the title of another table, one below a header and rows is no more than a row.
        if blank and len(rows) > 1 and _begins_anew(row, rows):
            yield from _table(rows, numbers, source)
            rows, numbers = [], []
        blank = False
        rows.append(row)
        numbers.append(number)
    yield from _table(rows, numbers, source)


def _begins_anew(row: list[str], before: list[list[str]]) -> bool:
    """Whether a row below a blank one begins another table: a title, or cells in other columns than before."""
    filled = {column for column, cell in enumerate(row) if cell}
    columns = {column for one in before for column, cell in enumerate(one) if cell}
    return len(set(filter(None, row))) == 1 or not filled <= columns


def _table(rows: list[list[str]], numbers: list[int], source: str) -> Iterator[Block]:
    tables = table_of_rows(rows, source=source, numbers=numbers)
    yield from tables
    if not tables and rows:  # one row is no table, but it may say something
        yield Paragraph(" ".join(dict.fromkeys(filter(None, rows[0]))), f"{source}, row {numbers[0]}")


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    if hasattr(sheet, "reset_dimensions"):  # a stream; what it says of its size may be wrong
        sheet.reset_dimensions()
    merged, hidden_rows, hidden_columns = _layout(sheet)
    cells = 0
    for number, row in enumerate(sheet.iter_rows(min_row=1, min_col=1), 1):
        if number in hidden_rows:
            continue
        shown = [
            "" if column in hidden_columns else merged.get((number, column)) or _shown(cell)
            for column, cell in enumerate(row, 1)
        ]
        cells += sum(map(bool, shown))
        if cells > MOST_CELLS:
            raise Unreadable("too_much_text", 64)
        yield number, shown


def _layout(sheet: Any) -> tuple[dict[tuple[int, int], str], set[int], set[int]]:
    """The text of merged cells by (row, column), hidden rows and hidden columns; nothing of a streamed sheet."""
    if not hasattr(sheet, "merged_cells"):
        return {}, set(), set()
    merged: dict[tuple[int, int], str] = {}
    for area in sheet.merged_cells.ranges:
        text = _shown(sheet.cell(area.min_row, area.min_col))
        if text and area.size["rows"] * area.size["columns"] <= 10_000:
            merged |= {
                (row, column): text
                for row in range(area.min_row, area.max_row + 1)
                for column in range(area.min_col, area.max_col + 1)
            }
    rows = {number for number, row in sheet.row_dimensions.items() if row.hidden}
    columns = {
        number
        for column in sheet.column_dimensions.values()
        if column.hidden
        for number in range(column.min or 0, min(column.max or 0, 20_000) + 1)
    }
    return merged, rows, columns


def _shown(cell: Any) -> str:
    """What a cell shows, near enough: numbers with their decimals, percent and currency, dates as ISO 8601."""
    value = cell.value
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format or "General").split(";")[0])
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return " ".join(clean(str(value)).split())


def _number(value: float, shape: str) -> str:
    around = "".join(next(filter(None, hit.groups()), "") for hit in _QUOTED.finditer(shape)) + shape
    plain = _QUOTED.sub("", shape)
    percent = "%" in plain
    number = value * 100 if percent else value
    places = re.search(r"0\.(0+)", plain)
    if places:
        text = f"{number:.{len(places[1])}f}"
    elif percent or (isinstance(value, float) and value.is_integer()):
        text = f"{number:.0f}"
    else:
        text = f"{number:.12g}" if isinstance(value, float) else str(number)
    if percent:
        return f"{text}%"
    sign = next((one for one in _CURRENCY if one in around), "")
    unit = next((hit[1] for hit in _QUOTED.finditer(shape) if hit[1] and hit.start() > shape.find("0")), "")
    return f"{text}{unit.strip() and unit}" if unit else f"{sign}{text}" if sign and sign != "元" else text + sign
