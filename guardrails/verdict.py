"""What a check says of a text. Knows nothing of who asks."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["pass", "review", "block"]
Tier = Literal["lexicon", "classifier", "injection", "leak", "grounding", "model"]


@dataclass(frozen=True)
class Verdict:
    """One judgement: what to do, which tier said so, the categories that fired, and how sure it is (0 to 1)."""

    action: Action
    tier: Tier | None = None
    categories: tuple[str, ...] = ()
    score: float = 0.0


STRICTNESS: dict[Action, int] = {"pass": 0, "review": 1, "block": 2}
PASS = Verdict("pass")
GUARD_FAILED = "guard_failed"
"""The category of a block that is nobody's judgement: a guard broke or was late."""
