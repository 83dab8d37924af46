"""A customer for integration tests: reconnects as the widget does, and keeps what a person would have seen."""

import json
import time
import uuid
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from tests.patience import PATIENCE


class Customer:
    """Remembers token and last number; `transcript` holds finished messages by id, in the order in which they came."""

    def __init__(self, url: str, language: str = "en", key: str = "demo") -> None:
        self.url, self.language, self.key = url, language, key
        self.token, self.seq = "", 0
        self.transcript: dict[str, dict[str, Any]] = {}
        self.streaming: dict[str, str] = {}
        self.services: list[str] = []
        self.stages: list[str] = []
        self.errors: list[dict[str, Any]] = []
        self.doubled: list[str] = []
        self.reconnects = -1
        self._connect()

    def _connect(self) -> None:
        origin = "http" + self.url.removeprefix("ws").split("/ws/")[0]
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            try:
                self.socket = connect(self.url, origin=origin, compression=None, open_timeout=PATIENCE, max_queue=None)  # type: ignore[arg-type]
                hello = {"type": "hello", "protocol": 1, "key": self.key, "token": self.token, "after": self.seq}
                self.socket.send(json.dumps({**hello, "language": self.language}))
                welcome = json.loads(self.socket.recv(timeout=PATIENCE))
                assert welcome["type"] == "welcome", welcome
                break
            except (OSError, WebSocketException, TimeoutError):
                assert time.monotonic() < deadline, "no connection for two minutes"
                time.sleep(0.1)
        assert welcome["fresh"] == (not self.token)
        self.token = welcome["token"]
        self.reconnects += 1

    def say(self, text: str, id_: str | None = None) -> str:
        id_ = id_ or str(uuid.uuid4())
        self.send({"type": "say", "id": id_, "text": text})
        return id_

    def send(self, frame: Any) -> None:
        data = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        try:
            self.socket.send(data)
        except ConnectionClosed:  # given up, as on a machine with too much to do
            self._connect()
            self.socket.send(data)

    def read(self, seconds: float) -> dict[str, Any] | None:
        """Take one frame; None when none came. Reconnects when the socket is gone."""
        try:
            event: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        except TimeoutError:
            return None
        except ConnectionClosed:
            self._connect()
            return None
        self._take(event)
        return event

    def until(self, done: Any, seconds: float = PATIENCE) -> float:
        """Read until `done()`; return the seconds that it took."""
        start = time.monotonic()
        while not done():
            assert time.monotonic() - start < seconds, (self.transcript, self.streaming, self.services, self.errors)
            self.read(0.2)
        return time.monotonic() - start

    def answers(self) -> list[dict[str, Any]]:
        return [m for m in self.transcript.values() if m["role"] == "bot"]

    def confirmed(self, id_: str) -> bool:
        return any(m["client_id"] == id_ for m in self.transcript.values())

    def close(self) -> None:
        self.socket.close()

    def _take(self, event: dict[str, Any]) -> None:
        if event["type"] == "service":
            self.services.append(event["state"])
        if event["type"] == "error":
            self.errors.append(event)
        if "seq" not in event:
            return
        assert event["seq"] > self.seq, f"event {event['seq']} after {self.seq}"
        self.seq = event["seq"]
        if event["type"] == "status":
            self.stages.append(event["stage"])
        if event["type"] == "reply":
            shown = "" if event["replace"] else self.streaming.get(event["reply"], "")
            self.streaming[event["reply"]] = shown + event["text"]
        if event["type"] == "message":
            message = event["message"]
            if message["id"] in self.transcript:
                self.doubled.append(message["id"])
            self.transcript[message["id"]] = message
            self.streaming.pop(message["id"], None)
