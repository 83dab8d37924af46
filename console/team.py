"""Who works here now and what they have to do, and what waits. Reads only; four queries, whatever the team's size."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, F, Min, Q

from chatbot.models import Conversation, Handoff, Site
from chatbot.ownership import shown_name
from console.assignment import OFFER_SECONDS
from console.rules import AGENTS, Role, roles_of

MOST_PEOPLE = 500


def team(sites: Iterable[int] | None, *, present: frozenset[int] | None, now: datetime) -> dict[str, Any]:
    """Return protocol.py's `people` and `queue` of these sites (None: all).

    `present` are the accounts with an open console, None when nobody knows.
    """
    asked = None if sites is None else frozenset(sites)
    users = (
        User.objects.filter(Q(staff_member__isnull=False) | Q(is_superuser=True), is_active=True)
        .select_related("staff_member")
        .prefetch_related("staff_member__sites")
        .order_by("username")[:MOST_PEOPLE]
    )
    people = [person for person in (_person(user, asked) for user in users) if person is not None]
    load = dict(
        Conversation.objects.filter(owner=Conversation.Owner.AGENT)
        .order_by()
        .values_list("agent")
        .annotate(Count("id"))
    )
    fresh = Q(state=Handoff.State.WAITING, offered__gte=now - timedelta(seconds=OFFER_SECONDS))
    offered = dict(Handoff.objects.filter(fresh).order_by().values_list("offered_to").annotate(Count("id")))
    recent = Handoff.objects.filter(taken__gte=now - timedelta(days=1))
    taken = dict(recent.order_by().values_list("agent").annotate(Count("id")))
    for person in people:
        account = person.pop("account")
        person |= {
            "load": load.get(account, 0),
            "offered": offered.get(account, 0),
            "taken": taken.get(account, 0),
            "here": None if present is None else account in present,
        }
    return {"people": people, "queue": _queue(asked)}


def _person(user: User, asked: frozenset[int] | None) -> dict[str, Any] | None:
    """Return what does not change by the minute; None for who takes no conversations of the sites asked for."""
    roles = roles_of(user)
    if not roles & AGENTS:
        return None
    member = getattr(user, "staff_member", None)
    sites = (
        None if Role.ADMINISTRATOR in roles else {site.pk: site.key for site in member.sites.all()} if member else {}
    )
    if sites is not None and asked is not None and not asked & sites.keys():
        return None
    return {
        "account": user.pk,
        "user": user.get_username(),
        "name": shown_name(user),
        "roles": sorted(roles),
        "sites": None if sites is None else sorted(key for pk, key in sites.items() if asked is None or pk in asked),
        "languages": member.languages if member else [],
        "skills": member.skills if member else [],
        "capacity": member.capacity if member else 0,
        "available": bool(member and member.available),
    }


def _queue(asked: frozenset[int] | None) -> list[dict[str, Any]]:
    sites = Site.objects.all() if asked is None else Site.objects.filter(pk__in=asked)
    waiting, left = Q(state=Handoff.State.WAITING), Q(state=Handoff.State.MESSAGE)
    rows = (
        Handoff.objects.filter(waiting | left, conversation__site__in=sites)
        .order_by()
        .values(site=F("conversation__site__key"), within=F("conversation__site__answer_within"))
        .annotate(
            waiting=Count("id", filter=waiting),
            message=Count("id", filter=left),
            since=Min("created", filter=waiting),
        )
    )
    return [{**row, "since": row["since"] and row["since"].isoformat()} for row in rows]
