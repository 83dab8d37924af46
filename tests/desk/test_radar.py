from datetime import date

import numpy as np
import pytest

from desk import radar
from desk.radar import Found, Source, look
from knowledge.passages import Vectors

TODAY = date(2026, 11, 22)


def near(*directions: float) -> Vectors:
    """Unit vectors at these degrees."""
    angles = np.radians(directions)
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def passage(chunk: int, *sentences: str, context: str = "", language: str = "en") -> Source:
    return Source(chunk, f"d{chunk}.md", language, context, sentences)


def kinds(found: list[Found]) -> list[str]:
    return [one.kind for one in found]


def test_a_contradiction_says_what_differs_and_where() -> None:
    found = look(
        [
            passage(1, "Return items within 30 days of delivery."),
            passage(2, "Return items within 14 days of delivery."),
        ],
        near(0, 8),
        today=TODAY,
    )
    assert kinds(found) == ["contradiction"]
    assert found[0].chunks == (1, 2)
    assert found[0].detail["differences"] == [{"kind": "duration", "values": ["30 days", "14 days"]}]
    assert [one["document"] for one in found[0].detail["sentences"]] == ["d1.md", "d2.md"]


@pytest.mark.parametrize(
    "sources",
    [
        [passage(1, "Tents are covered for 3 years."), passage(2, "Boots are covered for 1 year.")],
        [passage(1, "Return within 30 days."), passage(2, "Return within 30 days, please.")],
        [passage(1, "Points last 12 months."), passage(2, "Points last one year.")],
        [passage(1, "Return within 30 days.", language="en"), passage(2, "14天内可以退货。", language="zh")],
        [passage(1, "Silver members get 10% off."), passage(2, "Gold members get 20% off.")],
    ],
    ids=["products", "the same", "units", "languages", "levels"],
)
def test_harmless_neighbours_are_left_alone(sources: list[Source]) -> None:
    assert "contradiction" not in kinds(look(sources, near(0, 8), today=TODAY))


def test_sentences_far_apart_are_not_compared() -> None:
    sources = [passage(1, "Return within 30 days of delivery."), passage(2, "Return within 14 days of delivery.")]
    assert look(sources, near(0, 80), today=TODAY) == []


def test_what_one_passage_says_one_after_the_other_are_its_cases() -> None:
    source = passage(1, "Return items within 30 days of delivery.", "Return items within 14 days of delivery.")
    assert look([source], near(0, 8), today=TODAY) == []


@pytest.mark.parametrize(
    ("row", "count"),
    [("地区：新疆；运费：25元；时效：5天", 1), ("地区：江苏；运费：8元；时效：2天", 0)],
    ids=["same row", "another"],
)
def test_rows_of_a_table_are_about_their_first_cell(row: str, count: int) -> None:
    def cells(chunk: int, text: str) -> Source:
        parts = text.split("；")
        return passage(chunk, *(f"{part}；" for part in parts[:-1]), parts[-1], context="运费", language="zh")

    sources = [cells(1, "地区：新疆；运费：40元；时效：5天"), cells(2, row)]
    found = look(sources, near(0, 30, 60, 1, 31, 61), today=TODAY)
    assert kinds(found).count("contradiction") == count


def test_a_copied_passage_is_a_duplicate_and_one_with_another_name_or_number_is_not() -> None:
    text = ("Please send the parcel back with the note inside.", "We refund it once the warehouse has checked it.")
    same = look([passage(1, *text), passage(2, *text)], near(0, 40, 0, 40), today=TODAY)
    assert kinds(same) == ["duplicate"]
    assert same[0].detail["share"] == 1.0
    other = (text[0] + " Write to the Lisbon office.", text[1])
    assert "duplicate" not in kinds(look([passage(1, *text), passage(2, *other)], near(0, 40, 1, 40), today=TODAY))


def test_a_part_of_a_passage_is_no_duplicate_of_another_with_the_same_part() -> None:
    shared = "Please send the parcel back with the note inside."
    sources = [
        passage(1, shared, "Boots are cleaned before they are resoled, which takes a while."),
        passage(2, shared, "Stoves are checked for leaks by our workshop in the harbour."),
    ]
    assert look(sources, near(0, 40, 0, 80), today=TODAY) == []


def test_an_offer_that_is_over_is_found_once() -> None:
    text = "The spring sale runs until 31 March 2025."
    found = look([passage(1, text), passage(2, text)], near(0, 0), today=TODAY)
    expired = [one for one in found if one.kind == "expired"]
    assert [one.chunks for one in expired] == [(1, 2)]
    assert expired[0].detail["ended"] == "2025-03-31"


def test_a_finding_keeps_its_key_when_ids_and_order_change() -> None:
    one, other = "Return items within 30 days of delivery.", "Return items within 14 days of delivery."
    first = look([passage(1, one), passage(2, other)], near(0, 8), today=TODAY)
    second = look([passage(8, other), passage(9, one), passage(10, "We like tea.")], near(8, 0, 90), today=TODAY)
    assert [found.key for found in first] == [found.key for found in second]


def test_boilerplate_does_not_crowd_out_other_neighbours() -> None:
    formula = [passage(n, "Thank you for shopping with us, see you again soon.") for n in range(40)]
    pair = [
        passage(50, "Return items within 30 days of delivery."),
        passage(51, "Return items within 14 days of delivery."),
    ]
    vectors = near(*[5.0] * 40, 0, 9)
    assert [one.chunks for one in look([*formula, *pair], vectors, today=TODAY)] == [(50, 51)]


def test_nothing_is_found_in_nothing() -> None:
    assert look([], np.empty((0, 2), np.float32), today=TODAY) == []


def test_weights_made_for_other_features_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "weights.json"
    file.write_text('{"features": ["other"]}')
    with pytest.raises(ValueError, match="other features"):
        radar.Scorer.load(file)
