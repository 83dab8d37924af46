"""Fits how scores are read, and says what a classifier can do; both on scores of rows that it had not seen.

Knows nothing of how the scores were made. scikit-learn and scipy are needed here and in training alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import precision_recall_fscore_support  # type: ignore[import-untyped]

from understanding.intents.decision import NEVER, OOS, Decision
from understanding.intents.letters import Floats

Codes = npt.NDArray[np.int64]

LOST = 0.002
"""Share of the rows with the right label that may be called out of scope, when no row out of scope is known."""
LOSS = 15.0
"""What such a row costs, when some are known: times what one costs that is out of scope and gets a label."""
PRECISION = 0.98
"""Of the rows above a label's `sure`, so many have it."""
PAIRS, EXAMPLES, STEPS = 12, 3, 21


@dataclass(frozen=True)
class Class:
    """One label among the rows that were held out."""

    label: str
    rows: int
    precision: float
    recall: float
    f1: float
    sure: float
    """Share of its rows on which the classifier was sure of it."""


@dataclass(frozen=True)
class Confusion:
    """Rows of one label that were taken for another, most frequent pair first."""

    label: str
    taken_for: str
    rows: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """What another threshold would do: share of the rows in scope with the right label, and of the others found."""

    threshold: float
    right: float
    found: float | None


@dataclass(frozen=True)
class Report:
    """Figures on rows that were held out, each once. `accuracy` is of the rows in scope, out of scope being wrong."""

    rows: int
    out_of_scope: int
    accuracy: float
    accuracy_without_scope: float
    macro_f1: float
    out_of_scope_found: float | None
    classes: tuple[Class, ...]
    confusions: tuple[Confusion, ...]
    thresholds: tuple[Step, ...]
    seconds: float = 0.0


def fit(scores: Floats, codes: Codes, labels: tuple[str, ...], groups: Mapping[str, str]) -> Decision:
    """How to read scores of shape (n, labels); `codes` are the rows' labels, -1 for out of scope; groups: see
    `Decision`.
    """
    known = codes >= 0
    inside, truth = scores[known].astype(np.float64), codes[known]

    def surprise(heat: float) -> float:
        powers = heat * (inside - inside.max(axis=1, keepdims=True))
        likely = powers[np.arange(len(truth)), truth] - np.log(np.exp(powers).sum(axis=1))
        return float(-likely.mean())

    heat = float(minimize_scalar(surprise, bounds=(0.1, 60.0), method="bounded").x)
    highest, right = scores.max(axis=1), known.copy()
    right[known] = inside.argmax(axis=1) == truth
    slope, offset = _curve(highest, known if not known.all() else right)
    decision = Decision(heat, slope, offset, 0.0)
    inside_at = decision.in_scope(scores)
    scope = _threshold(inside_at[right], inside_at[~known], len(truth))
    decision = replace(decision, scope=scope, groups=dict(groups))
    likely = decision.probabilities(scores)
    best, taken = likely.argmax(axis=1), inside_at >= scope
    height = decision.grouped(likely, labels)[np.arange(len(best)), best]
    names = np.array([*(groups.get(label, label) for label in labels), OOS])  # -1 is the last
    fits = names[codes] == names[best]
    sure = {}
    for code, label in enumerate(labels):
        if (here := taken & (best == code)).any():
            sure[label] = _sure(height[here], fits[here])
    return replace(decision, sure=sure)


def report(scores: Floats, codes: Codes, labels: tuple[str, ...], decision: Decision, texts: Sequence[str]) -> Report:
    """What the scores, read like that, say of the rows; see `fit`."""
    known = codes >= 0
    best, inside_at = scores.argmax(axis=1), decision.in_scope(scores)
    said = np.where(inside_at >= decision.scope, best, -1)
    sure = np.array([decision.sure.get(label, NEVER) for label in labels], np.float32)
    together = decision.grouped(decision.probabilities(scores), labels)[np.arange(len(best)), best]
    certain = (said >= 0) & (together >= sure[best])
    codes_of_labels = np.arange(len(labels))
    figures = precision_recall_fscore_support(codes, said, labels=codes_of_labels, zero_division=0)
    pairs: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(said != codes):
        pairs.setdefault((int(codes[row]), int(said[row])), []).append(int(row))
    names = (*labels, OOS)  # -1 is the last
    return Report(
        rows=int(known.sum()),
        out_of_scope=int((~known).sum()),
        accuracy=_mean(said[known] == codes[known]) or 0.0,
        accuracy_without_scope=_mean(best[known] == codes[known]) or 0.0,
        macro_f1=float(np.mean(figures[2])),
        out_of_scope_found=_mean(said[~known] < 0),
        classes=tuple(
            Class(
                label, int(figures[3][code]), float(figures[0][code]), float(figures[1][code]), float(figures[2][code]),
                _mean((certain & (said == code))[codes == code]) or 0.0,
            )
            for code, label in enumerate(labels)
        ),
        confusions=tuple(
            Confusion(names[truth], names[taken], len(rows), tuple(texts[row] for row in rows[:EXAMPLES]))
            for (truth, taken), rows in sorted(pairs.items(), key=lambda pair: -len(pair[1]))[:PAIRS]
        ),
        thresholds=tuple(
            Step(
                float(step),
                _mean((best[known] == codes[known]) & (inside_at[known] >= step)) or 0.0,
                _mean(inside_at[~known] < step),
            )
            for step in np.quantile(inside_at[known], np.linspace(0, 0.2, STEPS))
        ),
    )  # fmt: skip


def rare(codes: Sequence[str], least: int) -> list[str]:
    """Labels of fewer than `least` rows."""
    return sorted(label for label, times in Counter(codes).items() if times < least)


def _curve(heights: Floats, right: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the logistic curve that tells which rows are right; both kinds weigh alike."""
    if right.all() or not right.any():
        return 8.0, -4.0  # scores are about 1 for what fits, 0 for what does not
    fitted = LogisticRegression(C=100.0, class_weight="balanced").fit(heights[:, None], right)
    return max(float(fitted.coef_[0, 0]), 0.1), float(fitted.intercept_[0])


def _threshold(right: Floats, outside: Floats, rows: int) -> float:
    """The least probability in scope: by cost where rows out of scope are known, else by the share that may be lost."""
    if not len(right):
        return 0.0
    if not len(outside):
        return float(np.quantile(right, LOST))
    steps = np.unique(np.concatenate([right, outside, [0.0]]))
    lost = np.searchsorted(np.sort(right), steps) / rows
    passed = 1 - np.searchsorted(np.sort(outside), steps) / len(outside)
    return float(steps[np.argmin(LOSS * lost + passed)])


def _sure(heights: Floats, right: npt.NDArray[np.bool_]) -> float:
    """The least height at and above which `PRECISION` of the rows are right; `NEVER` when there is none."""
    order = np.argsort(-heights, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= PRECISION)
    return float(heights[order[enough[-1]]]) if len(enough) else NEVER


def _mean(values: npt.NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None
