"""Bank cards of China: UnionPay (62, 81) and older domestic prefixes, 16 to 19 digits that pass Luhn."""

import re
from collections.abc import Iterator

from guardrails.personal_data.cards import card_numbers
from guardrails.personal_data.recognizer import Recognizer, Span

_UNIONPAY = re.compile(r"(?:62|81)[0-9]{14,17}")
_DOMESTIC = re.compile(r"(?:955[0-9]|60(?!11)|6[89]|9[0-9])[0-9]{12,17}")


class BankCard(Recognizer):
    """Sure of UnionPay; an older prefix needs a word like 卡号 before it."""

    ENTITY = "BANK_CARD"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the cards."""
        for digits, start, end, called_card in card_numbers(text):
            if _UNIONPAY.fullmatch(digits):
                yield start, end, 1.0
            elif _DOMESTIC.fullmatch(digits) and len(digits) >= 16 and (called_card or digits.startswith("95588")):
                yield start, end, 0.9
