"""The worker's edge: Celery tasks of a few lines each. Only ids travel."""

import logging
import time
import uuid
from typing import Any

from celery import shared_task
from celery.signals import celeryd_after_setup

from chatbot import metrics, sweeping, turns, worker_wiring
from chatbot.events import LogUnavailable
from chatbot.models import LedgerEntry, Message
from chatbot.queueing import ANSWER_TURN, enqueue_turn
from chatbot.wiring import event_log, lexicon

logger = logging.getLogger(__name__)


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def load_models(sender: str, instance: Any, **_: Any) -> None:
    """Load the models before the first turn is taken; only in workers that answer turns."""
    if "turns" in instance.app.amqp.queues.consume_from:
        worker_wiring.warm_worker(sender)


@shared_task(name=ANSWER_TURN)  # type: ignore[untyped-decorator]
def answer_turn(message_id: str) -> None:
    """Answer the open messages of this message's conversation; harmless when delivered twice."""
    started = time.monotonic()
    with metrics.RUNNING_TURNS.track_inprogress():
        try:
            answered = turns.answer_turn(
                uuid.UUID(message_id),
                answer=worker_wiring.assistant().answer,
                log=event_log(),
                pulse=worker_wiring.pulse(),
                seconds=worker_wiring.answer_seconds(),
                guard_version=lexicon().version,
            )
        except LogUnavailable:
            logger.warning("the event log cannot be reached; the sweeper will queue this turn again")
            return
    if answered is not None:
        _measure(*answered, seconds=time.monotonic() - started)
        left = turns.open_message(answered[0].conversation_id)
        if left is not None:
            enqueue_turn(left)


@shared_task(name="chatbot.tasks.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Find what a crash left behind."""
    try:
        swept = sweeping.sweep(
            log=event_log(),
            enqueue=enqueue_turn,
            apologise=worker_wiring.apology,
            seconds=worker_wiring.answer_seconds(),
        )
    except LogUnavailable:
        logger.warning("the event log cannot be reached; the next sweep will look again")
        return
    for what, count in (("announced", swept.announced), ("enqueued", swept.enqueued), ("apologised", swept.apologised)):
        if count:
            logger.warning("the sweeper %s %d", what, count)
            metrics.SWEPT.labels(what).inc(count)


def _measure(reply: Message, entry: LedgerEntry, *, seconds: float) -> None:
    asked = reply.reply_to.created if reply.reply_to else reply.created
    metrics.WHOLE_ANSWER.observe(max(0.0, (reply.created - asked).total_seconds()))
    metrics.OUTCOMES.labels(reply.outcome, reply.reason).inc()
    timings = dict(entry.milliseconds)
    metrics.FIRST_TEXT.observe(timings.pop("first_text") / 1000)
    for stage, milliseconds in timings.items():
        metrics.STAGE.labels(stage).observe(milliseconds / 1000)
    metrics.STAGE.labels("turn").observe(seconds)
    for verdict in entry.verdicts:
        metrics.VERDICTS.labels(verdict["tier"] or "none", verdict["action"]).inc()
