"""What reviewers see: the queue, one case with its context, numbers and history. Nothing of other sites."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Avg, Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from chatbot.models import Conversation, Message, Review
from console.rules import sites_of
from guardrails.lexicon import Lexicon
from rooms.review.claims import Claims

MOST = 50
"""Cases that the list shows; the rest follows as these are decided."""

CONTEXT = 12
"""Messages around a case."""

PAGE = 50
_JUDGED = (Review.Decision.APPROVED, Review.Decision.EDITED, Review.Decision.REJECTED)


@dataclass(frozen=True)
class Case:
    """A line of the queue. `holder` is the other reviewer who looks at it, "" when nobody does."""

    review: Review
    seconds: int
    excerpt: str
    holder: str


@dataclass(frozen=True)
class Queue:
    """What waits, most urgent first; `count` may be more than there are `cases`."""

    cases: tuple[Case, ...]
    count: int


def pending(user: User) -> QuerySet[Review]:
    """What waits on the reviewer's sites, the most urgent first."""
    waiting = Review.objects.filter(decision=Review.Decision.PENDING, conversation__owner=Conversation.Owner.BOT)
    return waiting.filter(conversation__site__in=sites_of(user)).order_by("deadline", "id")


def queue(user: User, claims: Claims) -> Queue:
    """Return the queue as it is now."""
    found = pending(user).select_related("conversation__site", "reply").prefetch_related("messages")
    reviews = list(found[:MOST])
    count = len(reviews) if len(reviews) < MOST else pending(user).count()
    holders = claims.holders([review.pk for review in reviews])
    names = names_of(set(holders.values()) - {user.pk})
    now = timezone.now()
    cases = (
        Case(
            review,
            max(0, round((review.deadline - now).total_seconds())),
            judged_text(review)[:120],
            names.get(holders.get(review.pk, 0), ""),
        )
        for review in reviews
    )
    return Queue(tuple(cases), count)


def deal(user: User, claims: Claims, *, but: object = None) -> Review | None:
    """Claim the most urgent case that nobody else looks at, for this reviewer; None when there is none."""
    keys = [key for key in pending(user).values_list("pk", flat=True)[:MOST] if key != but]
    holders = claims.holders(keys)
    mine = [key for key in keys if holders.get(key) == user.pk]
    free = [key for key in keys if key not in holders]
    for key in (*mine, *free):
        if claims.take(key, user.pk) == user.pk:
            return Review.objects.select_related("conversation__site", "reply", "decided_by").filter(pk=key).first()
    return None


def judged_text(review: Review) -> str:
    """Return what is to be judged: what the customer asked, or what was held of the reply."""
    if review.direction == Review.Direction.OUT:
        return review.held
    return "\n".join(message.text for message in review.messages.all() if message.text)


def context(review: Review) -> list[dict[str, Any]]:
    """Return the last messages up to the case, oldest first; `asked` marks those that are judged."""
    asked = {message.pk for message in review.messages.all()}
    said = Message.objects.filter(conversation=review.conversation_id, deleted=None)
    last = said.exclude(role=Message.Role.SYSTEM).order_by("-created", "-id")[:CONTEXT]
    judged = asked if review.direction == Review.Direction.IN else set()
    return [{"message": one, "asked": one.pk in judged} for one in reversed(last)]


def words_found(review: Review, lexicon: Lexicon) -> list[str]:
    """Return the words of the lists for which it waits, as the text has them."""
    text = judged_text(review)
    hits = [hit for hit in lexicon.match(text) if hit.level != "count"]
    return list(dict.fromkeys(text[hit.start : hit.end] for hit in hits))


def names_of(users: Iterable[int]) -> dict[int, str]:
    """Return what people are called, by their ids."""
    wanted = list(users)
    return {user.pk: shown(user) for user in User.objects.filter(pk__in=wanted)} if wanted else {}


def shown(user: User) -> str:
    """Return what a colleague is called; isolated, so that a name written from right to left keeps its place."""
    return f"\u2068{user.get_full_name() or user.get_username()}\u2069"


def numbers(user: User, hours: int = 24) -> list[dict[str, Any]]:
    """Return what each reviewer decided in the last hours, the busiest first; what nobody decided comes last."""
    since = timezone.now() - datetime.timedelta(hours=hours)
    found = Review.objects.filter(conversation__site__in=sites_of(user), decided__gte=since)
    counted = (
        found.filter(decision__in=(*_JUDGED, Review.Decision.EXPIRED))
        .order_by()
        .values("decided_by")
        .annotate(
            count=Count("pk"),
            approved=Count("pk", filter=Q(decision=Review.Decision.APPROVED)),
            edited=Count("pk", filter=Q(decision=Review.Decision.EDITED)),
            rejected=Count("pk", filter=Q(decision=Review.Decision.REJECTED)),
            expired=Count("pk", filter=Q(decision=Review.Decision.EXPIRED)),
            time=Avg(F("decided") - F("created")),
        )
    )
    rows: list[dict[str, Any]] = [dict(row) for row in counted]
    names = names_of(row["decided_by"] for row in rows if row["decided_by"])
    for row in rows:
        row["name"] = names.get(row["decided_by"] or 0, "")
        row["seconds"] = round(row["time"].total_seconds()) if row["time"] and row["decided_by"] else None
    return sorted(rows, key=lambda row: (not row["decided_by"], -row["count"]))


def history(user: User, *, decision: str = "", reviewer: str = "", page: int = 1) -> tuple[Sequence[Review], bool]:
    """Return a page of what was decided, newest first, and whether there is more.

    `later` of a row says that customer or agent have written since, so that nothing can be changed.
    """
    spoke = Message.objects.filter(
        conversation=OuterRef("conversation"),
        role__in=(Message.Role.CUSTOMER, Message.Role.AGENT),
        created__gt=OuterRef("decided"),
    )
    found = Review.objects.filter(conversation__site__in=sites_of(user)).exclude(decision=Review.Decision.PENDING)
    if decision:
        found = found.filter(decision=decision)
    if reviewer:
        found = found.filter(decided_by__username=reviewer)
    rows = list(
        found.select_related("conversation__site", "reply", "decided_by")
        .prefetch_related("messages")
        .annotate(later=Exists(spoke))
        .order_by("-decided", "-id")[PAGE * (page - 1) : PAGE * page + 1]
    )
    return rows[:PAGE], len(rows) > PAGE


def reviewers(user: User) -> list[str]:
    """Return the user names of those who have decided something on these sites."""
    found = Review.objects.filter(conversation__site__in=sites_of(user), decided_by__isnull=False)
    return sorted(found.order_by().values_list("decided_by__username", flat=True).distinct())
