"""A file's bytes to blocks: one format, one reader. Knows nothing of chunks, and opens no address and no path.

Untrusted files go through `knowledge.parsing`, which calls this in a child process.
"""

from functools import cache
from importlib import import_module

from knowledge.blocks import Block, Notice, Unreadable
from knowledge.readers.kinds import kind_of
from knowledge.readers.reading import Reader, Reading

LARGEST_BYTES = 50 * 1024 * 1024

READERS = {
    ".md": "plain.read_markdown",
    ".txt": "plain.read_text",
    ".csv": "delimited.read_csv",
    ".jsonl": "delimited.read_jsonl",
    ".html": "page.read_html",
    ".docx": "word.read_docx",
    ".pptx": "slides.read_pptx",
    ".xlsx": "sheets.read_xlsx",
    ".pdf": "pdf.read_pdf",
    ".png": "pictures.read_picture",
}
"""Module and function of every kind's reader; only what is needed is imported."""


@cache
def reader_of(kind: str) -> Reader:
    """The reader of a key of `READERS`."""
    module, function = READERS[kind].split(".")
    reader: Reader = getattr(import_module(f"knowledge.readers.{module}"), function)
    return reader


def read(name: str, data: bytes) -> Reading:
    """The blocks of a document and notices, by its content and the extension of its name.

    Raises `Unreadable` with the plain reason; there is always a block.
    """
    if len(data) > LARGEST_BYTES:
        raise Unreadable("too_large", LARGEST_BYTES // 2**20)
    if not data.strip(b" \t\r\n\0"):
        raise Unreadable("empty")
    notices: dict[Notice, None] = {}

    def note(code: str, detail: object = "") -> None:
        notices[Notice(code, str(detail))] = None

    blocks = tuple(reader_of(kind_of(name, data, note))(data, note))
    if not blocks:
        raise Unreadable("no_text")
    return Reading(blocks, tuple(notices))


def read_document(name: str, data: bytes) -> tuple[Block, ...]:
    """The blocks of `read`. Raises `Unreadable`."""
    return read(name, data).blocks
