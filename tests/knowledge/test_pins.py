from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.pins import Content, Original, Pin, from_json, origins, overlay

FEES = Content("Shipping costs 12 yuan a parcel.", "Shipping")
RETURNS = Content("Send it back within seven days of delivery, unworn and with its label.", "Returns")
CARDS = Content("Gift cards are valid for three years from the day of purchase.", "Cards")
FILE = (FEES, RETURNS, CARDS)


def texts(pieces: object) -> list[str]:
    return [piece.content.text for piece in pieces]  # type: ignore[attr-defined]


def pin(originals: tuple[Original, ...], *replacement: Content, key: str = "k") -> Pin:
    return Pin(key, originals, replacement)


def test_a_file_without_edits_is_what_the_reader_made() -> None:
    laid = overlay(origins(FILE), [])
    assert [piece.content for piece in laid.pieces] == list(FILE)
    assert [piece.reading for piece in laid.pieces] == [0, 1, 2]


def test_the_same_text_twice_has_two_keys() -> None:
    first, second = origins([FEES, FEES])
    assert first.origin != second.origin


def test_an_edit_survives_the_same_file_and_others_moving_about() -> None:
    made = origins(FILE)
    edit = pin((made[1],), Content("Seven days, unworn.", "Returns"))
    assert texts(overlay(origins(FILE), [edit]).pieces)[1] == "Seven days, unworn."
    moved = overlay(origins([CARDS, RETURNS]), [edit])
    assert texts(moved.pieces) == [CARDS.text, "Seven days, unworn."]
    assert moved.pins[0].placed


def test_an_edit_finds_its_passage_though_the_file_has_changed_it_and_says_so() -> None:
    edit = pin((origins(FILE)[1],), Content("Seven days, unworn.", "Returns"))
    newer = Content(RETURNS.text.replace("seven", "ten"), "Returns")
    laid = overlay(origins([FEES, newer, CARDS]), [edit])
    assert texts(laid.pieces)[1] == "Seven days, unworn."
    assert laid.contested == 1
    assert laid.pins[0].originals[0].text == newer.text


def test_what_an_edit_left_alone_follows_the_file() -> None:
    """A manager added a question; then the file's text changed: the new text has the question."""
    made = origins(FILE)
    edit = pin((made[1],), Content(RETURNS.text, "Returns", questions=("Can I return it?",)))
    newer = Content(RETURNS.text.replace("seven", "ten"), "Returns")
    laid = overlay(origins([FEES, newer]), [edit])
    assert laid.pieces[1].content == Content(newer.text, "Returns", questions=("Can I return it?",))
    assert laid.contested == 0


def test_an_edit_without_a_place_stands_at_the_end_and_is_marked() -> None:
    edit = pin((origins(FILE)[1],), Content("Seven days, unworn.", "Returns"))
    laid = overlay(origins([FEES]), [edit])
    assert texts(laid.pieces) == [FEES.text, "Seven days, unworn."]
    assert laid.pieces[1].reading is None
    assert not laid.pins[0].placed
    assert overlay(origins(FILE), laid.pins).pins[0].placed


def test_splits_merges_and_removals_survive() -> None:
    made = origins(FILE)
    split = pin((made[0],), Content("Shipping costs 12 yuan."), Content("A parcel each."), key="a")
    assert texts(overlay(made, [split]).pieces) == ["Shipping costs 12 yuan.", "A parcel each.", *texts_of(FILE[1:])]
    merged = pin((made[0], made[1]), Content("Both together."), key="b")
    assert texts(overlay(made, [merged]).pieces) == ["Both together.", CARDS.text]
    removed = pin((made[2],), key="c")
    assert texts(overlay(made, [removed]).pieces) == [FEES.text, RETURNS.text]


def texts_of(contents: tuple[Content, ...]) -> list[str]:
    return [one.text for one in contents]


def test_two_edits_never_take_the_same_passage() -> None:
    near = Content(RETURNS.text + " Really.", "Returns")
    made = origins([RETURNS, near])
    edits = [pin((made[0],), Content("one"), key="a"), pin((made[1],), Content("two"), key="b")]
    laid = overlay(origins([near]), edits)
    assert sorted(texts(laid.pieces)) == ["one", "two"]


def test_an_edit_is_itself_again_after_json() -> None:
    edit = pin((origins(FILE)[0],), Content("x", questions=("y",), enabled=False))
    assert from_json(edit.as_json()) == edit


SOME = ("fee", "parcel", "days", "label", "card", "year", "store", "unworn", "refund", "club")
WORDS = st.lists(st.sampled_from(SOME), min_size=1).map(" ".join)
FILES = st.lists(WORDS, max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6), st.data())
def test_no_edit_and_no_unedited_passage_is_ever_lost_or_doubled(
    old: list[str], new: list[str], data: st.DataObject
) -> None:
    made = origins([Content(text) for text in old])
    chosen = data.draw(st.lists(st.sampled_from(range(len(old))), unique=True)) if old else []
    edits = [pin((made[row],), Content(f"edit {row}"), key=str(row)) for row in chosen]
    laid = overlay(origins([Content(text) for text in new]), edits)
    said = texts(laid.pieces)
    kept = [piece for piece in laid.pieces if not piece.origin.startswith("edit:")]
    for one in laid.pins:
        assert [text for text in said if text in (content.text for content in one.replacement)]
    placed = [one for one in laid.pins if one.placed]
    assert len(kept) + len(placed) == len(new)
    assert len(laid.pieces) == len(new) + len(edits) - len(placed)
