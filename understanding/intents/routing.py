"""What is done about an intent: its label's settings, and how sure one must be to do it. Pure; knows no tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from understanding.intents.classifier import IntentClassifier
from understanding.intents.decision import OOS, Intent
from understanding.intents.letters import Floats

Route = Literal["small_talk", "human", "search", "refuse"]
Tone = Literal["plain", "warm", "sorry", "exact"]
ROUTES: tuple[Route, ...] = get_args(Route)
TONES: tuple[Tone, ...] = get_args(Tone)


@dataclass(frozen=True)
class Behaviour:
    """What a label does. replies: by language; empty: the bot's own words. filter: what passages' metadata must have.

    temperature: of decoding.
    """

    route: Route = "search"
    replies: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    filter: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tone: Tone = "plain"
    temperature: float = 0.3


@dataclass(frozen=True)
class Understood:
    """What a message wants, and what is done about it. intent: a label, or `oos`; score: its probability."""

    intent: str
    score: float
    does: Behaviour

    @property
    def oos(self) -> bool:
        """Whether no label fits."""
        return self.intent == OOS


@dataclass(frozen=True)
class Understanding:
    """A classifier and what its labels do. Immutable, so threads may share it; `version` is for the ledger."""

    classifier: IntentClassifier
    behaviours: Mapping[str, Behaviour]
    version: str

    def __call__(self, text: str, vector: Floats) -> Understood:
        """What one text wants; `vector` is its own, (d,), from the classifier's encoder."""
        return self.all([text], vector[None, :])[0]

    def all(self, texts: Sequence[str], vectors: Floats) -> list[Understood]:
        """The same for many texts; vectors: (n, d)."""
        return [self.act(intent) for intent in self.classifier.classify(texts, vectors)]

    def act(self, intent: Intent) -> Understood:
        """What is done about an intent.

        Only one that is sure leads away from the search or narrows it: a question taken for small talk is worse than
        small talk that is searched for. A tone or a temperature does little harm.
        """
        does = self.behaviours.get(intent.label, Behaviour())
        if not intent.sure and (does.route != "search" or does.filter):
            does = Behaviour(tone=does.tone, temperature=does.temperature)
        return Understood(intent.label, intent.score, does)


def groups(behaviours: Mapping[str, Behaviour]) -> dict[str, str]:
    """Labels that may be taken for one another, as both lead to the same place; see `Decision`."""
    return {label: does.route for label, does in behaviours.items() if does.route in ("small_talk", "human", "refuse")}
