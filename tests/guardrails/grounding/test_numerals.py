"""Numbers in words become digits; words that only look like numbers stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.grounding.numerals import digits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("七天", "7天"),
        ("两个半小时", "2.5个小时"),
        ("半小时", "0.5小时"),
        ("三百二十元", "320元"),
        ("三千五百元", "3500元"),
        ("一百零五件", "105件"),
        ("2.5万元", "25000元"),
        ("八五折", "85折"),
        ("七到十天", "7到10天"),
        ("百分之十五", "15%"),
        ("第三次", "第3次"),
        ("twenty-four hours", "24 hours"),
        ("a week", "1 week"),
        ("half an hour", "0.5 hour"),
        ("two hundred and fifty euros", "250 euros"),
        ("three thousand five hundred people", "3500 people"),
        ("an hour and a half", "1.5 hour"),
        ("the second week", "the 第2  week"),
        ("the 3rd time", "the 第3  time"),
        ("ＴＨＲＥＥ days", "3 days"),
    ],
)
def test_written_numbers_become_digits(text: str, expected: str) -> None:
    assert digits(text) == expected


@pytest.mark.parametrize(
    "text", ["一起", "一般", "十分满意", "万一", "统一", "a tent", "a new one.", "someone", "tenth"]
)
def test_words_that_only_look_like_numbers_stay(text: str) -> None:
    assert digits(text) == text


@given(st.integers(1, 9999))
def test_every_chinese_number_is_read(value: int) -> None:
    names = "零一二三四五六七八九"
    written, zero = "", False
    for scale, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // scale % 10
        if digit:
            written += ("零" if zero and written else "") + names[digit] + unit
        zero = not digit
    assert digits(f"{written}元") == f"{value}元"
