"""The values that flow along the pipeline. Pure: no Django, no Celery, no torch."""

import math
from dataclasses import dataclass, field
from typing import Literal

from guardrails.release import Released
from guardrails.verdict import Verdict

Language = Literal["zh", "en"]
Role = Literal["customer", "bot", "agent"]
Outcome = Literal["faq", "answered", "refused", "review", "handed_off", "chitchat"]
Stage = Literal["searching", "checking", "writing"]
Interruption = Literal["", "stopped", "timeout", "lost"]
"""Why an answer should end now; empty: it should not."""


@dataclass(frozen=True)
class Utterance:
    """Something said earlier in the conversation; personal data is masked. `outcome` is how the bot's turn ended, ""
    where that is not known.
    """

    role: Role
    text: str
    outcome: str = ""


@dataclass(frozen=True)
class Turn:
    """What is to be answered: the customer's open messages, masked and joined by newlines, with so many files, and what
    was said before. `persona` is the site's manner of speaking. `approved` says that a person lets the text pass:
    review does not stop it again, a block does. What is kept of the answer is forgotten with `conversation`, its id.
    After `deadline`, on the monotonic clock, an answer comes too late.
    """

    text: str
    language: Language
    history: tuple[Utterance, ...] = ()
    files: int = 0
    persona: str = ""
    approved: bool = False
    conversation: str = ""
    deadline: float = math.inf


@dataclass(frozen=True)
class Source:
    """A passage that the reply cites, numbered as `[1]`, `[2]` … in its text."""

    number: int
    document: str
    ref: str
    heading: str
    excerpt: str


@dataclass(frozen=True)
class Progress:
    """The pipeline has entered a stage; shown to the customer while they wait."""

    stage: Stage


@dataclass(frozen=True)
class Part:
    """One more released unit of the reply. Takes only what release has passed."""

    unit: Released


@dataclass(frozen=True)
class Conclusion:
    """The last thing that a turn yields: its outcome and the whole reply, which replaces all parts shown before.

    `record` is what the ledger keeps. Of a reply that waits for review, `held` is what release has not passed: for the
    reviewer, never for the customer or a log; its sources wait with it.
    """

    outcome: Outcome
    reason: str
    units: tuple[Released, ...]
    sources: tuple[Source, ...] = ()
    record: "Record" = field(default_factory=lambda: Record())
    held: str = field(default="", repr=False)


@dataclass(frozen=True)
class Record:
    """Why the reply says what it says: the ledger's row. `understanding`: which classifier said what is wanted;
    `degraded`: a better engine was down or full.
    """

    intent: str = ""
    sentiment: str = ""
    understanding: str = ""
    question: str = ""
    engine: str = ""
    prompt_version: str = ""
    degraded: bool = False
    prompt_tokens: int = 0
    reply_tokens: int = 0
    knowledge_version: int = 0
    confidence: float = 0.0
    passages: tuple[tuple[int, float], ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    milliseconds: dict[str, float] = field(default_factory=dict)


TurnEvent = Progress | Part | Conclusion
