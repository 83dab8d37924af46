"""Customers change what they said: edit it while it is open, withdraw it for a quarter of an hour.

What was changed is announced anew under a number of its own; readers replace a message by its id, and drop what the bot
was saying, because it answered something else. Every change makes a running answer stale, in the database and in redis.
"""

import contextlib
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from attachments import services as attachments
from chatbot import answering, reviewing, services
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Conversation, LedgerEntry, Message, Review
from chatbot.services import ConversationGone, Enqueue, FindPersonalData
from chatbot.turn import Language
from guardrails import vault
from guardrails.placeholders import PLACEHOLDER
from guardrails.sealing import MasterKey

WITHDRAW_SECONDS = 15 * 60


class UnknownMessage(Exception):
    """The conversation's customer has sent no such message."""


class TooLate(Exception):
    """The message has been answered (edit), or is too old (withdraw)."""


def edit_message(
    *,
    conversation: Conversation,
    client_id: str,
    text: str,
    language: Language,
    find: FindPersonalData,
    master_key: MasterKey,
    log: EventLog,
    enqueue: Enqueue,
) -> Message:
    """Replace the text of a message that nobody has answered yet, and have it answered anew.

    The same text again changes nothing. Raises UnknownMessage, TooLate, ConversationGone, LogUnavailable, and
    guardrails' MaskingUnavailable and VaultError: then nothing has changed.
    """
    safe, findings = services.personal_data(conversation, text, find=find)

    def change(message: Message) -> bool:
        if message.outcome:
            raise TooLate
        masked = vault.mask(conversation.id, safe, findings, master_key=master_key)
        if masked.text == message.text:
            return False
        message.text, message.language, message.edited = masked.text, language, timezone.now()
        return True

    return _change(conversation, client_id, change, log=log, enqueue=enqueue)


def withdraw_message(
    *,
    conversation: Conversation,
    client_id: str,
    log: EventLog,
    enqueue: Enqueue,
) -> Message:
    """Take a message back: its text and files are gone, and the bot does not answer it.

    Withdrawn again, nothing changes. Raises UnknownMessage, TooLate, ConversationGone and LogUnavailable: then nothing
    has changed. What others have made of it stays: a reply, a note. The feed holds the text (masked) until newer events
    push it out.
    """

    def change(message: Message) -> bool:
        if message.deleted is not None:
            return False
        now = timezone.now()
        if message.created < now - timedelta(seconds=WITHDRAW_SECONDS):
            raise TooLate
        attachments.remove([uuid.UUID(file["id"]) for file in message.files], conversation.id)
        message.text, message.files, message.deleted = "", [], now
        message.outcome = message.outcome or "withdrawn"
        later = LedgerEntry.objects.filter(message__conversation=conversation, message__created__gte=message.created)
        later.update(question="")  # it may quote the message
        return True

    return _change(conversation, client_id, change, log=log, enqueue=enqueue)


def _change(
    conversation: Conversation,
    client_id: str,
    change: Callable[[Message], bool],
    *,
    log: EventLog,
    enqueue: Enqueue,
) -> Message:
    """Apply `change` to a customer's message, unless it returns false, and have what is open answered anew."""
    with transaction.atomic():
        locked = Conversation.objects.select_for_update(of=("self",)).filter(pk=conversation.pk).first()
        if locked is None:
            raise ConversationGone
        own = Message.objects.filter(conversation=locked, role=Message.Role.CUSTOMER, client_id=client_id)
        message = own.first()
        if message is None:
            raise UnknownMessage
        before = message.text
        if not change(message):
            return message
        message.version, message.sequence = message.version + 1, None
        message.save()
        reviewing.overtake(message)
        _forget_values(locked, before)
        # What is answered anew has all its attempts again: nothing went wrong with the one that is stopped.
        Message.objects.filter(Message.OPEN, conversation=locked).update(attempts=0)
        stopped = locked.attempt
        locked.attempt += 1
        locked.save(update_fields=["attempt", "updated"])
        services.make_stale(locked, log=log)
    with contextlib.suppress(LogUnavailable):
        services.announce_rest(locked.id, log=log, own=message)
        log.request_stop(locked.id, stopped)  # it frees the engine; the turn then queues what is open
    answering.enqueue_open(locked.id, enqueue)
    return message


def _forget_values(conversation: Conversation, before: str) -> None:
    """Erase the sealed personal data of a text that is gone, except what is named elsewhere in the conversation."""
    names = {match[0] for match in PLACEHOLDER.finditer(before)}
    if not names:
        return
    texts = Message.objects.filter(conversation=conversation).values_list("text", flat=True)
    questions = LedgerEntry.objects.filter(message__conversation=conversation).values_list("question", flat=True)
    files = Message.objects.filter(conversation=conversation).values_list("files", flat=True)
    held = Review.objects.filter(conversation=conversation).values_list("held", flat=True)
    for kept in (*texts, *questions, *held, conversation.draft, conversation.profile, *(str(names) for names in files)):
        names -= {match[0] for match in PLACEHOLDER.finditer(kept)}
    vault.forget(conversation.id, names)
