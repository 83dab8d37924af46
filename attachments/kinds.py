"""The types of files that are taken, each proved by its content. Knows nothing of storage.

Pictures are made anew, without metadata; everything else stays as it is and is only ever served as a download.
"""

from collections.abc import Callable
from dataclasses import dataclass

from attachments import documents, names, pictures
from attachments.refusals import FileRefused


@dataclass(frozen=True)
class Kind:
    """A type of file. `prove` returns the bytes to keep. Raises FileRefused."""

    media_type: str
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]
    prove: Callable[[bytes, int], bytes]

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


def _picture(format_: str) -> Callable[[bytes, int], bytes]:
    return lambda data, most_pixels: pictures.made_anew(data, format_, most_pixels=most_pixels)


def _office(part: str) -> Callable[[bytes, int], bytes]:
    return lambda data, _: documents.office(data, part)


KINDS = (
    Kind("image/png", ("png",), lambda d: d.startswith(b"\x89PNG\r\n\x1a\n"), _picture("PNG")),
    Kind("image/jpeg", ("jpg", "jpeg"), lambda d: d.startswith(b"\xff\xd8\xff"), _picture("JPEG")),
    Kind("image/gif", ("gif",), lambda d: d.startswith((b"GIF87a", b"GIF89a")), _picture("GIF")),
    Kind("image/webp", ("webp",), lambda d: d[:4] == b"RIFF" and d[8:12] == b"WEBP", _picture("WEBP")),
    Kind("application/pdf", ("pdf",), lambda d: d.startswith(b"%PDF-"), lambda d, _: documents.pdf(d)),
    Kind(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ("docx",),
        documents.is_zip,
        _office("wordprocessingml.document"),
    ),
    Kind(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ("xlsx",),
        documents.is_zip,
        _office("spreadsheetml.sheet"),
    ),
    Kind("text/plain", ("txt",), lambda _: True, lambda d, _: documents.text(d)),
)
PICTURES = frozenset(kind.media_type for kind in KINDS if kind.is_picture)


@dataclass(frozen=True)
class Proved:
    """A file that may be kept: `data` is what to keep of it."""

    media_type: str
    data: bytes


def prove(name: str, data: bytes, *, most_pixels: int) -> Proved:
    """Return the file's type and what to keep of it. `name` is clean (names.py). Raises FileRefused.

    The name says what the customer means it to be, the content must be that and nothing else besides.
    """
    extension = names.extension_of(name)
    kind = next((kind for kind in KINDS if extension in kind.extensions), None)
    if kind is None:
        raise FileRefused("file_type", extension)
    if not data.strip():
        raise FileRefused("file_empty")
    first = next(other for other in KINDS if other.matches(data))
    if not kind.matches(data) or (kind.media_type == "text/plain" and first is not kind):
        raise FileRefused("file_mismatch", f"{first.media_type} as {extension}")
    return Proved(kind.media_type, kind.prove(data, most_pixels))
