"""Writes and reads the vault: masks a text into a conversation, gives its values back, erases them.

Knows conversations only as UUIDs.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import CharField, Max, Value
from django.db.models.functions import Cast, Concat

from guardrails import placeholders, sealing
from guardrails.models import VaultEntry, VaultKey
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.masking import replaced, same_value
from guardrails.sealing import DataKey, MasterKey, VaultError

_ATTEMPTS = 5


@dataclass(frozen=True)
class Masked:
    """A text without its personal data, and the placeholders in it, each once, in order."""

    text: str
    placeholders: tuple[str, ...]


def load_master_key(path: Path) -> MasterKey:
    """Return the installation's master key, made at first start. Raises VaultError when it does not fit the vault."""
    key = sealing.load_or_create_master_key(path, vault_is_empty=not VaultKey.objects.exists())
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
        if sealed  # else forgotten
    }


def seal_file(conversation_id: UUID, place: str, data: bytes, *, master_key: MasterKey) -> Iterator[bytes]:
    """Yield a file of the conversation encrypted, in chunks; `place` names it. Raises VaultError."""
    with transaction.atomic():
        data_key = _data_key(conversation_id, master_key)
    return data_key.seal_file(place, data)


def open_file(conversation_id: UUID, place: str, sealed: BinaryIO, *, master_key: MasterKey) -> Iterator[bytes]:
    """Yield the bytes of a file that `seal_file` sealed, in chunks. Raises VaultError, also in the middle."""
    data_key = _find_data_key(conversation_id, master_key)
    if data_key is None:
        raise VaultError(f"file {place} does not open: its conversation was erased")
    return data_key.open_file(place, sealed)


def forget(conversation_id: UUID, names: Collection[str]) -> None:
    """Erase what these placeholders of the conversation stand for. Their numbers are not given to anything else."""
    for entry in VaultEntry.objects.filter(conversation_id=conversation_id) if names else ():
        if placeholders.name(entry.entity, entry.number) in names:
            entry.lookup, entry.ciphertext = f"forgotten {entry.pk}", b""
            entry.save(update_fields=["lookup", "ciphertext"])


def expire(before: datetime) -> int:
    """Erase every value that was first given before that time; return how many. Their numbers are not given again."""
    old = VaultEntry.objects.filter(created__lt=before).exclude(ciphertext=b"")
    return old.update(lookup=Concat(Value("forgotten "), Cast("pk", CharField())), ciphertext=b"")


def rewrap(old: MasterKey, new: MasterKey, *, batch: int = 500) -> Iterator[int]:
    """Wrap every data key by `new` that `old` wraps; yield how many, batch by batch, each in a transaction of its own.

    It may be killed at any time and called again: what is done is not done twice. Nobody else may use the vault
    meanwhile: whoever holds one key cannot open what the other wraps. Raises VaultError; then the batch is untouched.
    """
    while old != new:
        with transaction.atomic():
            rows = list(VaultKey.objects.select_for_update().filter(master_key_id=old.id).order_by("pk")[:batch])
            for row in rows:
                row.wrapped = sealing.rewrapped(row.conversation_id, bytes(row.wrapped), old, new)
                row.master_key_id = new.id
            VaultKey.objects.bulk_update(rows, ["wrapped", "master_key_id"], batch_size=200)
        if not rows:
            return
        yield len(rows)


def wrapped_by_others(master_key: MasterKey) -> int:
    """Return how many data keys this master key does not open."""
    return VaultKey.objects.exclude(master_key_id=master_key.id).count()


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
        defaults={"wrapped": sealing.new_data_key(conversation_id, master_key), "master_key_id": master_key.id},
    )
    return sealing.unwrap(conversation_id, bytes(row.wrapped), master_key)


def _find_data_key(conversation_id: UUID, master_key: MasterKey) -> DataKey | None:
    row = VaultKey.objects.filter(conversation_id=conversation_id).first()
    return sealing.unwrap(conversation_id, bytes(row.wrapped), master_key) if row else None
