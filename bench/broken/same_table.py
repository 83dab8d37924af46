"""One table, fees by region under a heading and a title, as docx, xlsx, html, Markdown and PDF, ruled and not."""

import docx
import openpyxl

from bench.broken.office import saved
from bench.broken.pdf_writer import document, grid, words

HEADING = "配送说明"
TITLE = "表1 各地区运费"
HEADER = ("地区", "普通快递", "加急快递")
ROWS = (("上海", "免费", "12元"), ("西藏", "25元", "48元"), ("海南", "18元", "30元"), ("黑龙江", "15元", "26元"))
REGION = "西藏"
BEFORE = "我们每天下午四点以前发货，节假日顺延。"


def is_found(chunks: list[str]) -> bool:
    """Whether one chunk holds the region's row with its header, the table's title and the heading, and no other row."""
    wanted = (HEADING, TITLE, *HEADER, "西藏", "25元", "48元")
    return any(all(part in one for part in wanted) and "海南" not in one for one in chunks)


def as_docx() -> bytes:
    """With the title as a paragraph above the table."""
    made = docx.Document()
    made.add_heading(HEADING, 1)
    made.add_paragraph(BEFORE)
    made.add_paragraph(TITLE)
    table = made.add_table(rows=0, cols=3)
    for row in (HEADER, *ROWS):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    return saved(made)


def as_xlsx() -> bytes:
    """With the title merged over the columns."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = HEADING
    sheet.append((TITLE,))
    sheet.merge_cells("A1:C1")
    for row in (HEADER, *ROWS):
        sheet.append(row)
    return saved(made)


def as_html() -> bytes:
    """With the title as the table's caption."""
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in ROWS)
    header = "".join(f"<th>{cell}</th>" for cell in HEADER)
    table = f"<table><caption>{TITLE}</caption><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<html><body><h1>{HEADING}</h1><p>{BEFORE}</p>{table}</body></html>".encode()


def as_markdown() -> bytes:
    """With the title as a paragraph above the table."""
    lines = ["|" + "|".join(row) + "|" for row in (HEADER, ("---",) * 3, *ROWS)]
    return "\n".join((f"# {HEADING}", "", BEFORE, "", TITLE, "", *lines, "")).encode()


def as_pdf(*, ruled: bool = True) -> bytes:
    """With lines around the cells, or with columns that only stand in line."""
    xs, top, high = (60, 200, 330, 460), 640, 24
    page = words(60, 760, HEADING, 20) + words(60, 720, BEFORE) + words(60, 660, TITLE)
    if ruled:
        page += grid(xs, [top - high * i for i in range(len(ROWS) + 2)])
    for y, row in enumerate((HEADER, *ROWS)):
        for x, cell in zip(xs, row, strict=False):
            page += words(x + 6, top - high * y - 16, cell)
    return document([page + words(60, 400, "如有疑问，请联系客服。")])


FILES = {
    "table.docx": as_docx,
    "table.xlsx": as_xlsx,
    "table.html": as_html,
    "table.md": as_markdown,
    "table.pdf": as_pdf,
    "unruled.pdf": lambda: as_pdf(ruled=False),
}
