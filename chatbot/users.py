"""Known users: what a site's own server signs about its user, read from a JWT. Knows nothing of where they chat.

The site signs with HS256 and its user secret; claims sub, exp (at most an hour after iat), iat, jti, aud (the site's
key), and if it likes name, email and attributes (an object of texts, numbers and truth values).
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from typing import Any

import jwt

LONGEST_SECONDS = 3600
LEEWAY_SECONDS = 30
MOST_ATTRIBUTES = 20
_LENGTHS = {"sub": 255, "jti": 128}


class UserRefused(Exception):
    """The token is not accepted; `code` names the wording: user_invalid, user_expired or user_replayed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class KnownUser:
    """Somebody whom the site vouches for. `profile` holds what the site says about them, in its order."""

    subject: str
    token_id: str
    expires: int
    profile: tuple[tuple[str, str], ...] = ()


def read_user(token: str, *, secret: str, site: str) -> KnownUser:
    """Return the user whom the token names for this site. Raises UserRefused."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=site,
            leeway=LEEWAY_SECONDS,
            options={"require": ["sub", "exp", "iat", "jti", "aud"], "strict_aud": True},
        )
    except jwt.ExpiredSignatureError:
        raise UserRefused("user_expired") from None
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError):
        raise UserRefused("user_invalid") from None
    if not all(_is_text(claims[name], length) for name, length in _LENGTHS.items()):
        raise UserRefused("user_invalid")
    if not 0 < int(claims["exp"]) - int(claims["iat"]) <= LONGEST_SECONDS:
        raise UserRefused("user_invalid")
    return KnownUser(claims["sub"], claims["jti"], int(claims["exp"]), _profile(claims))


def visitor_id(site: int, subject: str, *, secret: bytes) -> uuid.UUID:
    """Return the visitor that a site's user is, the same every time; without the secret it says nothing of the subject.

    Its version is 8: no anonymous visitor (version 4) ever has such an id.
    """
    digest = hmac.new(secret, f"kefu.user\0{site}\0{subject}".encode(), hashlib.sha256).digest()
    return uuid.UUID(int=int.from_bytes(digest[:16]) & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)


def is_known(visitor: uuid.UUID) -> bool:
    """Say whether this visitor is a site's user, rather than anonymous."""
    return visitor.version == 8


def _profile(claims: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    attributes = claims.get("attributes", {})
    if not isinstance(attributes, dict) or len(attributes) > MOST_ATTRIBUTES:
        raise UserRefused("user_invalid")
    named = {name: claims[name] for name in ("name", "email") if claims.get(name) is not None}
    pairs = [*named.items(), *((k, v) for k, v in attributes.items() if k not in ("name", "email") and v is not None)]
    if not all(_is_text(key, 64) and isinstance(value, str | int | float) for key, value in pairs):
        raise UserRefused("user_invalid")
    lines = [(key, " ".join(str(value).split())) for key, value in pairs]
    if not all(len(value) <= 500 and value.isprintable() for _, value in lines):
        raise UserRefused("user_invalid")
    return tuple((key, value) for key, value in lines if value)


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()
