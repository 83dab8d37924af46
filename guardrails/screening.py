"""Judges a text that is there as a whole: a customer's message, a draft reply, a retrieved document. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from guardrails.lexicon import Lexicon
from guardrails.release import Check, Release, Withheld, guarded, judge_unit
from guardrails.units import split_units
from guardrails.verdict import PASS, Action, Tier, Verdict

Direction = Literal["in", "out"]

_STRICTNESS: dict[Action, int] = {"pass": 0, "review": 1, "block": 2}


@dataclass(frozen=True, slots=True)
class Screened:
    """A verdict, and as much of the text as may be shown: all of it, a part, or ""."""

    verdict: Action
    tier: Tier | None
    categories: tuple[str, ...]
    score: float
    release: str


@dataclass(frozen=True, slots=True)
class ScreenedMessage:
    """A customer's message with the guards' verdict on it."""

    text: str
    verdict: Verdict


def screen(
    text: str, direction: Direction, document: bool = False, *, lexicon: Lexicon, checks: Sequence[Check] = ()
) -> Screened:
    """Return the verdict on `text` and what of it may be shown.

    "in": the strictest verdict of the whole; what does not pass is not released.
    "out": as the stream would have it. On review the units before stay, as they would on the customer's screen; on
    block nothing does, since a refusal takes the reply's place.
    document: retrieved text, in either direction; the strictest verdict, and the text without the sentences that do not
    pass.
    """
    if document:
        verdict = _strictest(text, lexicon, checks)
        release = text if verdict.action == "pass" else _without_offenders(text, lexicon, checks)
    elif direction == "in":
        verdict = screen_message(text, lexicon, checks).verdict
        release = text if verdict.action == "pass" else ""
    else:
        verdict, release = _as_streamed(text, Release(lambda: lexicon, checks))
    return Screened(verdict.action, verdict.tier, verdict.categories, verdict.score, release)


def screen_message(text: str, lexicon: Lexicon, checks: Sequence[Check] = ()) -> ScreenedMessage:
    """Return the customer's message with the strictest verdict on it as a whole. A guard that fails blocks."""
    verdict = guarded(lambda: lexicon.judge(text), "lexicon")
    if verdict.action != "block":
        said = "\n".join(dict.fromkeys(text.split("\n")))  # who repeats a question is impatient, nothing worse
        found = (verdict, judge_unit(said, (), checks))
        verdict = max(found, key=lambda one: _STRICTNESS[one.action])
    return ScreenedMessage(text, verdict)


def _as_streamed(text: str, release: Release) -> tuple[Verdict, str]:
    shown: list[str] = []
    for unit in release.stream((text,)):
        if isinstance(unit, Withheld):
            return unit.verdict, "".join(shown) if unit.verdict.action == "review" else ""
        shown.append(unit.text)
    return PASS, "".join(shown)


def _strictest(text: str, lexicon: Lexicon, checks: Sequence[Check]) -> Verdict:
    def verdicts() -> Iterator[Verdict]:
        yield guarded(lambda: lexicon.judge(text), "lexicon")
        if checks:
            for unit in split_units((text,)):
                yield judge_unit(unit, (), checks)

    return max(verdicts(), key=lambda verdict: _STRICTNESS[verdict.action])


def _without_offenders(text: str, lexicon: Lexicon, checks: Sequence[Check]) -> str:
    """Return the units that pass, joined; "" when the joined text does not."""
    units = split_units((text,))
    kept = "".join(unit for unit in units if _strictest(unit, lexicon, checks).action == "pass")
    return kept if _strictest(kept, lexicon, checks).action == "pass" else ""
