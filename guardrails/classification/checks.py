"""The classifiers as checks of `guardrails.release`. A classifier that fails raises, which refuses the unit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from guardrails.classification.classifier import Classifier, Thresholds
from guardrails.verdict import PASS, Tier, Verdict


@dataclass(frozen=True)
class ToxicityCheck:
    """Insults, hate and threats. thresholds: asked at every judgement; None: the classifier's own."""

    classifier: Classifier
    thresholds: Callable[[], Thresholds] | None = None
    tier: ClassVar[Tier] = "classifier"
    category: ClassVar[str] = "toxicity"

    def __call__(self, unit: str, evidence: Sequence[str], /) -> Verdict:
        return self.all([unit])[0]

    def all(self, units: Sequence[str]) -> list[Verdict]:
        """The verdicts on many units: cheaper than one by one."""
        texts = [unit for unit in units if unit.strip()]
        scores = dict(zip(texts, map(float, self.classifier.score(texts)), strict=True))
        thresholds = self.thresholds() if self.thresholds else self.classifier.thresholds
        verdicts = []
        for unit in units:
            score = scores.get(unit, 0.0)
            action = thresholds.action(score)
            verdicts.append(PASS if action == "pass" else Verdict(action, self.tier, (self.category,), score))
        return verdicts


@dataclass(frozen=True)
class InjectionCheck(ToxicityCheck):
    """Attempts to change the bot's instructions or to make it tell what it must not."""

    tier: ClassVar[Tier] = "injection"
    category: ClassVar[str] = "injection"
