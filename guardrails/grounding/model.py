"""The logistic regression that weighs the features; numbers in weights.json. Knows nothing of what they mean."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guardrails.grounding.features import NAMES, Floats

WEIGHTS = Path(__file__).parent / "weights.json"
LABELS = ("supported", "unsupported", "contradicted")


@dataclass(frozen=True, eq=False)
class Model:
    """mean, scale: (features,); weights: (labels, features); bias: (labels,); temperature: of the calibration.

    A unit passes whose probability to be supported reaches `least`; below `block` it is blocked, between them reviewed.
    """

    mean: Floats
    scale: Floats
    weights: Floats
    bias: Floats
    temperature: float
    least: float
    block: float

    @classmethod
    def load(cls, file: Path = WEIGHTS) -> "Model":
        """Read what `bench.grounded --train` wrote. Raises ValueError when it was made for other features."""
        stored = json.loads(file.read_text(encoding="utf-8"))
        if tuple(stored["features"]) != NAMES or tuple(stored["labels"]) != LABELS:
            raise ValueError(f"{file.name} was made for other features: run `python -m bench.grounded --train`")
        mean, scale, weights, bias = (
            np.array(stored[name], np.float64) for name in ("mean", "scale", "weights", "bias")
        )
        return cls(mean, scale, weights, bias, stored["temperature"], stored["least"], stored["block"])

    def probabilities(self, values: Floats) -> Floats:
        """Of `LABELS`, (…, labels), for features (…, features)."""
        logits = ((values - self.mean) / self.scale @ self.weights.T + self.bias) / self.temperature
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        result: Floats = powers / powers.sum(axis=-1, keepdims=True)
        return result
