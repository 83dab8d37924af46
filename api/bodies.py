"""How large a request's body may be, by its address and who sends it; before anything of it is read."""

from collections.abc import MutableMapping
from typing import Any

from api import tokens
from chatbot import files
from desk import tickets
from knowledge.parsing import DEFAULT

_FILES = ("/api/v1/documents", "/api/v1/previews")
_PAGES = "/staff/knowledge/"
_MARGIN = 64 * 1024  # of the multipart form around a file


def most_bytes(scope: MutableMapping[str, Any]) -> int:
    """Return the most bytes for chatbot.bodies: a document for who holds a token of ours, or sends it from staff's page
    with a ticket; else what chatbot allows."""
    headers = dict(scope["headers"])
    if scope["path"] in _FILES:
        value = headers.get(b"authorization", b"").decode("latin-1")
        if tokens.is_ours(value.removeprefix("Bearer ")):
            return DEFAULT.bytes_in + _MARGIN
    if scope["path"].startswith(_PAGES) and tickets.is_ours(
        headers.get(tickets.HEADER.encode(), b"").decode("latin-1")
    ):
        return DEFAULT.bytes_in + _MARGIN
    return files.most_bytes(scope)
