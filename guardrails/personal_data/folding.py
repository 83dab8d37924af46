"""One spelling for what people write in many: digits, width, dashes, spaces; invisible characters fall away.

Offsets in the folded text map back to the original. Knows nothing of entities.
"""

import re
import sys
import unicodedata
from dataclasses import dataclass


def _ascii(character: str) -> str:
    """Return the one ASCII letter, digit or sign that `character` is another spelling of, "" when it is none."""
    same = unicodedata.normalize("NFKC", character)
    if len(same) == 1 and same.isascii() and same.isprintable():
        return same
    digit = unicodedata.digit(character, None)
    return "" if digit is None else str(digit)


_ALIKE: dict[int, int | str] = {
    **{code: same for code in range(0x80, 0x20000) if (same := _ascii(chr(code)))},
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹣"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000"), " "),
    **dict.fromkeys(range(0x2000, 0x200B), " "),
    **dict.fromkeys(map(ord, "•∙‧・･"), "·"),
    **dict.fromkeys(map(ord, "\u2028\u2029\u0085"), "\n"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # lone surrogates: the models' tokenizers refuse them
}
_INVISIBLE = re.compile(
    "["
    + "".join(chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf")
    + "\ufe00-\ufe0f\u20e3]"  # what turns a digit into an emoji
)
_SPELLED = dict(zip("零〇洞一幺壹二两贰三叁四肆五伍六陆七柒拐八捌九玖", "000111222334455667778899", strict=True))
_SIGN = f"(?:[0-9]|[{''.join(_SPELLED)}](?![直下起样定般共维手个天次种款件]))"  # 一直, 二维码, 三天: words, no digits
_SPELLED_RUN = re.compile(rf"{_SIGN}(?:[ ,，、。·-]?{_SIGN}){{6,}}")
_SPELLED_DIGITS = str.maketrans(_SPELLED)


@dataclass(frozen=True)
class Folded:
    """A folded text; `offsets[i]` is where its i-th character stands in the original, None when nothing moved."""

    text: str
    offsets: list[int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that `text[start:end]` (not empty) came from."""
        return (start, end) if self.offsets is None else (self.offsets[start], self.offsets[end - 1] + 1)


def fold(text: str) -> Folded:
    """Return `text` with one spelling of digits, width, dashes and spaces, and without invisible characters.

    Digits spelled in Chinese (一三八…) become digits where at least seven digits stand together.
    """
    if text.isascii():
        return Folded(text)
    alike = text.translate(_ALIKE)
    if not _INVISIBLE.search(alike):
        return Folded(_without_spelled(alike))
    seen = [(character, at) for at, character in enumerate(alike) if not _INVISIBLE.match(character)]
    return Folded(_without_spelled("".join(character for character, _ in seen)), [at for _, at in seen])


def _without_spelled(text: str) -> str:
    def digits(run: re.Match[str]) -> str:
        spelled = sum(not sign.isascii() for sign in run[0])
        return run[0].translate(_SPELLED_DIGITS) if spelled > 2 else run[0]

    return _SPELLED_RUN.sub(digits, text)
