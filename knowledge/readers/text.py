"""Bytes to text: UTF-8, UTF-16, GB18030, Big5, Windows-1252. Knows nothing of formats."""

import codecs
import re

from knowledge.blocks import Unreadable
from knowledge.readers.reading import Note, quiet

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff\ue000-\uf8ff]")
_ZERO_WIDTH = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_ASCII = bytes(range(0x80))
_HEAD = 1_000_000
_GUESSED = {"big5hkscs": "Big5", "cp1252": "Windows-1252"}
_LOW_TRAILS = 0.15
"""Four in ten of Big5's second bytes are below 0x7F; of GB18030's common characters none is."""


def decode(data: bytes, note: Note = quiet) -> str:
    """The text of a file in whatever encoding its bytes speak for, line ends as `\\n`, without invisible characters.

    Tells `note` the encoding when it is a guess. Raises `Unreadable` for no text, and for bytes that are no text in any
    of these encodings.
    """
    readable = False
    mended = _mended(data)
    if mended is not None:
        note("mended")
        return clean(mended.replace("\r\n", "\n").replace("\r", "\n"))
    for encoding in _candidates(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        readable = True
        if len(_CONTROL.findall(text)) > len(text) // 200:
            continue
        if encoding in _GUESSED:
            note("encoding", _GUESSED[encoding])
        text = clean(text.replace("\r\n", "\n").replace("\r", "\n"))
        if not text.strip():
            raise Unreadable("empty")
        return text
    raise Unreadable("not_text" if readable or 0 in data else "encoding")


def clean(text: str) -> str:
    """The text without control, zero-width and direction characters, private use and lone surrogates."""
    return _ZERO_WIDTH.sub("", _CONTROL.sub("", text))


def _mended(data: bytes) -> str | None:
    """UTF-8 with a few broken characters, such as a file that was cut; they are left out."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "ignore")
        lost = len(data) - len(text.encode())
        whole = sum(character > "\x7f" for character in text)
        return text if whole > 20 * lost else None
    return None


def _candidates(data: bytes) -> tuple[str, ...]:
    """Encodings to try, in order."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    if data.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    head = data[:_HEAD]
    zeros = head.count(0)
    wide = "utf-16-be" if head[::2].count(0) > head[1::2].count(0) else "utf-16-le"
    if zeros > len(head) // 5:  # ASCII's high bytes in UTF-16
        return (wide,)
    high = len(head.translate(None, _ASCII))
    # Nearly all ASCII with single high bytes is a Western text with curly quotes; Chinese ones come in pairs.
    if high < len(head) * 0.05 and any(len(run) % 2 for run in _HIGH.findall(head)):
        return ("utf-8", "cp1252", "gb18030")
    pairs = _PAIR.findall(head)
    big5 = sum(pair[1] < 0x7F for pair in pairs) > len(pairs) * _LOW_TRAILS
    return (
        "utf-8",
        *(("big5hkscs",) if big5 else ()),
        "gb18030",
        *((wide,) if zeros else ()),
        *(("cp1252",) if high < len(head) / 5 else ()),
    )
