"""One turn of the bot, from claim to record: who may answer, what is shown meanwhile, what is kept.

A turn answers all open messages of its conversation at once. It is claimed by a lease in redis and a compare-and-set on
the conversation's attempt number in the database; whoever claims later makes every earlier writer stale.
Knows nothing of Celery: tasks.py and the sweeper call it.
"""

import contextlib
import dataclasses
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chatbot import handoff, reviewing, services, sites
from chatbot.events import EventLog, LogUnavailable, Writer
from chatbot.models import Conversation, LedgerEntry, Message
from chatbot.publishing import ReplyPublisher
from chatbot.pulse import Pulse, RunningTurn
from chatbot.services import Enqueue
from chatbot.turn import Conclusion, Interruption, Language, Part, Progress, Role, Turn, TurnEvent, Utterance

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 2
PROMPT_MESSAGES = 12  # of the past that the engine is told
_ROLES: dict[Message.Role, Role] = {
    Message.Role.CUSTOMER: "customer",
    Message.Role.BOT: "bot",
    Message.Role.AGENT: "agent",
}
_REPLIES = uuid.UUID("6f0c3d52-6f0b-4f7e-9d4e-0d2f5a7a3c11")

Answer = Callable[[Turn, str, Callable[[], Interruption]], Generator[TurnEvent, None, None]]
"""(turn, knowledge base, interrupted) -> events, the last one a Conclusion."""


@dataclass(frozen=True)
class Claim:
    """The right to answer the open messages of a conversation, as long as nobody claims it anew.

    `approved` says that a person has let all of them pass, `approvals` how often the first of them ever was.
    """

    conversation: Conversation
    attempt: int
    holder: str
    open_messages: tuple[Message, ...]
    history: tuple[Utterance, ...]
    approved: bool = False
    approvals: int = 0

    @property
    def writer(self) -> Writer:
        return Writer(self.conversation.id, self.conversation.fence, self.attempt)

    @property
    def reply_id(self) -> uuid.UUID:
        """The same for every attempt at the same message, so that it cannot be answered twice.

        A message that a person has let pass is answered once more: before, it was told to wait.
        """
        again = f":{self.approvals}" if self.approvals else ""
        return uuid.uuid5(_REPLIES, f"{self.open_messages[0].id}{again}")

    @property
    def language(self) -> Language:
        return "zh" if self.open_messages[-1].language == "zh" else "en"

    def turn(self) -> Turn:
        """Return the turn for the pipeline."""
        text = "\n".join(message.text for message in self.open_messages if message.text)
        files = sum(len(message.files) for message in self.open_messages)
        persona = sites.persona(self.conversation.site)
        return Turn(
            text=text,
            language=self.language,
            history=self.history,
            files=files,
            persona=persona,
            approved=self.approved,
            conversation=str(self.conversation.id),
        )


def claim(message_id: uuid.UUID, *, log: EventLog) -> Claim | None:
    """Claim the turn in which this message is answered; None when there is nothing to answer or somebody is on it.

    Raises LogUnavailable.
    """
    conversation = Conversation.objects.select_related("site").filter(messages__id=message_id).first()
    if conversation is None or conversation.owner != Conversation.Owner.BOT:
        return None
    holder = secrets.token_hex(8)
    if not log.take_lease(conversation.id, holder):
        return None
    claimed = None
    try:
        services.announce_rest(conversation.id, log=log)  # above all that an agent has left
        claimed = _claim_in_database(conversation, holder, log=log)
        return claimed
    finally:
        if claimed is None:
            log.drop_lease(conversation.id, holder)


def _claim_in_database(conversation: Conversation, holder: str, *, log: EventLog) -> Claim | None:
    attempt = conversation.attempt + 1
    with transaction.atomic():
        mine = Conversation.objects.filter(
            pk=conversation.pk, attempt=conversation.attempt, fence=conversation.fence, owner=Conversation.Owner.BOT
        ).update(attempt=attempt)
        if not mine:
            return None
        everything = Message.objects.filter(conversation=conversation)
        open_messages = tuple(everything.filter(Message.OPEN).order_by("created", "id"))
        if not open_messages:
            transaction.set_rollback(True)
            return None
        approved = reviewing.approved_among(open_messages)
        open_messages = approved or open_messages  # the others have a turn of their own: nobody has read them
        everything.filter(pk__in=[message.pk for message in open_messages]).update(attempts=F("attempts") + 1)
        said = everything.filter(deleted=None).exclude(Message.OPEN).exclude(role=Message.Role.SYSTEM)
        earlier = list(said.order_by("-created", "-id")[:PROMPT_MESSAGES])
        attempt = _agree_on_numbers(conversation, attempt, log=log)
    history = tuple(
        Utterance(_ROLES[Message.Role(m.role)], m.text, m.outcome if m.role == Message.Role.BOT else "")
        for m in reversed(earlier)
        if m.text
    )
    approvals = reviewing.approvals_of(open_messages[0])
    return Claim(conversation, attempt, holder, open_messages, history, bool(approved), approvals)


def _agree_on_numbers(conversation: Conversation, attempt: int, *, log: EventLog) -> int:
    """Make earlier attempts stale in redis, too, and take over what is higher there; return the attempt.

    The caller holds the conversation's row: nobody changes its numbers now.
    """
    conversation.refresh_from_db(fields=["sequence_ceiling"])
    fence, latest = log.numbers_of(conversation.id)
    if fence > conversation.fence or latest > attempt:  # a change reached redis and then failed
        conversation.fence, attempt = max(fence, conversation.fence), max(latest + 1, attempt)
        Conversation.objects.filter(pk=conversation.pk).update(fence=conversation.fence, attempt=attempt)
    conversation.attempt = attempt
    services.make_stale(conversation, log=log)
    return attempt


def answer_turn(
    message_id: uuid.UUID,
    *,
    answer: Answer,
    log: EventLog,
    pulse: Pulse,
    enqueue: Enqueue,
    seconds: float,
    guard_version: str = "",
    review_seconds: float = reviewing.SECONDS,
) -> tuple[Message, LedgerEntry] | None:
    """Answer the open messages of this message's conversation; None when somebody else does, or took over meanwhile.

    `seconds` is the deadline; a reviewer has `review_seconds`. What is open afterwards is queued: it came, or was
    changed, while this turn ran. Raises what `answer` raises; the sweeper tries again, once.
    """
    claimed = claim(message_id, log=log)
    if claimed is None:
        return None
    publisher = ReplyPublisher(
        log=log,
        writer=claimed.writer,
        reply=claimed.reply_id,
        restore=lambda: services.restore_state(claimed.conversation.id, log=log),
    )
    running = RunningTurn(
        claimed.conversation.id, claimed.attempt, claimed.holder, time.monotonic() + seconds, publisher
    )
    pulse.add(running)
    answered = None
    try:
        conclusion = _run(claimed, answer, running)
        publisher.close()
        if conclusion is not None:
            timed = _timed(conclusion, claimed, publisher)
            answered = conclude(claimed, timed, log=log, guard_version=guard_version, review_seconds=review_seconds)
    finally:
        pulse.remove(running)
        with contextlib.suppress(LogUnavailable):
            log.drop_lease(claimed.conversation.id, claimed.holder)
    enqueue_open(claimed.conversation.id, enqueue, attempts=MOST_ATTEMPTS)
    return answered


def enqueue_open(conversation_id: uuid.UUID, enqueue: Enqueue, *, attempts: int | None = None) -> None:
    """Queue what waits for the bot, if anything; with `attempts` only what was begun less often (the rest is for the
    sweeper, so that a turn that always fails does not go round for ever).
    """
    waiting = Message.objects.filter(
        Message.OPEN, conversation_id=conversation_id, conversation__owner=Conversation.Owner.BOT
    )
    if attempts is not None:
        waiting = waiting.filter(attempts__lt=attempts)
    message_id = waiting.values_list("id", flat=True).first()
    if message_id is not None:
        enqueue(message_id)


def _run(claimed: Claim, answer: Answer, running: RunningTurn) -> Conclusion | None:
    turn = dataclasses.replace(claimed.turn(), deadline=running.deadline)
    events = answer(turn, claimed.conversation.site.knowledge_base, running.interrupted)
    with contextlib.closing(events):
        for event in events:
            match event:
                case Progress(stage):
                    running.publisher.stage(stage)
                case Part(unit):
                    running.publisher.add(unit)
                case Conclusion():
                    return None if running.publisher.lost else event
            if running.publisher.lost:
                return None
    raise RuntimeError("the pipeline ended without a conclusion")


def _timed(conclusion: Conclusion, claimed: Claim, publisher: ReplyPublisher) -> Conclusion:
    """Add to the record how long the customer waited for the first text, from the message's arrival in the database."""
    asked = claimed.open_messages[0].created.timestamp()
    waited = round(((publisher.first_text or time.time()) - asked) * 1000, 2)
    record = conclusion.record
    milliseconds = {**record.milliseconds, "first_text": waited}
    return dataclasses.replace(conclusion, record=dataclasses.replace(record, milliseconds=milliseconds))


def conclude(
    claimed: Claim,
    conclusion: Conclusion,
    *,
    log: EventLog,
    guard_version: str = "",
    review_seconds: float = reviewing.SECONDS,
) -> tuple[Message, LedgerEntry] | None:
    """Record the reply with its ledger entry and announce it, at most once for a message; None for a stale claim."""
    record = conclusion.record
    reply = Message(
        id=claimed.reply_id,
        conversation=claimed.conversation,
        role=Message.Role.BOT,
        text="".join(unit.text for unit in conclusion.units),
        language=claimed.language,
        sources=[] if conclusion.held else [dataclasses.asdict(source) for source in conclusion.sources],
        outcome=conclusion.outcome,
        reason=conclusion.reason,
        reply_to=claimed.open_messages[-1],
    )
    entry = LedgerEntry(
        message=reply,
        intent=record.intent,
        sentiment=record.sentiment,
        understanding=record.understanding,
        degraded=record.degraded,
        prompt_tokens=record.prompt_tokens,
        reply_tokens=record.reply_tokens,
        question=record.question,
        engine=record.engine[:100],
        prompt_version=record.prompt_version,
        guard_version=guard_version,
        knowledge_version=record.knowledge_version,
        confidence=record.confidence,
        passages=record.passages,
        verdicts=[dataclasses.asdict(verdict) for verdict in record.verdicts],
        milliseconds=record.milliseconds,
    )
    with transaction.atomic():
        mine = Conversation.objects.filter(
            pk=claimed.conversation.pk,
            attempt=claimed.attempt,
            fence=claimed.conversation.fence,
            owner=Conversation.Owner.BOT,
        ).update(language=claimed.language, updated=timezone.now(), closed=None)
        if not mine:
            return None
        needs = handoff.reason_for(claimed.conversation, conclusion.outcome, conclusion.reason)
        reply.save(force_insert=True)
        entry.save(force_insert=True)
        Message.objects.filter(pk__in=[m.pk for m in claimed.open_messages]).update(outcome=conclusion.outcome)
        if conclusion.outcome == "review":
            reviewing.begin(reply, claimed.open_messages, conclusion, seconds=review_seconds, log=log)
        if needs:  # after the reply: it may say that people are away
            handoff.request(claimed.conversation, needs, log=log, topic=record.intent)
    with contextlib.suppress(LogUnavailable):  # the sweeper announces it
        services.announce_rest(claimed.conversation.id, log=log, own=reply)
    return reply, entry
