"""Social security numbers of the United States: 3-2-4 digits, or nine digits that the text calls an SSN."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import AFTER, BEFORE, Recognizer, Span, is_reference

_NUMBER = re.compile(
    BEFORE
    + r"(?!000|666|9)[0-9]{3}(?P<separator>[ ._\n-]?)(?!00)[0-9]{2}(?P=separator)(?!0000)[0-9]{4}"
    + AFTER
    + "(?!-[0-9])"
)
_CONTEXT = re.compile(
    r"(?<![a-z])(?:ssn|ss ?#|ss (?:number|no\b)|social(?![ -]?(?:media|network|account|login|page|channel))|soc\.? ?sec|itin(?![a-z])"
    r"|tin(?![a-z])|tax(?:payer)? ?(?:id|number|no\b)|w-?9(?![0-9])|credit (?:check|report|bureau)|last four)"
    r"|社会安全|社安|社保|社会保障|税号|纳税人识别",
    re.IGNORECASE,
)
_CALLED_AFTER = re.compile(
    r"[ )\]\"”]{0,2}(?:[,(-][ (]?)?(?:(?:is|was|that['’]s) )?(?:my|his|her|their|the|a|as)? ?(?:full )?(?:ssn|social(?! ?media))|(?:是|这个?|作为)?我?的?(?:ssn|社安|社会安全)",
    re.IGNORECASE,
)


class UsSsn(Recognizer):
    """Groups of 3, 2 and 4 are proof enough; nine digits in one need the name of the number beside them."""

    ENTITY = "US_SSN"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers."""
        for match in _NUMBER.finditer(text):
            reference = is_reference(text, match.start())
            called = _CONTEXT.search(text, max(0, match.start() - 72), match.start())
            called = called or _CALLED_AFTER.match(text, match.end())
            if called and (match["separator"] or not reference):
                yield match.start(), match.end(), 0.95
            elif match["separator"] in ("-", "_"):
                yield match.start(), match.end(), 0.9
            elif match["separator"] == " " and not reference:
                yield match.start(), match.end(), 0.86
