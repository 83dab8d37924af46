"""Writes about conversations. A customer's new message comes in through `receive_message` alone; staff's replies are
`ownership.send_reply`'s, the bot's `answering.conclude`'s.

Knows nothing of sockets and tasks: the event log, the masker and the queue are handed in by the edges.
"""

import contextlib
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from attachments import services as attachments
from chatbot.events import BLOCK, EventLog, LogUnavailable, Stale, StateLost, Writer
from chatbot.models import Conversation, Message, Site
from chatbot.turn import Language
from guardrails import placeholders, vault
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.masking import same_value
from guardrails.sealing import MasterKey
from knowledge import purging, releases

logger = logging.getLogger(__name__)

_CHANGING = ("text", "files", "edited", "deleted", "version", "sequence")

FindPersonalData = Callable[[str], Sequence[Finding]]
Enqueue = Callable[[uuid.UUID], None]


class ConversationGone(Exception):
    """The conversation was erased meanwhile; whoever still has it open is told so."""


class DuplicateId(Exception):
    """The client id was used before, for another text."""


@dataclass(frozen=True)
class Received:
    """A message that is now in the database; `new` is false when it had come before under the same client id."""

    message: Message
    new: bool


def start_conversation(*, site: Site, visitor: uuid.UUID, language: Language, log: EventLog) -> Conversation:
    """Create a conversation that the bot owns."""
    conversation = Conversation.objects.create(site=site, visitor=visitor, language=language, sequence_ceiling=BLOCK)
    with contextlib.suppress(LogUnavailable):  # the first append restores it
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
    files: Sequence[uuid.UUID] = (),
) -> Received:
    """Mask a customer's message, store it, announce it and have it answered; once per `client_id`.

    `files` are uploads of this conversation and visitor that no message has named yet; else attachments' NotSendable.
    Nothing of it is stored or queued unmasked. When redis cannot be reached the message is kept and the sweeper does
    the rest. Raises guardrails' MaskingUnavailable and VaultError, ConversationGone, and DuplicateId; then nothing was
    stored.
    """
    received = store_message(
        conversation=conversation,
        role=Message.Role.CUSTOMER,
        client_id=client_id,
        text=text,
        language=language,
        find=find,
        master_key=master_key,
        after=partial(_attach, files) if files else lambda message: None,
    )
    message = received.message
    if files and not message.version and [file["id"] for file in message.files] != [str(file) for file in files]:
        raise DuplicateId
    with contextlib.suppress(LogUnavailable):
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
    """Mask what a person wrote and store it; once per `client_id`.

    Changed texts are masked by those who change them: editing.py and reviewing.py.


    `before` and `after` run in the same transaction, first and last: what they raise stores nothing. A conversation
    that rests is awake again. Raises guardrails' MaskingUnavailable and VaultError, ConversationGone, and DuplicateId.
    """
    safe, findings = personal_data(conversation, text, find=find)
    try:
        with transaction.atomic():
            before()
            # First of all, in every change: whoever has the conversation's row keeps it from resting or being erased.
            if not Conversation.objects.filter(pk=conversation.pk).update(updated=timezone.now(), closed=None):
                raise ConversationGone
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
            if not before_it.version and before_it.text != _masked_again(conversation, safe, findings, master_key):
                raise DuplicateId from None
            return Received(before_it, new=False)
        raise
    return Received(message, new=True)


def personal_data(conversation: Conversation, text: str, *, find: FindPersonalData) -> tuple[str, list[Finding]]:
    """Return the text with what only looks like a placeholder escaped, and the personal data in it.

    Raises guardrails' MaskingUnavailable.
    """
    safe = placeholders.escape_lookalikes(text)
    found = find(safe)
    return safe, without_contacts(safe, found, contacts_of(conversation.site)) if found else []


def hold(conversation: Conversation) -> None:
    """Keep the conversation from being erased until the transaction ends. Raises ConversationGone."""
    if not Conversation.objects.select_for_update(of=("self",)).filter(pk=conversation.pk).exists():
        raise ConversationGone


def _masked_again(conversation: Conversation, safe: str, findings: Sequence[Finding], master_key: MasterKey) -> str:
    """Return what the text would be stored as; nothing is stored."""
    with transaction.atomic():
        masked = vault.mask(conversation.id, safe, findings, master_key=master_key)
        transaction.set_rollback(True)
    return masked.text


def _attach(files: Sequence[uuid.UUID], message: Message) -> None:
    conversation = message.conversation
    message.files = attachments.send(files, attachments.Owner(conversation.id, conversation.visitor))
    message.save(update_fields=["files"])


def contacts_of(site: Site) -> list[str]:
    """Return what looks like personal data and is the shop's own: what the site names, what its documents publish."""
    return [*site.contacts, *releases.contacts(site.knowledge_base)]


def without_contacts(text: str, findings: Sequence[Finding], contacts: Sequence[str]) -> list[Finding]:
    """Leave out the shop's own contacts: they are no personal data."""
    return [
        finding
        for finding in findings
        if same_value(finding.entity, text[finding.start : finding.end])
        not in {same_value(finding.entity, contact) for contact in contacts}
    ]


def announce(message: Message, *, log: EventLog) -> None:
    """Tell everyone who watches the conversation about a finished message: once for each version of it.

    A version may be told twice when redis lost its memory before its number was kept; readers replace it by its id.
    What was erased meanwhile is told to nobody. Raises LogUnavailable.
    """
    with contextlib.suppress(Message.DoesNotExist, Stale):
        message.refresh_from_db(fields=_CHANGING)  # somebody else may have announced or changed it by now
        while message.sequence is None:
            sequence = _append_message(message, log=log)
            if Message.objects.filter(pk=message.pk, version=message.version).update(sequence=sequence):
                message.sequence = sequence
            else:  # it was changed meanwhile, and the older version may have come last
                Message.objects.filter(pk=message.pk).update(sequence=None)
                message.refresh_from_db(fields=_CHANGING)


def _append_message(message: Message, *, log: EventLog) -> int:
    append = partial(
        log.append,
        Writer(message.conversation_id),
        "message",
        message.payload(),
        once=str(message.id),
        version=message.version,
    )
    try:
        return append()
    except StateLost:
        restore_state(message.conversation_id, log=log)
        return append()


def announce_rest(conversation_id: uuid.UUID, *, log: EventLog, own: Message | None = None) -> None:
    """Announce what was recorded and not announced, in order, so that nothing overtakes it.

    `own` is the caller's object for one of them; its `sequence` is set. Raises LogUnavailable.
    """
    for message in Message.objects.filter(conversation_id=conversation_id, sequence__isnull=True).order_by("created"):
        announce(own if own is not None and own.pk == message.pk else message, log=log)


def make_stale(conversation: Conversation, *, log: EventLog) -> None:
    """Have redis refuse every writer with a lower fence or attempt than the conversation's. Raises LogUnavailable.

    The caller has raised one and holds the conversation's row. A redis that knows nothing is told that all numbers are
    used up, so the first append asks for new ones.
    """
    log.restore(
        conversation.id,
        fence=conversation.fence,
        attempt=conversation.attempt,
        after=conversation.sequence_ceiling,
        ceiling=conversation.sequence_ceiling,
    )


def restore_state(conversation_id: uuid.UUID, *, log: EventLog) -> None:
    """Give redis the conversation's numbers again, above every number that it can have given out before.

    Raises Stale when the conversation was erased.
    """
    with transaction.atomic():
        if not Conversation.objects.filter(pk=conversation_id).update(sequence_ceiling=F("sequence_ceiling") + BLOCK):
            raise Stale(str(conversation_id))
        conversation = Conversation.objects.only("fence", "attempt", "sequence_ceiling").get(pk=conversation_id)
    log.restore(
        conversation_id,
        fence=conversation.fence,
        attempt=conversation.attempt,
        after=conversation.sequence_ceiling - BLOCK,
        ceiling=conversation.sequence_ceiling,
    )


def request_stop(*, conversation_id: uuid.UUID, log: EventLog) -> None:
    """Stop the answer that is being written, if any. Raises LogUnavailable."""
    log.request_stop(conversation_id, log.attempt_of(conversation_id))


def erase_conversation(
    conversation_id: uuid.UUID,
    *,
    log: EventLog,
    also: Sequence[Callable[[uuid.UUID], object]] = (),
    idle_since: datetime | None = None,
) -> bool:
    """Delete a conversation, its messages, ledger, files, vault and events, and what it asked from the gaps of its
    base; return whether it is gone now.

    Each of `also` erases what else hangs on it, in the same transaction and before it; one that has run must not mind
    being called again. With `idle_since` nothing is done when something happened there since. Whoever has it open is
    told. Raises LogUnavailable and what `also` raises: then it is still there; call it again. The feed holds its last
    events (masked) until newer ones push them out.
    """
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(of=("self",)).filter(pk=conversation_id).first()
        if conversation is not None and idle_since is not None and conversation.updated >= idle_since:
            return False
        for erase in (*also, attachments.erase):
            erase(conversation_id)
        if conversation is not None:
            messages = Message.objects.filter(conversation=conversation).values_list("pk", flat=True)
            purging.forget_messages(conversation.site.knowledge_base, [str(pk) for pk in messages])
        vault.erase(conversation_id)
        Conversation.objects.filter(pk=conversation_id).delete()
        log.bury(conversation_id)
    with contextlib.suppress(LogUnavailable):
        log.nudge(conversation_id, "gone")
    return True
