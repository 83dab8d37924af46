"""The files in a .zip, one after the other, with limits. Knows nothing of what they hold."""

import io
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from knowledge.blocks import Unreadable

TYPES = "[Content_Types].xml"
"""A part that every Office file has and no other archive."""
MOST_MEMBERS = 1000
MOST_UNPACKED = 300 * 2**20
MOST_RATIO = 200
"""Unpacked to packed, of archives that unpack to more than `FREE_BYTES`."""
FREE_BYTES = 20 * 2**20
_STEP = 1 << 16
_JUNK = re.compile(r"(^|/)(__MACOSX/|\.|Thumbs\.db$|desktop\.ini$|~\$)", re.IGNORECASE)
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError, RuntimeError, KeyError)
"""What zipfile raises, depending on the damage."""


def members(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of an archive as (safe relative path, bytes), in its order; hidden files and links are left out.

    An archive among them is handed out as it is; reading it as a document refuses it, so nothing nests. Sizes that the
    archive claims are not believed. Raises `Unreadable`, at the latest at the member that breaks a limit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if TYPES in archive.namelist():  # an Office file by another name
                yield name, data
                return
            entries = [entry for entry in archive.infolist() if _is_file(entry)]
            if len(entries) > MOST_MEMBERS:
                raise Unreadable("archive_members", MOST_MEMBERS)
            taken: set[str] = set()
            left = MOST_UNPACKED if len(data) * MOST_RATIO > MOST_UNPACKED else max(len(data) * MOST_RATIO, FREE_BYTES)
            for entry in entries:
                if entry.flag_bits & _ENCRYPTED:
                    raise Unreadable("encrypted")
                # bzip2 and LZMA unpack in bites of any size.
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise Unreadable("damaged", "unusual compression")
                unpacked = read_member(archive, entry, left)
                left -= len(unpacked)
                yield _unused(safe_path(_name(entry)), taken), unpacked
    except DAMAGE as error:
        raise Unreadable("damaged", type(error).__name__) from None
    if not taken:
        raise Unreadable("archive_empty")


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """A member's bytes. Raises `Unreadable` above `most`, and what zipfile raises."""
    unpacked = bytearray()
    with archive.open(entry) as member:
        while piece := member.read(_STEP):
            unpacked += piece
            if len(unpacked) > most:
                raise Unreadable("unpacks_too_much")
    return bytes(unpacked)


def safe_path(path: str) -> str:
    """A relative path without drives, `..`, control characters and odd spaces."""
    visible = "".join(c for c in unicodedata.normalize("NFC", path) if unicodedata.category(c)[0] != "C")
    parts = [part.strip() for part in re.split(r"[/\\:]+", visible)]
    return "/".join(part for part in parts if part.strip(".")) or "file"


def _is_file(entry: zipfile.ZipInfo) -> bool:
    link = stat.S_ISLNK(entry.external_attr >> 16)
    return not entry.is_dir() and not link and not _JUNK.search(safe_path(entry.filename))


def _name(entry: zipfile.ZipInfo) -> str:
    """Its name; archives made by Chinese Windows hold GBK, which zipfile takes for code page 437."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _unused(path: str, taken: set[str]) -> str:
    plain, number = PurePosixPath(path), 1
    while path in taken:
        number += 1
        path = str(plain.with_name(f"{plain.stem} ({number}){plain.suffix}"))
    taken.add(path)
    return path
