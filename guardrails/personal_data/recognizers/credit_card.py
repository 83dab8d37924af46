"""International payment cards: Visa, Mastercard, Amex, Diners, Discover, JCB and Maestro, 13 to 19 digits with Luhn."""

import re
from collections.abc import Iterator

from guardrails.personal_data.cards import DOMESTIC, card_numbers
from guardrails.personal_data.recognizer import Recognizer, Span

_ISSUER = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|3(?:0[0-59]|[689][0-9])[0-9]{11,16}"  # Diners Club
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}"  # Discover
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12,15}|(?:2131|1800)[0-9]{11}"  # JCB
)


class CreditCard(Recognizer):
    """Sure of the issuers' prefixes; any other, as Maestro's wide ones, needs a word like "card" before it."""

    ENTITY = "CREDIT_CARD"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the cards."""
        for digits, start, end, called_card in card_numbers(text):
            if _ISSUER.fullmatch(digits):
                yield start, end, 1.0
            elif called_card and not DOMESTIC.fullmatch(digits):
                yield start, end, 0.8
