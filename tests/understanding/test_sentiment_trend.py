"""Where a conversation is going, and when a person takes over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understanding.sentiment.trend import REMEMBERED, Mood, Trend, mood_of, trend_of

GOOD, SO_SO = Mood("positive", 0.9), Mood("neutral", 0.9)
BAD, BAD_AFTER = Mood("negative", 0.9), Mood("negative", 0.9, after_answer=True)
SO_SO_AFTER = Mood("neutral", 0.9, after_answer=True)
ANGRY, ANGRY_AFTER = Mood("negative", 0.9, angry=True), Mood("negative", 0.9, after_answer=True, angry=True)


@pytest.mark.parametrize(
    ("moods", "direction"),
    [
        ([], "steady"),
        ([SO_SO], "steady"),
        ([SO_SO, SO_SO, SO_SO], "steady"),
        ([BAD, BAD, BAD, BAD, BAD], "steady"),
        ([BAD], "worsening"),
        ([GOOD, SO_SO, BAD], "worsening"),
        ([SO_SO, SO_SO, BAD], "worsening"),
        ([BAD, SO_SO, GOOD], "improving"),
        ([BAD, BAD, SO_SO, SO_SO], "improving"),
    ],
)
def test_the_direction_is_that_of_the_last_two_messages(moods: list[Mood], direction: str) -> None:
    assert trend_of(moods).direction == direction


@pytest.mark.parametrize(
    ("moods", "hand_off", "reason"),
    [
        ([], "", ""),
        ([SO_SO], "", ""),
        ([BAD], "", ""),  # there was no answer yet: the bot may help
        ([BAD, SO_SO_AFTER], "", ""),
        ([BAD, BAD_AFTER, GOOD], "", ""),
        ([BAD, BAD], "offer", "worsening"),  # two messages, and no answer between them
        ([SO_SO, BAD_AFTER], "offer", "negative_answer"),
        ([BAD, BAD_AFTER], "offer", "negative_answer"),
        ([SO_SO, BAD_AFTER, BAD_AFTER], "make", "negatives_in_a_row"),
        ([BAD_AFTER, SO_SO_AFTER, BAD_AFTER], "offer", "negative_answer"),
        ([ANGRY], "offer", "anger"),
        ([SO_SO, ANGRY_AFTER], "make", "anger"),
        ([ANGRY, SO_SO_AFTER], "", ""),
    ],
)
def test_a_person_comes_when_answers_do_not_help(moods: list[Mood], hand_off: str, reason: str) -> None:
    found = trend_of(moods)
    assert (found.hand_off, found.reason) == (hand_off, reason)


def test_what_is_long_past_weighs_little() -> None:
    assert trend_of([BAD, SO_SO]).level < trend_of([BAD, SO_SO, SO_SO]).level < 0
    assert trend_of([BAD, *[SO_SO] * REMEMBERED]) == Trend()


@pytest.mark.parametrize(
    ("text", "label", "angry"),
    [
        ("This is outrageous", "negative", True),
        ("I am FED UP with this RUBBISH", "negative", True),
        ("Where is it??!!", "negative", True),
        ("你们这群骗子", "negative", True),
        ("我要投诉你们", "negative", True),
        ("It is a pity that it came late", "negative", False),
        ("有点失望", "negative", False),
        ("How do I report a scam?", "neutral", False),
        ("再也不用排队了！！", "positive", False),
    ],
)
def test_anger_is_a_negative_message_in_strong_words(text: str, label: str, angry: bool) -> None:
    assert mood_of(text, label, 0.9).angry is angry


MOODS = st.builds(
    Mood, st.sampled_from(["positive", "neutral", "negative"]), st.floats(0, 1), st.booleans(), st.booleans()
)


@given(st.lists(MOODS, max_size=12))
def test_any_conversation_has_a_level_within_bounds_and_a_reason_for_each_hand_off(moods: list[Mood]) -> None:
    found = trend_of(moods)
    assert -1 <= found.level <= 1
    assert bool(found.hand_off) == bool(found.reason)
    if not moods or moods[-1].label != "negative":
        assert found.hand_off == ""
