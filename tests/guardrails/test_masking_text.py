import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails import placeholders
from guardrails.personal_data.finding import Finding, without_overlaps
from guardrails.personal_data.masking import cut, numbered_within, replaced, same_value

SAME = [
    ("CN_MOBILE", "+86 138-1234-5678", "13812345678"),
    ("CN_MOBILE", "１３８ １２３４ ５６７８", "13812345678"),
    ("CN_MOBILE", "一三八一二三四零零二二", "138,1234,0022"),
    ("US_PHONE", "+1 (212) 555-0187", "212.555.0187"),
    ("EMAIL", "anna (at) example [dot] com", "Anna@example.com"),
    ("EMAIL", "wang%40qq.com", "wang@qq。com"),
    ("ADDRESS", "北京市朝阳区 建国路88号", "北京市朝阳区建国路８８号"),
    ("WECHAT_ID", "Li_Wei88", "li_wei88"),
    ("BANK_CARD", "6222 0212-3456", "622202123456"),
    ("CN_ID_CARD", "11010119900307 003x", "11010119900307003X"),
    ("EMAIL", "Anna＠Example.com", "anna@example.com"),
    ("PERSON", " 张伟 ", "张伟"),
    ("CN_LICENSE_PLATE", "京a·12345", "京A12345"),
]
DIFFERENT = [
    ("CN_MOBILE", "一三八一二三四零零二二", "一三八一二三四零零二三"),
    ("PERSON", "张伟", "张玮"),
    ("CN_MOBILE", "13812345678", "13812345679"),
    ("CN_LANDLINE", "010-62345678", "62345678"),
]


@pytest.mark.parametrize(("entity", "one", "other"), SAME)
def test_spellings_of_one_value_are_one(entity: str, one: str, other: str) -> None:
    assert same_value(entity, one) == same_value(entity, other)


@pytest.mark.parametrize(("entity", "one", "other"), DIFFERENT)
def test_different_values_stay_apart(entity: str, one: str, other: str) -> None:
    assert same_value(entity, one) != same_value(entity, other)


def finding(text: str, entity: str, value: str) -> Finding:
    return Finding(entity, text.index(value), text.index(value) + len(value), 1.0)


def test_numbers_start_at_one_within_a_text_and_follow_its_order() -> None:
    text = "甲13812345678乙13900000000丙a@b.cn丁138 1234 5678"
    findings = [finding(text, entity, value) for entity, value in [
        ("CN_MOBILE", "13812345678"), ("CN_MOBILE", "13900000000"), ("EMAIL", "a@b.cn"), ("CN_MOBILE", "138 1234 5678")
    ]]  # fmt: skip
    assert numbered_within(text, findings) == "甲<CN_MOBILE_1>乙<CN_MOBILE_2>丙<EMAIL_1>丁<CN_MOBILE_1>"


def test_a_false_placeholder_beside_a_true_one_is_respelled() -> None:
    text = "<EMAIL_1> a@b.cn EMAIL_1"
    assert replaced(text, [finding(text, "EMAIL", "a@b.cn")], lambda *_: "<EMAIL_1>") == (
        "‹EMAIL-1› <EMAIL_1> EMAIL-1",
        ("<EMAIL_1>",),
    )


def test_of_overlapping_findings_the_surest_then_the_longest_wins_in_any_order() -> None:
    email, phone, card = (
        Finding("EMAIL", 0, 20, 1.0),
        Finding("CN_MOBILE", 0, 11, 0.95),
        Finding("CREDIT_CARD", 30, 46, 1.0),
    )
    bank, name = Finding("BANK_CARD", 30, 46, 1.0), Finding("PERSON", 15, 25, 0.9)
    for findings in ([email, phone, card, bank, name], [name, bank, card, phone, email]):
        assert without_overlaps(findings) == [email, bank]


CUT = [
    ("电话<CN_MOBILE_1>好", 100, "电话<CN_MOBILE_1>好"),
    ("电话<CN_MOBILE_1>好", 19, "电话<CN_MOBILE_1>"),
    ("电话<CN_MOBILE_1>好", 18, "电话<CN_MOBILE_1>"[:2]),
    ("电话", 4, "电"),
    ("a < b and more", 8, "a < b an"),
    ("😀", 3, ""),
    ("abc", 0, ""),
]


@pytest.mark.parametrize(("text", "budget", "kept"), CUT)
def test_a_masked_text_is_cut_between_characters_and_placeholders(text: str, budget: int, kept: str) -> None:
    assert cut(text, budget) == kept


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["<EMAIL_1>", "<", "张", "a", "😀", "<b>", "\ud800"]), max_size=12), st.integers(0, 60))
def test_a_cut_text_is_a_prefix_within_its_budget_without_half_a_placeholder(pieces: list[str], budget: int) -> None:
    text = "".join(pieces)
    kept = cut(text, budget)
    assert text.startswith(kept)
    assert len(kept.encode("utf-8", "surrogatepass")) <= budget
    assert not [p for p in placeholders.PLACEHOLDER.finditer(text) if p.start() < len(kept) < p.end()]
