"""How large a request's body may be, by its address and who sends it; before anything of it is read."""

from collections.abc import MutableMapping
from typing import Any

from api import tokens
from chatbot import files
from knowledge.parsing import DEFAULT

_FILES = ("/api/v1/documents", "/api/v1/previews")
_MARGIN = 64 * 1024  # of the multipart form around a file


def most_bytes(scope: MutableMapping[str, Any]) -> int:
    """Return the most bytes for chatbot.bodies: a document for who holds a token of ours, else what chatbot allows."""
    if scope["path"] in _FILES:
        value = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        if tokens.is_ours(value.removeprefix("Bearer ")):
            return DEFAULT.bytes_in + _MARGIN
    return files.most_bytes(scope)
