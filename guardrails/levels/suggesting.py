"""What people's decisions on reviewed texts say about the levels: a suggestion, and what it would have changed. Pure.

Only what scored between two levels was ever reviewed. Within, one can count; beyond, one can only guess, a step at a
time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guardrails.classification.classifier import Thresholds
from guardrails.levels import STEP, moved, refused

DECISIONS = 50
"""Decisions on a task without which nothing is suggested, nor any level moved."""

MISSED = 0.02
"""Share of the rejected texts that may pass unseen after a step."""

WRONG = 0.02
"""Share of approved ones among the texts that are blocked instead of reviewed after a step."""

ALIKE = 20
"""Decisions next to a level that tell how it is beyond it, and those without which it is not lowered to block more."""

MOSTLY = 0.9

GRID = 0.005


@dataclass(frozen=True)
class Decision:
    """A text's score, and whether a person rejected it (or wrote something else instead)."""

    score: float
    bad: bool


@dataclass(frozen=True)
class Effect:
    """What levels do to texts that people have decided on.

    queued: how many of them wait for a person, and how many of those are bad ones; the same of passed and blocked.
    """

    queued: int
    queued_bad: int
    passed: int
    passed_bad: int
    blocked: int
    blocked_bad: int

    @property
    def precision(self) -> float:
        """Share of the bad ones among those that wait."""
        return self.queued_bad / self.queued if self.queued else 0.0


@dataclass(frozen=True)
class Suggestion:
    """Levels for a task, what they do to the decided texts beside those that are live, and why they are suggested."""

    thresholds: Thresholds
    before: Effect
    after: Effect
    why: tuple[str, ...]


class TooFew(Exception):
    """There are not enough decisions; says how many there are and how many are needed."""


def effect(thresholds: Thresholds, decisions: Sequence[Decision]) -> Effect:
    """Count what these levels do to the decided texts."""
    counts = {action: [0, 0] for action in ("review", "pass", "block")}
    for one in decisions:
        of = counts[thresholds.action(one.score)]
        of[0] += 1
        of[1] += one.bad
    return Effect(*counts["review"], *counts["pass"], *counts["block"])


def suggest(now: Thresholds, shipped: Thresholds, decisions: Sequence[Decision]) -> Suggestion:
    """Return levels that save people decisions that always end alike; the live ones when there are none such.

    The review level rises where that spares somebody and at most `MISSED` of the rejected texts pass; it falls a step
    when nearly all just above it were rejected: there are more below. The block level falls where at most `WRONG` of
    what it newly blocks was approved; it rises a step when nearly all just below it were approved: what it blocks is
    likely to be as harmless. Never beyond what `refused` allows. Raises TooFew.
    """
    if len(decisions) < DECISIONS:
        raise TooFew(f"{len(decisions)} decisions; {DECISIONS} are needed")
    before, why = effect(now, decisions), dict[str, str]()
    waiting = _ordered(now, decisions)
    review, block = now.review, now.block
    harmless, blocked = before.passed - before.passed_bad, before.blocked
    for level in _levels(now.review, 1):
        wanted = moved(now, level, now.block)
        found = effect(wanted, decisions)
        spared = found.passed - found.passed_bad
        if spared > harmless and not (refused(now, wanted, shipped) or too_much(now, wanted, decisions)):
            review, harmless = wanted.review, spared
    if review != now.review:
        why["review"] = "approved texts just above the review level need nobody"
    elif _share(waiting[:ALIKE]) >= MOSTLY:
        review -= STEP
        why["review"] = "nearly all just above the review level was rejected: look below it"
    for level in _levels(now.block, -1):
        wanted = moved(now, now.review, level)
        found = effect(wanted, decisions)
        fresh, fresh_bad = found.blocked - before.blocked, found.blocked_bad - before.blocked_bad
        sure = fresh >= ALIKE and fresh - fresh_bad <= WRONG * fresh
        if found.blocked > blocked and sure and not refused(now, wanted, shipped):
            block, blocked = wanted.block, found.blocked
    if block != now.block:
        why["block"] = "texts just below the block level were rejected"
    elif _share(waiting[-ALIKE:]) <= 1 - MOSTLY:
        block += STEP
        why["block"] = "nearly all just below the block level was approved: look above it"
    wanted = _within(now, moved(now, review, block), shipped)
    told = tuple(reason for level, reason in why.items() if getattr(wanted, level) != getattr(now, level))
    return Suggestion(wanted, before, effect(wanted, decisions), told)


def too_much(now: Thresholds, wanted: Thresholds, decisions: Sequence[Decision]) -> str | None:
    """Return what speaks against levels because of how people decided; None when nothing does."""
    if len(decisions) < DECISIONS:
        return f"{len(decisions)} decisions; {DECISIONS} are needed"
    before, after = effect(now, decisions), effect(wanted, decisions)
    bad = sum(one.bad for one in decisions)
    if after.passed_bad > before.passed_bad and after.passed_bad > MISSED * bad:
        return f"{after.passed_bad} of {bad} rejected texts would pass; {MISSED:.0%} may"
    return None


def _levels(start: float, sign: int) -> Iterator[float]:
    """Levels in small steps away from the live one, as far as a step goes."""
    for number in range(1, round(STEP / GRID) + 1):
        yield start + sign * number * GRID


def _ordered(now: Thresholds, decisions: Sequence[Decision]) -> list[bool]:
    """Whether those that wait now were bad, by score."""
    return [one.bad for one in sorted(decisions, key=lambda one: one.score) if now.action(one.score) == "review"]


def _share(bad: Sequence[bool]) -> float:
    return sum(bad) / len(bad) if len(bad) >= ALIKE else 0.5


def _within(now: Thresholds, wanted: Thresholds, shipped: Thresholds) -> Thresholds:
    """What is wanted, as far as it is allowed: one level alone when not both, or none."""
    for review, block in ((wanted.review, wanted.block), (wanted.review, now.block), (now.review, wanted.block)):
        if refused(now, found := moved(now, review, block), shipped) is None:
            return found
    return now
