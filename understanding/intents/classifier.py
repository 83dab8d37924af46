"""A trained classifier of intents: reads and writes its folder, scores texts. numpy alone; knows nothing of training.

Kernel ridge regression: a text is compared with `landmarks`, texts of the training, by the angle between their sentence
vectors and by the runs of letters that they share. It is small, needs no iteration, and far from all landmarks its
scores fall, which is how it knows what it does not know.

A model is a JSON object and a safetensors file, never a pickle; in a folder they are `intents.json` and
`weights.safetensors`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from understanding.errors import ModelUnreadable
from understanding.intents.decision import Decision, Intent
from understanding.intents.letters import Floats, count, weigh

FORMAT = 1
KIND = "kernel"
ABOUT, WEIGHTS = "intents.json", "weights.safetensors"


@dataclass(frozen=True)
class Shape:
    """How vectors are compared: `vectors` times what letters count, and only near ones with a high `power`."""

    vectors: float = 6.0
    power: int = 3


def similarity(one: Floats, other: Floats, shape: Shape = Shape()) -> Floats:
    """The vectors' part of the kernel, (n, m), of rows of length 1."""
    near: Floats = np.float32(0.5) * (one @ other.T + np.float32(1))
    result: Floats = np.float32(shape.vectors) * near**shape.power
    return result


def centred(vectors: Floats, mean: Floats) -> Floats:
    """Sentence vectors all lie in a narrow cone: without their mean, and of length 1, angles tell them apart."""
    moved = vectors - mean
    result: Floats = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    return result.astype(np.float32)


@dataclass(frozen=True)
class IntentClassifier:
    """Immutable, so threads may share it.

    labels: in the order of the columns. encoder: what the vectors were made with, as its maker calls it. mean: (d,).
    landmarks: (m, d), `centred`. weights: (m, labels). rare: (BUCKETS,), and letters: (BUCKETS, labels), are of runs of
    letters.
    """

    labels: tuple[str, ...]
    encoder: str
    mean: Floats
    landmarks: Floats
    weights: Floats
    rare: Floats
    letters: Floats
    shape: Shape
    decision: Decision

    def scores(self, texts: Sequence[str], vectors: Floats) -> Floats:
        """(n, labels): about 1 for a label that fits, about 0 for one that does not.

        vectors: of the texts, (n, d). Raises ModelUnreadable when they are of another encoder's shape.
        """
        if vectors.shape != (len(texts), len(self.mean)):
            raise ModelUnreadable(f"vectors of shape {vectors.shape} instead of {(len(texts), len(self.mean))}")
        by_vector = similarity(centred(vectors, self.mean), self.landmarks, self.shape) @ self.weights
        scores: Floats = by_vector + weigh(count(texts), self.rare).times(self.letters)
        return scores

    def classify(self, texts: Sequence[str], vectors: Floats) -> list[Intent]:
        """What each text wants; see `scores`."""
        return self.decision.read(self.scores(texts, vectors), self.labels)

    def dump(self, report: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The JSON object, with `report` in it, and the bytes of the safetensors file."""
        arrays = {
            "mean": self.mean,
            "landmarks": self.landmarks,
            "weights": self.weights,
            "rare": self.rare,
            "letters": self.letters,
        }
        about = {
            "format": FORMAT,
            "kind": KIND,
            "labels": self.labels,
            "encoder": self.encoder,
            "shape": asdict(self.shape),
            "decision": asdict(self.decision),
            "report": dict(report),
        }
        return about, save({name: np.ascontiguousarray(array, np.float16) for name, array in arrays.items()})

    @classmethod
    def parse(cls, about: Mapping[str, Any], weights: bytes) -> "IntentClassifier":
        """What `dump` returned. Raises ModelUnreadable."""
        try:
            if (about["format"], about["kind"]) != (FORMAT, KIND):
                raise ModelUnreadable(f"a model of format {about['format']}, kind {about['kind']}")
            arrays = {name: array.astype(np.float32) for name, array in load(weights).items()}
            shape, decision = Shape(**about["shape"]), Decision(**about["decision"])
            classifier = cls(tuple(about["labels"]), about["encoder"], **arrays, shape=shape, decision=decision)
        except (KeyError, TypeError, ValueError, SafetensorError) as error:
            raise ModelUnreadable(f"no intent model that can be read: {type(error).__name__}") from None
        shapes = (len(classifier.landmarks), len(classifier.labels)), (len(classifier.rare), len(classifier.labels))
        if (classifier.weights.shape, classifier.letters.shape) != shapes:
            raise ModelUnreadable("no intent model that can be read: its parts do not fit")
        return classifier

    @classmethod
    def load(cls, folder: Path) -> "IntentClassifier":
        """Read a folder. Raises ModelUnreadable."""
        about = read_about(folder)
        try:
            return cls.parse(about, (folder / WEIGHTS).read_bytes())
        except FileNotFoundError:
            raise ModelUnreadable(f"no classifier in {folder}: {WEIGHTS} is missing") from None

    def save(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Write the folder, over what it held."""
        about, weights = self.dump(report)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / WEIGHTS).write_bytes(weights)
        (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", "utf-8")


def read_about(folder: Path) -> dict[str, Any]:
    """The JSON object of a folder of any kind. Raises ModelUnreadable."""
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
    except FileNotFoundError:
        raise ModelUnreadable(f"no classifier in {folder}: {ABOUT} is missing") from None
    except ValueError:
        raise ModelUnreadable(f"{folder / ABOUT} is not valid JSON") from None
    if not isinstance(about, dict):
        raise ModelUnreadable(f"{folder / ABOUT} is not a JSON object")
    return about
