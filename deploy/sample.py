"""Asks Kefu one question over its real websocket, as the widget does, and shows the answer as it streams in."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

SECONDS = 60.0
QUESTIONS = (("zh", "退货审核通过以后，几天能收到退款？"), ("en", "How do I cancel my order?"))
OK_OUTCOMES = ("faq", "answered")


@dataclass(frozen=True)
class Answer:
    """What came back: the text, where it comes from, and the times since the question left, in milliseconds."""

    text: str
    outcome: str
    sources: tuple[str, ...]
    first_text_ms: float
    whole_ms: float


def ask(address: str, origin: str, key: str, language: str, question: str) -> Iterator[str | Answer]:
    """Yields each released part of the text as it arrives, then the Answer. A part that starts with "\\r" replaces all.

    address: ws://host:port/ws/chat/. TimeoutError, OSError or websockets' errors when the socket fails.
    """
    with connect(address, origin=Origin(origin), open_timeout=SECONDS, compression=None) as socket:
        hello = {"type": "hello", "protocol": 1, "key": key, "token": "", "after": 0, "language": language}
        socket.send(json.dumps(hello))
        receive(socket, "welcome")
        started = time.perf_counter()
        socket.send(json.dumps({"type": "say", "id": str(uuid.uuid4()), "text": question}))
        first = 0.0
        while True:
            event = receive(socket, "reply", "message")
            now = (time.perf_counter() - started) * 1000
            if event["type"] == "reply":
                yield ("\r" if event.get("replace") and first else "") + event["text"]
                first = first or now
            elif event["message"]["role"] == "bot":
                message = event["message"]
                if not first:
                    yield message["text"]
                yield Answer(message["text"], message["outcome"], titles(message["sources"]), first or now, now)
                return


def receive(socket: ClientConnection, *types: str) -> dict[str, Any]:
    """The next event of one of `types`; ConnectionError when the server refuses."""
    deadline = time.monotonic() + SECONDS
    while True:
        event: dict[str, Any] = json.loads(socket.recv(timeout=max(0.0, deadline - time.monotonic())))
        if event["type"] in types:
            return event
        if event["type"] == "error":
            raise ConnectionError(event.get("message") or event.get("code") or "refused")


def titles(sources: list[dict[str, Any]]) -> tuple[str, ...]:
    """`[1] returns-en.md, Refunds` for each source of a message."""
    return tuple(
        f"[{s.get('number')}] " + ", ".join(str(s[part]) for part in ("document", "ref", "heading") if s.get(part))
        for s in sources
    )
