"""The visitor's token: signed, expiring, bound to site and origin. It travels in the first frame, never in a URL."""

import uuid
from dataclasses import dataclass

from django.core import signing

SECONDS = 30 * 24 * 3600
_SALT = "kefu.visitor"


@dataclass(frozen=True)
class Visitor:
    """Who is at the other end of a socket, as far as a token can tell."""

    id: uuid.UUID
    conversation: uuid.UUID
    site: str
    origin: str


def issue(visitor: Visitor) -> str:
    """Return a token for the visitor."""
    values = [visitor.id.hex, visitor.conversation.hex, visitor.site, visitor.origin]
    return signing.dumps(values, salt=_SALT, compress=False)


def read(token: str, *, site: str, origin: str) -> Visitor | None:
    """Return the visitor, or None when the token is forged, expired, or for another site or origin."""
    try:
        visitor, conversation, token_site, token_origin = signing.loads(token, salt=_SALT, max_age=SECONDS)
        if (token_site, token_origin) != (site, origin):
            return None
        return Visitor(uuid.UUID(visitor), uuid.UUID(conversation), site, origin)
    except (signing.BadSignature, ValueError, TypeError):
        return None
