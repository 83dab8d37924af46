"""Fits a sentiment model to labelled messages and their vectors, and reports what it can do on rows it has not seen.

Knows nothing of files of rows, nor of how vectors are made.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from sklearn.metrics import f1_score  # type: ignore[import-untyped]

from understanding.intents.classifier import centred, similarity
from understanding.intents.letters import BUCKETS, Floats, count, rarity, weigh
from understanding.intents.training import code, draw, solve
from understanding.sentiment.model import NEGATIVE, NEUTRAL, SentimentModel, asks, probabilities, read

NEUTRAL_AS_NEGATIVE, QUESTIONS_AS_NEGATIVE = 0.02, 0.0
"""Most of the neutral messages that may be read as negative, of those that were held out; and of those that ask."""

Embed = Callable[[Sequence[str]], Floats]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Report:
    """Figures on rows that were held out, each once. `neutral_as_negative` is a share of the neutral ones, if any."""

    rows: int
    labels: dict[str, int]
    accuracy: float
    macro_f1: float
    neutral_as_negative: float | None


def train_sentiment(rows: Sequence[tuple[str, str]], embed: Embed, out: Path, encoder: str) -> dict[str, Any]:
    """Train on texts with their labels, write the folder `out`, and return the report.

    `embed` makes vectors, (n, d), of texts as questions, by `encoder`. Raises CannotTrain.
    """
    code([label for _, label in rows])  # what cannot be trained on is said before anything is embedded
    model, report = fit(rows, embed([text for text, _ in rows]), encoder)
    model.save(out, {"held_out": asdict(report)})
    return asdict(report)


def fit(rows: Sequence[tuple[str, str]], vectors: Floats, encoder: str) -> tuple[SentimentModel, Report]:
    """Fit a model; `vectors` are those of the rows, (n, d).

    The scores of each row by a model that has not seen it set the least probability of a negative message, and make the
    report. Raises CannotTrain.
    """
    texts = [text for text, _ in rows]
    labels, codes = code([label for _, label in rows])
    mean = vectors.mean(axis=0)
    angles, counts = centred(vectors, mean), count(texts)
    rare = rarity(counts)
    weighed = weigh(counts, rare)
    letters = csr_matrix((weighed.values, weighed.buckets, weighed.starts), shape=(len(rows), BUCKETS))
    landmarks = draw(codes, seed=1)
    base = letters[landmarks].T.tocsr()

    def kernel(some: Codes) -> npt.NDArray[np.float64]:
        near = similarity(angles[some], angles[landmarks]) + (letters[some] @ base).toarray()
        return np.asarray(near, np.float64)

    wanted = np.equal.outer(codes, np.arange(len(labels))).astype(np.float64)
    weights, unseen = solve(kernel, landmarks, wanted)
    heat = best_heat(unseen, codes)
    likely = probabilities(heat * unseen)
    neutral = codes == labels.index(NEUTRAL) if NEUTRAL in labels else np.zeros(len(codes), bool)
    asking = np.array([asks(text) for text in texts])
    least = (
        least_negative(likely[neutral & ~asking], labels, NEUTRAL_AS_NEGATIVE),
        least_negative(likely[neutral & asking], labels, QUESTIONS_AS_NEGATIVE),
    )
    found = np.array([labels.index(label) for label, _ in read(likely, labels, np.array(least)[asking.astype(int)])])
    by_letter = np.asarray(base @ weights, np.float32)
    return SentimentModel(labels, encoder, mean, angles[landmarks], weights, rare, by_letter, heat, least), Report(
        len(rows),
        {label: int((codes == number).sum()) for number, label in enumerate(labels)},
        float((found == codes).mean()),
        float(f1_score(codes, found, average="macro")),
        float((found[neutral] == labels.index(NEGATIVE)).mean()) if neutral.any() and NEGATIVE in labels else None,
    )


def best_heat(scores: Floats, codes: Codes) -> float:
    """The factor under which the labels are likeliest."""

    def surprise(heat: float) -> float:
        likely = probabilities(heat * scores)[np.arange(len(codes)), codes]
        return float(-np.log(np.maximum(likely, 1e-9)).mean())

    return float(minimize_scalar(surprise, bounds=(0.1, 60.0), method="bounded").x)


def least_negative(neutral: Floats, labels: tuple[str, ...], share: float) -> float:
    """The least probability at which at most that share of the neutral rows is read as negative."""
    if not len(neutral) or NEGATIVE not in labels:
        return 0.0
    negative = labels.index(NEGATIVE)
    mistaken = np.sort(np.where(neutral.argmax(axis=1) == negative, neutral[:, negative], 0))[::-1]
    allowed = math.floor(share * len(mistaken))
    return float(np.nextafter(np.float32(mistaken[allowed]), np.float32(2)))
