"""Erases conversations that are older than their site keeps them."""

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from chatbot import services
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Conversation, Site

logger = logging.getLogger(__name__)

BATCH = 200


def erase_old(*, log: EventLog, also: Sequence[Callable[[uuid.UUID], object]] = ()) -> int:
    """Erase what nothing has happened in for the site's `retention_days`, the oldest first; return how many.

    `also` as in services.erase_conversation. A conversation that cannot be erased is logged and left for the next time.
    Raises LogUnavailable.
    """
    count = 0
    for site in Site.objects.filter(retention_days__gt=0):
        limit = timezone.now() - timedelta(days=site.retention_days)
        count += _erase_before(site, limit, log=log, also=also)
    return count


def _erase_before(site: Site, limit: datetime, *, log: EventLog, also: Sequence[Callable[[uuid.UUID], object]]) -> int:
    count = 0
    old = Conversation.objects.filter(site=site, updated__lt=limit).order_by("updated", "id")
    failed: list[uuid.UUID] = []
    while batch := list(old.exclude(pk__in=failed).values_list("id", flat=True)[:BATCH]):
        for conversation_id in batch:
            try:
                services.erase_conversation(conversation_id, log=log, also=also, idle_since=limit)
                count += 1
            except LogUnavailable:
                raise
            except Exception:  # one conversation's trouble must not keep the others
                logger.exception("a conversation could not be erased")
                failed.append(conversation_id)
    return count
