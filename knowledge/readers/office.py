"""Reads .html, .docx, .pptx, .xlsx and .pdf through markitdown, from memory only: it is never given an address or a
path.
"""

import io
import re
import zipfile
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from knowledge.blocks import Block, Paragraph, Table, Unreadable
from knowledge.readers.markdown import blocks_of_markdown, table_of_rows
from knowledge.readers.text import decode

if TYPE_CHECKING:
    from markitdown import MarkItDown

UNPACKED_BYTES = 300 * 1024 * 1024

_PANDAS_BLANK = re.compile(r"^(?:NaN|Unnamed: \d+(?:_level_\d+)?)$")
_PANDAS_WHOLE = re.compile(r"^(-?\d+)\.0$")


@cache
def _markitdown(extension: str) -> "MarkItDown":
    """markitdown with the converter of that format alone: with all of them, a damaged file passes as plain text."""
    from markitdown import MarkItDown, converters  # half a second, and only a desk needs it

    converter = {
        ".html": converters.HtmlConverter,
        ".docx": converters.DocxConverter,
        ".pptx": converters.PptxConverter,
        ".xlsx": converters.XlsxConverter,
        ".pdf": converters.PdfConverter,
    }[extension]
    only = MarkItDown(enable_builtins=False, enable_plugins=False)
    only.register_converter(converter())
    return only


def _convert(data: bytes, extension: str, charset: str | None = None) -> str:
    from markitdown import MarkItDownException, StreamInfo

    info = StreamInfo(extension=extension, charset=charset)
    try:
        text: str = _markitdown(extension).convert_stream(io.BytesIO(data), stream_info=info).markdown
    except MarkItDownException:
        raise Unreadable(f"the file is damaged, encrypted, or not a real {extension} file") from None
    except RecursionError:
        raise Unreadable("the file is nested too deeply") from None
    return text


def read_html(data: bytes) -> tuple[Block, ...]:
    """The blocks of a page; scripts and styles are left out. Raises `Unreadable`."""
    return blocks_of_markdown(_convert(decode(data).encode(), ".html", "utf-8"))


def read_pdf(data: bytes) -> tuple[Block, ...]:
    """The text of a PDF; it knows no headings. Raises `Unreadable`, also for a scan without text."""
    if not data.lstrip().startswith(b"%PDF"):
        raise Unreadable("the file is not a real .pdf file")
    text = _convert(data, ".pdf")
    blocks = [
        block for block in blocks_of_markdown(text) if not isinstance(block, Paragraph) or block.text.strip("\f ")
    ]
    if not blocks:
        raise Unreadable("the file holds no text; it may be a scan")
    return tuple(blocks)


def office_reader(extension: str) -> Callable[[bytes], tuple[Block, ...]]:
    """A reader of the blocks of an Office file (.docx, .pptx, .xlsx), which raises `Unreadable`."""

    def read(data: bytes) -> tuple[Block, ...]:
        _check_zip(data, extension)
        blocks = blocks_of_markdown(_convert(data, extension))
        return tuple(tidy for block in blocks for tidy in _without_pandas(block)) if extension == ".xlsx" else blocks

    return read


def _check_zip(data: bytes, extension: str) -> None:
    """Refuses what is no zip, and what would unpack beyond `UNPACKED_BYTES`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise Unreadable(f"the file is damaged, encrypted, or not a real {extension} file") from None
    if unpacked > UNPACKED_BYTES:
        raise Unreadable("the file unpacks to too much data")


def _without_pandas(block: Block) -> list[Block]:
    """Undoes what markitdown's way through pandas does to a sheet: `NaN`, `Unnamed: 3`, `12.0`, and a title taken for
    the header.
    """
    if not isinstance(block, Table):
        return [block]
    rows = [
        [_PANDAS_WHOLE.sub(r"\1", _PANDAS_BLANK.sub("", cell)) for cell in row] for row in (block.header, *block.rows)
    ]
    title: list[Block] = []
    while len(rows) > 2 and sum(map(bool, rows[0])) <= 1 < sum(map(bool, rows[1])):
        title += [Paragraph(" ".join(filter(None, rows[0])))] if any(rows[0]) else []
        rows = rows[1:]
    return [*title, *table_of_rows(rows)]
