import pytest

from guardrails.lexicon.words import Line
from guardrails.triage import triage


@pytest.mark.parametrize(
    ("text", "level", "reason"),
    [
        ("出售假枪械", "block", None),
        ("裸聊敲诈群", "block", None),
        ("buy fake ids", "block", None),
        ("没有", "count", "ordinary customer text"),
        ("红烧肉", "count", "ordinary customer text"),
        ("开發-票", "count", "ordinary customer text"),
        ("工作会议", "count", "ordinary word"),
        ("三国演义", "count", "ordinary word"),
        ("幺蛾", "count", "too short"),
        ("13点", "count", "too short"),
        ("abc", "count", "too short"),
        ("的", None, "too short"),
        ("ab", None, "too short"),
        ("12345", None, "not a word"),
        ("***", None, "not a word"),
        ("x" * 80, None, "not a word"),
        ("词\ufffd组词", None, "unprintable characters"),
        ("词\x07组词", None, "unprintable characters"),
    ],
)
def test_a_line_is_kept_counted_or_rejected_with_a_reason(text: str, level: str | None, reason: str | None) -> None:
    (result,) = triage([Line(1, text)], "block", "public")
    assert (result.level, result.rejected or result.demoted) == (level, reason)
    assert result.category == ("public" if level else "")


def test_a_line_has_its_own_level_and_category_or_the_lists() -> None:
    lines = [Line(1, "出售假枪械", "review", "weapons"), Line(2, "出售假枪械"), Line(3, "出售假枪械", "ban")]
    results = list(triage(lines, "block", "public"))
    assert [(each.level, each.category) for each in results] == [("review", "weapons"), ("block", "public"), (None, "")]
    assert results[2].rejected == "level is unknown"


def test_what_this_sites_customers_write_is_never_blocked() -> None:
    (result,) = triage([Line(1, "迷你仿真枪模")], "block", "public", "我买的迷你仿真枪模坏了")
    assert (result.level, result.demoted) == ("count", "ordinary customer text")


def test_counting_needs_no_reason() -> None:
    (result,) = triage([Line(1, "红烧肉")], "count", "public")
    assert (result.level, result.demoted) == ("count", None)
