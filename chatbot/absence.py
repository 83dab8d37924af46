"""Finds customers who wait for an agent that is gone: the console is closed, or the account is out of use."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from chatbot import ownership
from chatbot.events import EventLog
from chatbot.models import Conversation, Message
from chatbot.services import Enqueue

logger = logging.getLogger(__name__)

ABSENT_SECONDS = 300
BATCH = 100


def release_absent(
    present: Callable[[], frozenset[int] | None], *, log: EventLog, enqueue: Enqueue, now: datetime | None = None
) -> int:
    """Give up conversations whose customer has waited ABSENT_SECONDS for an agent who is not there; return how many.

    present: the accounts with an open console, None when nobody knows; then nothing is given up. Nothing is taken from
    who has had it for a shorter time. Raises LogUnavailable; then the next call does the rest.
    """
    since = (now or timezone.now()) - timedelta(seconds=ABSENT_SECONDS)
    messages = Message.objects.filter(conversation=OuterRef("pk"))
    waiting = (
        Conversation.objects.filter(owner=Conversation.Owner.AGENT)
        .filter(Exists(messages.filter(Message.OPEN, created__lt=since)))
        .exclude(Exists(messages.filter(role=Message.Role.SYSTEM, created__gte=since)))
        .order_by("updated")
        .values_list("id", "agent_id", "agent__is_active")[:BATCH]
    )
    found = list(waiting)
    there = present() if found else None
    count = 0
    for conversation_id, agent_id, active in found:
        gone = agent_id is None or not active or (there is not None and agent_id not in there)
        if gone and ownership.release(conversation_id=conversation_id, agent_id=agent_id, log=log, enqueue=enqueue):
            count += 1
    return count
