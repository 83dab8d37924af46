"""Social security numbers of the United States: 3-2-4 digits, or nine digits that the text calls an SSN."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import AFTER, BEFORE, Recognizer, Span, is_reference

_NUMBER = re.compile(
    BEFORE
    + r"(?!000|666|9)[0-9]{3}(?P<separator>[ ._\n-]?)(?!00)[0-9]{2}(?P=separator)(?!0000)[0-9]{4}"
    + AFTER
    + "(?!-[0-9])"
)
_CONTEXT = re.compile(r"(?<![a-z])(?:ssn|social[ -]security|社会安全号码?|社安号)", re.IGNORECASE)


class UsSsn(Recognizer):
    """Groups of 3, 2 and 4 are proof enough; nine digits in one need the name of the number before them."""

    ENTITY = "US_SSN"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers."""
        for match in _NUMBER.finditer(text):
            if _CONTEXT.search(text, max(0, match.start() - 48), match.start()):
                yield match.start(), match.end(), 0.95
            elif match["separator"] == "-":
                yield match.start(), match.end(), 0.8
            elif match["separator"] == " " and not is_reference(text, match.start()):
                yield match.start(), match.end(), 0.7
