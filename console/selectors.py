"""What consoles show. All texts are masked. Every list costs the same queries, whatever its length."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone

from chatbot.models import Conversation, Handoff, LedgerEntry, Message, Review, Site
from console.models import Note, Tag
from console.protocol import Sort, View

PAGE = 50
PREVIEW = 160
MOST_WORDS = 5
"""Of what is searched for; further ones are not looked at."""
CONTEXT = 6
"""Messages before and after, that a reviewer sees."""


@dataclass(frozen=True)
class Page:
    """Rows, newest first; `more` is where the next page begins, None after the last."""

    rows: tuple[dict[str, Any], ...]
    more: str | None


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; what is empty lets everything through. Fields as in protocol.Inbox."""

    site: str = ""
    language: str = ""
    topic: str = ""
    sentiment: str = ""
    tag: str = ""
    agent: str = ""
    wait: int = 0
    late: bool = False
    query: str = ""


def inbox(
    user: User,
    sites: Iterable[int] | None,
    view: View,
    *,
    filters: Filters | None = None,
    sort: Sort = "newest",
    before: str = "",
) -> Page:
    """Return a page of the conversations of these sites (None: all). A `before` that is none of ours counts as none."""
    filters = filters or Filters()
    found = _filtered(_in_view(_of_sites(sites, filters.site), view, user), filters)
    key, falls = _ORDERS[sort]
    found = found.annotate(place=key)
    at, _, last = before.partition(" ")
    try:
        since, last_id = datetime.fromisoformat(at).astimezone(UTC), uuid.UUID(last)
    except (ValueError, OverflowError):
        since, last_id = None, None
    if since is not None and last_id is not None:
        beyond = Q(place__lt=since) if falls else Q(place__gt=since)
        found = found.filter(beyond | Q(place=since, **{"id__lt" if falls else "id__gt": last_id}))
    # First which, then what stands in them: a sort would look up everything for every conversation there is.
    order = ("-place", "-id") if falls else ("place", "id")
    chosen = list(found.order_by(*order).values_list("pk", "place")[: PAGE + 1])
    shown = [pk for pk, _ in chosen[:PAGE]]
    more = f"{chosen[PAGE - 1][1].isoformat()} {chosen[PAGE - 1][0]}" if len(chosen) > PAGE else None
    loaded = {v["id"]: v for v in _annotated(Conversation.objects.filter(pk__in=shown), filters.query)}
    return Page(tuple(_rows([loaded[pk] for pk in shown if pk in loaded], filters.query)), more)


def counts(user: User, sites: Iterable[int] | None, *, site: str = "") -> dict[View, int]:
    """Return how many conversations each view holds: two queries."""
    bot, agent = Q(owner=Conversation.Owner.BOT), Q(owner=Conversation.Owner.AGENT)
    found = _of_sites(sites, site)
    number = found.aggregate(
        all=Count("pk"),
        taken=Count("pk", filter=agent),
        mine=Count("pk", filter=agent & Q(agent=user)),
        bot=Count("pk", filter=bot & Q(closed=None)),
        closed=Count("pk", filter=bot & Q(closed__isnull=False)),
    )
    waiting, message = Q(state=Handoff.State.WAITING), Q(state=Handoff.State.MESSAGE)
    awake = Q(conversation__closed=None)
    needing = Handoff.objects.filter(waiting | message, conversation__in=found)
    needed = needing.aggregate(
        waiting=Count("pk", filter=waiting),
        message=Count("pk", filter=message),
        awake=Count("pk", filter=awake),
        left=Count("pk", filter=message & ~awake),
    )
    return {
        "waiting": needed["waiting"],
        "mine": number["mine"],
        "taken": number["taken"],
        "message": needed["message"],
        "bot": number["bot"] - needed["awake"],
        "closed": number["closed"] - needed["left"],
        "all": number["all"],
    }


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
    """Return (site, row) of these conversations: two queries for all who watch."""
    return rows_of(Conversation.objects.filter(id__in=list(conversations)))


def rows_of(found: QuerySet[Conversation]) -> list[tuple[int, dict[str, Any]]]:
    """Return (site, row) of what is found, in its order."""
    loaded = list(_annotated(found))
    return [(values["site_id"], row) for values, row in zip(loaded, _rows(loaded), strict=True)]


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


def _of_sites(sites: Iterable[int] | None, key: str = "") -> QuerySet[Conversation]:
    found = Conversation.objects.all() if sites is None else Conversation.objects.filter(site__in=sites)
    return found.filter(site__key=key) if key else found


def _filtered(found: QuerySet[Conversation], filters: Filters) -> QuerySet[Conversation]:
    """Narrow the list. What is searched for is looked for in all texts of what is left: no index could find a part of
    a Chinese word, and 100,000 texts are read in a fraction of a second.
    """
    if filters.language:
        found = found.filter(language=filters.language)
    if filters.tag:
        found = found.filter(tags__name=filters.tag)
    if filters.agent:
        found = found.filter(agent__username=filters.agent)
    if filters.topic:
        named = _OPEN.filter(topic=filters.topic)
        found = found.annotate(intent_=_last_ledger("intent")).filter(Q(Exists(named)) | Q(intent_=filters.topic))
    if filters.sentiment:
        found = found.annotate(mood_=_last_ledger("sentiment")).filter(mood_=filters.sentiment)
    now = timezone.now()
    waiting = _OPEN.filter(state=Handoff.State.WAITING)
    if filters.wait:
        found = found.filter(Exists(waiting.filter(created__lte=now - timedelta(seconds=filters.wait))))
    if filters.late:
        late = Q(pk__in=[])
        for within in Site.objects.order_by().values_list("answer_within", flat=True).distinct():
            too_long = Exists(waiting.filter(created__lte=now - timedelta(seconds=within)))
            late |= Q(too_long, site__answer_within=within)
        found = found.filter(late)
    for word in filters.query.split()[:MOST_WORDS]:
        said = Message.objects.filter(conversation=OuterRef("pk"), text__icontains=word)
        found = found.filter(
            Exists(said)
            | Q(pk__in=Tag.conversations.through.objects.filter(tag__name__icontains=word).values("conversation"))
        )
    return found


_OPEN = Handoff.objects.filter(conversation=OuterRef("pk")).exclude(state=Handoff.State.ENDED)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_ORDERS: dict[Sort, tuple[Any, bool]] = {
    "newest": (F("updated"), True),
    "oldest": (F("updated"), False),
    "wait": (Coalesce(Subquery(_OPEN.values("created")[:1]), Value(_NEVER)), False),
}
"""By what a list is ordered, and whether it falls."""


def _last_ledger(field: str) -> Subquery:
    """The intent or mood of the last message that was understood."""
    told = LedgerEntry.objects.filter(message__conversation=OuterRef("pk")).exclude(**{field: ""})
    return Subquery(told.order_by("-message__created").values(field)[:1])


def _annotated(found: QuerySet[Conversation], query: str = "") -> QuerySet[Conversation, Any]:
    last = Message.objects.filter(conversation=OuterRef("pk")).exclude(role=Message.Role.SYSTEM).order_by("-created")
    pending = Review.objects.filter(conversation=OuterRef("pk"), decision=Review.Decision.PENDING).order_by("deadline")
    more = {}
    if words := query.split():
        hit = Message.objects.filter(conversation=OuterRef("pk"), text__icontains=words[0]).order_by("-created")
        more["hit"] = Subquery(hit.values("text")[:1])
    values: QuerySet[Conversation, Any] = found.values(
        "id",
        "site_id",
        "visitor",
        "language",
        "owner",
        "closed",
        "created",
        "updated",
        key=F("site__key"),
        within=F("site__answer_within"),
        agent_user=F("agent__username"),
        handoff_state=Subquery(_OPEN.values("state")[:1]),
        reason=Subquery(_OPEN.values("reason")[:1]),
        topic=Subquery(_OPEN.values("topic")[:1]),
        since=Subquery(_OPEN.values("created")[:1]),
        offered_to=Subquery(_OPEN.values("offered_to__username")[:1]),
        preview=Subquery(last.values("text")[:1]),
        role=Subquery(last.values("role")[:1]),
        words=Subquery(last.filter(role=Message.Role.CUSTOMER).values("text")[:1]),
        said=Subquery(last.values("created")[:1]),
        review=Subquery(pending.values("deadline")[:1]),
        intent=_last_ledger("intent"),
        sentiment=_last_ledger("sentiment"),
        **more,
    )
    return values


def _rows(loaded: list[dict[str, Any]], query: str = "") -> list[dict[str, Any]]:
    through = Tag.conversations.through.objects.filter(conversation__in=[values["id"] for values in loaded])
    tags: dict[uuid.UUID, list[str]] = {}
    for conversation, name in through.order_by("tag__name").values_list("conversation", "tag__name") if loaded else ():
        tags.setdefault(conversation, []).append(name)
    return [_row(values, tags.get(values["id"], []), query) for values in loaded]


def _row(values: dict[str, Any], tags: list[str], query: str = "") -> dict[str, Any]:
    waits = values["handoff_state"] in (Handoff.State.WAITING, Handoff.State.MESSAGE)
    if values["owner"] == Conversation.Owner.AGENT:
        state = "taken"
    elif waits:
        state = values["handoff_state"]
    else:
        state = "closed" if values["closed"] else "bot"
    asked = values["said"] if values["role"] == Message.Role.CUSTOMER else None
    row = {
        "conversation": str(values["id"]),
        "site": values["key"],
        "visitor": values["visitor"].hex[:4],
        "language": values["language"],
        "state": state,
        "reason": values["reason"] or "",
        "topic": values["topic"] or "",
        "since": _iso(values["since"]),
        "within": values["within"],
        "asked": _iso(asked),
        "offered_to": values["offered_to"],
        "agent": values["agent_user"],
        # Of whoever waits it shows what they want, not that the bot has told them to wait.
        "preview": ((values["words"] if waits and values["words"] else values["preview"]) or "")[:PREVIEW],
        "role": (Message.Role.CUSTOMER if waits and values["words"] else values["role"]) or "",
        "intent": values["intent"] or "",
        "sentiment": values["sentiment"] or "",
        "tags": tags,
        "updated": values["updated"].isoformat(),
        "review": _iso(values["review"]),
    }
    return row | {"match": _around(values["hit"] or "", query.split()[0])} if values.get("hit") else row


def _around(text: str, word: str) -> str:
    """Return the part of a text in which the word stands."""
    at = max(0, text.lower().find(word.lower()) - PREVIEW // 4)
    return ("…" if at else "") + text[at : at + PREVIEW]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
