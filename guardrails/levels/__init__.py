"""From which scores on the classifiers' verdicts review and block, when these are other levels than those that ship.

Pure; knows nothing of where levels are kept or of who moves them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from guardrails.classification.classifier import Thresholds

Levelled = Literal["toxicity", "injection"]
"""The tasks whose levels can be moved. What grounding is unsure of passes; word lists and leaks have no score."""

TASKS: tuple[Levelled, ...] = get_args(Levelled)

STEP = 0.05
"""The most that one step may move a level: what it does is seen before the next."""

ABOVE, LEAST, MOST = 0.10, 0.20, 0.95
"""How far above its shipped value a level may ever stand, and the bounds of all levels."""

GAP = 0.02
"""Between the levels of review and of block, at least."""


@dataclass(frozen=True)
class Levels:
    """Thresholds of the tasks that have others than shipped; version 0 are the shipped ones."""

    version: int = 0
    thresholds: Mapping[Levelled, Thresholds] = field(default_factory=dict)

    def of(self, task: Levelled, shipped: Thresholds) -> Thresholds:
        """The thresholds that a task's verdicts follow."""
        return self.thresholds.get(task, shipped)


def moved(now: Thresholds, review: float, block: float) -> Thresholds:
    """Thresholds with other levels, those that change to three places; what a text is labelled stays."""
    return replace(
        now,
        review=now.review if review == now.review else round(review, 3),
        block=now.block if block == now.block else round(block, 3),
    )


def refused(now: Thresholds, wanted: Thresholds, shipped: Thresholds) -> str | None:
    """Return why levels may not be moved so in one step; None when they may."""
    for name in ("review", "block"):
        old, new, most = getattr(now, name), getattr(wanted, name), highest(getattr(shipped, name))
        if not LEAST <= new <= most + _ROUNDING:  # not a number is refused, too
            return f"{name} from {new:g} is outside of {LEAST:g} to {most:.3f}"
        if abs(new - old) > STEP + _ROUNDING:
            return f"{name} from {new:g} instead of {old:.3f} is more than a step of {STEP:g}"
    if wanted.block - wanted.review < GAP - _ROUNDING:
        return f"block from {wanted.block:g} is less than {GAP:g} above review from {wanted.review:g}"
    return None


def highest(shipped: float) -> float:
    """Where a level may stand at most, given its shipped value."""
    return max(shipped, min(MOST, shipped + ABOVE))


_ROUNDING = 5e-4
