"""What an agent should know before the first word: masked texts only, two queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, FilteredRelation, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from chatbot.models import Conversation, Handoff, Message

MOST_ASKED = 5
MOST_TRIED = 5
READ_MESSAGES = 40
_UNANSWERED = ("", "handed_off", "refused", "review")


@dataclass(frozen=True)
class Try:
    """One reply of the bot: how it ended, why, and the headings (documents) of what it cited."""

    outcome: str
    reason: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """A conversation in short. `since` is when it was handed off, None when it is not; lists are oldest first.

    `unanswered` is the last question that got no answer, "" for none; `earlier` is how many conversations the visitor
    had with this site before.
    """

    reason: str
    topic: str
    since: datetime | None
    language: str
    asked: tuple[str, ...]
    tried: tuple[Try, ...]
    unanswered: str
    profile: str
    earlier: int
    draft: str


def summary(conversation: Conversation) -> Summary:
    """Sum up a conversation as it is in the database now. Raises Conversation.DoesNotExist."""
    facts = _facts(conversation)
    recent = Message.objects.filter(conversation=conversation, deleted=None).exclude(role=Message.Role.SYSTEM)
    messages = list(recent.select_related("ledger").order_by("-created", "-id")[:READ_MESSAGES])[::-1]
    said = [message for message in messages if message.role == Message.Role.CUSTOMER and message.text]
    tried = [message for message in messages if message.role == Message.Role.BOT]
    return Summary(
        reason=facts["reason"] or "",
        topic=facts["topic"] or "",
        since=facts["since"],
        language=facts["language"],
        asked=tuple(message.text for message in said[-MOST_ASKED:]),
        tried=tuple(_tried(message) for message in tried[-MOST_TRIED:]),
        unanswered=_unanswered(said, tried),
        profile=facts["profile"],
        earlier=facts["earlier"],
        draft=facts["draft"],
    )


def _facts(conversation: Conversation) -> dict[str, Any]:
    earlier = Conversation.objects.filter(
        site=OuterRef("site"), visitor=OuterRef("visitor"), created__lt=OuterRef("created")
    )
    number = earlier.order_by().values("visitor").annotate(number=Count("pk")).values("number")
    found = Conversation.objects.filter(pk=conversation.pk).annotate(
        open=FilteredRelation("handoffs", condition=~Q(handoffs__state=Handoff.State.ENDED)),
        earlier=Coalesce(Subquery(number), 0),
    )
    facts: dict[str, Any] = dict(
        found.values(
            "language",
            "profile",
            "draft",
            "earlier",
            reason=F("open__reason"),
            topic=F("open__topic"),
            since=F("open__created"),
        ).get()
    )
    return facts


def _tried(message: Message) -> Try:
    cited = (source.get("heading") or source.get("document", "") for source in message.sources)
    return Try(message.outcome, message.reason, tuple(dict.fromkeys(filter(None, cited))))


def _unanswered(said: Sequence[Message], tried: Sequence[Message]) -> str:
    """Return the last question without an answer as it was searched for, else as it was asked; no call for a person."""
    replies = {reply.reply_to_id: reply for reply in tried}
    for message in reversed(said):
        reply = replies.get(message.pk)
        if message.outcome in _UNANSWERED and not (reply is not None and reply.reason == "requested"):
            ledger = getattr(reply, "ledger", None)
            return (ledger.question if ledger is not None else "") or message.text
    return ""
