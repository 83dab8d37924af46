"""Make the binary documents of the lantern base from the Markdown texts in `sources/`; needs fpdf2 for the PDF.

Run `python -m bench.shops.make_binaries` after editing a text. Knows headings, paragraphs and pipe tables, no more.
"""

from collections.abc import Iterator
from pathlib import Path

import docx
import openpyxl  # type: ignore[import-untyped]
import pptx
from fpdf import FPDF
from pptx.util import Inches

HERE = Path(__file__).parent
Row = list[str]
# A heading's level and text, a paragraph (level 0), or a table's rows with its header first.
Block = tuple[int, str] | list[Row]


def blocks(markdown: str) -> Iterator[Block]:
    """Headings, paragraphs and tables in order; a table's rule line (---) is left out."""
    for part in markdown.strip().split("\n\n"):
        for lines in _runs(part.splitlines()):
            if lines[0].startswith("|"):
                rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
                yield [rows[0], *rows[2:]]
            elif lines[0].startswith("#"):
                marks, text = lines[0].split(" ", 1)
                yield len(marks), text
            else:
                yield 0, " ".join(lines)


def _runs(lines: list[str]) -> Iterator[list[str]]:
    """A heading stands alone, even with its paragraph on the next line."""
    rest = lines
    while rest and rest[0].startswith("#"):
        yield rest[:1]
        rest = rest[1:]
    if rest:
        yield rest


def make_xlsx(source: Path, target: Path) -> None:
    """One sheet a heading, its table below."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for block in blocks(source.read_text("utf-8")):
        if isinstance(block, list):
            for row in block:
                book.worksheets[-1].append(row)
        else:
            book.create_sheet(block[1])
    book.save(target)


def make_docx(source: Path, target: Path) -> None:
    document = docx.Document()
    for block in blocks(source.read_text("utf-8")):
        if isinstance(block, list):
            table = document.add_table(rows=0, cols=len(block[0]), style="Table Grid")
            for row in block:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
        elif block[0]:
            document.add_heading(block[1], block[0])
        else:
            document.add_paragraph(block[1])
    document.save(str(target))


def make_pptx(source: Path, target: Path) -> None:
    """One slide a heading, with a table or a text box below."""
    show = pptx.Presentation()
    slide = None
    box = (Inches(0.5), Inches(1.6), Inches(9), Inches(4.5))
    for block in blocks(source.read_text("utf-8")):
        if not isinstance(block, list) and block[0]:
            slide = show.slides.add_slide(show.slide_layouts[5])
            slide.shapes.title.text = block[1]
        elif slide is None:
            raise ValueError(f"{source}: text before the first heading")
        elif isinstance(block, list):
            table = slide.shapes.add_table(len(block), len(block[0]), *box).table
            for number, row in enumerate(block):
                for column, text in enumerate(row):
                    table.cell(number, column).text = text
        else:
            frame = slide.shapes.add_textbox(*box).text_frame
            frame.word_wrap = True
            frame.text = block[1]
    show.save(str(target))


def make_pdf(source: Path, target: Path) -> None:
    """Latin text only: the core fonts have no Chinese."""
    pdf = FPDF()
    pdf.add_page()
    for block in blocks(source.read_text("utf-8")):
        if isinstance(block, list):
            pdf.set_font("Helvetica", size=9)
            with pdf.table(col_widths=(34, 12, 18, 18, 14)) as table:
                for row in block:
                    table.row(row)
            pdf.ln(4)
        else:
            level, text = block
            pdf.set_font("Helvetica", "B" if level else "", {0: 11, 1: 20}.get(level, 14))
            pdf.multi_cell(0, 8 if level else 6, text, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(2)
    pdf.output(str(target))


MAKERS = {
    "ware-prices-zh.xlsx": make_xlsx,
    "tea-list-zh.docx": make_docx,
    "courses-zh.pptx": make_pptx,
    "brewing-guide-en.pdf": make_pdf,
}

if __name__ == "__main__":
    for name, make in MAKERS.items():
        make(HERE / "sources" / f"{Path(name).stem}.md", HERE / "lantern" / name)
