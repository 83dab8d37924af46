"""From a classifier's scores to what is said: a label with its probability, or out of scope. Pure; numpy alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from understanding.intents.letters import Floats

OOS = "oos"
"""Out of scope: the text wants nothing that any label stands for."""

NEVER = 1.01
"""A threshold that no probability reaches."""


@dataclass(frozen=True)
class Intent:
    """What one text wants.

    label: `OOS`, or the likeliest label. score: its probability. nearest: the likeliest label, also out of scope. sure:
    whether so high a score was right often enough (see `Decision.sure`) to act on without asking.
    """

    label: str
    score: float
    nearest: str
    sure: bool

    @property
    def oos(self) -> bool:
        """Whether no label fits."""
        return self.label == OOS


@dataclass(frozen=True)
class Decision:
    """How scores are read. All of it was fitted on scores of rows that the classifier had not seen.

    heat: factor of the scores under which softmax gives probabilities. slope, offset: of the logistic curve from a
    text's highest score to the probability that it is in scope. scope: least such probability that gets a label.
    groups: of labels that may be taken for one another (two kinds of small talk, say) the group's name. sure: of each
    label the least probability, its group's together, at which it was right often enough.
    """

    heat: float
    slope: float
    offset: float
    scope: float
    sure: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def probabilities(self, scores: Floats) -> Floats:
        """(n, labels) that add up to 1."""
        powers = np.exp(self.heat * (scores - scores.max(axis=1, keepdims=True)))
        result: Floats = powers / powers.sum(axis=1, keepdims=True)
        return result

    def in_scope(self, scores: Floats) -> Floats:
        """The probability that each text is in scope, (n,)."""
        result: Floats = 1 / (1 + np.exp(-np.clip(self.slope * scores.max(axis=1) + self.offset, -60, 60)))
        return result

    def grouped(self, probabilities: Floats, labels: tuple[str, ...]) -> Floats:
        """The same shape: of each label the probability of all of its group together."""
        names = [self.groups.get(label, label) for label in labels]
        same = np.array([[one == other for other in names] for one in names], np.float32)
        result: Floats = probabilities @ same
        return result

    def read(self, scores: Floats, labels: tuple[str, ...]) -> list[Intent]:
        """What each text wants, of scores of shape (n, labels)."""
        if not len(scores):
            return []
        likely, inside = self.probabilities(scores), self.in_scope(scores)
        found = []
        for row, together, known in zip(likely, self.grouped(likely, labels), inside, strict=True):
            label = labels[best := int(row.argmax())]
            if known < self.scope:
                found.append(Intent(OOS, 1 - float(known), label, False))
            else:
                sure = bool(together[best] >= self.sure.get(label, NEVER))
                found.append(Intent(label, float(row[best]), label, sure))
        return found
