"""Keeps customers' files: takes, hands out, erases. Knows conversations and visitors only as UUIDs.

A file's bytes are sealed with its conversation's data key; whoever erases that key has made them unreadable.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from attachments import kinds, names, storage
from attachments.models import Attachment
from attachments.refusals import FileRefused
from attachments.rules import Rules
from attachments.scanning import ScannerUnavailable
from guardrails import placeholders, vault
from guardrails.personal_data.finding import Finding
from guardrails.sealing import MasterKey, VaultError

logger = logging.getLogger(__name__)

Scan = Callable[[bytes], str | None]
DAY = timedelta(days=1)


class NotSendable(Exception):
    """A message names a file that is not there, is somebody else's, or was sent before."""


@dataclass(frozen=True)
class Owner:
    """Whose file it is."""

    conversation: UUID
    visitor: UUID


def store(
    name: str,
    data: bytes,
    owner: Owner,
    *,
    rules: Rules,
    find: Callable[[str], Sequence[Finding]],
    master_key: MasterKey,
    scan: Scan | None = None,
    lock: Callable[[], None] = lambda: None,
) -> Attachment:
    """Prove a file, seal it and keep it until a message names it.

    `scan` returns what is wrong with bytes, if anything; `lock` runs first in each transaction and raises when the
    conversation is gone. Raises FileRefused, guardrails' MaskingUnavailable and VaultError, and what `lock` raises;
    then nothing is kept.
    """
    _check_quota(owner, len(data), rules)
    if len(data) > rules.most_bytes:
        raise FileRefused("file_too_big")
    name = names.clean_name(name)
    proved = kinds.prove(name, data, most_pixels=rules.most_pixels)
    _scan(data, scan)
    safe = placeholders.escape_lookalikes(name)
    findings = find(safe)
    with transaction.atomic():
        lock()
        masked = vault.mask(owner.conversation, safe, findings, master_key=master_key)
        attachment = Attachment(
            id=uuid4(),
            conversation_id=owner.conversation,
            visitor=owner.visitor,
            name=masked.text,
            media_type=proved.media_type,
            size=len(proved.data),
        )
        sealed = vault.seal_file(owner.conversation, attachment.id.hex, proved.data, master_key=master_key)
    # The file first: a crash between leaves sealed bytes that no row names, and those are swept.
    storage.write(_root(), owner.conversation, attachment.id, sealed)
    try:
        with transaction.atomic():
            lock()
            _check_quota(owner, len(proved.data), rules)
            attachment.save(force_insert=True)
    except BaseException:
        storage.remove(_root(), owner.conversation, attachment.id)
        raise
    return attachment


@transaction.atomic
def send(ids: Sequence[UUID], owner: Owner) -> list[dict[str, Any]]:
    """Mark files as sent and return what their message says of them, in that order; called in its transaction.

    Raises NotSendable.
    """
    found = {
        attachment.id: attachment
        for attachment in Attachment.objects.select_for_update().filter(
            id__in=ids, conversation_id=owner.conversation, visitor=owner.visitor, sent=False
        )
    }
    if len(found) != len(ids):
        raise NotSendable
    Attachment.objects.filter(id__in=ids).update(sent=True)
    return [
        {"id": str(file.id), "name": file.name, "type": file.media_type, "size": file.size}
        for file in (found[identity] for identity in ids)
    ]


def read(attachment_id: UUID, conversation_id: UUID, *, master_key: MasterKey) -> tuple[Attachment, bytes] | None:
    """Return a file that was sent in this conversation, with its bytes; None when there is none that opens."""
    attachment = Attachment.objects.filter(id=attachment_id, conversation_id=conversation_id, sent=True).first()
    if attachment is None:
        return None
    try:
        with storage.opened(_root(), conversation_id, attachment_id) as sealed:
            chunks = vault.open_file(conversation_id, attachment_id.hex, sealed, master_key=master_key)
            return attachment, b"".join(chunks)
    except (OSError, VaultError):
        logger.exception("file %s cannot be read", attachment_id)
        return None


def erase(conversation_id: UUID) -> int:
    """Delete all files of a conversation for good; return how many there were.

    In a transaction, the bytes go once it is committed.
    """
    count, _ = Attachment.objects.filter(conversation_id=conversation_id).delete()
    transaction.on_commit(lambda: storage.remove_all(_root(), conversation_id))
    return count


def remove(ids: Sequence[UUID], conversation_id: UUID) -> None:
    """Delete some files of a conversation for good. In a transaction, the bytes go once it is committed."""
    Attachment.objects.filter(id__in=ids, conversation_id=conversation_id).delete()
    for identity in ids:
        transaction.on_commit(partial(storage.remove, _root(), conversation_id, identity))


def sweep_unsent(older_than: timedelta) -> int:
    """Delete files that no message has named for so long, and what crashes left; return how many went.

    `older_than` must be longer than an upload takes.
    """
    with transaction.atomic():
        unsent = Attachment.objects.select_for_update().filter(sent=False, created__lt=timezone.now() - older_than)
        Attachment.objects.filter(id__in=[attachment.id for attachment in unsent]).delete()
    count = 0
    for conversation, identity, path in storage.older_files(_root(), older_than.total_seconds()):
        if identity is None or not Attachment.objects.filter(id=identity, conversation_id=conversation).exists():
            path.unlink(missing_ok=True)
            count += 1
    return count


def _check_quota(owner: Owner, size: int, rules: Rules) -> None:
    files = Attachment.objects.filter(visitor=owner.visitor)
    if files.filter(created__gte=timezone.now() - DAY).count() >= rules.per_day:
        raise FileRefused("file_daily")
    if (files.aggregate(total=Sum("size"))["total"] or 0) + size > rules.visitor_bytes:
        raise FileRefused("file_quota")


def _scan(data: bytes, scan: Scan | None) -> None:
    if scan is None:
        return
    try:
        found = scan(data)
    except ScannerUnavailable as error:
        logger.error("the virus scanner gives no verdict, a file was refused: %s", error)
        raise FileRefused("file_unchecked") from None
    if found is not None:
        logger.warning("the virus scanner found %s in a customer's file", found)
        raise FileRefused("file_unsafe", found)


def _root() -> Path:
    return Path(settings.ATTACHMENTS)
