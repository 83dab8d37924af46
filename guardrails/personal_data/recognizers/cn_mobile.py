"""Mobile numbers of mainland China: 11 digits, +86 before, and whatever people put between the groups."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import AFTER, BEFORE, BREAK, Recognizer, Span, is_reference

_ANY = rf"(?:{BREAK}|[ \t_.,/|·。、，~*+-]{{1,3}})"
_AMOUNT_AFTER = re.compile(r"[ ]?(?:元|块|分(?![机店])|积分|円|日元|美元|韩元)")
_ABROAD = re.compile(r"(?:\+|(?<![0-9])00)(?!86)[1-9][0-9]{0,2}[ )-]{1,2}$")
_NUMBER = re.compile(
    BEFORE + rf"(?<!\+)(?:(?:\(?\+ ?86\)?|\(?0086\)?|\(86\)|%2[Bb]86|86)(?:{BREAK}|[ _.-]{{0,2}}))?"
    r"(?P<number>1[ _-]?[3-9](?:[ _-]{0,3}[0-9]){9}"
    rf"|1[3-9][0-9]{_ANY}[0-9]{{4}}{_ANY}[0-9]{{4}}"
    rf"|1[3-9][0-9]{_ANY}?(?:[0-9]{{4}}{BREAK}[0-9]{{4}}|[0-9]{{8}})"
    rf"|1[3-9][0-9]{{2}}{_ANY}[0-9]{{3}}{_ANY}[0-9]{{4}}|1[3-9][0-9]{{3}}{_ANY}[0-9]{{6}}|1[3-9][0-9]{{5}}{_ANY}[0-9]{{4}}"
    rf"|1(?:{_ANY}?[3-9])(?:{_ANY}[0-9]){{9}})" + AFTER
)


class CnMobile(Recognizer):
    """Sure of it, unless the words before it call it an order number or its groups are not those of a phone number."""

    ENTITY = "CN_MOBILE"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers with their country code."""
        for match in _NUMBER.finditer(text):
            groups = [len(group) for group in re.findall("[0-9]+", match["number"])]
            if (min(groups) > 1 or max(groups) == 1 or len(groups) == 1) and not (
                is_reference(text, match.start())
                or _ABROAD.search(text, max(0, match.start() - 8), match.start())
                or _AMOUNT_AFTER.match(text, match.end())
            ):
                yield match.start(), match.end(), 0.95
