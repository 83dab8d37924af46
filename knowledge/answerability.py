"""How likely it is that the passages found answer the question: a logistic model of few features. Knows nothing of how they were found.

Its coefficients are in calibration.json; `python -m bench.knowledge fit` makes them anew from labelled questions.
"""

import json
import math
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True)
class Evidence:
    """What the first passages say for themselves; every field is one feature.

    `cosine` is the best cosine, `z` how many spreads it lies above the base's mean, `margin` how far above the mean of the next nine;
    `coverage` the share of the question's idf mass that one of the first three passages holds, `agreement` whether vector and BM25
    put the same passage first, `missing_codes` and `missing_numbers` whether the question names some that none of the passages has,
    `foreign` whether the first passage is in another language, `chinese` whether the question is Chinese.
    Where `foreign`, words cannot match: `coverage` is 0 and the model's own coefficient makes up for it.
    """

    cosine: float
    z: float
    margin: float
    coverage: float
    agreement: float
    missing_codes: float
    missing_numbers: float
    foreign: float
    chinese: float


@dataclass(frozen=True)
class Calibration:
    """Coefficients in the order of `Evidence`'s fields, an intercept, and the probability from which a question counts as answerable.

    `words_weight` is how many spreads of the dense score a passage gains that holds all of the question's words.
    """

    coefficients: tuple[float, ...]
    intercept: float
    threshold: float
    words_weight: float


@cache
def shipped() -> Calibration:
    """The calibration that ships."""
    table = json.loads(TABLE.read_text())
    names = Evidence.__dataclass_fields__
    return Calibration(tuple(table["coefficients"][name] for name in names), table["intercept"], table["threshold"], table["words_weight"])


def probability(evidence: Evidence, calibration: Calibration | None = None) -> float:
    """The calibrated probability, 0 to 1, that the passages answer the question."""
    model = calibration or shipped()
    logit = model.intercept + sum(weight * value for weight, value in zip(model.coefficients, astuple(evidence), strict=True))
    return 1 / (1 + math.exp(-max(min(logit, 50.0), -50.0)))
