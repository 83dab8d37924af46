"""deploy.sample: one question over a websocket, against a server that follows a script."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from deploy.sample import Answer, ask

BOT = {
    "role": "bot",
    "text": "After 3 days.",
    "outcome": "answered",
    "sources": [{"number": 1, "document": "returns-en.md", "ref": "", "heading": "Refunds"}],
}


@contextmanager
def server(*events: dict[str, Any], welcome: dict[str, Any] | None = None) -> Iterator[str]:
    def talk(connection: ServerConnection) -> None:
        hello = json.loads(connection.recv())
        assert hello["type"] == "hello"
        connection.send(json.dumps(welcome or {"type": "welcome"}))
        assert json.loads(connection.recv())["text"] == "When?"
        for event in events:
            connection.send(json.dumps(event))

    with serve(talk, "127.0.0.1", 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{running.socket.getsockname()[1]}/ws/chat/"
        running.shutdown()


def play(address: str) -> tuple[list[str], Answer]:
    *pieces, answer = ask(address, "http://127.0.0.1", "demo", "en", "When?")
    assert isinstance(answer, Answer)
    return [str(piece) for piece in pieces], answer


def test_parts_are_yielded_as_they_come_then_the_whole_with_its_sources_and_times() -> None:
    customer = {"type": "message", "message": {"role": "customer", "text": "When?"}}
    parts = [{"type": "reply", "part": n, "text": text} for n, text in enumerate(("After ", "3 days."))]
    status = {"type": "status", "stage": "searching"}
    with server(customer, status, *parts, {"type": "message", "message": BOT}) as address:
        pieces, answer = play(address)
    assert pieces == ["After ", "3 days."]
    assert answer.text == "After 3 days."
    assert answer.outcome == "answered"
    assert answer.sources == ("[1] returns-en.md, Refunds",)
    assert 0 < answer.first_text_ms <= answer.whole_ms


def test_a_part_that_replaces_all_before_it_says_so() -> None:
    now = {"type": "reply", "text": "Now", "replace": True}  # the first part replaces nothing
    parts = [now, {"type": "reply", "text": "Sorry.", "replace": True}]
    with server(*parts, {"type": "message", "message": BOT}) as address:
        assert play(address)[0] == ["Now", "\rSorry."]


def test_an_answer_that_was_not_streamed_is_yielded_whole() -> None:
    with server({"type": "message", "message": BOT}) as address:
        assert play(address)[0] == ["After 3 days."]


def test_a_refused_socket_is_an_error_with_the_servers_words() -> None:
    with (
        server(welcome={"type": "error", "message": "unknown site"}) as address,
        pytest.raises(OSError, match="unknown site"),
    ):
        play(address)
