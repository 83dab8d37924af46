"""Bank cards of China: UnionPay (62, 81) and older domestic prefixes, 16 to 19 digits that pass Luhn."""

from collections.abc import Iterator

from guardrails.personal_data.cards import DOMESTIC, UNIONPAY, card_numbers
from guardrails.personal_data.recognizer import Recognizer, Span


class BankCard(Recognizer):
    """Sure of UnionPay; an older prefix needs a word like 卡号 before it."""

    ENTITY = "BANK_CARD"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the cards."""
        for digits, start, end, called_card in card_numbers(text):
            if UNIONPAY.fullmatch(digits):
                yield start, end, 1.0
            elif DOMESTIC.fullmatch(digits) and (called_card or digits.startswith("95588")):
                yield start, end, 0.9
