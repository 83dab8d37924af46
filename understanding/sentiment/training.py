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
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.metrics import f1_score  # type: ignore[import-untyped]

from understanding.intents.classifier import centred, similarity
from understanding.intents.letters import BUCKETS, Floats, count, rarity, weigh
from understanding.intents.training import code, draw, solve
from understanding.sentiment.cnn import TextCnn
from understanding.sentiment.model import NEGATIVE, NEUTRAL, SentimentModel, probabilities, read

FOLDS = 3
"""In which a TextCNN is trained to see what it says of rows that it has not seen."""

NEUTRAL_AS_NEGATIVE = 0.02
"""Most of the neutral messages that may be read as negative, of those that were held out."""

Embed = Callable[[Sequence[str]], Floats]
Codes = npt.NDArray[np.int64]
TrainCnn = Callable[[Sequence[str], Codes], TextCnn]


@dataclass(frozen=True)
class Report:
    """Figures on rows that were held out, each once. `neutral_as_negative` is a share of the neutral ones, if any."""

    rows: int
    labels: dict[str, int]
    accuracy: float
    macro_f1: float
    neutral_as_negative: float | None


def train_sentiment(
    rows: Sequence[tuple[str, str]], embed: Embed, out: Path, encoder: str, train_cnn: TrainCnn | None = None
) -> dict[str, Any]:
    """Train on texts with their labels, write the folder `out`, and return the report.

    `embed` makes vectors, (n, d), of texts as questions, by `encoder`. Raises CannotTrain.
    """
    code([label for _, label in rows])  # what cannot be trained on is said before anything is embedded
    model, report = fit(rows, embed([text for text, _ in rows]), encoder, train_cnn)
    model.save(out, {"held_out": asdict(report)})
    return asdict(report)


def fit(
    rows: Sequence[tuple[str, str]], vectors: Floats, encoder: str, train_cnn: TrainCnn | None = None
) -> tuple[SentimentModel, Report]:
    """Fit a model; `vectors` are those of the rows, (n, d). Without `train_cnn` it has no TextCNN.

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
    by_cnn = unseen_by_cnn(texts, codes, train_cnn) if train_cnn else np.zeros_like(unseen)
    heats = best_heats(unseen, by_cnn, codes)
    likely = probabilities(heats[0] * unseen + heats[1] * by_cnn)
    neutral = codes == labels.index(NEUTRAL) if NEUTRAL in labels else np.zeros(len(codes), bool)
    least = least_negative(likely[neutral], labels) if NEGATIVE in labels else 0.0
    found = np.array([labels.index(label) for label, _ in read(likely, labels, least)])
    by_letter = np.asarray(base @ weights, np.float32)
    cnn = train_cnn(texts, codes) if train_cnn else None
    return SentimentModel(
        labels, encoder, mean, angles[landmarks], weights, rare, by_letter, cnn, heats, least
    ), Report(
        len(rows),
        {label: int((codes == number).sum()) for number, label in enumerate(labels)},
        float((found == codes).mean()),
        float(f1_score(codes, found, average="macro")),
        float((found[neutral] == labels.index(NEGATIVE)).mean()) if neutral.any() and NEGATIVE in labels else None,
    )


def unseen_by_cnn(texts: Sequence[str], codes: Codes, train_cnn: TrainCnn) -> Floats:
    """The logits of each row by a TextCNN that has not seen it, (n, labels)."""
    fold = np.random.default_rng(1).permutation(len(texts)) % FOLDS
    logits = np.zeros((len(texts), int(codes.max()) + 1), np.float32)
    for number in range(FOLDS):
        cnn = train_cnn([text for text, at in zip(texts, fold, strict=True) if at != number], codes[fold != number])
        logits[fold == number] = cnn.logits([text for text, at in zip(texts, fold, strict=True) if at == number])
    return logits


def best_heats(scores: Floats, logits: Floats, codes: Codes) -> tuple[float, float]:
    """The factors of both under which the labels are likeliest."""

    def surprise(heats: npt.NDArray[np.float64]) -> float:
        likely = probabilities(heats[0] * scores + heats[1] * logits)[np.arange(len(codes)), codes]
        return float(-np.log(np.maximum(likely, 1e-9)).mean())

    found = minimize(surprise, np.array([5.0, 0.5]), method="Nelder-Mead", bounds=((0.1, 60), (0, 10)))
    return float(found.x[0]), float(found.x[1])


def least_negative(neutral: Floats, labels: tuple[str, ...]) -> float:
    """The least probability at which at most `NEUTRAL_AS_NEGATIVE` of the neutral rows are read as negative."""
    if not len(neutral):
        return 0.0
    negative = labels.index(NEGATIVE)
    mistaken = np.sort(np.where(neutral.argmax(axis=1) == negative, neutral[:, negative], 0))[::-1]
    allowed = math.floor(NEUTRAL_AS_NEGATIVE * len(mistaken))
    return float(np.nextafter(np.float32(mistaken[allowed]), np.float32(2)))
