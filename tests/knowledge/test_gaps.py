import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.gaps import MOST, SAME, Unanswered, group
from knowledge.passages import Vectors


def asked(*conversations: str) -> list[Unanswered]:
    return [Unanswered(f"question {n}", f"m{n}", one) for n, one in enumerate(conversations)]


def at(*degrees: float) -> Vectors:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def test_alike_questions_are_put_together_and_the_middle_one_speaks_for_them() -> None:
    groups = group(asked("a", "b", "c", "d"), at(0, 10, 20, 90))
    assert [[one.message for one in each.questions] for each in groups] == [["m1", "m0", "m2"], ["m3"]]


def test_a_chain_of_near_questions_does_not_join_its_ends() -> None:
    degrees = range(0, 180, 10)
    for each in group(asked(*map(str, degrees)), at(*degrees)):
        numbers = [int(one.message[1:]) for one in each.questions]
        assert 1 - np.cos(np.radians(10 * (max(numbers) - min(numbers)))) <= SAME + 1e-6


def test_what_most_conversations_asked_comes_first() -> None:
    groups = group(asked("a", "a", "a", "b", "c"), at(0, 1, 2, 90, 91))
    assert [each.conversations for each in groups] == [2, 1]


def test_none_and_one_are_no_trouble() -> None:
    assert group([], at()) == []
    assert [len(each.questions) for each in group(asked("a"), at(0))] == [1]


def test_more_than_can_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        group(asked(*["a"] * (MOST + 1)), np.zeros((MOST + 1, 2), np.float32))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 359), max_size=40))
def test_every_question_is_in_one_group(degrees: list[int]) -> None:
    groups = group(asked(*map(str, degrees)), at(*degrees))
    messages = [one.message for each in groups for one in each.questions]
    assert sorted(messages) == sorted(f"m{n}" for n in range(len(degrees)))
