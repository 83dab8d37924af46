"""What consoles show. All texts are masked. Every list costs the same queries, whatever its length."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from chatbot.models import Conversation, Handoff, Message, Review
from console.models import Note
from console.protocol import View

PAGE = 50
PREVIEW = 160
CONTEXT = 6
"""Messages before and after, that a reviewer sees."""


@dataclass(frozen=True)
class Page:
    """Rows, newest first; `more` is where the next page begins, None after the last."""

    rows: tuple[dict[str, Any], ...]
    more: str | None


def inbox(user: User, sites: Iterable[int] | None, view: View, *, site: str = "", before: str = "") -> Page:
    """Return a page of the conversations of these sites (None: all). A `before` that is none of ours counts as none."""
    found = _in_view(Conversation.objects.all(), view, user)
    if sites is not None:
        found = found.filter(site__in=sites)
    if site:
        found = found.filter(site__key=site)
    at, _, last = before.partition(" ")
    try:
        since, last_id = datetime.fromisoformat(at).astimezone(UTC), uuid.UUID(last)
    except (ValueError, OverflowError):
        since, last_id = None, None
    if since is not None and last_id is not None:
        found = found.filter(Q(updated__lt=since) | Q(updated=since, id__lt=last_id))
    loaded = list(_annotated(found).order_by("-updated", "-id")[: PAGE + 1])
    shown = loaded[:PAGE]
    more = f"{shown[-1]['updated'].isoformat()} {shown[-1]['id']}" if len(loaded) > PAGE else None
    return Page(tuple(map(_row, shown)), more)


def reviews(sites: Iterable[int] | None) -> list[dict[str, Any]]:
    """Return what waits for a reviewer in the conversations of these sites (None: all), the most urgent first."""
    pending = Review.objects.filter(decision=Review.Decision.PENDING, conversation__owner=Conversation.Owner.BOT)
    if sites is not None:
        pending = pending.filter(conversation__site__in=sites)
    joined = pending.select_related("conversation__site", "reply").prefetch_related("messages")
    found = list(joined.order_by("deadline", "id")[:PAGE])
    context = _context({review.conversation_id for review in found})
    now = timezone.now()
    return [
        {
            "review": str(review.pk),
            "conversation": str(review.conversation_id),
            "site": review.conversation.site.key,
            "language": review.reply.language,
            "direction": review.direction,
            "verdict": {"tier": review.tier, "categories": review.categories, "score": review.score},
            "asked": [message.text for message in review.messages.all()],
            "said": review.reply.text,
            "held": review.held,
            "context": context.get(review.conversation_id, []),
            "since": review.created.isoformat(),
            "deadline": review.deadline.isoformat(),
            "seconds": max(0, round((review.deadline - now).total_seconds())),
        }
        for review in found
    ]


def _context(conversations: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, str]]]:
    """Return the last messages of each conversation, oldest first."""
    newest = Window(RowNumber(), partition_by=F("conversation_id"), order_by=[F("created").desc(), F("id").desc()])
    said = Message.objects.filter(conversation__in=list(conversations)).exclude(role=Message.Role.SYSTEM)
    found: dict[uuid.UUID, list[dict[str, str]]] = {}
    for message in said.annotate(place=newest).filter(place__lte=CONTEXT).order_by("created", "id"):
        entry = {"role": message.role, "text": message.text, "at": message.created.isoformat()}
        found.setdefault(message.conversation_id, []).append(entry)
    return found


def rows(conversations: Iterable[uuid.UUID]) -> list[tuple[int, dict[str, Any]]]:
    """Return (site, row) of these conversations: one query for all who watch."""
    found = Conversation.objects.filter(id__in=list(conversations))
    return [(values["site_id"], _row(values)) for values in _annotated(found)]


def notes(conversation_id: uuid.UUID) -> list[dict[str, str]]:
    """Return what staff noted, oldest first."""
    return [
        {"id": str(note.client_id), "author": note.author_name, "text": note.text, "at": note.created.isoformat()}
        for note in Note.objects.filter(conversation_id=conversation_id)[:200]
    ]


def _in_view(found: QuerySet[Conversation], view: View, user: User) -> QuerySet[Conversation]:
    match view:
        case "mine":
            return found.filter(owner=Conversation.Owner.AGENT, agent=user)
        case "taken":
            return found.filter(owner=Conversation.Owner.AGENT)
        case "waiting" | "message":
            return found.filter(handoffs__state=view)
        case "bot":
            return found.filter(owner=Conversation.Owner.BOT, closed=None).exclude(
                handoffs__state__in=[Handoff.State.WAITING, Handoff.State.MESSAGE]
            )
        case "closed":
            return found.filter(owner=Conversation.Owner.BOT, closed__isnull=False).exclude(
                handoffs__state=Handoff.State.MESSAGE
            )
        case "all":
            return found


def _annotated(found: QuerySet[Conversation]) -> QuerySet[Conversation, Any]:
    handoff = Handoff.objects.filter(conversation=OuterRef("pk")).exclude(state=Handoff.State.ENDED)
    last = Message.objects.filter(conversation=OuterRef("pk")).exclude(role=Message.Role.SYSTEM).order_by("-created")
    pending = Review.objects.filter(conversation=OuterRef("pk"), decision=Review.Decision.PENDING).order_by("deadline")
    return found.values(
        "id",
        "site_id",
        "language",
        "owner",
        "closed",
        "created",
        "updated",
        key=F("site__key"),
        agent_user=F("agent__username"),
        handoff_state=Subquery(handoff.values("state")[:1]),
        reason=Subquery(handoff.values("reason")[:1]),
        topic=Subquery(handoff.values("topic")[:1]),
        since=Subquery(handoff.values("created")[:1]),
        offered_to=Subquery(handoff.values("offered_to__username")[:1]),
        preview=Subquery(last.values("text")[:1]),
        role=Subquery(last.values("role")[:1]),
        review=Subquery(pending.values("deadline")[:1]),
    )


def _row(values: dict[str, Any]) -> dict[str, Any]:
    waits = values["handoff_state"] in (Handoff.State.WAITING, Handoff.State.MESSAGE)
    if values["owner"] == Conversation.Owner.AGENT:
        state = "taken"
    elif waits:
        state = values["handoff_state"]
    else:
        state = "closed" if values["closed"] else "bot"
    return {
        "conversation": str(values["id"]),
        "site": values["key"],
        "language": values["language"],
        "state": state,
        "reason": values["reason"] or "",
        "topic": values["topic"] or "",
        "since": values["since"].isoformat() if values["since"] else None,
        "offered_to": values["offered_to"],
        "agent": values["agent_user"],
        "preview": (values["preview"] or "")[:PREVIEW],
        "role": values["role"] or "",
        "updated": values["updated"].isoformat(),
        "review": values["review"].isoformat() if values["review"] else None,
    }
