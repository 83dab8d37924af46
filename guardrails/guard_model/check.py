"""A guard model as a check of `guardrails.release`. Pure; knows nothing of where the model runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from guardrails.verdict import PASS, Verdict

Role = Literal["customer", "shop"]
"""Who says it: a customer, or whoever answers."""

Ask = Callable[[tuple[Role, str]], Verdict]
"""The model's verdict on what somebody says. Raises when there is none, or none in time."""


@dataclass(frozen=True)
class ModelCheck:
    """Asks the model about each text that says anything."""

    ask: Ask
    role: Role

    def __call__(self, unit: str, evidence: Sequence[str], /) -> Verdict:
        return self.ask((self.role, unit)) if any(one.isalnum() for one in unit) else PASS
