"""The language of a message by its script."""

import pytest

from chatbot.language import language_of
from chatbot.turn import Language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("退款多久到账？", "zh"),
        ("iPhone 15 Pro Max 的价格", "zh"),
        ("我的订单 AB-1029 到哪了", "zh"),
        ("看看https://example.com/a/very/long/path?with=words里的价格", "zh"),
        ("退", "zh"),
        ("請問運費多少", "zh"),
        ("<PHONE_1> 是我的号码", "zh"),
        ("How long does a refund take?", "en"),
        ("What does 退 mean on my receipt?", "en"),
        ("ok", "en"),
        ("Is `退款 状态 = 已完成` an error in your export file?", "en"),
        ("see https://example.com/pay please", "en"),
    ],
)
@pytest.mark.parametrize("default", ["zh", "en"])
def test_the_script_decides_whatever_the_default(text: str, language: Language, default: Language) -> None:
    assert language_of(text, default) == language


@pytest.mark.parametrize(
    "text", ["", "   ", "12345", "???", "👍", "<PHONE_1>", "https://example.com/refund", "a@example.com", "`退款`"]
)
@pytest.mark.parametrize("default", ["zh", "en"])
def test_without_words_the_default_stands(text: str, default: Language) -> None:
    assert language_of(text, default) == default
