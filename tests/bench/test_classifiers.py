"""bench.classifiers: texts are judged as messages are."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.classifiers import scored, shares
from guardrails.classification.classifier import Thresholds
from guardrails.classification.ngrams import Floats


@dataclass
class Weigh:
    thresholds: Thresholds = field(default_factory=lambda: Thresholds(0.5, 0.5, 0.9))
    asked: list[int] = field(default_factory=list)

    def score(self, texts: Sequence[str]) -> Floats:
        self.asked.append(len(texts))
        return np.array([len(text) / 10 for text in texts], np.float32)


def test_each_text_is_judged_by_itself() -> None:
    weigh = Weigh()
    scores = scored(weigh, ["a" * 4, "b" * 6, "c" * 10])  # type: ignore[arg-type]
    assert weigh.asked == [1, 1, 1]
    assert shares(weigh, scores) == (2 / 3, 1 / 3)  # type: ignore[arg-type]
