"""Resident ID numbers of China (GB 11643): region, birthday, serial and check character, 18 in all."""

import re
from collections.abc import Iterator

from guardrails.personal_data.checksums import resident_id
from guardrails.personal_data.recognizer import AFTER, BEFORE, Recognizer, Span

_NUMBER = re.compile(BEFORE + r"[1-9](?:[ -]?[0-9]){16}[ -]?[0-9Xx]" + AFTER)


class CnIdCard(Recognizer):
    """Only numbers with a real birthday and the right check character."""

    ENTITY = "CN_ID_CARD"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the valid numbers."""
        for match in _NUMBER.finditer(text):
            if resident_id(re.sub("[ -]", "", match[0])):
                yield match.start(), match.end(), 1.0
