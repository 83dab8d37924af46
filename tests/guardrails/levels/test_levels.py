"""How far levels may be moved."""

import pytest

from guardrails.classification.classifier import Thresholds
from guardrails.levels import Levels, moved, refused

SHIPPED = Thresholds(label=0.5, review=0.68, block=0.90)


@pytest.mark.parametrize(
    ("review", "block"),
    [(0.68, 0.90), (0.73, 0.90), (0.63, 0.85), (0.72, 0.95), (0.7, 0.88)],
)
def test_a_step_within_the_bounds_is_allowed(review: float, block: float) -> None:
    assert refused(SHIPPED, moved(SHIPPED, review, block), SHIPPED) is None


@pytest.mark.parametrize(
    ("now", "review", "block", "says"),
    [
        ((0.68, 0.90), 0.74, 0.90, "more than a step"),
        ((0.68, 0.90), 0.68, 0.84, "more than a step"),
        ((0.76, 0.90), 0.79, 0.90, "outside of"),  # .10 above what ships is the end, step by step or not
        ((0.68, 0.94), 0.68, 0.96, "outside of"),
        ((0.22, 0.90), 0.18, 0.90, "outside of"),
        ((0.68, 0.90), 1.5, 0.90, "outside of"),
        ((0.68, 0.90), float("nan"), 0.90, "outside of"),
        ((0.68, 0.72), 0.72, 0.72, "above review"),
        ((0.70, 0.72), 0.72, 0.70, "above review"),
    ],
)
def test_a_step_that_is_too_long_or_too_high_is_refused(
    now: tuple[float, float], review: float, block: float, says: str
) -> None:
    live = Thresholds(0.5, *now)
    assert says in (refused(live, moved(live, review, block), SHIPPED) or "")


def test_a_level_that_ships_above_all_bounds_may_stay_where_it_is() -> None:
    high = Thresholds(0.5, 0.9, 0.97)
    assert refused(high, high, high) is None
    assert "outside of" in (refused(high, moved(high, 0.9, 0.98), high) or "")


def test_a_task_without_levels_of_its_own_has_those_that_ship() -> None:
    levels = Levels(3, {"toxicity": moved(SHIPPED, 0.7, 0.9)})
    assert levels.of("toxicity", SHIPPED).review == 0.7
    assert levels.of("injection", SHIPPED) == SHIPPED
    assert moved(SHIPPED, 0.7, 0.9).label == SHIPPED.label
