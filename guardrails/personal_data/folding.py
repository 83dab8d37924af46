"""One spelling for what people write in many: digits, width, dashes, spaces; invisible characters fall away.

Offsets in the folded text map back to the original. Knows nothing of entities.
"""

import re
import sys
import unicodedata
from dataclasses import dataclass

_ALIKE: dict[int, int | str] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},  # full-width ASCII
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹣"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000"), " "),
    **dict.fromkeys(range(0x2000, 0x200B), " "),
    **dict.fromkeys(map(ord, "•∙‧・･"), "·"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # lone surrogates: the models' tokenizers refuse them
}
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_INVISIBLE = re.compile(
    "[" + "".join(chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf") + "]"
)


@dataclass(frozen=True)
class Folded:
    """A folded text; `offsets[i]` is where its i-th character stands in the original, None when nothing moved."""

    text: str
    offsets: list[int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that `text[start:end]` (not empty) came from."""
        return (start, end) if self.offsets is None else (self.offsets[start], self.offsets[end - 1] + 1)


def fold(text: str) -> Folded:
    """Return `text` with one spelling of digits, width, dashes and spaces, and without invisible characters."""
    if text.isascii():
        return Folded(text)
    alike = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.digit(digit[0])), text.translate(_ALIKE))
    if not _INVISIBLE.search(alike):
        return Folded(alike)
    seen = [(character, at) for at, character in enumerate(alike) if not _INVISIBLE.match(character)]
    return Folded("".join(character for character, _ in seen), [at for _, at in seen])
