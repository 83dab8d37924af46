"""Writes about conversations. Every door of a message leads through `receive_message`.

Knows nothing of sockets and tasks: the event log, the masker and the queue are handed in by the edges.
"""

import contextlib
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F

from chatbot.events import BLOCK, EventLog, LogUnavailable, StateLost, Writer
from chatbot.models import Conversation, Message, Site
from chatbot.turn import Language
from guardrails import placeholders
from guardrails import services as vault
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.masking import same_value
from guardrails.vault import MasterKey

logger = logging.getLogger(__name__)

FindPersonalData = Callable[[str], Sequence[Finding]]
Enqueue = Callable[[uuid.UUID], None]


class ConversationGone(Exception):
    """The conversation was erased meanwhile; whoever still has it open is told so."""


@dataclass(frozen=True)
class Received:
    """A message that is now in the database; `new` is false when it had come before under the same client id."""

    message: Message
    new: bool


def start_conversation(*, site: Site, visitor: uuid.UUID, language: Language, log: EventLog) -> Conversation:
    """Create a conversation that the bot owns."""
    conversation = Conversation.objects.create(site=site, visitor=visitor, language=language, sequence_ceiling=BLOCK)
    with contextlib.suppress(*LogUnavailable):  # the first append restores it
        log.restore(conversation.id, fence=conversation.fence, attempt=0, after=0, ceiling=BLOCK)
    return conversation


def receive_message(
    *,
    conversation: Conversation,
    client_id: str,
    text: str,
    language: Language,
    find: FindPersonalData,
    master_key: MasterKey,
    log: EventLog,
    enqueue: Enqueue,
) -> Received:
    """Mask a customer's message, store it, announce it and have it answered; once per `client_id`.

    Nothing of it is stored or queued unmasked. When redis cannot be reached the message is kept and the sweeper does
    the rest. Raises guardrails' MaskingUnavailable and VaultError, and ConversationGone; then nothing was stored.
    """
    received = store_message(
        conversation=conversation,
        role=Message.Role.CUSTOMER,
        client_id=client_id,
        text=text,
        language=language,
        find=find,
        master_key=master_key,
    )
    with contextlib.suppress(*LogUnavailable):
        announce_rest(conversation.id, log=log, own=received.message)  # an earlier message may still wait
    if received.new:
        enqueue(received.message.id)
    return received


def store_message(
    *,
    conversation: Conversation,
    role: Message.Role,
    client_id: str,
    text: str,
    language: str,
    find: FindPersonalData,
    master_key: MasterKey,
    author: str = "",
    before: Callable[[], None] = lambda: None,
    after: Callable[[Message], None] = lambda message: None,
) -> Received:
    """Mask what a person wrote and store it; once per `client_id`. The one way of such text into the database.

    `before` and `after` run in the same transaction, first and last: what they raise stores nothing. Raises guardrails'
    MaskingUnavailable and VaultError, and ConversationGone.
    """
    safe = placeholders.escape_lookalikes(text)
    findings = _personal(safe, find(safe), conversation.site.contacts)
    try:
        with transaction.atomic():
            before()
            masked = vault.mask(conversation.id, safe, findings, master_key=master_key)
            message = Message.objects.create(
                conversation=conversation,
                client_id=client_id,
                role=role,
                text=masked.text,
                language=language,
                author=author,
            )
            after(message)
    except IntegrityError:
        before_it = Message.objects.filter(conversation=conversation, client_id=client_id).first()
        if before_it is not None:
            return Received(before_it, new=False)
        if not Conversation.objects.filter(pk=conversation.pk).exists():
            raise ConversationGone from None
        raise
    return Received(message, new=True)


def _personal(text: str, findings: Sequence[Finding], contacts: Sequence[str]) -> list[Finding]:
    """Leave out the shop's own contacts: they are no personal data."""
    return [
        finding
        for finding in findings
        if same_value(finding.entity, text[finding.start : finding.end])
        not in {same_value(finding.entity, contact) for contact in contacts}
    ]


def announce(message: Message, *, log: EventLog) -> None:
    """Tell everyone who watches the conversation about a finished message, once. Raises one of LogUnavailable."""
    # Somebody else may have announced it by now, and redis may have forgotten that since.
    message.sequence = Message.objects.values_list("sequence", flat=True).get(pk=message.pk)
    if message.sequence is not None:
        return
    writer = Writer(message.conversation_id)
    try:
        sequence = log.append(writer, "message", message.payload(), once=str(message.id))
    except StateLost:
        restore_state(message.conversation_id, log=log)
        sequence = log.append(writer, "message", message.payload(), once=str(message.id))
    message.sequence = sequence
    Message.objects.filter(pk=message.pk).update(sequence=sequence)


def announce_rest(conversation_id: uuid.UUID, *, log: EventLog, own: Message | None = None) -> None:
    """Announce what was recorded and not announced, in order, so that nothing overtakes it.

    `own` is the caller's object for one of them; its `sequence` is set. Raises one of LogUnavailable.
    """
    for message in Message.objects.filter(conversation_id=conversation_id, sequence__isnull=True).order_by("created"):
        announce(own if own is not None and own.pk == message.pk else message, log=log)


def restore_state(conversation_id: uuid.UUID, *, log: EventLog) -> None:
    """Give redis the conversation's numbers again, above every number that it can have given out before."""
    with transaction.atomic():
        Conversation.objects.filter(pk=conversation_id).update(sequence_ceiling=F("sequence_ceiling") + BLOCK)
        conversation = Conversation.objects.only("fence", "attempt", "sequence_ceiling").get(pk=conversation_id)
    log.restore(
        conversation_id,
        fence=conversation.fence,
        attempt=conversation.attempt,
        after=conversation.sequence_ceiling - BLOCK,
        ceiling=conversation.sequence_ceiling,
    )


def request_stop(*, conversation_id: uuid.UUID, log: EventLog) -> None:
    """Stop the answer that is being written, if any. Raises one of LogUnavailable."""
    log.request_stop(conversation_id, log.attempt_of(conversation_id))


def erase_conversation(conversation_id: uuid.UUID, *, log: EventLog) -> None:
    """Delete a conversation, its messages, ledger, vault and events. Raises one of LogUnavailable; then call it again.

    The feed holds its last events (masked) until newer ones push them out.
    """
    with transaction.atomic():
        vault.erase(conversation_id)
        Conversation.objects.filter(pk=conversation_id).delete()
    log.forget(conversation_id)
