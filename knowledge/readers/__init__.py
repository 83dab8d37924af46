"""A file's bytes to blocks: one format, one reader. Knows nothing of chunks, and opens no address and no path."""

from collections.abc import Callable
from pathlib import PurePosixPath

from knowledge.blocks import Block, Unreadable
from knowledge.readers.office import office_reader, read_html, read_pdf
from knowledge.readers.plain import read_markdown, read_text
from knowledge.readers.tables import read_csv, read_jsonl

LARGEST_BYTES = 50 * 1024 * 1024

READERS: dict[str, Callable[[bytes], tuple[Block, ...]]] = {
    ".md": read_markdown,
    ".txt": read_text,
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".html": read_html,
    ".htm": read_html,
    ".docx": office_reader(".docx"),
    ".pptx": office_reader(".pptx"),
    ".xlsx": office_reader(".xlsx"),
    ".pdf": read_pdf,
}


def read_document(name: str, data: bytes) -> tuple[Block, ...]:
    """The blocks of a document, by the extension of its name.

    Raises `Unreadable` with the plain reason; never returns ().
    """
    extension = PurePosixPath(name).suffix.lower()
    if extension not in READERS:
        raise Unreadable(f"files of type {extension or '(none)'} are not supported; {', '.join(READERS)} are")
    if not data.strip():
        raise Unreadable("the file is empty")
    if len(data) > LARGEST_BYTES:
        raise Unreadable(f"the file is larger than {LARGEST_BYTES // 2**20} MB")
    blocks = READERS[extension](data)
    if not blocks:
        raise Unreadable("the file holds no text")
    return blocks
