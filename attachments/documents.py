"""Proves that a document is what it says and nothing else besides. Nothing of it is rendered, run or unpacked to disk.

Knows nothing of where documents come from and go to.
"""

import re
import zipfile
import zlib
from io import BytesIO

from attachments.refusals import FileRefused

MOST_PARTS = 5_000
MOST_UNPACKED = 100_000_000
HEAD = 1024
_CHUNK = 1 << 16
_MARKUP = re.compile(rb"\s*(<\?xml|<\?php|<!doctype|<!--|<html|<head|<body|<svg|<script|<iframe|#!|\{\\rtf)", re.I)
_ACTIVE = re.compile(rb"<(script|html|svg|iframe|object|embed)\b", re.I)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_MACROS = re.compile(r"vbaProject|activeX/", re.I)
_ODD_PATH = re.compile(r"^/|\\|(^|/)\.\.(/|$)|[\x00-\x1f:]")
_END_RECORD = 22


def is_zip(data: bytes) -> bool:
    """Say whether the file begins as a zip archive does."""
    return data.startswith(b"PK\x03\x04")


def pdf(data: bytes) -> bytes:
    """Return a PDF as it is. It begins and ends as one, and is neither a page nor an archive as well."""
    if b"%%EOF" not in data[-HEAD:]:
        raise FileRefused("file_damaged", "no end of a PDF")
    if _ACTIVE.search(data[:HEAD]) or zipfile.is_zipfile(BytesIO(data)):
        raise FileRefused("file_unsafe", "a PDF that is something else, too")
    return data


def text(data: bytes) -> bytes:
    """Return a text as it is: UTF-8, UTF-16 with its mark, or GB 18030, without control characters, and no markup."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            decoded = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise FileRefused("file_mismatch", "no text")
    if _CONTROL.search(decoded):
        raise FileRefused("file_mismatch", "control characters")
    head = decoded[:HEAD].encode("utf-8", "replace")
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")) or _ACTIVE.search(head):
        raise FileRefused("file_mismatch", "markup or a script")
    return data


def office(data: bytes, part: str) -> bytes:
    """Return a Word or Excel file as it is. `part` names its main part's type, such as `wordprocessingml.document`.

    Every part is unpacked in memory and thrown away, chunk by chunk: sizes that the archive claims are not believed.
    Refused: what is encrypted, has macros, a document type definition (entities), odd paths, more after its end.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            # A comment or an appendix after the archive is room for another file.
            if archive.comment or data[-_END_RECORD : -_END_RECORD + 4] != b"PK\x05\x06":
                raise FileRefused("file_unsafe", "something after the archive")
            if len(entries) > MOST_PARTS or len({entry.filename for entry in entries}) != len(entries):
                raise FileRefused("file_unsafe", "too many parts, or two of a name")
            left = MOST_UNPACKED
            for entry in entries:
                if entry.flag_bits & 0x1:
                    raise FileRefused("file_locked")
                # bzip2 and LZMA unpack in bites of any size; Office never uses them.
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise FileRefused("file_unsafe", f"compression {entry.compress_type}")
                if _ODD_PATH.search(entry.filename) or _MACROS.search(entry.filename):
                    raise FileRefused("file_unsafe", entry.filename[:80])
                left -= _unpacked(archive, entry, left)
            types = archive.read("[Content_Types].xml")
    except KeyError:
        raise FileRefused("file_mismatch", "an archive, but no document") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise FileRefused("file_damaged", repr(error)) from None  # what zipfile raises, depending on the damage
    if f"openxmlformats-officedocument.{part}.main+xml".encode() not in types:
        raise FileRefused("file_mismatch", "another kind of document")
    return data


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> int:
    """Return how many bytes a part has; its checksum is right then. Raises FileRefused above `most`."""
    size = 0
    with archive.open(entry) as part:
        while chunk := part.read(_CHUNK):
            if not size and entry.filename.lower().endswith((".xml", ".rels")) and b"<!DOCTYPE" in chunk:
                raise FileRefused("file_unsafe", "a document type definition")
            size += len(chunk)
            if size > most:
                raise FileRefused("file_unsafe", "a zip bomb")
    return size
