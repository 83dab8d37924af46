"""Who is offered the next conversation: by skills, languages and load. An offer is no ownership: anyone may take it.

Called after every change of the queue and every few seconds; safe to run twice at once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from chatbot.models import Conversation, Handoff
from console import rules
from console.models import StaffMember

OFFER_SECONDS = 45
BATCH = 200


@dataclass(frozen=True)
class Need:
    """A conversation that waits; `asked` is the agent to whom it was offered in vain."""

    site: int
    language: str
    topic: str
    asked: int | None


@dataclass(frozen=True)
class Candidate:
    """An agent who is there; `load` counts the conversations that they have or are offered. Empty sets fit all."""

    agent: int
    sites: frozenset[int] | None
    languages: frozenset[str]
    skills: frozenset[str]
    capacity: int
    load: int


def choose(need: Need, candidates: Iterable[Candidate]) -> int | None:
    """Return the agent who fits: knows language and topic, has room, has least to do for their capacity.

    Whoever let the last offer pass comes after the others. Pure.
    """

    def fits(c: Candidate) -> bool:
        return (
            (c.sites is None or need.site in c.sites)
            and (not c.languages or need.language in c.languages)
            and (not c.skills or not need.topic or need.topic in c.skills)
            and c.load < c.capacity
        )

    def order(c: Candidate) -> tuple[bool, bool, float, int]:
        specialist = bool(need.topic) and need.topic in c.skills
        return (c.agent == need.asked, not specialist, c.load / c.capacity, c.agent)

    best = min(filter(fits, candidates), key=order, default=None)
    return best.agent if best is not None else None


def assign(present: Callable[[], frozenset[int] | None], *, now: datetime | None = None) -> list[Handoff]:
    """Offer what waits to agents who are there, oldest first; return the hand-offs that were offered anew.

    `present` returns the accounts with an open console, None when nobody knows: then nothing is offered.
    """
    now = now or timezone.now()
    ended = Q(offered_to=None) | Q(offered__lt=now - timedelta(seconds=OFFER_SECONDS))
    waiting = list(
        Handoff.objects.filter(ended, state=Handoff.State.WAITING)
        .select_related("conversation")
        .order_by("created")[:BATCH]
    )
    there = present() if waiting else None
    if not there:
        return []
    candidates = _candidates(there, now)
    offered = []
    for handoff in waiting:
        need = Need(handoff.conversation.site_id, handoff.conversation.language, handoff.topic, handoff.offered_to_id)
        agent = choose(need, candidates.values())
        if agent is None:
            continue
        # Compare and set: somebody may have taken or offered it meanwhile.
        same = Handoff.objects.filter(ended, pk=handoff.pk, state=Handoff.State.WAITING)
        if same.update(offered_to=agent, offered=now):
            offered.append(handoff)
            candidates[agent] = _busier(candidates[agent])
    return offered


def site_ids(member: StaffMember) -> frozenset[int] | None:
    """Return the sites that a member works for, None for all."""
    if rules.Role.ADMINISTRATOR in rules.roles_of(member.user):
        return None
    return frozenset(site.pk for site in member.sites.all())


def _candidates(there: frozenset[int], now: datetime) -> dict[int, Candidate]:
    members = StaffMember.objects.filter(user__in=there, available=True, user__is_active=True)
    loads = _loads([member.user_id for member in members], now)
    return {
        member.user_id: Candidate(
            agent=member.user_id,
            sites=site_ids(member),
            languages=frozenset(member.languages),
            skills=frozenset(member.skills),
            capacity=member.capacity,
            load=loads.get(member.user_id, 0),
        )
        for member in members.select_related("user").prefetch_related("sites")
        if member.capacity and rules.could(member.user, "take")
    }


def _loads(agents: Sequence[int], now: datetime) -> dict[int, int]:
    has = Conversation.objects.filter(owner=Conversation.Owner.AGENT, agent__in=agents)
    offers = Handoff.objects.filter(
        state=Handoff.State.WAITING, offered_to__in=agents, offered__gte=now - timedelta(seconds=OFFER_SECONDS)
    )
    loads: dict[int, int] = dict(has.values_list("agent").annotate(Count("id")))
    for agent, number in offers.values_list("offered_to").annotate(Count("id")):
        loads[agent] = loads.get(agent, 0) + number
    return loads


def _busier(candidate: Candidate) -> Candidate:
    return replace(candidate, load=candidate.load + 1)
