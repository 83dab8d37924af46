"""A trained classifier: reads and writes its folder, scores texts. Knows nothing of training or of who embeds.

A folder holds `classifier.json` (labels, thresholds, which encoder) and `weights.safetensors`; never a pickle.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.numpy import load_file, save_file

from guardrails.classification.heads import Blend, VectorHead
from guardrails.classification.ngrams import Floats, NgramHead
from guardrails.classification.pieces import pieces
from guardrails.verdict import Action

Embed = Callable[[Sequence[str]], Floats]
"""Texts to vectors of shape (n, d), float32."""

Task = Literal["intent", "sentiment", "toxicity", "injection"]
BAD = {"toxicity": "offensive", "injection": "injection"}
"""The label of a binary task that leads to review or block."""

SAFE = "safe"
FORMAT = 1


DISCOUNT = 2.0
"""Taken from the logit of a part of a text: of many parts one looks suspicious by chance. Chosen on held-out rows."""


class ClassifierError(Exception):
    """A folder that holds no classifier, or one that does not fit; says which and why."""


@dataclass(frozen=True)
class Thresholds:
    """Least probabilities of the bad class: to be labelled so, to be reviewed, to be blocked."""

    label: float = 0.5
    review: float = 0.5
    block: float = 0.9

    def action(self, score: float) -> Action:
        return "block" if score >= self.block else "review" if score >= self.review else "pass"


@dataclass(frozen=True)
class Classifier:
    """Two heads and their blend. Immutable, so threads may share it.

    labels: in the order of the probabilities' columns; of a binary task the bad one is last. embed: see `Embed`; may be
    left out when vectors are handed in. encoder: what the vectors were made with, as its maker calls it.
    """

    task: Task
    labels: tuple[str, ...]
    vector_head: VectorHead
    ngram_head: NgramHead
    blend: Blend
    thresholds: Thresholds = Thresholds()
    encoder: str = ""
    embed: Embed | None = None

    @classmethod
    def load(cls, folder: Path, embed: Embed | None = None) -> "Classifier":
        """Read a folder that `save` wrote. Raises ClassifierError."""
        try:
            about = json.loads((folder / "classifier.json").read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise ClassifierError(f"{folder} is of format {about['format']}, not {FORMAT}")
            arrays = {
                name: array.astype(np.float32) for name, array in load_file(folder / "weights.safetensors").items()
            }
            layers = tuple((arrays[f"layer{n}.weight"], arrays[f"layer{n}.bias"]) for n in range(about["layers"]))
            return cls(
                task=about["task"],
                labels=tuple(about["labels"]),
                vector_head=VectorHead(arrays["vector.mean"], arrays["vector.scale"], layers),
                ngram_head=NgramHead(arrays["ngram.idf"], arrays["ngram.weight"], arrays["ngram.bias"]),
                blend=Blend(about["blend"]["vectors"], about["blend"]["ngrams"], arrays["blend.bias"]),
                thresholds=Thresholds(**about["thresholds"]),
                encoder=about["encoder"],
                embed=embed,
            )
        except FileNotFoundError as error:
            raise ClassifierError(f"no classifier in {folder}: {Path(error.filename).name} is missing") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ClassifierError(f"{folder} holds no classifier that can be read: {type(error).__name__}") from None

    def with_encoder(self, embed: Embed) -> "Classifier":
        """The same classifier, with what makes its vectors."""
        return replace(self, embed=embed)

    def save(self, folder: Path, report: dict[str, Any] | None = None) -> None:
        """Write the folder, over what it held. `report` is kept beside the figures that loading needs."""
        folder.mkdir(parents=True, exist_ok=True)
        layers = self.vector_head.layers
        arrays = {
            "vector.mean": self.vector_head.mean,
            "vector.scale": self.vector_head.scale,
            "ngram.idf": self.ngram_head.idf,
            "ngram.weight": self.ngram_head.weights,
            "ngram.bias": self.ngram_head.bias,
            "blend.bias": self.blend.bias,
        }
        for number, (weight, bias) in enumerate(layers):
            arrays |= {f"layer{number}.weight": weight, f"layer{number}.bias": bias}
        save_file(
            {name: np.ascontiguousarray(array, np.float16) for name, array in arrays.items()},
            folder / "weights.safetensors",
        )
        about = {
            "format": FORMAT,
            "task": self.task,
            "labels": self.labels,
            "encoder": self.encoder,
            "layers": len(layers),
            "blend": {"vectors": self.blend.vectors, "ngrams": self.blend.ngrams},
            "thresholds": vars(self.thresholds),
            "report": report or {},
        }
        (folder / "classifier.json").write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def probabilities(self, texts: Sequence[str], vectors: Floats | None = None) -> Floats:
        """(n, labels). `vectors`, one a text, save embedding them. Raises ClassifierError when none can be had."""
        if not texts:
            return np.empty((0, len(self.labels)), np.float32)
        if vectors is None:
            if self.embed is None:
                raise ClassifierError("the classifier needs vectors, or a callable that makes them")
            vectors = self.embed(texts)
        expected = (len(texts), len(self.vector_head.mean))
        if vectors.shape != expected:
            raise ClassifierError(f"vectors of shape {vectors.shape} instead of {expected}")
        return self.blend.probabilities(self.vector_head.logits(vectors), self.ngram_head.logits(texts))

    def score(self, texts: Sequence[str], vectors: Floats | None = None) -> Floats:
        """Probability of the last label (the bad one), (n,).

        For injection it is that of the worst piece of each text, windows counting less (see `DISCOUNT`); `vectors` are
        then those of the whole texts, and are of use only while no text has more pieces.
        """
        if self.task != "injection":
            return self.probabilities(texts, vectors)[:, -1]
        parts = [pieces(text) for text in texts]
        flat = [part for row in parts for part in row]
        known = None
        if vectors is not None and len(flat) == len(texts):
            known = vectors
        scores = self.probabilities(flat, known)[:, -1]
        starts = np.cumsum([0, *map(len, parts)])
        return np.array([max(scores[a], *discounted(scores[a + 1 : b]), 0) for a, b in pairwise(starts)], np.float32)

    def classify(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The label of each text and its probability."""
        if self.task in BAD:
            bad = self.score(texts)
            return [
                (self.labels[1], float(one)) if one >= self.thresholds.label else (self.labels[0], 1 - float(one))
                for one in bad
            ]
        rows = self.probabilities(texts)
        return [(self.labels[best], float(row[best])) for row, best in zip(rows, rows.argmax(axis=1), strict=True)]

    def verdicts(self, texts: Sequence[str], vectors: Floats | None = None) -> list[tuple[Action, float]]:
        """What to do with each text, and the score that says so."""
        return [(self.thresholds.action(float(one)), float(one)) for one in self.score(texts, vectors)]


def discounted(scores: Floats) -> Floats:
    """Probabilities of parts of a text, lowered by `DISCOUNT`."""
    result: Floats = scores / (scores + (1 - scores) * np.exp(DISCOUNT))
    return result.astype(np.float32)
