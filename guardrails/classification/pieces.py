"""What of a text is judged for injection: the whole, its sentences in windows, and what it hides in an encoding.

Pure; knows nothing of scores. Attacks hide in long, harmless text, and a judgement of the whole drowns them.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from urllib.parse import unquote

WINDOW = 60
"""Characters of a window, unless one sentence is longer: about a sentence, so that nothing around it dilutes it."""

WHOLE = 1_200
"""Characters of the text that are judged as a whole; longer texts are covered by windows."""

MOST = 256
"""Windows of a text: the bound on what judging it costs. In a longer text windows grow instead."""

_SENTENCE = re.compile(r"[^。！？!?\n.]*(?:[。！？!?\n]+|\.+(?=\s|$)|\.|$)")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{16,}={0,2}(?![A-Za-z0-9+/=_-])")
_HEX = re.compile(r"(?<![0-9a-zA-Z])(?:[0-9a-fA-F]{2}[ :,-]?){10,}(?![0-9a-zA-Z])")
_BITS = re.compile(r"(?<![0-9])(?:[01]{8}\s*){5,}(?![0-9])")
_SPACED = re.compile(r"(?<!\w)(?:\w[\s.\-_*·/|]{1,2}){7,}\w(?!\w)")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}){4,}")
_WORDS = re.compile(r"[a-z']+")
_COMMON = """the a an and or of to in is are you your me my all what who how this that tell show give ignore forget
rules instructions previous system prompt password please now from as be do not can will it with for on"""
_ENGLISH = frozenset(_COMMON.split())


def pieces(text: str, window: int = WINDOW) -> list[str]:
    """The text (its beginning, when it is long), its windows, and whatever could be decoded in it; never empty."""
    found = [text[:WHOLE]]
    if len(text) > window:
        found += windows(text, window)
    found += decoded(text)
    return list(dict.fromkeys(found))


def windows(text: str, window: int = WINDOW) -> list[str]:
    """Runs of sentences of about `window` characters, each beginning with the last sentence of the one before.

    The last reaches back as far as it has room: a few words alone say little.
    """
    size = max(window, 2 * len(text) // MOST)
    sentences = list(_sentences(text, size))
    result: list[str] = []
    start = end = 0
    while end < len(sentences):
        length = len(sentences[start]) if start < end else 0
        first = end
        while end < len(sentences) and (end == first or length + len(sentences[end]) <= size):
            length += len(sentences[end])
            end += 1
        if end == len(sentences):
            while start and length + len(sentences[start - 1]) <= size:
                start -= 1
                length += len(sentences[start])
        result.append("".join(sentences[start:end]))
        start = end - 1 if end < len(sentences) and len(sentences[end - 1]) + len(sentences[end]) <= size else end
    return result


def decoded(text: str) -> list[str]:
    """What Base64, hexadecimal, binary, percent signs, ROT13, reversal or blanks between letters hide."""
    found = []
    head = text[:20_000]
    for match in list(_BASE64.finditer(head))[:8]:
        found.append(_from_base64(match[0]))
    for match in list(_HEX.finditer(head))[:8]:
        found.append(_printable(bytes.fromhex("".join(re.findall(r"[0-9a-fA-F]{2}", match[0])))))
    for match in list(_BITS.finditer(head))[:8]:
        found.append(_printable(bytes(int(byte, 2) for byte in re.findall(r"[01]{8}", match[0]))))
    if _PERCENT.search(head):
        found.append(unquote(head)[:WHOLE])
    for match in list(_SPACED.finditer(head))[:8]:
        found.append(_joined(match[0][:WHOLE]))
    for other in (codecs.encode(head[:WHOLE], "rot13"), head[:WHOLE][::-1]):
        if _english(other) > 2 * _english(head[:WHOLE]) + 2:
            found.append(other)
    return [one for one in found if len(one) >= 4]


def _sentences(text: str, size: int) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        for start in range(0, len(match[0]), size):
            yield match[0][start : start + size]


def _from_base64(text: str) -> str:
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return _printable(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
    except (binascii.Error, ValueError):
        return ""


def _printable(data: bytes) -> str:
    """The text of the bytes, "" when they are none."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return text[:WHOLE] if all(one.isprintable() or one.isspace() for one in text) else ""


def _joined(spaced: str) -> str:
    """Letters without what stands between them; a double blank is one between words."""
    words = re.split(r"\s{2,}", spaced)
    return " ".join(re.sub(r"[\s.\-_*·/|]+", "", word) for word in words)


def _english(text: str) -> int:
    return sum(word in _ENGLISH for word in _WORDS.findall(text.lower()))
