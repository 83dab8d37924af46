"""What decisions speak for; the property that no suggestion is beyond what a step may do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.classification.classifier import Thresholds
from guardrails.levels import moved, refused
from guardrails.levels.suggesting import DECISIONS, Decision, Effect, TooFew, effect, suggest, too_much

NOW = Thresholds(label=0.5, review=0.60, block=0.90)


def decided(*groups: tuple[int, float, bool]) -> list[Decision]:
    """So many decisions at a score."""
    return [Decision(score, bad) for number, score, bad in groups for _ in range(number)]


@pytest.mark.parametrize(
    ("decisions", "review", "block"),
    [
        # harmless at the bottom, bad above
        (decided((40, 0.61, False), (30, 0.80, True)), 0.615, 0.90),
        (decided((40, 0.61, False), (9, 0.63, False), (30, 0.63, True)), 0.615, 0.90),
        (decided((40, 0.61, False), (9, 0.63, False), (1, 0.62, True), (59, 0.80, True)), 0.635, 0.90),  # one of 60
        (decided((5, 0.61, False), (1, 0.62, True), (5, 0.75, False), (60, 0.80, True)), 0.615, 0.90),
        # bad to the bottom: more is likely below
        (decided((60, 0.61, True), (10, 0.80, False)), 0.55, 0.90),
        # always rejected at the top: blocked instead
        (decided((30, 0.70, False), (30, 0.70, True), (30, 0.88, True)), 0.60, 0.88),
        (decided((10, 0.61, True), (30, 0.62, False), (19, 0.88, True)), 0.60, 0.90),  # too few to be sure
        # always approved at the top: what is blocked is likely to be as harmless
        (decided((10, 0.61, True), (30, 0.62, False), (30, 0.88, False)), 0.60, 0.95),
        # mixed everywhere: nothing
        (decided(*((1, 0.60 + n / 200, n % 2 == 0) for n in range(60))), 0.60, 0.90),
    ],
)
def test_levels_follow_what_people_decide(decisions: list[Decision], review: float, block: float) -> None:
    found = suggest(NOW, NOW, decisions)
    assert (found.thresholds.review, found.thresholds.block) == pytest.approx((review, block))
    assert bool(found.why) == (found.thresholds != NOW)
    assert found.before == effect(NOW, decisions)
    assert found.after == effect(found.thresholds, decisions)


def test_too_few_decisions_say_nothing() -> None:
    with pytest.raises(TooFew, match=f"49 decisions; {DECISIONS} are needed"):
        suggest(NOW, NOW, decided((49, 0.61, False)))
    assert "needed" in (too_much(NOW, NOW, []) or "")


def test_the_effect_of_levels_is_counted() -> None:
    decisions = decided((3, 0.5, True), (2, 0.7, False), (4, 0.7, True), (5, 0.95, False))
    found = effect(NOW, decisions)
    assert found == Effect(queued=6, queued_bad=4, passed=3, passed_bad=3, blocked=5, blocked_bad=0)
    assert found.precision == pytest.approx(4 / 6)
    assert effect(NOW, []).precision == 0


@pytest.mark.parametrize(
    ("missed", "review", "refused_"),
    [(1, 0.65, False), (2, 0.65, True), (2, 0.60, False), (2, 0.55, False)],
)
def test_what_was_rejected_may_not_pass(missed: int, review: float, refused_: bool) -> None:
    decisions = decided((missed, 0.62, True), (60 - missed, 0.80, True), (40, 0.61, False))
    assert bool(too_much(NOW, moved(NOW, review, 0.9), decisions)) == refused_


DECIDED = st.lists(
    st.builds(Decision, st.floats(0, 1).map(lambda score: 0.5 + score / 2), st.booleans()),
    min_size=DECISIONS,
    max_size=90,
)


@given(DECIDED, st.floats(0.55, 0.70), st.floats(0.85, 0.95))
@settings(max_examples=100, deadline=None)
def test_no_suggestion_is_beyond_a_step_or_lets_through_what_was_rejected(
    decisions: list[Decision], review: float, block: float
) -> None:
    now = Thresholds(0.5, review, block)
    found = suggest(now, NOW, decisions).thresholds
    assert found == now or refused(now, found, NOW) is None
    assert found == now or too_much(now, found, decisions) is None
