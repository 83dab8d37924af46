"""Phone numbers of other countries: a country code after + or 00, or digits that the text calls a phone number."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from guardrails.personal_data.phones import calls_it_a_phone, speaks_of_a_phone
from guardrails.personal_data.recognizer import Recognizer, Span, is_reference, is_within_fours

_INTERNATIONAL = re.compile(
    r"(?<![0-9A-Za-z+])(?:\+|\(\+|(?<![0-9]-)00)[ ]?(?P<digits>[1-9][0-9]{0,2}\)?(?:(?:[ ._/-]{0,2}|\n)(?:\(0?[0-9]{0,4}\)|[0-9])){6,14})"
    r"(?:,? ?(?:x|ext\.?)[ .]?[0-9]{1,6})?(?![0-9A-Za-z])(?!\.[0-9])",
    re.IGNORECASE,
)
_NATIONAL = re.compile(
    r"(?<![0-9A-Za-z+.,:/-])(?:\(0?[0-9]{1,4}\)[ -]?)?[0-9]{1,5}(?:[ ./_-]{0,2}[0-9]{2,8}){1,5}"
    r"(?:,? ?(?:x|ext\.?)[ .]?[0-9]{1,6})?(?![0-9A-Za-z])(?!\.[0-9])",
    re.IGNORECASE,
)
_TRUNK = re.compile(r"\(?0[1-9]")
_SERVICE = re.compile(
    r"(?:1[ -]?|0)?8(?:00|88|77|66|55|44|33)|400|0(?:3(?:0[03]|3[03]|4[345]|7[01])|808|84[35]|87[0-3])[0-9]{6,7}$"
)
_SOCIAL_SECURITY = re.compile(r"(?!000|666|9)[0-9]{3}([ -])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}")
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[./ -][01]?[0-9][./ -][0-3]?[0-9](?![0-9])|[0-3]?[0-9][./-][0-3]?[0-9][./-](?:19|20)[0-9]{2}$"
)
_GROUPS = re.compile("[0-9]+")


class IntlPhone(Recognizer):
    """Sure with a country code that exists; less so at the text's word. China and North America have their own."""

    ENTITY = "INTL_PHONE"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers with their extension."""
        for match in _INTERNATIONAL.finditer(text):
            digits = re.sub("[^0-9]", "", match["digits"])
            country = any(int(digits[:size]) in COUNTRY_CODE_TO_REGION_CODE for size in (1, 2, 3))
            plus = "+" in match[0] or " " in match[0] or calls_it_a_phone(text, match.start())
            if digits.startswith("86") or _SERVICE.match(digits) or is_reference(text, match.start()):
                continue
            if _SOCIAL_SECURITY.fullmatch(match[0]) or is_within_fours(text, *match.span()):
                continue
            if country and plus and 7 <= len(digits) <= 15:
                yield match.start(), match.end(), 0.88
        for match in _NATIONAL.finditer(text):
            digits = "".join(_GROUPS.findall(match[0]))
            if not 7 <= len(digits) <= 13 or _SERVICE.match(digits) or _DATE.match(match[0]):
                continue
            if is_reference(text, match.start()) or _SOCIAL_SECURITY.fullmatch(match[0]):
                continue
            if is_within_fours(text, *match.span()):
                continue
            if calls_it_a_phone(text, match.start()) or speaks_of_a_phone(text, match.start()):
                yield match.start(), match.end(), 0.75
            elif len(digits) > 7 and _TRUNK.match(match[0]) and len(_GROUPS.findall(match[0])) > 2:
                yield match.start(), match.end(), 0.6
