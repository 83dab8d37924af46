"""Phone numbers of the North American plan: area code and exchange from 2 to 9. Toll-free ones are nobody's own."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator

import phonenumbers

from guardrails.personal_data.phones import calls_it_a_phone, talks_of_a_phone
from guardrails.personal_data.recognizer import BREAK, Recognizer, Span, is_reference

_SEPARATOR = rf"(?:[-.]?{BREAK}| ?[-._/–,·]? ?)"
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][.,-])(?<!\+)(?:(?P<country>\+ ?1|0{0,2}1(?=[ .(_-]|[2-9][0-9]{9}(?![0-9])))[ ._-]{0,2})?"
    rf"(?P<area>\([2-9][0-9]{{2}}\)|[2-9][0-9]{{2}})(?P<one>{_SEPARATOR})[2-9][0-9]{{2}}(?P<two>{_SEPARATOR})[0-9]{{4}}"
    r"(?:(?:,? ?(?:x|ext\.?|extension|#)|转)[ .]{0,2}[0-9]{1,6})?(?![0-9A-Za-z])(?!-[0-9])(?!\.[0-9])",
    re.IGNORECASE,
)
_OF_AN_ORDER = re.compile(
    r"(?:phone|contact|callback|mobile|cell) (?:number )?(?:for|on|of) [a-z ]{2,12}(?: is|[ ]?:)? $", re.I
)
_ALONE_BEFORE = re.compile(r"(?:\A|\n|[,;/|] ?)$")
_ALONE_AFTER = re.compile(r"[ ]?(?:$|[,;/|\n]|\.(?:\s|$))")
_TOLL_FREE = frozenset({"800", "888", "877", "866", "855", "844", "833", "822", "900", "400"})


class UsPhone(Recognizer):
    """Groups or a country code are proof enough; ten digits in one need a word that calls them a phone number."""

    ENTITY = "US_PHONE"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers with country code and extension."""
        for match in _NUMBER.finditer(text):
            unlike_an_order = match["area"][0] == "(" or "+" in (match["country"] or "")
            order = is_reference(text, match.start()) and not _OF_AN_ORDER.search(text, 0, match.start())
            if match["area"].strip("()") in _TOLL_FREE or (order and not unlike_an_order):
                continue
            called = calls_it_a_phone(text, match.start())
            grouped = match["two"] and (match["one"] or match["area"][0] == "(")
            if match["country"] and "+" in match["country"]:
                yield match.start(), match.end(), 0.9
            elif grouped:
                yield match.start(), match.end(), 0.85
            elif called or (_is_assigned(match) and _is_told(text, match)):
                yield match.start(), match.end(), 0.8


def _is_told(text: str, match: re.Match[str]) -> bool:
    """Return whether ten digits stand between commas, as in a list of somebody's data, or near words of a phone."""
    listed = _ALONE_BEFORE.search(text, max(0, match.start() - 2), match.start())
    alone = listed is not None and _ALONE_AFTER.match(text, match.end()) is not None
    return talks_of_a_phone(text, match.start(), match.end(), alone)


def _is_assigned(match: re.Match[str]) -> bool:
    """Return whether the area code exists."""
    number = phonenumbers.PhoneNumber(country_code=1, national_number=int(re.sub("[^0-9]", "", match[0])[-10:]))
    return phonenumbers.is_valid_number(number)
