"""Facts: one notation for both languages, and what is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.grounding.facts import Fact, derived, facts_of, same


def one(text: str) -> Fact:
    (fact,) = facts_of(text)
    return fact


@pytest.mark.parametrize(
    "written",
    [
        ["7 days", "a week", "7天", "七天", "一周", "一个星期", "7-day", "seven working days"],
        ["24 hours", "1 day", "一天", "24 小时"],
        ["90 minutes", "an hour and a half", "一个半小时", "1.5 hours"],
        ["12 months", "a year", "一年", "十二个月", "1 year"],
        ["¥59", "59 元", "59元", "五十九块", "RMB 59", "59 yuan"],
        ["$1,299.00", "1299 dollars", "1,299 USD", "1299美元"],
        ["15%", "15 percent", "百分之十五", "15 %", "８５折"],
        ["9 折", "九折", "10%", "90%", "一成"],
        ["22:00", "晚上十点", "10 p.m.", "十点"],
        ["14:30", "下午两点半", "2:30 pm"],
        ["3 月 15 日", "15 March", "March 15", "三月十五号"],
        ["周六", "Saturday", "星期六", "礼拜六"],
        ["https://shop.example/help", "www.shop.example/help", "shop.example/help/."],
        ["400-000-2091", "400 000 2091", "4000002091"],
        ["SPR-0230", "spr-0230", "ＳＰＲ－0230"],
        ["第二次", "the second time", "2nd"],
    ],
)
def test_one_fact_in_many_words(written: list[str]) -> None:
    first = one(written[0])
    assert [text for text in written if not same(first, one(text))] == []


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("7 days", "8 days"), ("7 days", "7 weeks"), ("¥59", "$59"), ("¥59", "¥95"), ("15%", "50%"), ("九折", "八折"),
        ("22:00", "21:00"), ("晚上十点", "上午十点"), ("3 月 15 日", "5 月 13 日"), ("周六", "周日"),
        ("30 days", "4 weeks"),
        ("https://shop.example/help", "https://shop.example/sale"), ("a@shop.example", "b@shop.example"),
        ("400-000-2091", "400-000-2019"), ("SPR-0230", "SPR-0231"), ("第二次", "第三次"), ("7 days", "¥7"),
    ],
)  # fmt: skip
def test_other_facts_are_not_the_same(text: str, other: str) -> None:
    assert not same(one(text), one(other))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Returns take 7–10 days and cost ¥12.", ["duration", "duration", "money"]),
        ("每天9:00–21:00", ["clock", "clock"]),
        ("周一至周五", ["weekday"] * 5),
        ("weekdays", ["weekday"] * 5),
        ("Write to help@shop.example [2].", ["link"]),
        ("Call <PHONE_1> or <CN_MOBILE_12>.", []),
        ("三位四岁的小朋友", ["count", "count"]),
        ("You are welcome!", []),
        ("不客气，祝您生活愉快！", []),
        ("", []),
    ],
)
def test_the_facts_of_a_sentence(text: str, kinds: list[str]) -> None:
    assert sorted(fact.kind for fact in facts_of(text)) == sorted(kinds)


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("0.9 元", ["0.4 元", "0.5 元"], True),
        ("€24", ["€12", "2 件"], True),
        ("¥70", ["¥99", "¥29"], True),
        ("¥77", ["¥99", "¥29"], False),
        ("22:00", ["10 件", "12 件"], False),
    ],
)
def test_a_sum_or_product_of_known_numbers_is_derived(text: str, known: list[str], expected: bool) -> None:
    assert derived(one(text), [fact for other in known for fact in facts_of(other)]) is expected


@given(st.text(max_size=300))
def test_any_text_is_read_and_says_what_it_says(text: str) -> None:
    facts = facts_of(text)
    assert all(any(same(fact, other) for other in facts) for fact in facts)


@pytest.mark.parametrize(
    "text", ["1" * 2000, "a." * 1000, "1-" * 1000, "一" * 2000, "+1 (1" * 400, "周" * 2000, "@" * 2000]
)
def test_evil_text_takes_bounded_time(text: str) -> None:
    facts_of(text)
