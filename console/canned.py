"""Replies that agents need often: which there are for whom, and changing them. Every change is recorded."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from chatbot.models import Site
from console import audit, rules
from console.models import CannedReply
from console.services import Actor, NotAllowed, NotFound


class Taken(Exception):
    """Another reply has this shortcut there."""


class Changed(Exception):
    """Somebody changed the reply meanwhile; `now` is how it is, None when it is gone."""

    def __init__(self, now: CannedReply | None) -> None:
        super().__init__()
        self.now = now


def seen_by(user: User) -> QuerySet[CannedReply]:
    """Return the replies of their sites, and those of all sites."""
    found = CannedReply.objects.select_related("site")
    if rules.Role.ADMINISTRATOR in rules.roles_of(user):
        return found
    return found.filter(Q(site=None) | Q(site__in=rules.sites_of(user)))


def may_change(user: User, site: Site | None) -> bool:
    """Whether they may change replies of this site; those of all sites (None) are administrators'."""
    return rules.may(user, "manage_sites") if site is None else rules.may(user, "reply", site)


def add(actor: Actor, *, site: Site | None, language: str, shortcut: str, text: str) -> CannedReply:
    """Keep a new reply. Raises NotAllowed, Taken."""
    if not may_change(actor.user, site):
        raise NotAllowed
    made = CannedReply(site=site, language=language, shortcut=shortcut, text=text)
    return _kept(actor, made, "canned_added")


def change(
    actor: Actor, reply_id: int, *, seen: datetime, site: Site | None, language: str, shortcut: str, text: str
) -> CannedReply:
    """Change a reply that was like this at `seen`. Raises NotFound, NotAllowed, Taken, Changed."""
    with transaction.atomic():
        found = _for_change(actor, reply_id, seen)
        if not may_change(actor.user, site):
            raise NotAllowed
        found.site, found.language, found.shortcut, found.text = site, language, shortcut, text
        return _kept(actor, found, "canned_changed")


def remove(actor: Actor, reply_id: int, *, seen: datetime) -> CannedReply:
    """Remove a reply that was like this at `seen`; return what it was. Raises as `change` does."""
    with transaction.atomic():
        found = _for_change(actor, reply_id, seen)
        _record(actor, found, "canned_removed")
        CannedReply.objects.filter(pk=found.pk).delete()
        return found


def _for_change(actor: Actor, reply_id: int, seen: datetime) -> CannedReply:
    # Of the row alone: PostgreSQL locks no outer join's empty side.
    found = CannedReply.objects.select_for_update(of=("self",)).filter(pk=reply_id).first()
    if found is None:
        raise Changed(None)
    if not seen_by(actor.user).filter(pk=found.pk).exists():
        raise NotFound
    if not may_change(actor.user, found.site):
        raise NotAllowed
    if found.updated != seen:
        raise Changed(found)
    return found


def _kept(actor: Actor, reply: CannedReply, action: str) -> CannedReply:
    reply.author = actor.user.get_username()
    try:
        with transaction.atomic():
            reply.save()
            _record(actor, reply, action)
    except IntegrityError:
        raise Taken from None
    return reply


def _record(actor: Actor, reply: CannedReply, action: str) -> None:
    details: dict[str, Any] = {"shortcut": reply.shortcut}
    audit.record(
        actor.user, action, site=reply.site, target=("canned", reply.pk), details=details, address=actor.address
    )
