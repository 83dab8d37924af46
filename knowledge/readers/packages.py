"""Opens Office files (zip packages of XML) with limits. Knows nothing of what the XML says."""

import io
import zipfile
from typing import Any

from lxml import etree

from knowledge.archives import DAMAGE, read_member
from knowledge.blocks import Unreadable
from knowledge.readers.reading import Note

MOST_PARTS = 10_000
MOST_UNPACKED = 300 * 2**20
MOST_PART = 200 * 2**20
_STRICT = (
    (
        b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    ),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
)
"""Namespaces of the standard's strict form, and the usual ones."""
_ENCODINGS = ("ascii", "utf-16-le", "utf-16-be")
_RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


class Package:
    """An Office file's parts, each read once, bounded whatever the archive claims. Raises `Unreadable`."""

    def __init__(self, data: bytes, note: Note) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except DAMAGE as error:
            raise Unreadable("damaged", type(error).__name__) from None
        entries = self._archive.infolist()
        if len(entries) > MOST_PARTS:
            raise Unreadable("archive_members", MOST_PARTS)
        if any(entry.flag_bits & 0x1 for entry in entries):
            raise Unreadable("encrypted")
        if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
            raise Unreadable("unpacks_too_much")
        self._entries = {entry.filename: entry for entry in entries}
        if any("vbaProject" in name or "activeX/" in name for name in self._entries):
            note("macros")

    def names(self) -> list[str]:
        """The paths of all parts."""
        return list(self._entries)

    def part(self, path: str) -> bytes | None:
        """A part's bytes, None when there is none."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        try:
            return read_member(self._archive, entry, MOST_PART)
        except DAMAGE as error:
            raise Unreadable("damaged", type(error).__name__) from None

    def xml(self, path: str) -> Any:
        """The root element of a part, None when there is none. No entity is ever expanded."""
        data = self.part(path)
        if data is None:
            return None
        refuse_entities(data)
        for strict, usual in _STRICT:
            data = data.replace(strict, usual)
        try:
            return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        except etree.XMLSyntaxError as error:
            raise Unreadable("damaged", f"{path}, line {error.lineno}") from None

    def addresses(self, path: str) -> dict[str, str]:
        """Where the relationships of a part lead, by their ids."""
        folder, _, name = path.rpartition("/")
        root = self.xml(f"{folder}/_rels/{name}.rels")
        return {} if root is None else {one.get("Id", ""): one.get("Target", "") for one in root.iter(_RELATIONSHIPS)}

    def check(self) -> None:
        """Unpack everything once: sizes, checksums, entities. For readers that open the file with a library."""
        left = MOST_UNPACKED
        for path in self._entries:
            data = self.part(path) or b""
            left -= len(data)
            if left < 0:
                raise Unreadable("unpacks_too_much")
            if path.endswith((".xml", ".rels")):
                refuse_entities(data)


def refuse_entities(data: bytes) -> None:
    """Raise `Unreadable` for a document type definition: no Office program writes one."""
    if any(mark.encode(encoding) in data for mark in ("<!DOCTYPE", "<!ENTITY") for encoding in _ENCODINGS):
        raise Unreadable("entities")
