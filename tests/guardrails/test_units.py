import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.units import LIMIT, WHOLE, Coming, safe_cut, split_units
from tests.patience import BOUNDED

# fmt: off
FRAGMENTS = st.sampled_from([
    "您好", "。", "！？", "…", "“", "”", "\n", "\r\n", " ", ".", "!", "?", "3.5", "No. 5", "Mr. ",
    "e.g. ", "word", "v2.0.1", "[1]", "[12", "]", "<PHONE_1>", "<", "<CN_ID", "_CARD_2>",
    "https://a.example/b?c=1.", "http", "://x", "www.", "👨\u200d👩\u200d👧", "e\u0301", "\u200d",
    "\ud83d", "\ude00", "🇨🇳", "\"", "'", "，", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "字字字字字字字字字字字字字字字字字字字字", "         ",
])
# fmt: on
TEXTS = st.lists(FRAGMENTS, max_size=25).map("".join)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("您好！订单已发货。", ["您好！", "订单已发货。"]),
        ("他说：“你好。”然后走了", ["他说：“你好。”", "然后走了"]),
        ("真的吗？！是的……好", ["真的吗？！", "是的……", "好"]),
        ("七天内可退。[1][2]请看（下文。）好", ["七天内可退。[1][2]", "请看（下文。）", "好"]),
        ("Hello there. How are you? Fine!", ["Hello there. ", "How are you? ", "Fine!"]),
        ("Within 7 days. [1] Then no.", ["Within 7 days. [1] ", "Then no."]),
        ('He said "Go." Then left.', ['He said "Go." ', "Then left."]),
        ("她说。“好”", ["她说。", "“好”"]),
        ("It costs 3.50, see v2.0.1. Yes", ["It costs 3.50, see v2.0.1. ", "Yes"]),
        ("Ask Mr. Smith, e.g. by phone. Bye", ["Ask Mr. Smith, e.g. by phone. ", "Bye"]),
        ("See No. 5. No. Really", ["See No. 5. ", "No. ", "Really"]),
        ("See https://a.example/b?c=1. Bye", ["See https://a.example/b?c=1. ", "Bye"]),
        ("1. Open it\n2. Close it\n\nDone", ["1. Open it\n", "2. Close it\n\n", "Done"]),
        ("好的.我们看看", ["好的.", "我们看看"]),
        ("a；b", ["a；", "b"]),
        ("what?no", ["what?no"]),
        ("", []),
        ("。", ["。"]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, units: list[str]) -> None:
    assert list(split_units([text])) == units


@pytest.mark.parametrize(
    ("text", "cap", "units"),
    [
        ("字" * 25, 10, ["字" * 10, "字" * 10, "字" * 5]),
        ("word word word", 8, ["word ", "word ", "word"]),
        ("好的好的，可以可以可以", 8, ["好的好的，", "可以可以可以"]),
        ("电话是<PHONE_1>吗", 6, ["电话是", "<PHONE_1>", "吗"]),
        ("在https://a.example/路", 4, ["在", "https://a.example/", "路"]),
        ("abc\ud83d\ude00", 4, ["abc", "\ud83d\ude00"]),
        ("abe\u0301", 3, ["ab", "e\u0301"]),
        ("a👨\u200d👩", 2, ["a", "👨\u200d👩"]),
        ("字字字字[12]", 6, ["字字字字", "[12]"]),
    ],
)
def test_text_without_punctuation_is_cut_at_the_cap_and_never_through_a_whole(
    text: str, cap: int, units: list[str]
) -> None:
    assert list(split_units([text], cap)) == units


@given(TEXTS, st.data(), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_units_are_the_text_and_do_not_depend_on_its_chunks(text: str, data: st.DataObject, cap: int) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    units = list(split_units([text], cap))
    assert "".join(units) == text
    assert "" not in units
    assert list(split_units(chunks, cap)) == units == list(split_units(text, cap))


@given(TEXTS, st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_no_placeholder_url_or_citation_mark_is_cut(text: str, cap: int) -> None:
    ends, end = set(), 0
    for unit in split_units([text], cap):
        ends.add(end := end + len(unit))
    for whole in WHOLE.finditer(text):
        assert ends.isdisjoint(range(whole.start() + 1, whole.end())), whole[0]


def test_a_unit_leaves_as_soon_as_the_next_character_is_known() -> None:
    taken: list[str] = []

    def deltas() -> object:
        for delta in ("好的。", "然", "后"):
            taken.append(delta)
            yield delta

    units = split_units(deltas())  # type: ignore[arg-type]
    assert next(units) == "好的。"
    assert taken == ["好的。", "然"]


@pytest.mark.parametrize(
    ("deltas", "units"),
    [
        (["好的。", "然", "后"], [Coming("好的。"), "好的。", "然后"]),
        (["It is.", " So", " it is."], [Coming("It is."), "It is. ", Coming("So it is."), "So it is."]),
        (["It costs 3.", "50."], ["It costs 3.50."]),
        (["Ask Mr.", " Li"], ["Ask Mr. Li"]),
        (["It is. So"], ["It is. ", "So"]),
        (["Hi", "!", "!", "!"], [Coming("Hi!"), "Hi!!!"]),
        (["Done", " [1]", ".", "\n"], [Coming("Done [1]."), "Done [1].\n"]),
    ],
)
def test_a_unit_that_only_the_next_delta_completes_is_announced_once(deltas: list[str], units: list[str]) -> None:
    found = list(split_units(deltas, coming=True))
    assert found == units
    assert [isinstance(unit, Coming) for unit in found] == [isinstance(unit, Coming) for unit in units]


@given(TEXTS, st.data(), st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_announcing_changes_no_unit(text: str, data: st.DataObject, cap: int) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    found = list(split_units(chunks, cap, coming=True))
    assert [unit for unit in found if not isinstance(unit, Coming)] == list(split_units(chunks, cap))
    assert not any(isinstance(one, Coming) and isinstance(two, Coming) for one, two in pairwise(found))


@pytest.mark.parametrize(
    ("text", "at", "cut"), [("a<PHONE_1>b", 5, 1), ("ab", 1, 1), ("xe\u0301", 2, 1), ("[12]", 2, 0)]
)
def test_a_safe_cut_goes_back_to_where_the_text_may_be_cut(text: str, at: int, cut: int) -> None:
    assert safe_cut(text, at) == cut


def test_a_cap_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="cap"):
        list(split_units(["a"], 0))


@pytest.mark.parametrize("piece", ["http://a", ".", "\n", "e\u0301\u0301", "👨\u200d", "<A", "[1", "。”", "a"])
def test_evil_text_is_cut_in_bounded_time_and_memory(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    start = time.process_time()
    units = list(split_units([text]))
    assert time.process_time() - start < BOUNDED
    assert "".join(units) == text
    assert max(map(len, units)) <= LIMIT
