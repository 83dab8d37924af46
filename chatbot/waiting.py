"""How long customers wait for a person: their place in the site's queue, and what measured waits let one expect.

Nothing is invented: too few measured waits, or nobody at a console, and the time is unknown. Reads only.
"""

import math
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Literal

from django.db.models import Q
from django.utils import timezone

from chatbot import sites, wording
from chatbot.hours import Hours
from chatbot.models import Handoff, Site
from chatbot.presence import Presence
from chatbot.turn import Language

MEASURED_DAYS = 7
MOST_MEASURED = 50
FEWEST_MEASURED = 5
TOGETHER = timedelta(minutes=30)
"""Agents who took conversations within this time of each other worked side by side."""
KEPT_SECONDS = 60
MOST_WAITING = 10_000


@dataclass(frozen=True)
class Standing:
    """Where a customer stands. `place` counts from 1; `seconds` is what is left to wait, `opens` when people are back,
    `people` whether agents are at their consoles; None is unknown, or does not apply.
    """

    state: Literal["waiting", "message", "taken", "none"] = "none"
    place: int | None = None
    seconds: int | None = None
    opens: datetime | None = None
    people: bool | None = None

    def payload(self) -> dict[str, Any]:
        """Return the fields of the `waiting` frame."""
        opens = self.opens.isoformat() if self.opens is not None else None
        return {
            "state": self.state, "place": self.place, "seconds": self.seconds, "opens": opens, "people": self.people,
        }  # fmt: skip


NONE = Standing()


def sentence(standing: Standing, language: Language, now: datetime) -> str:
    """Return what the customer is told of their standing, "" where there is nothing to tell. Pure."""
    if standing.state == "waiting" and standing.place is not None:
        if standing.seconds is None:
            return wording.say(
                "waiting.nobody" if standing.people is False else "waiting.unknown", language, place=standing.place
            )
        minutes = max(1, math.ceil(standing.seconds / 60))
        return wording.say(
            "waiting.minutes" if minutes <= 60 else "waiting.long", language, place=standing.place, minutes=minutes
        )
    if standing.state != "message":
        return ""
    if standing.opens is None:
        return wording.say("waiting.closed", language)
    return wording.say("waiting.closed_until", language, opening=wording.moment(standing.opens, now, language))


@dataclass(frozen=True)
class Pace:
    """How fast a site's queue has moved: seconds for each place, and with how many agents."""

    seconds: float
    agents: float


@dataclass(frozen=True)
class Wait:
    """One measured wait."""

    since: datetime
    taken: datetime
    agent: int | None


def place(handoff: Handoff) -> int:
    """Return the hand-off's place in the queue of its site, from 1."""
    before = Q(created__lt=handoff.created) | Q(created=handoff.created, pk__lt=handoff.pk)
    site = handoff.conversation.site_id
    return Handoff.objects.filter(before, conversation__site=site, state=Handoff.State.WAITING).count() + 1


def expected_seconds(site: Site, place: int, agents: int | None) -> float | None:
    """Return how long the customer in this place may expect to wait; None: nobody can say.

    `agents` is how many are there now, None when that is unknown: then as many as usual.
    """
    return expect(pace(measured_waits(site)), place, agents)


def measured_waits(site: Site, now: datetime | None = None) -> list[Wait]:
    """Return the last waits for a person on this site, newest first; without those that an agent ended by stepping in
    unasked, and those that began outside the site's hours.
    """
    since = (now or timezone.now()) - timedelta(days=MEASURED_DAYS)
    rows = (
        Handoff.objects.filter(conversation__site=site, taken__gte=since)
        .exclude(reason="agent")
        .order_by("-taken")
        .values_list("created", "taken", "agent")[:MOST_MEASURED]
    )
    hours = sites.hours_of(site)
    return [
        Wait(created, taken, agent)
        for created, taken, agent in rows
        if taken is not None and (hours is None or hours.is_open(created))
    ]


def pace(waits: Sequence[Wait]) -> Pace | None:
    """Return the median time that each place of the queue took, None when too few waits are known. Pure."""
    if len(waits) < FEWEST_MEASURED:
        return None
    return Pace(
        median((wait.taken - wait.since).total_seconds() / _place_then(wait, waits) for wait in waits),
        median(_agents_then(wait, waits) for wait in waits),
    )


def expect(pace: Pace | None, place: int, agents: int | None) -> float | None:
    """Return the expected wait in seconds: more agents than usual are faster, fewer slower, none unknown. Pure."""
    if pace is None or agents == 0:
        return None
    return pace.seconds * place * (1.0 if agents is None else pace.agents / agents)


def _place_then(wait: Wait, waits: Iterable[Wait]) -> int:
    return 1 + sum(other.since < wait.since < other.taken for other in waits)


def _agents_then(wait: Wait, waits: Iterable[Wait]) -> int:
    return len({other.agent for other in waits if abs(other.taken - wait.taken) <= TOGETHER})


@dataclass(frozen=True)
class _Site:
    hours: Hours | None
    pace: Pace | None
    until: float


class Board:
    """Where the customers of a site stand: one query for all of them; hours and pace are read once a minute."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._sites: dict[int, _Site] = {}

    def look(self, site: int, conversations: Iterable[uuid.UUID]) -> dict[uuid.UUID, Standing]:
        """Return the standings of those of the conversations that have an open hand-off. Raises Site.DoesNotExist."""
        asked = list(conversations)
        rows = (
            Handoff.objects.filter(Q(state=Handoff.State.WAITING) | Q(conversation__in=asked), conversation__site=site)
            .exclude(state=Handoff.State.ENDED)
            .order_by("created", "id")
            .values_list("conversation", "state")[:MOST_WAITING]
        )
        states = dict(rows)
        queue = [conversation for conversation, state in states.items() if state == Handoff.State.WAITING]
        places = {conversation: number for number, conversation in enumerate(queue, start=1)}
        found = [conversation for conversation in asked if conversation in states]
        if not found:
            return {}
        known = self._known(site)
        agents = self._presence.agents(site)
        return {c: _standing(states[c], places.get(c), known, agents) for c in found}

    def _known(self, site: int) -> _Site:
        known = self._sites.get(site)
        if known is None or time.monotonic() > known.until:
            row = Site.objects.get(pk=site)
            known = _Site(sites.hours_of(row), pace(measured_waits(row)), time.monotonic() + KEPT_SECONDS)
            self._sites[site] = known
        return known


def _standing(state: str, place: int | None, site: _Site, agents: frozenset[int] | None) -> Standing:
    people = None if agents is None else bool(agents)
    if place is not None:
        seconds = expect(site.pace, place, None if agents is None else len(agents))
        return Standing("waiting", place, None if seconds is None else round(seconds), people=people)
    if state == Handoff.State.MESSAGE:
        now = timezone.now()
        opens = site.hours.next_opening(now) if site.hours is not None and not site.hours.is_open(now) else None
        return Standing("message", opens=opens, people=people)
    return Standing("taken", people=people)
