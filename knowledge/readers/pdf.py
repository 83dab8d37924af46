"""Reads .pdf through PDFium: headings by size, paragraphs, tables by lines or alignment (pdf_tables.py).

What is not shown (invisible, white on white, tiny, outside the page) is left out, and so are headers and footers.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2 as pdfium

from knowledge.blocks import Block, Heading, Paragraph, Table, Unreadable
from knowledge.readers import pdf_pages, pictures
from knowledge.readers.pdf_pages import Line, Page
from knowledge.readers.pdf_tables import Found, tables_of
from knowledge.readers.reading import Note
from knowledge.readers.table import table_of_rows

MOST_PAGES = 3000
OCR_SECONDS = 40
_OCR_SCALE = 2.0  # 144 dots an inch
_HEADING_SIZE = 1.15
_LONGEST_HEADING = 100
_SAME_COLUMNS = 4.0  # points
_PASSWORD = 4
_NUMBERS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"[-–— ]*(?:page\s*)?第?\s*\d+\s*页?(?:\s*(?:/|of|共)\s*\d+\s*页?)?[-–— ]*", re.IGNORECASE)
_BULLET = re.compile(r"[-•·●○▪■◦–*]\s|[（(]?\d{1,2}[.)、）]|[一二三四五六七八九十]{1,3}[、.]")
_HAN_END = re.compile("[\u2e80-\u9fff\uff00-\uffef\u3000-\u303f]$")
_HAN_START = re.compile("^[\u2e80-\u9fff\uff00-\uffef\u3000-\u303f]")


def read_pdf(data: bytes, note: Note) -> tuple[Block, ...]:
    """The blocks of a PDF. Raises `Unreadable`; "pictures_only" for a scan when rapidocr is not installed."""
    try:
        document = pdfium.PdfDocument(data)
        count = len(document)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", 0) == _PASSWORD or "assword" in str(error):
            raise Unreadable("encrypted") from None
        raise Unreadable("damaged", "PDF") from None
    if count > MOST_PAGES:
        raise Unreadable("pages", MOST_PAGES)
    if not count:
        raise Unreadable("damaged", "PDF")
    pages = [_page(document, number) for number in range(count)]
    hidden = next((page.hidden for page in pages if page.hidden), "")
    if hidden:
        note("hidden_text", hidden[:60])
    _without_running_titles(pages)
    scans = [page for page in pages if page.is_picture]
    texts = _recognised(document, scans, note)
    if len(scans) == count and not any(texts.values()):
        raise Unreadable("no_text" if pictures.recogniser() else "pictures_only", pictures.PACKAGE)
    return tuple(_blocks(pages, texts))


def _page(document: Any, number: int) -> Page:
    try:
        return pdf_pages.page_of(document[number], number + 1)
    except pdfium.PdfiumError:  # one damaged page among good ones
        return Page(number + 1, 0.0, 0.0, [], [], False, "")


def _recognised(document: Any, scans: Sequence[Page], note: Note) -> dict[int, list[str]]:
    """The lines of scanned pages by their numbers, as far as there is time."""
    if not scans:
        return {}
    if pictures.recogniser() is None:
        note("picture_pages", _numbers(scans))
        return {}
    deadline = time.monotonic() + OCR_SECONDS
    texts: dict[int, list[str]] = {}
    for place, page in enumerate(scans):
        if time.monotonic() > deadline:
            note("picture_time", _numbers(scans[place:]))
            break
        scale = min(_OCR_SCALE, pictures.LONGEST_SIDE / max(page.width, page.height, 1.0))
        texts[page.number] = pictures.recognised(document[page.number - 1].render(scale=scale).to_pil().convert("RGB"))
        if texts[page.number]:
            note("recognised", f"{page.number}: {texts[page.number][0][:60]}")
    return texts


def _numbers(pages: Sequence[Page]) -> str:
    return ", ".join(str(page.number) for page in pages[:20]) + (" …" if len(pages) > 20 else "")


def _without_running_titles(pages: Sequence[Page]) -> None:
    """Takes out page numbers, and first or last lines that more than half of the pages share."""
    edges = [(page, line) for page in pages for line in _edges_of(page)]
    times = Counter(_NUMBERS.sub("#", line.text) for _, line in edges)
    for page, line in edges:
        repeated = len(pages) > 2 and times[_NUMBERS.sub("#", line.text)] > len(pages) / 2
        if repeated or _PAGE_NUMBER.fullmatch(line.text):
            page.lines.remove(line)


def _edges_of(page: Page) -> list[Line]:
    """The highest and the lowest line, when they stand in the margins."""
    ordered = sorted(page.lines, key=lambda line: line.top)
    return [
        line
        for line in dict.fromkeys((*ordered[:1], *ordered[-1:]))
        if line.bottom < page.height * 0.1 or line.top > page.height * 0.9
    ]


def _blocks(pages: Sequence[Page], texts: dict[int, list[str]]) -> Iterator[Block]:
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    larger = sorted((size for size in sizes if size >= body * _HEADING_SIZE), reverse=True)
    levels = {size: min(place, 6) for place, size in enumerate(larger, 1)}
    last: tuple[Found, Table] | None = None  # the table that a page ended with
    for page in pages:
        source = f"page {page.number}"
        found = tables_of(page)
        items: list[tuple[float, Found | Line]] = [(one.order, one) for one in found]
        inside = {id(line) for one in found for line in one.lines}
        items += [(place, line) for place, line in enumerate(page.lines) if id(line) not in inside]
        running: list[Line] = []
        first = True
        for _, item in sorted(items, key=lambda pair: pair[0]):
            if isinstance(item, Line) and item.size not in levels:
                running.append(item)
                continue
            yield from _paragraphs(running, source)
            if running:
                last, first, running = None, False, []
            if isinstance(item, Found):
                for table in _table(item, last if first else None, source):
                    last = (item, table)
                    yield table
            else:
                last = None
                yield from _heading(item, levels, source)
            first = False
        yield from _paragraphs(running, source)
        if running:
            last = None
        if texts.get(page.number):
            yield Paragraph("\n".join(texts[page.number]), source)


def _heading(line: Line, levels: dict[float, int], source: str) -> Iterator[Block]:
    if len(line.text) > _LONGEST_HEADING:
        yield Paragraph(line.text, source)
    else:
        yield Heading(levels[line.size], line.text, source)


def _table(found: Found, before: tuple[Found, Table] | None, source: str) -> list[Table]:
    """A found table; one that goes on from the page before keeps the header it had there."""
    rows = found.rows
    if before is not None and len(before[0].columns) == len(found.columns):
        same = all(
            abs(mine - other) < _SAME_COLUMNS for mine, other in zip(found.columns, before[0].columns, strict=True)
        )
        if same and len(before[1].header) == len(rows[0]):
            header = before[1].header
            rows = [list(header), *(rows[1:] if tuple(rows[0]) == header else rows)]
            return table_of_rows(rows, title=before[1].title, source=source)
    return table_of_rows(rows, source=source)


def _paragraphs(lines: Sequence[Line], source: str) -> Iterator[Paragraph]:
    """Lines joined to paragraphs: a wide gap parts them; a line that is not full ends one."""
    if not lines:
        return
    right = sorted(line.x1 for line in lines)[int(len(lines) * 0.9)]
    text = ""
    for before, line in zip((None, *lines[:-1]), lines, strict=True):
        if before is None:
            text = line.text
        elif line.top - before.bottom > line.height * 0.9 or line.top < before.top - line.height:
            yield Paragraph(text, source)
            text = line.text
        elif before.x1 < right - 3 * line.height or _BULLET.match(line.text):
            text += f"\n{line.text}"
        elif _HAN_END.search(text) or _HAN_START.match(line.text):
            text += line.text
        elif text.endswith("-") and line.text[:1].islower():
            text = text[:-1] + line.text
        else:
            text += f" {line.text}"
    yield Paragraph(text, source)
