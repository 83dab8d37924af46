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

from chatbot import handoff, services
from chatbot.events import EventLog, LogUnavailable, Writer
from chatbot.models import Conversation, LedgerEntry, Message
from chatbot.publishing import ReplyPublisher
from chatbot.pulse import Pulse, RunningTurn
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
    """The right to answer the open messages of a conversation, as long as nobody claims it anew."""

    conversation: Conversation
    attempt: int
    holder: str
    open_messages: tuple[Message, ...]
    history: tuple[Utterance, ...]

    @property
    def writer(self) -> Writer:
        return Writer(self.conversation.id, self.conversation.fence, self.attempt)

    @property
    def reply_id(self) -> uuid.UUID:
        """The same for every attempt at the same message, so that it cannot be answered twice."""
        return uuid.uuid5(_REPLIES, str(self.open_messages[0].id))

    @property
    def earlier_attempts(self) -> int:
        """How often an answer was begun before."""
        return max(message.attempts for message in self.open_messages)

    @property
    def language(self) -> Language:
        return "zh" if self.open_messages[-1].language == "zh" else "en"

    def turn(self) -> Turn:
        """Return the turn for the pipeline."""
        text = "\n".join(message.text for message in self.open_messages)
        return Turn(text=text, language=self.language, history=self.history)


def claim(message_id: uuid.UUID, *, log: EventLog) -> Claim | None:
    """Claim the turn in which this message is answered; None when there is nothing to answer or somebody is on it.

    Raises one of LogUnavailable.
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
        everything.filter(pk__in=[message.pk for message in open_messages]).update(attempts=F("attempts") + 1)
        said = everything.exclude(Message.OPEN).exclude(role=Message.Role.SYSTEM)
        earlier = list(said.order_by("-created", "-id")[:PROMPT_MESSAGES])
        _agree_on_numbers(conversation, attempt, log=log)
    history = tuple(Utterance(_ROLES[Message.Role(m.role)], m.text) for m in reversed(earlier))
    return Claim(conversation, attempt, holder, open_messages, history)


def _agree_on_numbers(conversation: Conversation, attempt: int, *, log: EventLog) -> None:
    """Make earlier attempts stale in redis, too, and take over a fence that is higher there.

    The caller holds the conversation's row: nobody changes its numbers now. A redis that knows nothing is told that all
    numbers are used up, so the first append asks for new ones.
    """
    conversation.refresh_from_db(fields=["sequence_ceiling"])
    fence = log.fence_of(conversation.id)
    if fence > conversation.fence:  # a change of owner reached redis and then failed
        conversation.fence = fence
        Conversation.objects.filter(pk=conversation.pk).update(fence=fence)
    log.restore(
        conversation.id,
        fence=conversation.fence,
        attempt=attempt,
        after=conversation.sequence_ceiling,
        ceiling=conversation.sequence_ceiling,
    )


def answer_turn(
    message_id: uuid.UUID, *, answer: Answer, log: EventLog, pulse: Pulse, seconds: float, guard_version: str = ""
) -> tuple[Message, LedgerEntry] | None:
    """Answer the open messages of this message's conversation; None when somebody else does, or took over meanwhile.

    `seconds` is the deadline. Raises what `answer` raises; the sweeper tries again, once.
    """
    claimed = claim(message_id, log=log)
    if claimed is None:
        return None
    publisher = ReplyPublisher(
        log=log,
        writer=claimed.writer,
        reply=claimed.reply_id,
        restore=lambda: services.restore_state(claimed.conversation.id, log=log),
        replace=claimed.earlier_attempts > 0,
    )
    running = RunningTurn(
        claimed.conversation.id, claimed.attempt, claimed.holder, time.monotonic() + seconds, publisher
    )
    pulse.add(running)
    try:
        conclusion = _run(claimed, answer, running)
        publisher.close()
        if conclusion is None:
            return None
        return conclude(claimed, _timed(conclusion, claimed, publisher), log=log, guard_version=guard_version)
    finally:
        pulse.remove(running)
        with contextlib.suppress(*LogUnavailable):
            log.drop_lease(claimed.conversation.id, claimed.holder)


def open_message(conversation_id: uuid.UUID) -> uuid.UUID | None:
    """Return a message that waits for the bot, if any."""
    waiting = Message.objects.filter(
        Message.OPEN, conversation_id=conversation_id, conversation__owner=Conversation.Owner.BOT
    )
    return waiting.values_list("id", flat=True).first()


def _run(claimed: Claim, answer: Answer, running: RunningTurn) -> Conclusion | None:
    events = answer(claimed.turn(), claimed.conversation.site.knowledge_base, running.interrupted)
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
    claimed: Claim, conclusion: Conclusion, *, log: EventLog, guard_version: str = ""
) -> tuple[Message, LedgerEntry] | None:
    """Record the reply with its ledger entry and announce it, at most once for a message; None for a stale claim."""
    record = conclusion.record
    reply = Message(
        id=claimed.reply_id,
        conversation=claimed.conversation,
        role=Message.Role.BOT,
        text="".join(unit.text for unit in conclusion.units),
        language=claimed.language,
        sources=[dataclasses.asdict(source) for source in conclusion.sources],
        outcome=conclusion.outcome,
        reason=conclusion.reason,
        reply_to=claimed.open_messages[-1],
    )
    entry = LedgerEntry(
        message=reply,
        intent=record.intent,
        question=record.question,
        engine=record.engine,
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
        ).update(language=claimed.language)
        if not mine:
            return None
        if conclusion.outcome in ("handed_off", "review"):
            handoff.request(claimed.conversation, conclusion.reason, topic=record.intent)
        elif handoff.failed_again(claimed.conversation, conclusion.outcome):
            handoff.request(claimed.conversation, "refused_twice", topic=record.intent)
        reply.save(force_insert=True)
        entry.save(force_insert=True)
        Message.objects.filter(pk__in=[m.pk for m in claimed.open_messages]).update(outcome=conclusion.outcome)
    with contextlib.suppress(*LogUnavailable):  # the sweeper announces it
        services.announce_rest(claimed.conversation.id, log=log, own=reply)
    return reply, entry
