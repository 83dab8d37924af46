"""The classifiers as checks of `guardrails.release`. A classifier that fails raises, which refuses the unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from guardrails.classification.classifier import Classifier
from guardrails.verdict import PASS, Tier, Verdict


@dataclass(frozen=True)
class ToxicityCheck:
    """Insults, hate and threats."""

    classifier: Classifier
    tier: ClassVar[Tier] = "classifier"
    category: ClassVar[str] = "toxicity"

    def __call__(self, unit: str, evidence: Sequence[str], /) -> Verdict:
        return self.all([unit])[0]

    def all(self, units: Sequence[str]) -> list[Verdict]:
        """The verdicts on many units: cheaper than one by one."""
        texts = [unit for unit in units if unit.strip()]
        judged = dict(zip(texts, self.classifier.verdicts(texts), strict=True))
        verdicts = []
        for unit in units:
            action, score = judged.get(unit, ("pass", 0.0))
            verdicts.append(PASS if action == "pass" else Verdict(action, self.tier, (self.category,), score))
        return verdicts


@dataclass(frozen=True)
class InjectionCheck(ToxicityCheck):
    """Attempts to change the bot's instructions or to make it tell what it must not."""

    tier: ClassVar[Tier] = "injection"
    category: ClassVar[str] = "injection"
