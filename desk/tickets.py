"""A ticket for large uploads: shows, before a body is read and without asking anybody, that our page sends it.

It allows nothing but the size: what may be done, the session behind the request decides.
"""

from django.core import signing

HEADER = "x-kefu-upload"
SECONDS = 24 * 3600
_signer = signing.TimestampSigner(salt="kefu.upload")


def made() -> str:
    """Return a new ticket, for a page."""
    return _signer.sign("staff")


def is_ours(ticket: str) -> bool:
    """Say whether we made it, within the last day."""
    try:
        _signer.unsign(ticket, max_age=SECONDS)
    except signing.BadSignature:
        return False
    return True
