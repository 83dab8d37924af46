import time

from knowledge.differences import Difference, differences, text_difference
from knowledge.pins import Content
from tests.patience import BOUNDED

A, B, C = Content("Shipping costs 12 yuan."), Content("Open from nine to six."), Content("Gift cards last three years.")


def changes(before: list[Content], after: list[Content]) -> list[tuple[str, int | None, int | None]]:
    return [(one.change, one.before, one.after) for one in differences(before, after)]


def test_chunks_are_the_same_changed_added_or_removed() -> None:
    dearer = Content("Shipping costs 15 yuan.")
    assert changes([A, B, C], [A, B, C]) == [("same", 0, 0), ("same", 1, 1), ("same", 2, 2)]
    assert changes([A, B], [dearer, B]) == [("changed", 0, 0), ("same", 1, 1)]
    assert changes([A, B], [A, C, B]) == [("same", 0, 0), ("added", None, 1), ("same", 1, 2)]
    assert changes([A, B, C], [A, C]) == [("same", 0, 0), ("removed", 1, None), ("same", 2, 1)]
    assert changes([], []) == []


def test_a_change_shows_what_went_and_what_came() -> None:
    [one] = differences([A], [Content("Shipping costs 15 yuan.")])
    assert one == Difference("changed", 0, 0, (("=", "Shipping costs "), ("-", "12"), ("+", "15"), ("=", " yuan.")))
    assert text_difference("运费12元。", "运费15元。") == (("=", "运费"), ("-", "12"), ("+", "15"), ("=", "元。"))


def test_a_switched_off_chunk_is_a_change() -> None:
    assert changes([A], [Content(A.text, enabled=False)]) == [("changed", 0, 0)]


def test_the_same_question_is_the_same_chunk_whatever_its_answer() -> None:
    assert changes([Content("Yes.", question="Open?")], [Content("从明天起关门。", question="Open?")]) == [
        ("changed", 0, 0)
    ]


def test_two_long_files_that_have_nothing_in_common_are_compared_in_no_time() -> None:
    def pages(first: int) -> list[Content]:
        return [Content("".join(chr(first + (number * 7 + n) % 2000) for n in range(200))) for number in range(400)]

    old, new = pages(0x4E00), pages(0x5E00)
    start = time.process_time()
    found = differences(old, new)
    assert {one.change for one in found} == {"added", "removed"}
    assert time.process_time() - start < BOUNDED
