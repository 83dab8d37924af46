"""Who speaks for the shop: the bot, or one agent. Take over, hand back, transfer, reply.

Every change of owner raises the conversation's fence while its row is locked, in the database and in redis, so that
whatever the former owner still writes is refused. Each change is a message of its own (role system): it is recorded
and announced like any other, and a crash cannot lose it.
"""

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from chatbot import answering, handoff, reviewing, selectors, services, wording
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Conversation, Message
from chatbot.services import Enqueue, FindPersonalData
from guardrails.screening import Screened
from guardrails.sealing import MasterKey


class NotOwner(Exception):
    """Somebody else speaks for the shop; `owner` says who: "bot", or the agent's user name. Shown to staff."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


@dataclass(frozen=True)
class Sent:
    """An agent's reply: stored (`message`), or held back by the guards (`message` is None, `screened` says why)."""

    message: Message | None
    screened: Screened


MOST_ID_CHARACTERS = 64  # of Message.client_id, with the agent's number before it

Also = Callable[[Conversation], None]
"""Called in the transaction of a change, after it; what it raises undoes the change. For the audit log."""


def _nothing(conversation: Conversation) -> None:
    pass


def take_over(*, conversation_id: uuid.UUID, agent: User, log: EventLog, also: Also = _nothing) -> Conversation:
    """Make the agent the owner. What the bot was saying becomes the conversation's draft.

    Taking over what is one's own already changes nothing. Raises NotOwner when another agent was first,
    Conversation.DoesNotExist, and LogUnavailable: then nothing has changed.
    """

    def change(conversation: Conversation) -> str:
        if conversation.agent_id == agent.pk:
            return ""
        if conversation.agent_id is not None:  # else the bot's, or of an agent whose account is gone
            raise NotOwner(_owner(conversation))
        conversation.draft = selectors.running_reply(conversation_id, log=log)
        conversation.owner, conversation.agent, conversation.closed = Conversation.Owner.AGENT, agent, None
        handoff.take(conversation, agent, log=log)
        return "joined"

    return _change_owner(conversation_id, change, log=log, also=also)


def transfer(
    *, conversation_id: uuid.UUID, agent: User, to: User, log: EventLog, also: Also = _nothing
) -> Conversation:
    """Give the conversation to another agent. Raises as `take_over` does."""

    def change(conversation: Conversation) -> str:
        _require(conversation, agent)
        if to.pk == agent.pk:
            return ""
        conversation.agent = to
        handoff.take(conversation, to, log=log)
        return "transferred"

    return _change_owner(conversation_id, change, log=log, also=also)


def hand_back(
    *,
    conversation_id: uuid.UUID,
    agent: User,
    log: EventLog,
    enqueue: Enqueue,
    closing: bool = False,
    also: Also = _nothing,
) -> Conversation:
    """Give the conversation back to the bot, which answers what is still open. Raises as `take_over` does.

    `closing` says that the matter is settled: the conversation rests until the customer writes again.
    """

    def change(conversation: Conversation) -> str:
        _require(conversation, agent)
        conversation.owner, conversation.agent, conversation.draft = Conversation.Owner.BOT, None, ""
        conversation.closed = timezone.now() if closing else None
        handoff.end(conversation, "closed" if closing else "handed_back", log=log)
        return "ended" if closing else "left"

    conversation = _change_owner(conversation_id, change, log=log, also=also)
    answering.enqueue_open(conversation_id, enqueue)
    return conversation


def release(*, conversation_id: uuid.UUID, agent_id: int, log: EventLog, enqueue: Enqueue) -> bool:
    """Take a conversation from an agent who is not there any more; return whether it was still theirs.

    The bot answers what is open, and the conversation waits for another person. Raises LogUnavailable.
    """
    released = False

    def change(conversation: Conversation) -> str:
        nonlocal released
        released = conversation.agent_id == agent_id
        if not released:
            return ""
        conversation.owner, conversation.agent, conversation.draft = Conversation.Owner.BOT, None, ""
        handoff.end(conversation, "absent", log=log)
        handoff.request(conversation, "absent", log=log)
        return "left"

    _change_owner(conversation_id, change, log=log)
    if released:
        answering.enqueue_open(conversation_id, enqueue)
    return released


def send_reply(
    *,
    conversation_id: uuid.UUID,
    agent: User,
    client_id: str,
    text: str,
    screen: Callable[[str], Screened],
    find: FindPersonalData,
    master_key: MasterKey,
    log: EventLog,
    confirmed: bool = False,
    also: Also = _nothing,
) -> Sent:
    """Send what an agent wrote, once per `client_id`; it answers the customer's open messages.

    The guards warn first (`review` is sent when `confirmed`), and block what must not be said at all. Raises NotOwner,
    what `screen` raises, guardrails' MaskingUnavailable, services' DuplicateId, and ValueError for a client id that is
    too long.
    """
    # Sent again, maybe after the conversation went to somebody else: then it is only compared.
    again = was_sent(conversation_id=conversation_id, agent=agent, client_id=client_id)
    client_id = f"{agent.pk}:{client_id}"
    if len(client_id) > MOST_ID_CHARACTERS:
        raise ValueError("the client id is too long")
    screened = Screened("pass", None, (), 0.0, text) if again else screen(text)
    if not again and (screened.verdict == "block" or (screened.verdict == "review" and not confirmed)):
        return Sent(None, screened)
    conversation = Conversation.objects.select_related("site", "agent").get(pk=conversation_id)

    def still_owner() -> None:
        if not again:
            _require(Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id), agent)

    def answered(message: Message) -> None:
        Message.objects.filter(Message.OPEN, conversation_id=conversation_id, created__lt=message.created).update(
            outcome="agent"
        )
        Conversation.objects.filter(pk=conversation_id).update(draft="")
        also(conversation)

    received = services.store_message(
        conversation=conversation,
        role=Message.Role.AGENT,
        client_id=client_id,
        text=text,
        language=conversation.language,
        find=find,
        master_key=master_key,
        author=shown_name(agent),
        before=still_owner,
        after=answered,
    )
    if received.new:
        with contextlib.suppress(LogUnavailable):
            services.announce_rest(conversation_id, log=log, own=received.message)
    return Sent(received.message, screened)


def was_sent(*, conversation_id: uuid.UUID, agent: User, client_id: str) -> bool:
    """Say whether this agent has sent a reply under this id before."""
    own_id = f"{agent.pk}:{client_id}"
    return Message.objects.filter(conversation_id=conversation_id, client_id=own_id).exists()


def request_person(*, conversation_id: uuid.UUID, reason: str, log: EventLog) -> None:
    """Put the conversation into the queue of those that wait for a person, unless one has it already.

    Outside the site's hours the customer is told when people are back.
    """
    with transaction.atomic():
        conversations = Conversation.objects.select_for_update(of=("self",)).select_related("site")
        handoff.request(conversations.get(pk=conversation_id), reason, log=log)
    with contextlib.suppress(LogUnavailable):
        services.announce_rest(conversation_id, log=log)


def _change_owner(
    conversation_id: uuid.UUID, change: Callable[[Conversation], str], *, log: EventLog, also: Also = _nothing
) -> Conversation:
    """Apply `change`, which returns the reason that the customer sees, or "" for no change."""
    notice = None
    while notice is None:
        # Outside the transaction: what is announced stays announced, whatever becomes of the change.
        services.announce_rest(conversation_id, log=log)
        with transaction.atomic():
            conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
            reason = change(conversation)
            if not reason:
                return conversation
            unannounced = Message.objects.filter(conversation=conversation, sequence__isnull=True)
            if not unannounced.filter(role=Message.Role.BOT).exists():  # nothing of the bot may be announced after
                notice = record_change(conversation, reason, log=log)
                also(conversation)
            else:
                transaction.set_rollback(True)
    with contextlib.suppress(LogUnavailable):
        services.announce_rest(conversation_id, log=log)
    return conversation


def record_change(conversation: Conversation, reason: str, *, log: EventLog) -> Message:
    """Save a conversation whose owner was changed, make its former owner stale, and record what the customer is told.

    The caller holds the conversation's row, and announces. Raises LogUnavailable.
    """
    conversation.fence += 1
    conversation.save(update_fields=["owner", "agent", "draft", "fence", "closed", "updated"])
    reviewing.end_pending(conversation)
    name = shown_name(conversation.agent) if conversation.agent else ""
    notice = Message.objects.create(
        conversation=conversation,
        role=Message.Role.SYSTEM,
        text=wording.say(f"owner.{reason}", "zh" if conversation.language == "zh" else "en", name=name),
        author=name,
        reason=reason,
        language=conversation.language,
    )
    services.make_stale(conversation, log=log)
    return notice


def _require(conversation: Conversation, agent: User) -> None:
    if conversation.owner != Conversation.Owner.AGENT or conversation.agent_id != agent.pk:
        raise NotOwner(_owner(conversation))


def _owner(conversation: Conversation) -> str:
    return conversation.agent.get_username() if conversation.agent is not None else conversation.owner


def shown_name(agent: User) -> str:
    """Return the name under which customers see an agent."""
    return agent.first_name or agent.get_username()
