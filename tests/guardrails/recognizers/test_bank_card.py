import pytest

from guardrails.personal_data.recognizers.bank_card import BankCard
from tests.guardrails.recognizers.support import found

FOUND = [
    ("退到6222021234567894这张卡", "6222021234567894"),
    ("卡号6212261234567890128户名", "6212261234567890128"),
    ("卡号6212 2612 3456 7890 128吗", "6212 2612 3456 7890 128"),
    ("6222-0212-3456-7894", "6222-0212-3456-7894"),
    ("我的卡是６２２２０２１２３４５６７８９４，", "６２２２０２１２３４５６７８９４"),
    ("卡6212 2612 3456 7890 128 05/27", "6212 2612 3456 7890 128"),
    ("银行卡号6888123456789019", "6888123456789019"),
    ("卡号六二二二零二一二三四五六七八九四", "六二二二零二一二三四五六七八九四"),
    ("6222\n0212\n3456\n7894", "6222\n0212\n3456\n7894"),
]
LEFT = [
    "卡号6222021234567895",
    "订单号6222021234567894",
    "运单号：6212261234567890128",
    "4111111111111111",
    "62260000",
    "a6222021234567894",
    "6212261234567890128123",
    "A6222021234567890",
    "6222 0000 0000",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_bank_card_whatever_it_touches(text: str, value: str) -> None:
    assert found(BankCard(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_a_bank_card(text: str) -> None:
    assert found(BankCard(), text) == []
