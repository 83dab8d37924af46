"""How likely it is that the passages found answer the question: a logistic model a language. Knows nothing of how they
were found.

Its coefficients are in calibration.json; `python -m bench.knowledge fit` makes them anew from labelled questions.
"""

import json
import math
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

from knowledge.language import Language

TABLE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True)
class Evidence:
    """What the first five passages say for themselves; every field is one feature.

    `title`, `text` and `sentence` are the best cosines of each kind; `margin` how many spreads the best dense score
    lies above the mean of the next nine; `coverage` the share of the question's idf mass that one of the passages
    holds; `agreement` whether vectors and BM25 put the same passage first; `missing_codes` whether the question names a
    code that none of the passages has; `foreign` whether the first passage is in another language. Where `foreign`,
    words cannot match: `coverage` is 0 and the model's own coefficient makes up for it.
    """

    title: float
    text: float
    sentence: float
    margin: float
    coverage: float
    agreement: float
    missing_codes: float
    foreign: float


@dataclass(frozen=True)
class Calibration:
    """Of questions in Chinese and in English: coefficients in the order of `Evidence`'s fields, after the intercept.

    `threshold` is the probability from which a question counts as answerable. `words_weight` is how many spreads of the
    dense score a passage gains that holds all of the question's words.
    """

    chinese: tuple[float, ...]
    english: tuple[float, ...]
    threshold: float
    words_weight: float


@cache
def shipped() -> Calibration:
    """The calibration that ships."""
    table = json.loads(TABLE.read_text())
    names = ("intercept", *Evidence.__dataclass_fields__)
    chinese, english = (tuple(table[language][name] for name in names) for language in ("chinese", "english"))
    return Calibration(chinese, english, table["threshold"], table["words_weight"])


def probability(evidence: Evidence, language: Language, calibration: Calibration) -> float:
    """The calibrated probability, 0 to 1, that the passages answer a question in that language."""
    weights = calibration.chinese if language == "zh" else calibration.english
    logit = sum(weight * value for weight, value in zip(weights, (1.0, *astuple(evidence)), strict=True))
    return 1 / (1 + math.exp(-max(min(logit, 50.0), -50.0)))
