"""What administrators do with sites: make, change, give keys, delete; each act is recorded. Knows nothing of pages."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from chatbot import services, sites
from chatbot.events import EventLog
from chatbot.models import Conversation, Site
from console import audit
from guardrails.sealing import MasterKey
from knowledge.models import KnowledgeBase

FIELDS = (
    "name",
    "allowed_origins",
    "knowledge_base",
    "contacts",
    "bot_name",
    "persona",
    "languages",
    "hours",
    "widget",
    "answer_within",
    "retention_days",
)
"""What people set of a site."""


_ENDING = "deleted:"
"""What the key of a site begins with whose end has begun: no name makes a key with a colon."""


class Ending(Exception):
    """The site is being deleted: nobody may come to it any more."""


class Stale(Exception):
    """Somebody else has changed the site since it was shown."""


def stamp(site: Site) -> str:
    """Return what is different whenever anything that people set is."""
    values = json.dumps([getattr(site, name) for name in FIELDS], sort_keys=True)
    return hashlib.sha256(values.encode()).hexdigest()[:16]


@transaction.atomic
def make(actor: User, *, name: str, base: str, languages: Sequence[str]) -> Site:
    """Make a site, and its knowledge base if there is none of that name (slug). Raises ValidationError."""
    site = Site(key=_new_key(name), name=name, knowledge_base=base, languages=list(languages))
    site.full_clean()
    site.save()
    _have_base(base, name)
    audit.record(actor, "site_made", site=site, target=("site", site.pk), details={"key": site.key})
    return site


@transaction.atomic
def change(actor: User, site_id: int, changes: Mapping[str, Any], *, seen: str) -> Site:
    """Change what people set of a site; `seen` is the stamp of what they saw. Raises Stale, ValidationError."""
    site = Site.objects.select_for_update().get(pk=site_id)
    if stamp(site) != seen:
        raise Stale
    changed = [name for name in FIELDS if name in changes and getattr(site, name) != changes[name]]
    if not changed:
        return site
    for name in changed:
        setattr(site, name, changes[name])
    site.full_clean(exclude=[field.name for field in Site._meta.fields if field.name not in changed])
    site.save(update_fields=changed)
    if "knowledge_base" in changed:
        _have_base(site.knowledge_base, site.name)
    audit.record(actor, "site_changed", site=site, target=("site", site.pk), details={"fields": changed})
    return site


@transaction.atomic
def new_key(actor: User, site_id: int) -> Site:
    """Give the site another public key: pages with the old one show no chat any more. Raises Ending."""
    site = Site.objects.select_for_update().get(pk=site_id)
    if is_ending(site):
        raise Ending
    before, site.key = site.key, _new_key(site.name)
    site.save(update_fields=["key"])
    details = {"before": before, "key": site.key}
    audit.record(actor, "site_key_changed", site=site, target=("site", site.pk), details=details)
    return site


@transaction.atomic
def new_user_secret(actor: User, site_id: int, *, master_key: MasterKey) -> str:
    """Give the site a new secret for signing its users and return it: it is seen this once."""
    site = Site.objects.select_for_update().get(pk=site_id)
    secret = sites.new_user_secret(site, master_key=master_key)
    audit.record(actor, "site_user_secret_made", site=site, target=("site", site.pk))
    return secret


def old_conversations(site: Site, days: int) -> int:
    """Return how many conversations would be erased if it kept them for so many days; 0 keeps all."""
    limit = timezone.now() - timedelta(days=days)
    return Conversation.objects.filter(site=site, updated__lt=limit).count() if days else 0


def is_ending(site: Site) -> bool:
    """Whether somebody has said that the site is to be deleted, and it is on its way."""
    return site.key.startswith(_ENDING)


def delete_some(
    actor: User,
    site_id: int,
    *,
    log: EventLog,
    also: Sequence[Callable[[UUID], object]],
    seconds: float = 1.0,
) -> int:
    """Erase the site's conversations for so long, and the site when none is left; return how many are.

    Begins with taking its key away, so that none is added. Call it until it returns 0. Raises LogUnavailable; what was
    erased until then is gone.
    """
    site = Site.objects.get(pk=site_id)
    if not is_ending(site):
        _take_key(actor, site)
    deadline = time.monotonic() + seconds
    for conversation in Conversation.objects.filter(site=site).values_list("pk", flat=True)[:1000]:
        services.erase_conversation(conversation, log=log, also=also)
        if time.monotonic() > deadline:
            break
    left = Conversation.objects.filter(site=site).count()
    if not left:
        with transaction.atomic():
            audit.record(actor, "site_deleted", site=site, target=("site", site.pk), details={"name": site.name})
            site.delete()
    return left


@transaction.atomic
def _take_key(actor: User, site: Site) -> None:
    before, site.key = site.key, f"{_ENDING}{secrets.token_urlsafe(12)}"
    site.save(update_fields=["key"])
    audit.record(actor, "site_deletion_begun", site=site, target=("site", site.pk), details={"key": before})


def _have_base(slug: str, name: str) -> None:
    KnowledgeBase.objects.get_or_create(slug=slug, defaults={"name": name})


def _new_key(name: str) -> str:
    """Return a key that says whose it is where the name can be written in ASCII, and is nobody else's."""
    return f"{slugify(name)[:30] or 'site'}-{secrets.token_hex(4)}"


def said(error: ValidationError) -> str:
    """Return what a validation found, in one line."""
    return " ".join(error.messages)
