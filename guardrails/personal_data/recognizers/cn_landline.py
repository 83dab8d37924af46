"""Landline numbers of China: area code, number, extension. Service numbers (400, 800, 95588) are nobody's own."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import AFTER, BEFORE, Recognizer, Span, is_reference

_NUMBER = re.compile(
    BEFORE + r"(?:\+?86[ -]?\(?(?:10|2[0-9]|[3-9][0-9]{2})\)?|\(?0(?:10|2[0-9]|[3-9][0-9]{2})\)?)[ -]{0,2}"
    r"[2-8][0-9]{2,3}[ -]?[0-9]{4}(?:(?:-| ?(?:转|分机|ext\.?) ?)[0-9]{1,6})?" + AFTER,
    re.IGNORECASE,
)


class CnLandline(Recognizer):
    """Fairly sure: the area code is the proof."""

    ENTITY = "CN_LANDLINE"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers with area code and extension."""
        for match in _NUMBER.finditer(text):
            if not is_reference(text, match.start()):
                yield match.start(), match.end(), 0.85
