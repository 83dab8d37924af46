"""What a file is, by its content first and its name second. Knows nothing of how it is read."""

import io
import re
import zipfile
from pathlib import PurePosixPath

from knowledge.archives import DAMAGE, TYPES
from knowledge.blocks import Unreadable
from knowledge.readers.reading import Note, quiet

TEXTS = {
    ".md": ".md",
    ".markdown": ".md",
    ".txt": ".txt",
    ".csv": ".csv",
    ".tsv": ".csv",
    ".jsonl": ".jsonl",
    ".html": ".html",
    ".htm": ".html",
}
"""Extensions of text files; their content cannot tell them apart."""
BINARIES = {
    ".docx": ".docx",
    ".docm": ".docx",
    ".pptx": ".pptx",
    ".pptm": ".pptx",
    ".xlsx": ".xlsx",
    ".xlsm": ".xlsx",
    ".pdf": ".pdf",
    ".png": ".png",
    ".jpg": ".png",
    ".jpeg": ".png",
    ".webp": ".png",
    ".bmp": ".png",
    ".tif": ".png",
    ".tiff": ".png",
}
EXTENSIONS = frozenset({*TEXTS, *BINARIES, ".zip"})
"""Everything that can be imported; the files in a .zip are documents of their own."""

_OFFICE = (
    (b"wordprocessingml.document.main+xml", b"ms-word.document.macroEnabled.main+xml", ".docx"),
    (b"presentationml.presentation.main+xml", b"ms-powerpoint.presentation.macroEnabled.main+xml", ".pptx"),
    (b"spreadsheetml.sheet.main+xml", b"ms-excel.sheet.macroEnabled.main+xml", ".xlsx"),
)
_PICTURE = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP", re.DOTALL)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD = (("WordDocument", ".doc"), ("Workbook", ".xls"), ("Book", ".xls"), ("PowerPoint Document", ".ppt"))
_HTML = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.I
)
_FOREIGN = re.compile(
    rb"MZ.{58}|\x7fELF|\{\\rtf|Rar!|7z\xbc\xaf|\x1f\x8b|BZh[1-9]|\xfd7zXZ|SQLite format|%!PS", re.DOTALL
)
_HEAD = 1024


def kind_of(name: str, data: bytes, note: Note = quiet) -> str:
    """The kind of a file, a key of `readers.READERS`; tells `note` when the name says another.

    Raises `Unreadable` for kinds that are not read, and for what is neither the kind its name says nor another.
    """
    extension = PurePosixPath(name).suffix.lower()
    kind = _by_content(data, extension)
    if kind is None:
        if extension in BINARIES:
            if not _HTML.match(data[:_HEAD]):
                raise Unreadable("wrong_type", extension)
            kind = ".html"
        elif extension in TEXTS:
            return TEXTS[extension]
        else:
            raise Unreadable("unsupported", extension or "?")
    if kind != BINARIES.get(extension):
        if extension not in EXTENSIONS and _FOREIGN.match(data):
            raise Unreadable("unsupported", extension or "?")
        note("wrong_extension", kind)
    return kind


def _by_content(data: bytes, extension: str) -> str | None:
    """The kind that the bytes prove; None for text and the unknown."""
    if b"%PDF-" in data[:_HEAD]:
        return ".pdf"
    if data.startswith(b"PK\x03\x04"):
        return _zip_kind(data, extension)
    if data.startswith(_OLE):
        raise _ole_reason(data)
    return ".png" if _PICTURE.match(data) else None


def _zip_kind(data: bytes, extension: str) -> str:
    """Which Office format a zip is; other zips are refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if TYPES not in archive.namelist():
                raise Unreadable("unsupported" if "mimetype" in archive.namelist() else "archive_nested", extension)
            if archive.getinfo(TYPES).flag_bits & 1:
                raise Unreadable("encrypted")
            with archive.open(TYPES) as part:
                told = part.read(2**20)
    except DAMAGE as error:
        raise Unreadable("damaged", type(error).__name__) from None
    for plain, with_macros, kind in _OFFICE:
        if plain in told or with_macros in told:
            return kind
    raise Unreadable("wrong_type" if extension in BINARIES else "unsupported", extension or "?")


def _ole_reason(data: bytes) -> Unreadable:
    """Old Office files are OLE containers, and so are encrypted new ones."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return Unreadable("encrypted")
    old = next((ending for stream, ending in _OLD if stream.encode("utf-16-le") in data), "")
    return Unreadable("old_office", old)
