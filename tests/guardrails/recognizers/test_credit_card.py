import pytest

from guardrails.personal_data.recognizers.credit_card import CreditCard
from tests.guardrails.recognizers.support import found

FOUND = [
    ("我的卡号是4111111111111111吗", "4111111111111111"),
    ("card 4111 1111 1111 1111, exp 05/27", "4111 1111 1111 1111"),
    ("4111-1111-1111-1111", "4111-1111-1111-1111"),
    ("信用卡５５５５５５５５５５５５４４４４付的", "５５５５５５５５５５５５４４４４"),
    ("amex 378282246310005.", "378282246310005"),
    ("3782 822463 10005", "3782 822463 10005"),
    ("diners 30569309025904", "30569309025904"),
    ("6011111111111117", "6011111111111117"),
    ("JCB 3530111333300000", "3530111333300000"),
    ("4222222222222", "4222222222222"),
    ("4111 1111 1111 1111 123", "4111 1111 1111 1111"),
    ("2223003122003222", "2223003122003222"),
    ("maestro card 6759649826438453", "6759649826438453"),
]
LEFT = [
    "4111111111111112",
    "invoice number 4111111111111111",
    "订单编号4111111111111111",
    "0000000000000000",
    "1Z4111111111111111",
    "4111.1111",
    "20240518123456789",
    "4,111,111,111,111,111",
    "6759649826438453",
    "4111111111111111.25",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_credit_card_whatever_it_touches(text: str, value: str) -> None:
    assert found(CreditCard(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_a_credit_card(text: str) -> None:
    assert found(CreditCard(), text) == []
