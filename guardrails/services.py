"""Writes and reads the vault: masks a text into a conversation, gives its values back, erases them.

Knows conversations only as UUIDs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from guardrails import placeholders, vault
from guardrails.models import VaultEntry, VaultKey
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.masking import replaced, same_value
from guardrails.vault import DataKey, MasterKey, VaultError

_ATTEMPTS = 5


@dataclass(frozen=True)
class Masked:
    """A text without its personal data, and the placeholders in it, each once, in order."""

    text: str
    placeholders: tuple[str, ...]


def load_master_key(path: Path) -> MasterKey:
    """Return the installation's master key, made at first start. Raises VaultError when it does not fit the vault."""
    key = vault.load_or_create_master_key(path, vault_is_empty=not VaultKey.objects.exists())
    if VaultKey.objects.exclude(master_key_id=key.id).exists():
        raise VaultError(
            f"refuse to start: {path} holds master key {key.id}, but the vault was sealed with another; restore it"
        )
    return key


def mask(conversation_id: UUID, text: str, findings: Sequence[Finding], *, master_key: MasterKey) -> Masked:
    """Replace the findings by placeholders and seal what they held; a value met before keeps its placeholder.

    `findings` are the detector's for this `text`. One short transaction, none at all without findings. Safe when
    several processes mask the same conversation. Raises VaultError.
    """
    if not findings:
        return Masked(placeholders.escape_lookalikes(text), ())
    for _ in range(_ATTEMPTS - 1):
        try:
            return _mask(conversation_id, text, findings, master_key)
        except IntegrityError:  # another process issued the same number or value first: now it can be seen
            continue
    return _mask(conversation_id, text, findings, master_key)


def values(conversation_id: UUID, *, master_key: MasterKey) -> dict[str, str]:
    """Return every value of the conversation by its placeholder. Raises VaultError when the key does not fit."""
    data_key = _find_data_key(conversation_id, master_key)
    if data_key is None:
        return {}
    entries = VaultEntry.objects.filter(conversation_id=conversation_id).values_list("entity", "number", "ciphertext")
    return {
        placeholders.name(entity, number): data_key.open(entity, number, bytes(sealed))
        for entity, number, sealed in entries
    }


def erase(conversation_id: UUID) -> int:
    """Delete the conversation's key and values for good; return how many values there were."""
    with transaction.atomic():
        VaultKey.objects.filter(conversation_id=conversation_id).delete()
        return VaultEntry.objects.filter(conversation_id=conversation_id).delete()[0]


@transaction.atomic
def _mask(conversation_id: UUID, text: str, findings: Sequence[Finding], master_key: MasterKey) -> Masked:
    data_key = _data_key(conversation_id, master_key)
    known = {
        lookup: placeholders.name(entity, number)
        for lookup, entity, number in VaultEntry.objects.filter(conversation_id=conversation_id).values_list(
            "lookup", "entity", "number"
        )
    }

    def placeholder(entity: str, value: str) -> str:
        lookup = data_key.lookup(entity, same_value(entity, value))
        if lookup not in known:
            known[lookup] = _issue(data_key, entity, lookup, value)
        return known[lookup]

    return Masked(*replaced(text, findings, placeholder))


def _issue(data_key: DataKey, entity: str, lookup: str, value: str) -> str:
    """Seal a value under the next free number. Raises IntegrityError when somebody else took it."""
    issued = VaultEntry.objects.filter(conversation_id=data_key.conversation, entity=entity)
    number = (issued.aggregate(last=Max("number"))["last"] or 0) + 1
    VaultEntry.objects.create(
        conversation_id=data_key.conversation,
        entity=entity,
        number=number,
        lookup=lookup,
        ciphertext=data_key.seal(entity, number, value),
    )
    return placeholders.name(entity, number)


def _data_key(conversation_id: UUID, master_key: MasterKey) -> DataKey:
    """Return the conversation's key, made if need be; its row stays locked for the transaction (PostgreSQL)."""
    row, _ = VaultKey.objects.select_for_update().get_or_create(
        conversation_id=conversation_id,
        defaults={"wrapped": vault.new_data_key(conversation_id, master_key), "master_key_id": master_key.id},
    )
    return vault.unwrap(conversation_id, bytes(row.wrapped), master_key)


def _find_data_key(conversation_id: UUID, master_key: MasterKey) -> DataKey | None:
    row = VaultKey.objects.filter(conversation_id=conversation_id).first()
    return vault.unwrap(conversation_id, bytes(row.wrapped), master_key) if row else None
