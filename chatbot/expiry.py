"""Idle conversations rest: the agent's ownership ends, what nobody answered is left for staff, redis is freed.

The customer's next message opens them again (services.store_message); the database holds all that is needed for it.
"""

import contextlib
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from chatbot import handoff, ownership, reviewing, services
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Conversation, Message

BATCH = 200


def expire_idle(*, idle_seconds: float, log: EventLog) -> int:
    """Put to rest what nothing has happened in for so long, the longest idle first; return how many, `BATCH` at most.

    Harmless when run twice at once, and beside a message that arrives. Raises LogUnavailable; then call it again.
    """
    limit = timezone.now() - timedelta(seconds=idle_seconds)
    idle = Conversation.objects.filter(closed=None, updated__lt=limit).order_by("updated")
    return sum(_rest(conversation, limit, log=log) for conversation in idle.values_list("id", flat=True)[:BATCH])


def _rest(conversation_id: uuid.UUID, limit: datetime, *, log: EventLog) -> bool:
    with transaction.atomic():
        awake = Conversation.objects.select_for_update(of=("self",)).select_related("site")
        conversation = awake.filter(pk=conversation_id, closed=None, updated__lt=limit).first()
        if conversation is None:  # a message came, or somebody else was first
            return False
        left_open = Message.objects.filter(Message.OPEN, conversation=conversation)
        unanswered = left_open.update(outcome="handed_off", reason="nobody_came") > 0
        handoff.rest(conversation, unanswered=unanswered, log=log)
        reviewing.end_pending(conversation)
        conversation.closed, conversation.draft = timezone.now(), ""
        conversation.attempt += 1  # a turn that hangs must not answer any more
        conversation.save(update_fields=["closed", "draft", "attempt", "updated"])
        if conversation.owner == Conversation.Owner.AGENT:
            conversation.owner, conversation.agent = Conversation.Owner.BOT, None
            ownership.record_change(conversation, "expired", log=log)
        else:
            services.make_stale(conversation, log=log)
    with contextlib.suppress(LogUnavailable):
        services.announce_rest(conversation_id, log=log)
        log.forget(conversation_id)
    return True
