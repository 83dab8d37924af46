"""Tells positive, neutral and negative messages, in Chinese and English. Knows nothing of training or of who embeds.

A text is compared with the messages of the training (`landmarks`) as intents are, by the angle between sentence vectors
and by the runs of letters shared. A folder holds `sentiment.json` and `weights.safetensors`; never a pickle.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from understanding.errors import ModelUnreadable
from understanding.intents.classifier import centred, similarity
from understanding.intents.letters import Floats, count, weigh

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"

SHIPPED = Path(__file__).resolve().parent / "shipped"
ADAPTER = Path(__file__).resolve().parent / "encoder" / "adapter.safetensors"
"""Makes of multilingual-e5-small the second encoder, which sees the mood of a text; see README.md."""

ABOUT, WEIGHTS = "sentiment.json", "weights.safetensors"
FORMAT = 1
_QUESTION = re.compile(r"[?？]\s*$|[吗么呢][。.!！~～]*\s*$")
ARRAYS = ("mean", "landmarks", "weights", "rare", "letters")


@dataclass(frozen=True)
class SentimentModel:
    """Immutable, so threads may share it.

    labels: in the order of the columns. encoder: what the vectors are made with, as its maker calls it. mean: (d,).
    landmarks: (m, d), `centred`. weights: (m, labels). rare: (BUCKETS,), and letters: (BUCKETS, labels), are of runs of
    letters. heat: a factor of the scores. least_negative: the least probability of a message that is called negative,
    and of one that `asks`: a question taken for a reproach does more harm than the reverse.
    """

    labels: tuple[str, ...]
    encoder: str
    mean: Floats
    landmarks: Floats
    weights: Floats
    rare: Floats
    letters: Floats
    heat: float
    least_negative: tuple[float, float]

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> "SentimentModel":
        """Read a folder that `train_sentiment` wrote; the one that ships by default. Raises ModelUnreadable."""
        try:
            about = json.loads((folder / ABOUT).read_text("utf-8"))
            if about["format"] != FORMAT:
                raise ModelUnreadable(f"{folder} is of format {about['format']}, not {FORMAT}")
            stored = load((folder / WEIGHTS).read_bytes())
            arrays = {name: array.astype(np.float32) for name, array in stored.items()}
            return cls(
                tuple(about["labels"]),
                about["encoder"],
                **{name: arrays[name] for name in ARRAYS},
                heat=about["heat"],
                least_negative=tuple(about["least_negative"]),
            )
        except FileNotFoundError as error:
            raise ModelUnreadable(f"no classifier in {folder}: {Path(error.filename).name} is missing") from None
        except (ValueError, KeyError, TypeError, SafetensorError) as error:
            raise ModelUnreadable(f"{folder} holds no classifier that can be read: {type(error).__name__}") from None

    def save(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Write the folder, over what it held."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: getattr(self, name) for name in ARRAYS}
        (folder / WEIGHTS).write_bytes(save({k: np.ascontiguousarray(v, np.float16) for k, v in arrays.items()}))
        about = {
            "format": FORMAT,
            "labels": self.labels,
            "encoder": self.encoder,
            "heat": self.heat,
            "least_negative": self.least_negative,
            "report": dict(report),
        }
        (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def scores(self, texts: Sequence[str], vectors: Floats) -> Floats:
        """(n, labels), the higher the likelier. Raises ModelUnreadable for vectors of another shape."""
        if vectors.shape != (len(texts), len(self.mean)):
            raise ModelUnreadable(f"vectors of shape {vectors.shape} instead of {(len(texts), len(self.mean))}")
        by_vector = similarity(centred(vectors, self.mean), self.landmarks) @ self.weights
        scores: Floats = np.float32(self.heat) * (by_vector + weigh(count(texts), self.rare).times(self.letters))
        return scores

    def judge(self, texts: Sequence[str], vectors: Floats) -> list[tuple[str, float]]:
        """The label of each text and its probability. `vectors`, (n, d), are of the texts as questions, by `encoder`.

        Raises ModelUnreadable for vectors of another shape.
        """
        if not texts:
            return []
        least = [self.least_negative[asks(text)] for text in texts]
        return read(probabilities(self.scores(texts, vectors)), self.labels, least)


def asks(text: str) -> bool:
    """Whether it has the form of a question."""
    return bool(_QUESTION.search(text))


def probabilities(scores: Floats) -> Floats:
    """(n, labels) that add up to 1."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def read(likely: Floats, labels: tuple[str, ...], least_negative: Sequence[float]) -> list[tuple[str, float]]:
    """The label of each row of probabilities, (n, labels), and its own; negative only from the row's least one on."""
    found = []
    for row, least in zip(likely, least_negative, strict=True):
        order = np.argsort(-row)
        best = int(order[0])
        if labels[best] == NEGATIVE and row[best] < least:
            best = int(order[1])
        found.append((labels[best], float(row[best])))
    return found
