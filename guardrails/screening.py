"""Judges a text that is there as a whole: a customer's message, a draft reply, a retrieved document. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from guardrails.lexicon import Lexicon
from guardrails.release import Check, Release, Withheld, guarded, judge_unit, strictest
from guardrails.units import split_units
from guardrails.verdict import PASS, Action, Tier, Verdict

Direction = Literal["in", "out"]
Judge = Callable[[Sequence[str], Lexicon], list[Verdict]]
"""A verdict for each sentence of a document, in order (guardrails.quarantine.DocumentGuard.judge)."""

SENTENCE = 400
"""Code points of a document's sentence; a longer one is cut."""


@dataclass(frozen=True, slots=True)
class Screened:
    """A verdict, and as much of the text as may be shown: all of it, a part, or ""."""

    verdict: Action
    tier: Tier | None
    categories: tuple[str, ...]
    score: float
    release: str

    @classmethod
    def of(cls, verdict: Verdict, release: str = "") -> "Screened":
        """A verdict with what may be shown in spite of it."""
        return cls(verdict.action, verdict.tier, verdict.categories, verdict.score, release)


@dataclass(frozen=True, slots=True)
class ScreenedMessage:
    """A customer's message with the guards' verdict on it."""

    text: str
    verdict: Verdict


def screen(
    text: str,
    direction: Direction,
    document: bool = False,
    *,
    lexicon: Lexicon,
    checks: Sequence[Check] = (),
    judge: Judge | None = None,
) -> Screened:
    """Return the verdict on `text` and what of it may be shown.

    "in": the strictest verdict of the whole; what does not pass is not released.
    "out": as the stream would have it. On review the units before stay, as they would on the customer's screen; on
    block nothing does, since a refusal takes the reply's place.
    document: retrieved text, in either direction; the strictest verdict, and the text without the sentences that do not
    pass. They are judged by `judge`, as documents are when they come in, or else one by one by `checks`.
    """
    if document:
        verdict, release = _of_sentences(text, lexicon, checks, judge)
    elif direction == "in":
        verdict = screen_message(text, lexicon, checks).verdict
        release = text if verdict.action == "pass" else ""
    else:
        verdict, release = _as_streamed(text, Release(lambda: lexicon, checks))
    return Screened.of(verdict, release)


def screen_message(text: str, lexicon: Lexicon, checks: Sequence[Check] = ()) -> ScreenedMessage:
    """Return the customer's message with the strictest verdict on it as a whole. A guard that fails blocks."""
    verdict = guarded(lambda: lexicon.judge(text), "lexicon")
    if verdict.action != "block":
        said = "\n".join(dict.fromkeys(text.split("\n")))  # who repeats a question is impatient, nothing worse
        verdict = strictest((verdict, judge_unit(said, (), checks)))
    return ScreenedMessage(text, verdict)


def _as_streamed(text: str, release: Release) -> tuple[Verdict, str]:
    shown: list[str] = []
    for unit in release.stream((text,)):
        if isinstance(unit, Withheld):
            return unit.verdict, "".join(shown) if unit.verdict.action == "review" else ""
        shown.append(unit.text)
    return PASS, "".join(shown)


def _of_sentences(text: str, lexicon: Lexicon, checks: Sequence[Check], judge: Judge | None) -> tuple[Verdict, str]:
    """The strictest verdict, and the sentences that pass, joined; "" when joined they do not."""

    def judged(sentences: Sequence[str]) -> list[Verdict]:
        if judge is not None:
            found: list[Verdict] = []

            def judge_all() -> Verdict:
                found.extend(judge(sentences, lexicon))
                return PASS

            failed = guarded(judge_all)
            return found if failed == PASS else [failed] * len(sentences)
        return [
            strictest((guarded(lambda one=one: lexicon.judge(one), "lexicon"), judge_unit(one, (), checks)))  # type: ignore[misc]
            for one in sentences
        ]

    sentences = list(split_units((text,), SENTENCE))
    verdicts = judged(sentences)
    whole = strictest([guarded(lambda: lexicon.judge(text), "lexicon"), *verdicts])
    if whole.action == "pass":
        return whole, text
    kept = [one for one, verdict in zip(sentences, verdicts, strict=True) if verdict.action == "pass"]
    again = [guarded(lambda: lexicon.judge("".join(kept)), "lexicon"), *judged(kept)]
    return whole, "".join(kept) if strictest(again).action == "pass" else ""
