"""Broken Excel files."""

import io
import zipfile

import openpyxl

from bench.broken.cases import Case
from bench.broken.office import OLE, replaced, saved

_SHEET = "xl/worksheets/sheet1.xml"
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def book(*rows: tuple[object, ...], hidden: bool = False) -> bytes:
    """A workbook of one sheet, or of a second, hidden one as well."""
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    if hidden:
        sheet = made.create_sheet("Secret")
        sheet.append(("SECRET", "SECRET"))
        sheet.append(("SECRET", "SECRET"))
        sheet.sheet_state = "veryHidden"
    return saved(made)


PLAIN = book(("Region", "Fee"), ("Tibet", 20))


def _raw(rows: str, after: str = "", dimension: str = "A1:B2") -> bytes:
    xml = f'<?xml version="1.0"?><worksheet {_S}><dimension ref="{dimension}"/>'
    xml += f"<sheetData>{rows}</sheetData>{after}</worksheet>"
    return replaced(PLAIN, {_SHEET: xml.encode()})


def _cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def _rows(count: int) -> bytes:
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet("Fees")
    sheet.append(("region", "fee", "days"))
    for i in range(count):
        sheet.append((f"region {i}", i % 40, i % 9))
    return saved(made)


_TABLE = (
    f'<row r="1">{_cell("A1", "Region")}{_cell("B1", "Fee")}</row>'
    f'<row r="2">{_cell("A2", "Tibet")}{_cell("B2", "20")}</row>'
)
_FAR = f'<row r="1048576">{_cell("XFD1048576", "far")}</row>'


def _macros() -> bytes:
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        types = archive.read("[Content_Types].xml")
    usual = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    types = types.replace(usual, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    return replaced(PLAIN, {"[Content_Types].xml": types, "xl/vbaProject.bin": OLE})


CASES = (
    Case("cut.xlsx", lambda: PLAIN[:3000], ("damaged",)),
    Case("csv-as.xlsx", lambda: b"a,b\n1,2\n", ("wrong_type",)),
    Case("old-excel.xlsx", lambda: OLE + b"\0" * 600 + "Workbook".encode("utf-16-le"), ("old_office",)),
    Case("encrypted.xlsx", lambda: OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), ("encrypted",)),
    Case("no-cells.xlsx", book, ("no_text",)),
    Case(
        "hidden-sheet.xlsx", lambda: book(("Region", "Fee"), ("Tibet", 20), hidden=True), holds="Tibet", lacks="SECRET"
    ),
    Case("macros.xlsm", _macros, holds="Tibet"),
    Case("formulas.xlsx", lambda: book(("Region", "Fee"), ("Tibet", "=4*5")), holds="Tibet"),
    Case("200000-rows.xlsx", lambda: _rows(200_000), holds="region 199999", slow=True),
    Case("claims-all-cells.xlsx", lambda: _raw(_TABLE, dimension="A1:XFD1048576"), holds="Tibet"),
    Case("a-cell-far-away.xlsx", lambda: _raw(_TABLE + _FAR), ("content",), holds="Tibet", slow=True),
    Case(
        "merges-everything.xlsx",
        lambda: _raw(_TABLE, '<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
        ("content",),
    ),
    Case("broken-xml.xlsx", lambda: _raw("<row><c>"), ("damaged",)),
    Case(
        "no-such-text.xlsx",
        lambda: _raw('<row r="1"><c r="A1" t="s"><v>99999</v></c></row>'),
        ("damaged", "no_text"),
    ),
    Case(
        "entities.xlsx",
        lambda: replaced(PLAIN, {"xl/sharedStrings.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><sst/>'}),
        ("entities",),
    ),
    Case("no-sheet-part.xlsx", lambda: replaced(PLAIN, {_SHEET: None}), ("damaged", "no_text")),
    Case(
        "unpacks-to-400-mb.xlsx",
        lambda: replaced(PLAIN, {_SHEET: b" " * (400 * 2**20)}),
        ("unpacks_too_much",),
        slow=True,
    ),
)
