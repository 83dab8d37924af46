import pytest

from guardrails.personal_data.recognizers.us_phone import UsPhone
from tests.guardrails.recognizers.support import found

FOUND = [
    ("call (212) 555-0187 now", "(212) 555-0187"),
    ("我的电话是212-555-0187谢谢", "212-555-0187"),
    ("+1 212 555 0187", "+1 212 555 0187"),
    ("＋１２１２５５５０１８７", "＋１２１２５５５０１８７"),
    ("1-212-555-0187 ext. 12", "1-212-555-0187 ext. 12"),
    ("212.555.0187", "212.555.0187"),
    ("001-253-366-9781", "001-253-366-9781"),
    ("my number is 2125550187", "2125550187"),
    ("phone:\n212 555 0187", "212 555 0187"),
    ("345-899-3560x4587", "345-899-3560x4587"),
    ("(602)272-9781", "(602)272-9781"),
    ("帮我把719 536 5523换掉", "719 536 5523"),
    ("number, it's 7194913856, thanks", "7194913856"),
    ("Anna Lind, anna@example.com, 2125550187. Hurry", "2125550187"),
    ("212_555_0187", "212_555_0187"),
]
LEFT = [
    "call 1-800-555-0199 does not work",
    "客服热线400-820-8820",
    "order 212-555-0187",
    "tracking number: 2125550187",
    "112-5551234-1234567",
    "I see 2125550187 there",
    "code, 1115550187, again",
    "12-31-2024",
    "212-555-01871",
    "ISBN 978-212-555-0187",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_north_american_number_whatever_it_touches(text: str, value: str) -> None:
    assert found(UsPhone(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_hotlines_orders_and_plain_digits(text: str) -> None:
    assert found(UsPhone(), text) == []
