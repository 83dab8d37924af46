"""E-mail addresses, whatever they touch. Checked by shape alone: no list of domains is asked."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import Recognizer, Span

_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9_%+'-](?:[A-Za-z0-9._%+'-]{0,63})@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}(?P<top>[A-Za-z]{2,24})(?![A-Za-z0-9-])"
)
_FILE_ENDINGS = frozenset(
    ["png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "css", "js", "html", "json", "xml", "pdf", "zip", "mp4"]
)  # logo@2x.png


class Email(Recognizer):
    """Sure of everything that has the shape of an address and is not a file name."""

    ENTITY = "EMAIL"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the addresses."""
        for match in _ADDRESS.finditer(text):
            if match["top"].lower() not in _FILE_ENDINGS:
                yield match.start(), match.end(), 1.0
