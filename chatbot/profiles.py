"""What a site says about its known users, or customers of themselves in the form before the chat: masked into their
conversation like everything that comes in.
"""

import re
from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from chatbot import services, users
from chatbot.appearance import PreChatField
from chatbot.models import Conversation
from chatbot.services import FindPersonalData
from guardrails import placeholders, vault
from guardrails.personal_data.finding import Finding, without_overlaps
from guardrails.sealing import MasterKey

_ENTITIES = {"name": "PERSON", "email": "EMAIL"}
_KINDS = {"email": "EMAIL", "phone": "INTL_PHONE"}
OWN = "customer."
"""Begins the lines of a form that one of the site's own users filled in: the site says nothing of what is in it."""
_PHONE = re.compile(r"\+?[\d ()./-]{5,25}")


class FormIncomplete(Exception):
    """Something that must be said is missing, or is not what was asked for."""


def store_form(
    conversation: Conversation,
    values: Mapping[str, str],
    fields: Sequence[PreChatField],
    *,
    find: FindPersonalData,
    master_key: MasterKey,
) -> None:
    """Keep what the customer said in the form before the chat, once; what was not asked is left out.

    Raises FormIncomplete, ConversationGone and guardrails' MaskingUnavailable; then nothing was stored.
    """
    if conversation.profile:
        return
    said = [(field, _line(values.get(field.name, ""))) for field in fields]
    if any(not _answers(field, value) for field, value in said):
        raise FormIncomplete
    own = OWN if users.is_known(conversation.visitor) else ""
    pairs = tuple((own + field.name, value) for field, value in said if value)
    kinds = {own + field.name: _KINDS[field.kind] for field in fields if field.kind in _KINDS}
    kinds |= {own + name: entity for name, entity in _ENTITIES.items()}
    with transaction.atomic():
        services.hold(conversation)
        conversation.refresh_from_db(fields=["profile"])  # another socket may have been first
        if not conversation.profile:
            store_profile(conversation, pairs, find=find, master_key=master_key, entities=kinds)


def is_vouched(conversation: Conversation) -> bool:
    """Say whether the site itself says what the profile says, rather than the customer."""
    return users.is_known(conversation.visitor) and not conversation.profile.startswith(OWN)


def _line(text: str) -> str:
    """Return the text as one line, whatever ends a line or turns it round where."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable()).strip()


def _answers(field: PreChatField, value: str) -> bool:
    if not value:
        return not field.required
    match field.kind:
        case "choice":
            return value in map(_line, field.choices)
        case "phone":
            return _PHONE.fullmatch(value) is not None
        case "email":
            return is_email(value)
    return True


def is_email(text: str) -> bool:
    """Say whether a letter could be sent there."""
    try:
        validate_email(text)
        mailbox(text)
    except (ValidationError, UnicodeError):
        return False
    return True


def mailbox(address: str) -> str:
    """Return what an address is counted by: the same for all ways to write that of one mailbox.

    Raises UnicodeError for a domain that no letter can be sent to.
    """
    name, _, domain = address.rpartition("@")
    name = re.sub(r'["\\]', "", name).partition("+")[0]
    return f"{name}@{domain.encode('idna').decode()}".lower()


def store_profile(
    conversation: Conversation,
    pairs: tuple[tuple[str, str], ...],
    *,
    find: FindPersonalData,
    master_key: MasterKey,
    entities: Mapping[str, str] = _ENTITIES,
) -> None:
    """Keep `key: value` lines with the conversation; name and e-mail are personal data whatever they look like.

    `entities` are the kinds of personal data by key. Raises guardrails' MaskingUnavailable; then nothing was stored.
    """
    lines, certain, position = [], [], 0
    for key, value in pairs:
        start = f"{placeholders.escape_lookalikes(key)}: "
        line = start + placeholders.escape_lookalikes(value)
        if entity := entities.get(key):
            certain.append(Finding(entity, position + len(start), position + len(line), 1.0))
        lines.append(line)
        position += len(line) + 1
    text = "\n".join(lines)
    found = [f for f in find(text) if all(f.end <= c.start or c.end <= f.start for c in certain)]
    masked = vault.mask(conversation.id, text, without_overlaps([*certain, *found]), master_key=master_key)
    if masked.text != conversation.profile:
        conversation.profile = masked.text
        conversation.save(update_fields=["profile"])
