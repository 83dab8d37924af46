"""The console's Celery tasks."""

import logging

from celery import shared_task

from chatbot import absence
from chatbot.events import LogUnavailable
from chatbot.queueing import enqueue_turn
from chatbot.wiring import event_log, presence
from console import assignment, wiring

logger = logging.getLogger(__name__)

ABSENCE_SECONDS = 20


@shared_task(name=wiring.ASSIGN)  # type: ignore[untyped-decorator]
def assign() -> None:
    """Offer waiting conversations to agents who are there; take them from who has gone."""
    try:
        if event_log().first_call("absence", ABSENCE_SECONDS):
            absence.release_absent(presence().agents, log=event_log(), enqueue=enqueue_turn)
        for handoff in assignment.assign(presence().agents):
            event_log().nudge(handoff.conversation_id, "offer")
    except LogUnavailable:
        logger.warning("the event log cannot be reached; the next call offers what waits")
