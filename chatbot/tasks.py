"""The worker's edge: Celery tasks of a few lines each. Only ids travel."""

import dataclasses
import logging
import time
import uuid
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import celeryd_after_setup
from django.core.management import call_command
from django.utils import timezone

from attachments import services as attachments
from chatbot import answering, expiry, handoff, judging, metrics, retention, sweeping, transcripts, worker_wiring
from chatbot.events import REDIS_AWAY, LogUnavailable
from chatbot.models import LedgerEntry, Message
from chatbot.queueing import ANSWER_TURN, JUDGE_TEXT, SEND_TRANSCRIPT, enqueue_turn
from chatbot.turn import Language
from chatbot.wiring import answer_store, event_log, judging_redis, lexicon, master_key, present
from guardrails import vault

logger = logging.getLogger(__name__)

EXPIRE_SECONDS = 10
REOPEN_SECONDS = 15


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
            answered = answering.answer_turn(
                uuid.UUID(message_id),
                answer=worker_wiring.assistant().answer,
                log=event_log(),
                pulse=worker_wiring.pulse(),
                enqueue=enqueue_turn,
                seconds=worker_wiring.answer_seconds(),
                guard_version=worker_wiring.guard_version(),
                review_seconds=worker_wiring.review_seconds(),
            )
        except LogUnavailable:
            logger.warning("the event log cannot be reached; the sweeper will queue this turn again")
            return
    if answered is not None:
        _measure(*answered, seconds=time.monotonic() - started)


@shared_task(name=JUDGE_TEXT, acks_late=False)  # type: ignore[untyped-decorator]
def judge_text(text_id: str) -> None:
    """Judge what a member of staff wrote, if they still wait for it."""
    try:
        judging.answer(text_id, worker_wiring.guards().judge_reply, client=judging_redis())
    except REDIS_AWAY:
        logger.warning("redis cannot be reached; whoever waits for a verdict gets none")


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
        for what, count in dataclasses.asdict(swept).items():
            if count:
                logger.warning("the sweeper %s %d", what, count)
                metrics.SWEPT.labels(what).inc(count)
        if event_log().first_call("expire", EXPIRE_SECONDS):
            expired = expiry.expire_idle(idle_seconds=worker_wiring.idle_seconds(), log=event_log())
            metrics.SWEPT.labels("expired").inc(expired)
        if event_log().first_call("reopen", REOPEN_SECONDS):
            handoff.reopen_messages(timezone.now(), are_there=present, log=event_log())
    except LogUnavailable:
        logger.warning("the event log cannot be reached; the next sweep will look again")


@shared_task(name=SEND_TRANSCRIPT, bind=True, max_retries=3)  # type: ignore[untyped-decorator]
def send_transcript(self: Any, conversation_id: str, sealed: str, language: Language) -> None:
    """Send a conversation to its customer; again a little later when the mail server does not take it."""
    try:
        transcripts.send(
            uuid.UUID(conversation_id),
            sealed,
            language,
            passes=lambda text: lexicon().judge(text).action == "pass",
            master_key=master_key(),
        )
    except transcripts.NotSent as error:
        raise self.retry(exc=error, countdown=60 * 2**self.request.retries) from None


@shared_task(name="chatbot.tasks.erase_old")  # type: ignore[untyped-decorator]
def erase_old() -> None:
    """Erase what is older than its site keeps it."""
    try:
        erased = retention.erase_old(log=event_log(), also=[answer_store().drop_conversation])
    except LogUnavailable:
        logger.warning("the event log cannot be reached; old conversations will be erased next time")
        return
    if erased:
        logger.info("%d old conversations were erased", erased)


@shared_task(name="chatbot.tasks.tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Delete what has no use any more: files that nobody sent, sessions that ended, values kept for long enough."""
    attachments.sweep_unsent(timedelta(hours=1))
    call_command("clearsessions")
    if days := worker_wiring.vault_days():
        vault.expire(timezone.now() - timedelta(days=days))


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
