"""Reads .pptx (and .pptm) through python-pptx: titles, text, tables and the speaker's notes; no hidden slides."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

from knowledge.blocks import Block, Heading, Paragraph, Unreadable
from knowledge.readers.packages import Package
from knowledge.readers.reading import Note
from knowledge.readers.table import Grid, table_of_rows
from knowledge.readers.text import clean

_MOST_DEEP = 20


def read_pptx(data: bytes, note: Note) -> tuple[Block, ...]:
    """The blocks of a presentation, each slide under its title. Raises `Unreadable`."""
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    package = Package(data, note)
    package.check()
    try:
        slides = list(Presentation(io.BytesIO(data)).slides)
    except (PythonPptxError, KeyError, ValueError, AttributeError, etree.LxmlError) as error:
        raise Unreadable("damaged", type(error).__name__) from None
    blocks: list[Block] = []
    hidden = []
    for number, slide in enumerate(slides, 1):
        if slide._element.get("show") == "0":
            hidden.append(str(number))
        else:
            blocks += _slide(slide, f"slide {number}")
    if hidden:
        note("hidden_slides", ", ".join(hidden))
    if not blocks and any(name.startswith("ppt/media/") for name in package.names()):
        raise Unreadable("pictures_only", "rapidocr")
    return tuple(blocks)


def _slide(slide: Any, source: str) -> Iterator[Block]:
    title = slide.shapes.title
    told = " ".join(clean(title.text_frame.text).split()) if title is not None and title.has_text_frame else ""
    if told:
        yield Heading(1, told, source)
    shapes = [shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id]
    # As it is read: from the top down, and from left to right.
    yield from _shapes(sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)), source, 0)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        spoken = _text(slide.notes_slide.notes_text_frame)
        if spoken:
            yield Paragraph(spoken, f"{source}, notes")


def _shapes(shapes: Iterable[Any], source: str, deep: int) -> Iterator[Block]:
    if deep > _MOST_DEEP:
        raise Unreadable("too_deep")
    for shape in shapes:
        if shape.shape_type is not None and hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes, source, deep + 1)
        elif shape.has_table if hasattr(shape, "has_table") else False:
            grid = Grid()
            texts: dict[tuple[int, int], str] = {}
            for y, row in enumerate(shape.table.rows):
                grid.begin_row()
                for x, cell in enumerate(row.cells):
                    if not cell.is_spanned:
                        text = " ".join(_text(cell.text_frame).split())
                        high, wide = (cell.span_height, cell.span_width) if cell.is_merge_origin else (1, 1)
                        texts |= {(y + j, x + i): text for j in range(high) for i in range(wide)}
                    grid.add(texts.get((y, x), ""))
            yield from table_of_rows(grid.finished(), source=source)
        elif shape.has_text_frame:
            text = _text(shape.text_frame)
            if text:
                yield Paragraph(text, source)


def _text(frame: Any) -> str:
    lines = (" ".join(clean(paragraph.text.replace("\v", "\n")).split()) for paragraph in frame.paragraphs)
    return "\n".join(filter(None, lines))
