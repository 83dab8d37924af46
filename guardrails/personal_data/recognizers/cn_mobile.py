"""Mobile numbers of mainland China: 11 digits, +86 before, spaces, hyphens or dots between the groups."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import AFTER, BEFORE, Recognizer, Span, is_reference

_NUMBER = re.compile(
    BEFORE + r"(?:(?:\(?\+ ?86\)?|\(?0086\)?|\(86\)|86)[ -]{0,2})?"
    r"(?P<number>1[ -]?[3-9](?:[ -]{0,3}[0-9]){9}|1[3-9][0-9]\.[0-9]{4}\.[0-9]{4})" + AFTER
)


class CnMobile(Recognizer):
    """Sure of it, unless the words before it call it an order number or its groups are not those of a phone number."""

    ENTITY = "CN_MOBILE"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers with their country code."""
        for match in _NUMBER.finditer(text):
            groups = [len(group) for group in re.split(r"[ .-]+", match["number"])]
            if (min(groups) > 1 or max(groups) == 1 or len(groups) == 1) and not is_reference(text, match.start()):
                yield match.start(), match.end(), 0.95
