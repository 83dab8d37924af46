"""Digit groups that can be a payment card: 12 to 19 digits that pass Luhn. Knows nothing of whose card it is."""

import re
from collections.abc import Iterator

from guardrails.personal_data.checksums import luhn
from guardrails.personal_data.recognizer import BREAK, is_reference

UNIONPAY = re.compile(r"(?:62|81)[0-9]{14,17}")
DOMESTIC = re.compile(r"(?:62|81)[0-9]{11,17}|(?:955[0-9]|60(?!11)|6[89]|9[0-9])(?=[0-9]{14,17}$)[0-9]+")
"""Cards of China: UnionPay's own prefixes, and those that only banks of China gave out, 16 digits or more."""

_SEPARATOR = rf"(?: ?[-_] ?|  ?|{BREAK}|(?<=[0-9]{{4}})[.,/·](?=[0-9]{{4}}|[0-9]{{3}}(?![0-9-])))"
_RUN = re.compile(rf"(?<![0-9A-Za-z])(?<![0-9][.,])[0-9]+(?:{_SEPARATOR}[0-9]+)*(?![0-9A-Za-z])(?!\.[0-9])")
_GROUP = re.compile(r"[0-9]+")
_CONTEXT = re.compile(
    r"卡号|[行蓄记信]用?卡|账[号户]|(?<![a-z])(?:cards?|visa|mastercard|maestro|amex|iban|account)(?![a-z])", re.I
)
_LONGEST = 19


def card_numbers(text: str) -> Iterator[tuple[str, int, int, bool]]:
    """Yield digits, start, end and whether the words before speak of a card; what an order number claims is left out.

    A card may stand in groups, beside an expiry date or a security code: the longest run of groups that passes wins.
    """
    for run in _RUN.finditer(text):
        if run.end() - run.start() < 12 or is_reference(text, run.start()):
            continue
        groups = list(_GROUP.finditer(text, run.start(), run.end()))
        first = 0
        while first < len(groups):
            past = _card_from(groups, first)
            if past:
                start, end = groups[first].start(), groups[past - 1].end()
                digits = "".join(group[0] for group in groups[first:past])
                yield digits, start, end, _CONTEXT.search(text, max(0, start - 24), start) is not None
            first = past or first + 1


def _card_from(groups: list[re.Match[str]], first: int) -> int:
    """Return the index past the last group of the card that begins at group `first`, 0 when there is none."""
    found, digits, sizes = 0, "", []
    for past in range(first + 1, len(groups) + 1):
        digits += groups[past - 1][0]
        sizes.append(len(groups[past - 1][0]))
        if len(digits) > _LONGEST:
            break
        grouped_like_a_card = (sizes[0] >= 4 and min(sizes[:-1], default=4) >= 3) or max(sizes) == 1
        if len(digits) >= 12 and grouped_like_a_card and len(set(digits)) > 1 and luhn(digits):
            found = past
    return found
