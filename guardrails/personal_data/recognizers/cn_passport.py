"""Passports of China: E and eight signs, or an older or official series when the text speaks of a passport."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import AFTER, BEFORE, Recognizer, Span, is_reference

_ORDINARY = re.compile(BEFORE + r"(?:E ?[0-9A-HJ-NP-Z] ?[0-9]{7}|G ?[0-9]{8})" + AFTER, re.IGNORECASE)
_SERIES = re.compile(
    BEFORE + r"(?:[EGDSPHMKC][ -]?[A-Z0-9][ -]?[0-9]{7}|[DSP]E?[ -]?[0-9]{7,8}|1[45][ -]?[0-9]{7}|[HMC][ -]?[0-9]{8,10}"
    r"|[EG] ?[0-9]{4}[ -]?[0-9]{4})" + AFTER,
    re.IGNORECASE,
)
_CONTEXT = re.compile(r"护照|護照|通行证|证件|旅行证|(?<![a-z])(?:passport|travel document)", re.IGNORECASE)


class CnPassport(Recognizer):
    """Sure beside the word; an ordinary number is believed without it, unless the words before call it another."""

    ENTITY = "CN_PASSPORT"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers."""
        for match in _SERIES.finditer(text):
            before, after = text[max(0, match.start() - 24) : match.start()], text[match.end() : match.end() + 12]
            if _CONTEXT.search(before) or _CONTEXT.search(after):
                yield match.start(), match.end(), 0.9
        for match in _ORDINARY.finditer(text):
            if not is_reference(text, match.start()):
                yield match.start(), match.end(), 0.7
