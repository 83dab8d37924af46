"""Logits from sentence vectors, and the blend of two heads. numpy alone; knows nothing of how they were fitted."""

from dataclasses import dataclass

import numpy as np

from guardrails.classification.ngrams import Floats


@dataclass(frozen=True)
class VectorHead:
    """A perceptron on standardised vectors. mean, scale: (d,); layers: (inputs, outputs) and (outputs,) each.

    Layers but the last are followed by ReLU; a single layer is logistic regression.
    """

    mean: Floats
    scale: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def logits(self, vectors: Floats) -> Floats:
        """(n, columns) of (n, d)."""
        values: Floats = (vectors - self.mean) / self.scale
        for number, (weights, bias) in enumerate(self.layers):
            values = (np.maximum(values, 0) if number else values) @ weights + bias
        return values


@dataclass(frozen=True)
class Blend:
    """A weighted sum of both heads' logits. bias: (classes,)."""

    vectors: float
    ngrams: float
    bias: Floats

    def probabilities(self, vectors: Floats, ngrams: Floats) -> Floats:
        """(n, classes) that add up to 1. One column of logits stands for two classes: the second against the first."""
        logits = self.vectors * _classes(vectors) + self.ngrams * _classes(ngrams) + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: Floats = powers / powers.sum(axis=1, keepdims=True)
        return result


def _classes(logits: Floats) -> Floats:
    return np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits
