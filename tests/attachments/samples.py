"""Files made on the spot: honest ones of every type, and parts of hostile ones."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from PIL import Image

WORD = "wordprocessingml.document"
EXCEL = "spreadsheetml.sheet"
SECRET = b"GPS 31.2304 121.4737 by Zhang San"


def picture(format_: str, size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: Any) -> bytes:
    """A picture with a red left half."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    image.convert(mode).save(out, format_, **options)
    return out.getvalue()


def animation(format_: str, frames: int = 3, size: tuple[int, int] = (8, 6)) -> bytes:
    """A moving picture, 40 ms a frame."""
    images = [Image.new("RGB", size, (40 * number % 256, 0, 100)) for number in range(frames)]
    out = io.BytesIO()
    images[0].save(out, format_, save_all=True, append_images=images[1:], duration=40, loop=0)
    return out.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of that size, and whose pixels are never there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!L", len(data)) + kind + data + struct.pack("!L", zlib.crc32(kind + data))

    head = struct.pack("!LLBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def archive(parts: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return out.getvalue()


def office(main: str = WORD, **parts: bytes | str) -> bytes:
    """A Word or Excel file in little."""
    return archive(office_parts(main) | {name.replace("__", "/"): content for name, content in parts.items()})


def office_parts(main: str = WORD) -> dict[str, bytes | str]:
    """What such a file is made of."""
    kind = f"application/vnd.openxmlformats-officedocument.{main}.main+xml"
    return {
        "[Content_Types].xml": f'<?xml version="1.0"?><Types><Override ContentType="{kind}"/></Types>',
        "word/document.xml" if main == WORD else "xl/workbook.xml": "<w/>",
    }


def pdf(body: bytes = b"1 0 obj << >> endobj") -> bytes:
    """A PDF in little."""
    return b"%PDF-1.4\n" + body + b"\nstartxref\n0\n%%EOF\n"
