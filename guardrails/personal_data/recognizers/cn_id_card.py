"""Resident ID numbers of China (GB 11643): region, birthday, serial and check character, 18 in all; 15 before 1999."""

import re
from collections.abc import Iterator
from datetime import date

from guardrails.personal_data.checksums import resident_id
from guardrails.personal_data.recognizer import AFTER, BEFORE, BREAK, Recognizer, Span

_SEPARATOR = rf"(?:{BREAK}|[ _.,-]{{1,2}})?"
_X = "XxΧχХх×"
"""The check character, and what looks like it: Greek chi, Cyrillic ha, the times sign."""
_NUMBER = re.compile(BEFORE + rf"[1-9](?:{_SEPARATOR}[0-9]){{16}}{_SEPARATOR}[0-9{_X}]" + AFTER)
_AS_X = str.maketrans(dict.fromkeys(_X, "X"))
_OLD = re.compile(BEFORE + r"[1-9][0-9]{5}(?P<born>[0-9]{6})[0-9]{3}" + AFTER)
_CONTEXT = re.compile(r"身份证|证件|(?<![a-z])id card", re.IGNORECASE)


class CnIdCard(Recognizer):
    """Only numbers with a real birthday and the right check character; the old ones, which have none, need a word."""

    ENTITY = "CN_ID_CARD"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the valid numbers."""
        for match in _NUMBER.finditer(text):
            if resident_id(re.sub(f"[^0-9{_X}]", "", match[0]).translate(_AS_X)):
                yield match.start(), match.end(), 1.0
        for match in _OLD.finditer(text):
            if _CONTEXT.search(text, max(0, match.start() - 16), match.start()) and _is_day(match["born"]):
                yield match.start(), match.end(), 0.85


def _is_day(digits: str) -> bool:
    try:
        date(1900 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return False
    return True
