import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.statements import NAMES, Difference, Statement, compare, conflicts, differences, may_differ, opposed, told


def value(name: str, one: str, other: str) -> float:
    return float(compare(Statement.of(one), Statement.of(other), 0.95)[NAMES.index(name)])


@pytest.mark.parametrize(
    ("one", "other", "values"),
    [
        ("Points expire after 12 months.", "Points expire after 24 months.", ("12 months", "24 months")),
        ("Delivery costs ¥12.", "Delivery costs ¥15.", ("12 CNY", "15 CNY")),
        ("We close at 6 pm.", "We close at 19:30.", ("18:00", "19:30")),
        ("The sale ends on 5 June.", "The sale ends on 8 June.", ("5 June", "8 June")),
        ("质保两年。", "质保三年。", ("2 years", "3 years")),
        ("全场九折。", "全场八折。", ("90 % / 10 %", "80 % / 20 %")),
        ("承重120公斤。", "承重90千克。", ("120000 g", "90000 g")),
        ("押金立即退回。", "押金7天退回。", ("0 minutes", "7 days")),
    ],
)
def test_values_of_one_kind_that_differ_are_told(one: str, other: str, values: tuple[str, str]) -> None:
    assert values in [one.values for one in differences(Statement.of(one), Statement.of(other))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The warranty lasts 24 months.", "The warranty lasts two years."),
        ("保管半个月。", "保管15天。"),
        ("The bottle holds 1 litre.", "The bottle holds 1000 ml."),
        ("重2.5公斤。", "重5斤。"),
        ("Half of the price, 50%.", "先付一半。"),
        ("Open in May.", "Open in June."),
        ("5月开课。", "9月开课。"),
    ],
)
def test_the_same_fact_in_other_units_and_months_are_no_conflict(one: str, other: str) -> None:
    assert conflicts(Statement.of(one), Statement.of(other)) == []


def test_opposite_ideas_are_found_and_told() -> None:
    one, other = Statement.of("Gift cards can be returned."), Statement.of("Gift cards cannot be returned.")
    assert opposed(one, other) == ["allow", "returning"]
    assert Difference("idea", ("allow: yes", "allow: no")) in differences(one, other)


def test_a_price_opposes_what_is_free() -> None:
    assert "fee" in opposed(Statement.of("上门收旧免费。"), Statement.of("上门回收旧家电，每台50元。"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("In summer we close at 21:00.", "In winter we close at 18:00."),
        ("银卡会员打九折。", "金卡会员打八折。"),
        ("国内订单满199元包邮。", "海外订单满900元包邮。"),
        ("From May to July we open at 8:00.", "From October to March we open at 10:00."),
    ],
)
def test_different_cases_are_seen(one: str, other: str) -> None:
    assert value("cases differ", one, other) >= 1


def test_what_stands_above_tells_the_cases_apart_too() -> None:
    one = Statement.of("It takes 3 days.", "Delivery within China")
    other = Statement.of("It takes 10 days.", "Delivery abroad")
    assert compare(one, other, 0.95)[NAMES.index("cases differ")] >= 0
    assert compare(one, other, 0.95)[NAMES.index("topics differ")] > 0


def test_words_of_one_meaning_are_no_difference() -> None:
    assert value("specific on both", "运费12元。", "邮费15元。") == 0
    assert value("specific on both", "帐篷质保3年。", "登山鞋质保1年。") == 1


def test_nothing_can_differ_where_nothing_is_said_differently() -> None:
    assert not may_differ(Statement.of("We are open on weekdays."), Statement.of("We are open Monday to Friday."))
    assert may_differ(Statement.of("We deliver on Sundays."), Statement.of("We do not deliver on Sundays."))


def test_weekdays_and_links_can_be_told() -> None:
    assert [told(one) for one in Statement.of("Closed on Mondays, see spruce.example.").facts] == [
        "spruce.example",
        "Monday",
    ]


TEXTS = st.lists(
    st.sampled_from(["免费", "30天", "¥12", "不能", "tents", "return", "会员", "10:30", "50%", "，", " ", "March"]),
    max_size=8,
).map("".join)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_a_comparison_has_no_order_and_no_gaps(one: str, other: str) -> None:
    a, b = Statement.of(one), Statement.of(other)
    there, back = compare(a, b, 0.9), compare(b, a, 0.9)
    assert np.isfinite(there).all()
    uneven = {"facts agreed", "ideas agreed", "parallel", "swapped in a parallel", "words swapped", "cosine"}
    for name, x, y in zip(NAMES, there, back, strict=True):
        assert name in uneven or x == pytest.approx(y), name


@pytest.mark.parametrize(
    ("name", "one", "other", "wanted"),
    [
        ("tiers", "Spend ¥200 and save ¥30.", "Spend ¥500 and save ¥100.", 1),
        ("tiers", "Spend ¥200 and save ¥100.", "Spend ¥500 and save ¥30.", 0),
        ("tiers", "Delivery costs ¥12.", "Delivery costs ¥15.", 0),
        ("narrowed", "Order cakes two days ahead.", "Order wedding cakes two weeks ahead.", 1),
        ("narrowed", "Order cakes two days ahead.", "Cakes must be ordered two weeks ahead.", 0),
        ("cases differ", "Dogs are welcome on the second floor.", "Dogs are not allowed on the third floor.", 1),
        ("cases differ", "三楼可以带宠物。", "五楼不可以带宠物。", 1),
        ("cases differ", "四人会议室每小时60元。", "十人会议室每小时150元。", 1),
        ("cases differ", "5公斤的犬每天喂90克。", "20公斤的犬每天喂250克。", 1),
        ("cases differ", "Drivers under 25 pay €10.", "Drivers over 25 pay nothing.", 1),
        ("cases differ", "The desk opens at 10:00.", "The desk closes at 21:00.", 1),
        ("cases differ", "宠物离店时间为中午12点前。", "离店请在下午3点前接走宠物。", 0),
        ("cases differ", "猫咪寄养每晚80元。", "犬类寄养每晚120元。", 1),
        ("case of one alone", "Breakfast is served until 10:00.", "On Sundays breakfast is served until 11:30.", 1),
        ("ideas opposed", "The building is open around the clock.", "The building is open from 6 am to 11 pm.", 1),
        ("ideas opposed", "未用完的时长可累计到下月。", "时长当月有效，月底清零。", 1),
    ],
)
def test_what_sets_statements_apart_is_counted(name: str, one: str, other: str, wanted: int) -> None:
    assert (value(name, one, other) > 0) == bool(wanted)
    assert value(name, one, other) == value(name, other, one)
