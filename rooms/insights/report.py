"""Rates, made of what figures.py counts, beside those of the period before. Pure: knows no database and no page."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rooms.insights.figures import ANSWERS, Engine, Facts

ENOUGH = 20
"""Below so many, a rate says more about chance than about the shop."""
Unit = Literal["count", "share", "seconds", "score", "money"]


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, read and written; 0: not known."""

    prompt: float = 0.0
    reply: float = 0.0
    currency: str = ""

    def of(self, engines: Iterable[Engine]) -> float:
        """Return what these engines' tokens cost."""
        return sum(one.prompt_tokens * self.prompt + one.reply_tokens * self.reply for one in engines) / 1e6


@dataclass(frozen=True)
class Value:
    """A number and how many cases stand behind it; None where there is none."""

    number: float | None
    n: int

    @property
    def sure(self) -> bool:
        """Whether it may be shown as a finding."""
        return self.number is not None and self.n >= ENOUGH


@dataclass(frozen=True)
class Figure:
    """One figure of the page. `code` names its words and its definition; `better` is 1 where more is better, -1 where
    less is, 0 where neither. A count is always sure.
    """

    code: str
    unit: Unit
    now: Value
    before: Value = field(default_factory=lambda: Value(None, 0))
    better: int = 0

    @property
    def sure(self) -> bool:
        return self.now.number is not None and (self.unit == "count" or self.now.sure)

    @property
    def change(self) -> float | None:
        """How far it moved: percentage points of a share, else per cent; None where either side says too little."""
        if not (self.now.sure and self.before.sure) or self.now.number is None or self.before.number is None:
            return None
        if self.unit == "share":
            return 100 * (self.now.number - self.before.number)
        return 100 * (self.now.number / self.before.number - 1) if self.before.number else None

    @property
    def good(self) -> bool | None:
        """Whether the change is one for the better; None where nothing can be said."""
        change = self.change
        return None if not self.better or change is None or abs(change) < 0.05 else change * self.better > 0


@dataclass(frozen=True)
class Group:
    """Figures that belong together; `code` names the heading."""

    code: str
    figures: tuple[Figure, ...]


def groups(now: Facts, before: Facts, prices: Prices) -> list[Group]:
    """Return all figures of the page."""

    def figure(code: str, unit: Unit, of: Callable[[Facts], Value], better: int = 0) -> Figure:
        return Figure(code, unit, of(now), of(before), better)

    cost = (
        [
            figure("cost", "money", lambda f: Value(prices.of(f.engines), len(f.engines) and replies(f))),
            figure("cost_resolved", "money", lambda f: _per(prices.of(f.engines), f.visits.resolved), -1),
        ]
        if prices.prompt or prices.reply
        else []
    )
    return [
        Group(
            "served",
            (
                figure("visits", "count", lambda f: Value(f.visits.visits, f.visits.visits)),
                figure("deflection", "share", lambda f: share(f.visits.alone, f.visits.cases), 1),
                figure("resolution", "share", lambda f: share(f.visits.resolved, f.visits.cases), 1),
                figure("automation", "share", lambda f: share(f.visits.resolved_alone, f.visits.cases), 1),
                figure("durable", "share", lambda f: share(f.visits.durable, f.visits.judged), 1),
            ),
        ),
        Group(
            "pleased",
            (
                figure("csat", "share", lambda f: share(f.ratings.good, f.ratings.n), 1),
                figure("csat_mean", "score", lambda f: Value(f.ratings.mean, f.ratings.n), 1),
                figure("csat_response", "share", lambda f: share(f.ratings.n, f.visits.over), 1),
                figure("thumbs", "share", lambda f: share(f.thumbs["up"], f.thumbs["up"] + f.thumbs["down"]), 1),
            ),
        ),
        Group(
            "speed",
            (
                figure("bot_p50", "seconds", lambda f: Value(f.first_text.p50, f.first_text.n), -1),
                figure("bot_p95", "seconds", lambda f: Value(f.first_text.p95, f.first_text.n), -1),
                figure("taken_p50", "seconds", lambda f: Value(f.waiting.taken.p50, f.waiting.taken.n), -1),
                figure("person_p50", "seconds", lambda f: Value(f.waiting.answered.p50, f.waiting.answered.n), -1),
                figure("person_p95", "seconds", lambda f: Value(f.waiting.answered.p95, f.waiting.answered.n), -1),
                figure("in_time", "share", lambda f: share(f.waiting.in_time, f.waiting.due), 1),
            ),
        ),
        Group(
            "answers",
            (
                figure(
                    "unanswered", "share", lambda f: share(f.outcomes.get(("handed_off", "no_answer"), 0), asked(f)), -1
                ),
                figure("cached", "share", lambda f: share(cached(f), answered(f)), 1),
                figure("degraded", "share", lambda f: share(sum(e.degraded for e in f.engines), written(f)), -1),
            ),
        ),
        Group(
            "cost",
            (
                figure("tokens", "count", lambda f: Value(tokens(f), replies(f))),
                figure("tokens_resolved", "score", lambda f: _per(tokens(f), f.visits.resolved), -1),
                *cost,
            ),
        ),
    ]


def share(part: int, whole: int) -> Value:
    """Return what part of the whole it is, 0 to 1."""
    return Value(part / whole if whole else None, whole)


def _per(amount: float, n: int) -> Value:
    return Value(amount / n if n else None, n)


def replies(facts: Facts) -> int:
    """Return how many replies the ledger knows."""
    return sum(one.replies for one in facts.engines)


def tokens(facts: Facts) -> int:
    """Return all tokens, read and written."""
    return sum(one.prompt_tokens + one.reply_tokens for one in facts.engines)


def asked(facts: Facts) -> int:
    """Return how many replies there were to more than small talk."""
    return sum(n for (outcome, _), n in facts.outcomes.items() if outcome != "chitchat")


def answered(facts: Facts) -> int:
    """Return how many replies answered from documents."""
    return sum(n for (outcome, _), n in facts.outcomes.items() if outcome in ANSWERS)


def cached(facts: Facts) -> int:
    """Return how many replies were kept answers."""
    return sum(one.replies for one in facts.engines if one.name.startswith("cache-"))


def written(facts: Facts) -> int:
    """Return how many replies an engine wrote."""
    return sum(one.replies for one in facts.engines if one.name and not one.name.startswith("cache-"))


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return what was counted, the most first; nothing that did not happen."""
    return sorted(((name, n) for name, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0]))
