"""Finds what a crash left behind: open messages that nobody answers, finished messages that nobody was told about,
and reviews that nobody decided in time.

The database is asked, not the queue: whatever redis or a worker lost is found here within seconds.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from chatbot import answering, reviewing, services
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Conversation, Message, Review
from chatbot.turn import Conclusion, Language

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3
ENQUEUE_SECONDS = 10
BATCH = 500


@dataclass(frozen=True)
class Swept:
    """What one sweep did, in messages and conversations."""

    announced: int = 0
    enqueued: int = 0
    apologised: int = 0
    expired_reviews: int = 0


def sweep(
    *, log: EventLog, enqueue: Callable[[UUID], None], apologise: Callable[[Language], Conclusion], seconds: float
) -> Swept:
    """Announce, answer again, or apologise: once for each message, after two attempts or `seconds` at the latest.

    Raises LogUnavailable when redis cannot be reached: then the next sweep does it.
    """
    log.check()
    announced = _announce(log)
    expired_reviews = reviewing.expire_due(log=log)
    now = timezone.now()
    waiting = (
        Message.objects.filter(
            Message.OPEN,
            created__lt=now - timedelta(seconds=GRACE_SECONDS),
            conversation__owner=Conversation.Owner.BOT,
        )
        .order_by("created")
        .only("id", "conversation_id", "attempts", "created")[:BATCH]
    )
    oldest: dict[UUID, Message] = {}
    for message in waiting:
        oldest.setdefault(message.conversation_id, message)
    leased = log.leased(list(oldest))
    enqueued = apologised = 0
    for message, busy in zip(oldest.values(), leased, strict=True):
        if busy:
            continue
        if message.attempts >= answering.MOST_ATTEMPTS or _overdue(message, now - timedelta(seconds=seconds)):
            apologised += _apologise(message.id, log=log, apologise=apologise)
        elif log.first_call(f"enqueue:{message.conversation_id}", ENQUEUE_SECONDS):
            enqueue(message.id)
            enqueued += 1
    return Swept(announced, enqueued, apologised, expired_reviews)


def _overdue(message: Message, limit: datetime) -> bool:
    """Return whether the bot has had the message since before `limit`: its time begins anew at hand-back, when the
    customer changes what is to be answered, and when a reviewer lets it pass.
    """
    anew = (
        Q(role=Message.Role.SYSTEM, reason__in=("left", "ended"), created__gte=limit)
        | Q(edited__gte=limit)
        | Q(deleted__gte=limit)
    )
    changed = Message.objects.filter(anew, conversation_id=message.conversation_id)
    approved = Review.objects.filter(conversation_id=message.conversation_id, decision="approved", decided__gte=limit)
    return message.created < limit and not changed.exists() and not approved.exists()


def _announce(log: EventLog) -> int:
    """Announce what was recorded and not announced; bounded, oldest first."""
    left = (
        Message.objects.filter(sequence__isnull=True, created__lt=timezone.now() - timedelta(seconds=GRACE_SECONDS))
        .select_related("conversation")
        .order_by("created")[:BATCH]
    )
    count = 0
    for message in left:
        services.announce(message, log=log)
        count += 1
    return count


def _apologise(message_id: UUID, *, log: EventLog, apologise: Callable[[Language], Conclusion]) -> int:
    claimed = answering.claim(message_id, log=log)
    if claimed is None:
        return 0
    try:
        return int(answering.conclude(claimed, apologise(claimed.language), log=log) is not None)
    except LogUnavailable:
        raise
    except Exception:  # one message that cannot be concluded must not keep all others waiting
        logger.exception("message %s cannot be concluded", message_id)
        return 0
    finally:
        log.drop_lease(claimed.conversation.id, claimed.holder)
