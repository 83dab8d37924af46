import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.calibrating import LEAST, Threshold, TooFew, threshold_for

confidences = st.lists(st.floats(0, 1), min_size=LEAST, max_size=60)


def test_the_threshold_lies_between_the_last_refused_and_the_next() -> None:
    answerable = [0.9] * 15 + [0.3] * 5
    unanswerable = [0.8] + [0.5] * 19
    assert threshold_for(answerable, unanswerable, error=0.05) == Threshold(0.65, 0.05, 0.75)
    assert threshold_for(answerable, unanswerable, error=0.04) == Threshold(pytest.approx(0.85), 0.0, 0.75)


@given(confidences, confidences, st.floats(0.01, 0.99))
def test_no_more_than_the_stated_share_is_answered_wrongly(good: list[float], bad: list[float], error: float) -> None:
    found = threshold_for(good, bad, error=error)
    assert found.answered_wrongly <= error + 1e-9
    assert found.kept == sum(one >= found.value for one in good) / len(good)


@given(confidences, confidences, st.floats(0.01, 0.49))
def test_who_allows_more_errors_keeps_no_less(good: list[float], bad: list[float], error: float) -> None:
    assert threshold_for(good, bad, error=2 * error).kept >= threshold_for(good, bad, error=error).kept


@pytest.mark.parametrize(("good", "bad"), [(LEAST - 1, LEAST), (LEAST, LEAST - 1), (0, 0)])
def test_too_few_questions_say_nothing(good: int, bad: int) -> None:
    with pytest.raises(TooFew):
        threshold_for([0.5] * good, [0.5] * bad, error=0.05)


@pytest.mark.parametrize("error", [0, 1, -0.1, 2])
def test_the_error_is_a_share(error: float) -> None:
    with pytest.raises(ValueError, match="share"):
        threshold_for([0.5] * LEAST, [0.5] * LEAST, error=error)
