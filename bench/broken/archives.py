"""Broken archives and pictures."""

import io
import struct
import zipfile
import zlib

from bench.broken.cases import Case
from bench.broken.office import word
from bench.broken.texts import ENGLISH


def archive(*files: tuple[str, bytes], packed: bool = True) -> bytes:
    """A zip of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as made:
        for name, data in files:
            made.writestr(name, data)
    return buffer.getvalue()


TEXT = ENGLISH.encode()


def _zeros(megabytes: int) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made,
        made.open("zeros.txt", "w", force_zip64=True) as file,
    ):
        for _ in range(megabytes):
            file.write(bytes(2**20))
    return buffer.getvalue()


def _encrypted() -> bytes:
    data = bytearray(archive(("a.txt", TEXT), packed=False))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _chinese_names() -> bytes:
    """As Windows makes them in China: names in GBK, without a mark that says so."""
    data = archive(("aaaa.txt", TEXT), packed=False)
    return data.replace(b"aaaa.txt", "退货".encode("gbk") + b".txt")


def _png(width: int, height: int) -> bytes:
    def piece(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", head) + piece(b"IDAT", zlib.compress(bytes(10**6))) + piece(b"IEND", b"")
    )


CASES = (
    Case("zeros-of-1-gb.zip", lambda: _zeros(1024), ("unpacks_too_much",), slow=True),
    Case("nested.zip", lambda: archive(("inner.zip", archive(("a.txt", TEXT)))), ("archive_nested",)),
    Case("encrypted.zip", _encrypted, ("encrypted",)),
    Case(
        "5000-files.zip", lambda: archive(*((f"{i}.txt", TEXT) for i in range(5000))), ("archive_members",), slow=True
    ),
    Case("climbing-names.zip", lambda: archive(("../../etc/passwd.txt", TEXT), ("C:\\a.md", TEXT)), holds="seven days"),
    Case("chinese-names.zip", _chinese_names, holds="seven days"),
    Case("empty.zip", archive, ("archive_empty",)),
    Case("cut.zip", lambda: archive(("a.txt", TEXT * 99))[:100], ("damaged",)),
    Case("a-good-and-a-bad-one.zip", lambda: archive(("a.docx", b"no"), ("b.docx", word("We ship."))), holds="We ship"),
    Case("gzip-as.txt", lambda: b"\x1f\x8b\x08" + bytes(range(256)) * 9, ("not_text", "encoding")),
    Case("broken-picture.png", lambda: b"\x89PNG\r\n\x1a\n" + bytes(500), ("damaged", "pictures_only")),
    Case("picture-of-900-megapixels.png", lambda: _png(30_000, 30_000), ("too_large", "pictures_only", "damaged")),
    Case("blank-picture.png", lambda: _png(900, 900), ("no_text", "pictures_only")),
)
