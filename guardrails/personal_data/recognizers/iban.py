"""International bank account numbers: length by country (ISO 13616 registry) and check digits."""

import re
from collections.abc import Iterator

from guardrails.personal_data.checksums import iban
from guardrails.personal_data.recognizer import Recognizer, Span

_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_START = re.compile(r"(?:(?<![0-9A-Za-z])|(?<=iban))[A-Z]{2}[0-9]{2}(?:[ _.\n-]?[A-Z0-9]){11,31}", re.IGNORECASE)
_SEPARATORS = re.compile(r"[ _.\n-]")
_ALNUM = re.compile(r"[0-9A-Za-z]")


class Iban(Recognizer):
    """Only numbers of the right length whose check digits hold."""

    ENTITY = "IBAN"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the valid numbers."""
        for match in _START.finditer(text):
            length = _LENGTHS.get(match[0][:2].upper(), 0)
            at = [match.start() + i for i, character in enumerate(match[0]) if not _SEPARATORS.match(character)][
                :length
            ]
            if length and len(at) == length and not _ALNUM.match(text, at[-1] + 1):
                number = "".join(text[i] for i in at).upper()
                if iban(number):
                    yield at[0], at[-1] + 1, 1.0
