"""What a message wants and how its customer feels, before anything is looked up. Pure; knows no tables and no model.

The rules of by_rule.py come first, as what they explain is certain; the classifier is asked about the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chatbot.by_rule import Ruled
from chatbot.shaping import moods_of
from chatbot.turn import Language, Turn
from understanding.intents.routing import Behaviour, Understood
from understanding.sentiment.trend import Trend, trend_of

Judge = Callable[[Sequence[str]], Sequence[tuple[str, float]]]
"""Texts to the sentiment of each, with its probability."""

_BY_RULE = {"greeting": "small_talk", "thanks_goodbye": "small_talk", "human_agent": "human"}


class Standalone(Protocol):
    """Makes a follow-up question stand alone, given the customer's earlier messages in order."""

    def __call__(self, question: str, asked_before: Sequence[str], /) -> str: ...


@dataclass(frozen=True)
class Heard:
    """A message, understood. `question` stands alone; `does` is what its intent leads to. `version` names the
    classifier, "" where the rules alone decided.
    """

    intent: str
    question: str
    does: Behaviour = field(default_factory=Behaviour)
    sentiment: str = "neutral"
    trend: Trend = field(default_factory=Trend)
    version: str = ""

    @property
    def filters(self) -> Mapping[str, str]:
        """What passages' metadata must have."""
        return self.does.filter


@dataclass(frozen=True)
class Listener:
    """Understands one message at a time. `intents` returns what one text wants, and the name of who says so."""

    rules: Callable[[str, Language], Ruled]
    standalone: Standalone
    intents: Callable[[str], tuple[Understood, str]]
    judge: Judge

    def __call__(self, text: str, turn: Turn) -> Heard:
        """Understand `text`, the screened message of a turn."""
        rule = self.rules(text, turn.language)
        if rule.intent in _BY_RULE:
            return Heard(rule.intent, rule.question, Behaviour(route=_BY_RULE[rule.intent]))  # type: ignore[arg-type]
        earlier = tuple(said.text for said in turn.history if said.role == "customer")
        question = self.standalone(rule.question, earlier)
        moods = moods_of(turn.history, text, self.judge)
        wants, version = self.intents(rule.question or text)
        return Heard(wants.intent, question, wants.does, moods[-1].label, trend_of(moods), version)
