"""How a customer's mood goes through a conversation, and when a person should take over. Pure; holds no model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["worsening", "steady", "improving"]
HandOff = Literal["", "offer", "make"]

KEPT = 0.6
"""Of what a message weighs, how much is left when the next one has come."""

CHANGE = 0.25
"""How far the level must have moved in the last two messages to have gone anywhere."""

REMEMBERED = 8
"""Messages that count; what was said before them weighs less than a fiftieth."""

_ANGRY = re.compile(
    r"[!！]{2,}|[?？][!！]|\b[A-Z]{4,}\b.*\b[A-Z]{4,}\b|\b(?i:furious|outrage(?:d|ous)?|scam(?:med|mers?)?|fraud|thie(?:f|ves)"
    r"|lawyer|sue you|court|consumer protection|disgust(?:ed|ing)|disgrace(?:ful)?|unacceptable|ridiculous|pathetic"
    r"|fed up|had enough|sick (?:and tired )?of|hate|never again|worst|so angry|drives? me (?:mad|crazy)|shame on you"
    r"|how dare you|what the hell|rubbish|garbage|useless|liars?)\b"
    r"|气死|气炸|火大|太过分|过分了|离谱|受够|忍无可忍|骗子|骗人|欺骗|无耻|恶心|垃圾|坑人|坑爹|凭什么|滚|投诉你们?|12315|消协|曝光|律师|起诉"
    r"|再也不|什么态度|破玩意|废物|没良心|差评|要疯了|逼疯|崩溃"
)


@dataclass(frozen=True)
class Mood:
    """A customer's message as it was judged. `after_answer`: the bot had answered since the message before it. `angry`:
    it is negative and more than displeased.
    """

    label: str
    score: float
    after_answer: bool = False
    angry: bool = False

    @property
    def value(self) -> float:
        """-1 (surely negative) to 1 (surely positive)."""
        return {"positive": self.score, "negative": -self.score}.get(self.label, 0.0)


@dataclass(frozen=True)
class Trend:
    """`level` is the mood now, -1 to 1. `hand_off`: whether to offer a person or to bring one in, and the `reason`:
    anger, negatives_in_a_row, negative_answer or worsening.
    """

    direction: Direction = "steady"
    level: float = 0.0
    hand_off: HandOff = ""
    reason: str = ""


def mood_of(text: str, label: str, score: float, *, after_answer: bool = False) -> Mood:
    """The mood of a message that `SentimentModel.judge` gave that label and score."""
    return Mood(label, score, after_answer, label == "negative" and bool(_ANGRY.search(text)))


def trend_of(moods: Sequence[Mood]) -> Trend:
    """The trend over a customer's messages, oldest first; the last one is to be answered now.

    A person is brought in when two messages in a row, each after an answer, are negative, or an answer has made the
    customer angry. One is offered to who comes angry, and when one answer displeased or the mood sinks.
    """
    moods = moods[-REMEMBERED:]
    level = _level(moods)
    change = level - _level(moods[:-2])
    direction: Direction = "worsening" if change <= -CHANGE else "improving" if change >= CHANGE else "steady"
    hand_off, reason = _hand_off(moods, direction)
    return Trend(direction, round(level, 4), hand_off, reason)


def _hand_off(moods: Sequence[Mood], direction: Direction) -> tuple[HandOff, str]:
    if not moods or moods[-1].label != "negative":
        return "", ""
    last = moods[-1]
    if last.angry:
        return ("make" if last.after_answer else "offer"), "anger"
    if len(moods) > 1 and all(mood.label == "negative" and mood.after_answer for mood in moods[-2:]):
        return "make", "negatives_in_a_row"
    if last.after_answer:
        return "offer", "negative_answer"
    return ("offer", "worsening") if direction == "worsening" and len(moods) > 1 else ("", "")


def _level(moods: Sequence[Mood]) -> float:
    """The mean of the messages' values, the later the heavier; 0 before the first."""
    weights = [KEPT**age for age in range(len(moods))][::-1]
    return sum(weight * mood.value for weight, mood in zip(weights, moods, strict=True)) / sum(weights or [1.0])
