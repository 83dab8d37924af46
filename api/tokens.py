"""Tokens: made, recognised, revoked.

A token ends with a mark of ours, so that what is none is known without asking the database.
"""

import base64
import hmac
import re
import secrets
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from api.models import ApiToken
from console import audit
from knowledge.models import KnowledgeBase

PREFIX = "kefu_"
_SHAPE = re.compile(rf"({PREFIX}[A-Za-z0-9_-]{{43}})([A-Za-z0-9_-]{{12}})")
_READ, _EDIT, _PUBLISH, _PURGE = ApiToken.Scope
GRANTS: dict[str, frozenset[str]] = {
    _READ: frozenset((_READ,)),
    _EDIT: frozenset((_READ, _EDIT)),
    _PUBLISH: frozenset((_READ, _EDIT, _PUBLISH)),
    _PURGE: frozenset((_READ, _PURGE)),
}
"""What a token of a scope may do. What cannot be undone takes a token of its own."""


class TokenError(Exception):
    """A token cannot be made, in words for people."""


def make(name: str, base_slug: str, scope: str, *, days: int | None = None, author: User | None = None) -> str:
    """Make a token and return it; this is the only time that it is seen. Raises TokenError."""
    base = KnowledgeBase.objects.filter(slug=base_slug).first()
    if base is None:
        raise TokenError(f"there is no knowledge base {base_slug!r}")
    unmarked = PREFIX + secrets.token_urlsafe(32)
    token = unmarked + _mark(unmarked, settings.SECRET_KEY)
    expires = timezone.now() + timedelta(days=days) if days is not None else None
    try:
        with transaction.atomic():
            made = ApiToken.objects.create(
                name=name,
                base=base,
                scope=ApiToken.Scope(scope),
                digest=_digest(token),
                hint=token[:10],
                author=author,
                expires=expires,
            )
            audit.record(author, "make_token", target=("token", made.pk), details={"name": name, "scope": scope})
    except IntegrityError:
        raise TokenError(f"there is a token named {name!r}") from None
    return token


def is_ours(token: str) -> bool:
    """Say whether we made this token, used or revoked; asks nobody."""
    match = _SHAPE.fullmatch(token)
    if match is None:
        return False
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(match[2], _mark(match[1], key)) for key in keys)


def find(token: str) -> ApiToken | None:
    """Return the token if it is one and may be used now."""
    if not is_ours(token):
        return None
    now = timezone.now()
    usable = ApiToken.objects.filter(Q(expires=None) | Q(expires__gt=now), revoked=None)
    found = usable.select_related("base").filter(digest=_digest(token)).first()
    if found is not None and (found.last_used is None or now - found.last_used > timedelta(minutes=1)):
        ApiToken.objects.filter(pk=found.pk).update(last_used=now)
    return found


def may(token: ApiToken, scope: str) -> bool:
    """Say whether a token may do what takes that scope."""
    return scope in GRANTS[token.scope]


def revoke(name: str, *, author: User | None = None) -> bool:
    """End the use of a token; False when there is none of that name."""
    with transaction.atomic():
        found = ApiToken.objects.select_for_update().filter(name=name, revoked=None).first()
        if found is None:
            return False
        ApiToken.objects.filter(pk=found.pk).update(revoked=timezone.now())
        audit.record(author, "revoke_token", target=("token", found.pk), details={"name": name})
    return True


def _mark(unmarked: str, key: str) -> str:
    return base64.urlsafe_b64encode(salted_hmac("kefu.api", unmarked, key, algorithm="sha256").digest()[:9]).decode()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
