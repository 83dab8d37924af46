"""The record of what staff did: each entry seals the one before it. Knows nothing of who may do what.

The database refuses to change or delete entries (migration 0002). Whoever gets around that cannot make a fitting
digest without the signing key: `verify` finds the place. `record` belongs at the end of the act's own transaction,
because it holds the end of the chain until that commits: the act and its entry happen together or not at all.
"""

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from chatbot.models import Site
from console.models import AuditEntry, AuditHead

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]
"""No floats: databases give some back in another shape, and the digest would not fit any more."""

Actor = AbstractBaseUser | AnonymousUser | None

_address: ContextVar[str] = ContextVar("address", default="")


@contextmanager
def acts_from(address: str) -> Iterator[None]:
    """Give every entry made within the address that the acts come from, unless it names its own."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


@dataclass(frozen=True)
class Broken:
    """The first entry (its number) that does not fit, and why."""

    entry: int
    why: str


def record(
    actor: Actor,
    action: str,
    *,
    site: Site | None = None,
    target: tuple[str, object] | None = None,
    details: Mapping[str, Json] = {},
    address: str = "",
) -> None:
    """Append an entry; `actor` None is the system, or somebody who has not proved who they are.

    `target` is (kind, key), such as ("conversation", its id). `details` never hold a customer's personal data.
    """
    kind, key = target or ("", "")
    with transaction.atomic():
        head, _ = AuditHead.objects.select_for_update().get_or_create(pk=AuditHead.ONLY)
        entry = AuditEntry(
            at=timezone.now(),
            actor=actor.pk if actor else None,
            actor_name=actor.get_username() if actor else "",
            action=action,
            site=site.pk if site else None,
            object_type=kind,
            object_id=str(key)[:64],
            details=dict(details),
            address=address or _address.get(),
            previous=head.digest,
        )
        entry.digest = _digest(entry, settings.SECRET_KEY)
        entry.save(force_insert=True)
        head.entry, head.digest = entry.pk, entry.digest
        head.save()


def verify(*, contains: str = "") -> Broken | None:
    """Return the first entry that does not fit; None when the whole chain holds.

    `contains` is a digest noted earlier: a chain whose end was cut off, entries and head together, lacks it.
    """
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first()  # first: entries made from now on are not looked at
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    entry, previous, missing = 0, "", contains
    for found in AuditEntry.objects.filter(pk__lte=head.entry if head else 0).iterator():
        entry = found.pk
        if found.previous != previous:
            return Broken(entry, "it does not follow the entry before it: one is missing, or was put in between")
        if not any(hmac.compare_digest(found.digest, _digest(found, key)) for key in keys):
            return Broken(entry, "its content was changed, or the signing key is another")
        previous = found.digest
        missing = "" if previous == missing else missing
    if head and (head.entry, head.digest) != (entry, previous):
        return Broken(head.entry, "the last entry is missing")
    if head is None and AuditEntry.objects.exists():
        return Broken(0, "the end of the chain is not known any more")
    return Broken(entry, f"no entry has the digest {contains}: the end was cut off") if missing else None


def _digest(entry: AuditEntry, key: str) -> str:
    content = [
        entry.previous,
        entry.at.astimezone(UTC).isoformat(),
        entry.actor,
        entry.actor_name,
        entry.action,
        entry.site,
        entry.object_type,
        entry.object_id,
        entry.details,
        entry.address,
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return salted_hmac("kefu.audit", text, secret=key, algorithm="sha256").hexdigest()
