"""Bytes to text: UTF-8, UTF-16, GB18030, Windows-1252. Knows nothing of formats."""

import codecs
import re

from knowledge.blocks import Unreadable

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff\ue000-\uf8ff]")


def decode(data: bytes) -> str:
    """The text of a file in whatever encoding its bytes speak for, line ends as `\\n`.

    Raises `Unreadable` for no text, and for bytes that are no text in any of these encodings.
    """
    text = _decode(data).replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    if not text.strip():
        raise Unreadable("the file is empty")
    if len(_CONTROL.findall(text)) > len(text) // 200:
        raise Unreadable("the file is not text, or is damaged")
    return _CONTROL.sub("", text)


def _decode(data: bytes) -> str:
    for encoding in _candidates(data):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("the file is in no encoding that can be read (UTF-8, UTF-16 and GB18030 can)")


def _candidates(data: bytes) -> tuple[str, ...]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    if b"\x00" in data:  # text has none but in UTF-16, where ASCII's high bytes are zero
        even, odd = data[::2].count(0), data[1::2].count(0)
        return ("utf-16-be",) if even > odd else ("utf-16-le",)
    high = sum(byte > 0x7F for byte in data)
    # Nearly all ASCII with a few high bytes is a Western text with curly quotes, not Chinese.
    return ("utf-8", "cp1252", "gb18030") if high < len(data) * 0.05 else ("utf-8", "gb18030")
