import pytest

from guardrails.personal_data.recognizers.intl_phone import IntlPhone
from tests.guardrails.recognizers.support import found

FOUND = [
    ("我的英国号码是+44 7700 900123谢谢", "+44 7700 900123"),
    ("+852 9123 4567", "+852 9123 4567"),
    ("＋８１９０１２３４５６７８", "＋８１９０１２３４５６７８"),
    ("+41 (0)96 471 07 95", "+41 (0)96 471 07 95"),
    ("phone 0049 30 901820", "0049 30 901820"),
    ("Mobile: 0490 39 07 81", "0490 39 07 81"),
    ("call me on 9472 7916 please", "9472 7916"),
    ("(+65) 6123 4567", "(+65) 6123 4567"),
    ("Fax:\n03.93.92.16.85", "03.93.92.16.85"),
    ("is 0496 46 46 70 still right?", "0496 46 46 70"),
    ("+44\n7700900123", "+44\n7700900123"),
]
LEFT = [
    "+8613812345678",
    "order +44 7700 900123",
    "满300+50元",
    "1+1=2",
    "call me on 2024-05-18",
    "phone 1-800-555-0199",
    "004930901820",
    "9472 7916",
    "am 01.02.2024 um 10 Uhr",
    "0.5 12 34 56 78",
    "A+44 7700 900123",
    "請致電 0800-050-119",
    "客服电话400-820-8820",
    "tracking number 94727916",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_number_of_another_country(text: str, value: str) -> None:
    assert value in found(IntlPhone(), text)


@pytest.mark.parametrize("text", LEFT)
def test_leaves_other_numbers_and_china_s_own(text: str) -> None:
    assert found(IntlPhone(), text) == []
