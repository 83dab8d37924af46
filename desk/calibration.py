"""How the golden questions were answered at any threshold: what a base's own one is set by. Loads no model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from knowledge.calibrating import TooFew, threshold_for
from knowledge.models import Examination, GoldenQuestion, KnowledgeBase

_TABLE = Path(__file__).resolve().parent.parent / "knowledge" / "calibration.json"

ERRORS = (0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Choice:
    """A threshold, the error that it was chosen for (None: it stands now), and the shares of questions that it would
    answer wrongly and keep."""

    error: float | None
    value: float
    answered_wrongly: float
    kept: float


@dataclass(frozen=True)
class Calibration:
    """`answerable` and `unanswerable` count the golden questions of the last examination; `choices` need enough of
    both, `now` any of both."""

    answerable: int
    unanswerable: int
    now: Choice | None
    choices: tuple[Choice, ...]


@cache
def shipped_threshold() -> float:
    """Return the threshold of bases without one of their own. What answers by it (answerability.py) loads an index."""
    return float(json.loads(_TABLE.read_text(encoding="utf-8"))["threshold"])


def calibration(base: KnowledgeBase, threshold: float) -> Calibration:
    """Return what the last examination of a base says of thresholds; `threshold` is the one that stands."""
    yes, no = _confidences(base)
    now = Choice(None, threshold, _share(no, threshold), _share(yes, threshold)) if yes and no else None
    choices = []
    try:
        for error in ERRORS:
            found = threshold_for(yes, no, error=error)
            choices.append(Choice(error, found.value, found.answered_wrongly, found.kept))
    except TooFew:
        pass
    return Calibration(len(yes), len(no), now, tuple(choices))


def _confidences(base: KnowledgeBase) -> tuple[list[float], list[float]]:
    last = Examination.objects.filter(release__base=base).order_by("-pk").first()
    expects = dict(base.golden.filter(active=True).values_list("question", "expects"))
    yes: list[float] = []
    no: list[float] = []
    for row in last.results if last is not None else ():
        kind = expects.get(row["question"])
        if kind is not None:
            (yes if kind == GoldenQuestion.Expects.ANSWER else no).append(float(row["confidence"]))
    return yes, no


def _share(confidences: Sequence[float], value: float) -> float:
    return sum(one >= value for one in confidences) / len(confidences)
