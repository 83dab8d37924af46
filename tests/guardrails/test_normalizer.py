import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.characters import parts
from guardrails.normalizer import JOINER, LINE, SPACE, STOP, WALL, Transforms, context, normalize, readings
from tests.patience import BOUNDED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＦＵＣＫ", "fuck"),
        ("FuCk", "fuck"),
        ("Straße", "strase"),
        ("f\u200bu\u00adc\u202ek", "fuck"),
        ("自\u200d\ufe0f杀", "自杀"),
        ("f\u0301u\u0338ck", "fuck"),
        ("自\ud800杀\x00", "自杀"),
        ("臺灣頭髮", "台湾头发"),
        ("法-轮.功", "法轮功"),
        ("f u c k", "fuck"),
        ("fuuuuck", "fuck"),
        ("①２３", "123"),
        ("", ""),
        ("。！ \n", ""),
        ("干净 clean", "干净clean"),
        ("fu\u0441k", "fuck"),
        ("ꜰᴜᴄᴋ", "fuck"),
        ("🅵🆄🅲🅺", "fuck"),
        ("𝖋ūЬΚ", "fubk"),
        ("エ作", "工作"),
        ("¥100 × 3 ○", "103"),
    ],
)
def test_evasions_read_like_the_plain_word(text: str, expected: str) -> None:
    assert normalize(text).text == expected


@pytest.mark.parametrize(
    ("text", "gap"),
    [("a-b", JOINER), ("a b", SPACE), ("a\nb", LINE), ("a. b", STOP), ("自，杀", STOP), ("a" + " " * 9 + "b", WALL)],
)
def test_a_gap_keeps_the_strongest_of_its_separators(text: str, gap: int) -> None:
    assert list(normalize(text).gaps) == [0, gap]


def test_runs_keep_their_length_and_separate_words_are_not_merged() -> None:
    assert list(normalize("asss").runs) == [1, 3]
    assert normalize("class Sam").text == "clas" + "sam"
    assert list(normalize("a s s").runs) == [1, 2]


def test_leetspeak_adds_readings_and_leaves_the_plain_one() -> None:
    assert [reading.text for reading in readings("sh1t")] == ["sh1t", "shǀt"]
    assert next(readings("fuck4you")).text == "fuck4you"
    assert len(list(readings("Galaxy A55, 100 GB, 3.5"))) == 1
    assert [reading.text for reading in readings("p0")] == ["p0"]
    assert "po" in [reading.text for reading in readings("p0", unfinished=True)]


@pytest.mark.parametrize(
    ("off", "text", "expected"),
    [
        (Transforms(width=False), "ＡB", "ａb"),
        (Transforms(case=False), "Ab", "Ab"),
        (Transforms(invisible=False, separators=False), "a\u200bb", "a\u200bb"),
        (Transforms(simplified=False), "臺", "臺"),
        (Transforms(separators=False), "a b", "a b"),
        (Transforms(repeats=False), "aa", "aa"),
        (Transforms(lookalikes=False), "fu\u0441k", "fu\u0441k"),
    ],
)
def test_each_transform_can_be_switched_off(off: Transforms, text: str, expected: str) -> None:
    assert normalize(text, off).text == expected
    assert len(list(readings("sh1t", Transforms(leetspeak=False)))) == 1


def test_parts_are_joined_in_a_reading_of_their_own_that_leads_back() -> None:
    plain, joined = readings("我弓虽女干")
    assert (plain.text, plain.joined) == ("我弓虽女干", False)
    assert (joined.text, joined.joined) == ("我强奸", True)
    assert joined.offsets == [(0, 1), (1, 3), (3, 5)]
    assert list(joined.replaced) == [1, 3]
    assert len(list(readings("我弓虽女干", Transforms(split=False)))) == 1


def test_parts_that_stand_for_two_characters_are_read_as_each() -> None:
    assert {"我", "找"} <= {reading.text for reading in readings("手戈")}


def test_a_capital_i_may_be_an_l() -> None:
    assert [reading.text for reading in readings("kiIl I")] == ["kili", "kǀǀ"]
    assert len(list(readings("I like it"))) == 1


def test_every_part_of_a_character_is_read_as_it_stands() -> None:
    assert {part for each in parts().values() for part in "".join(each) if normalize(part).text != part} == set()
    assert len(parts()) >= 150


@given(st.text(st.characters(exclude_categories=[]) | st.sampled_from("弓虽女干氵去1Iil$"), max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_with_valid_ascending_offsets(text: str) -> None:
    for reading in readings(text):
        assert len(reading.text) == len(reading.offsets) == len(reading.gaps) == len(reading.runs)
        flat = [place for span in reading.offsets for place in span]
        assert all(0 <= start < end <= len(text) for start, end in reading.offsets)
        assert flat == sorted(flat) or any(len(normalize(letter).text) > 1 for letter in text)


def test_context_keeps_what_is_visible() -> None:
    assert context("ab" + "\u200b" * 100) == "ab"
    assert context("x" * 100) == "x" * 64
    assert context("one two " + "x" * 20) == "x" * 20


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "哈" * 100_000,
        "f" + "\u200b" * 100_000 + "uck",
        "\ud800" * 100_000,
        "\x00" * 200_000,
        "\ufdfa" * 66_000,
        "a1" * 50_000,
        "a " * 50_000,
        "e\u0301" * 100_000,
    ],
    ids=lambda text: repr(text[:3]),
)
def test_evil_text_takes_bounded_time(text: str) -> None:
    start = time.process_time()
    normalize(text)
    assert time.process_time() - start < BOUNDED
