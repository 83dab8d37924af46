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
from knowledge.ranking import Ranking

TABLE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True)
class Evidence:
    """What the first five passages say for themselves; every field is one feature.

    `score` is the first passage's (`Ranked.steady`); `covered` how much more than most of the question's words, by idf,
    one passage holds (0 up to 60 %, 1 for all of them); `notions` the best share of the question's notions that a
    passage touches, `speaks` whether it has any; `asks` whether the question asks for a kind of fact (how long, how
    much, where), `tells` the share of those kinds that the first passage holds; `missing_codes` whether the question
    names a code that none of the passages has; `foreign` whether the first passage is in another language: words cannot
    match then, and `covered` is 0.
    """

    score: float
    covered: float
    notions: float
    speaks: float
    asks: float
    tells: float
    missing_codes: float
    foreign: float


@dataclass(frozen=True)
class Calibration:
    """Of questions in Chinese and in English: coefficients in the order of `Evidence`'s fields, after the intercept.

    `threshold` is the probability from which a question counts as answerable.
    """

    chinese: tuple[float, ...]
    english: tuple[float, ...]
    threshold: float
    ranking: Ranking


@cache
def shipped() -> Calibration:
    """The calibration that ships."""
    table = json.loads(TABLE.read_text())
    names = ("intercept", *Evidence.__dataclass_fields__)
    chinese, english = (tuple(table[language][name] for name in names) for language in ("chinese", "english"))
    return Calibration(chinese, english, table["threshold"], Ranking(**table["ranking"]))


def probability(evidence: Evidence, language: Language, calibration: Calibration) -> float:
    """The calibrated probability, 0 to 1, that the passages answer a question in that language."""
    weights = calibration.chinese if language == "zh" else calibration.english
    logit = sum(weight * value for weight, value in zip(weights, (1.0, *astuple(evidence)), strict=True))
    return 1 / (1 + math.exp(-max(min(logit, 50.0), -50.0)))
