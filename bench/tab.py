"""A browser's tab: reads a conversation over one socket after another, as the widget does, and notes what is wrong."""

import asyncio
import contextlib
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.exceptions import WebSocketException

CONFIRM_SECONDS = 20.0
HISTORY = 200  # a reader that starts gets so many finished messages at most


@dataclass
class Visit:
    """What all tabs of one visitor share. `lines` counts welcomes."""

    url: str
    key: str
    language: str
    token: str = ""
    conversation: str = ""
    lines: int = 0
    errors: Counter[str] = field(default_factory=Counter)


@dataclass
class Outgoing:
    """A message on its way; times on the monotonic clock. `refused`: the server said so at least once."""

    text: str
    asked: float
    line: int = 0
    again: float = 0.0
    refused: bool = False


class Tab:
    """Keeps the finished messages in the order in which they came, and everything wrong about it in `faults`.

    `on_event` is called with each numbered event. What is asked is sent again, under its id, until it is confirmed.
    """

    def __init__(self, visit: Visit, on_event: Callable[[dict[str, Any]], None] = lambda event: None) -> None:
        self.visit, self._on_event = visit, on_event
        self.seq = 0
        self.history: list[dict[str, Any]] = []
        self.seqs: list[int] = []
        self.streaming: set[str] = set()
        self.dropped: set[str] = set()
        self.outbox: dict[str, Outgoing] = {}
        self.refused: set[str] = set()
        self.faults: list[tuple[str, str]] = []
        self.heard = time.monotonic()
        self.welcomed = asyncio.Event()
        self._seen: set[str] = set()
        self._line = 0
        self._wake = asyncio.Event()
        self._socket: websockets.ClientConnection | None = None
        self._task = asyncio.create_task(self._live())

    def ask(self, text: str) -> str:
        """Say something, now or as soon as there is a line; return its id."""
        id_ = str(uuid.uuid4())
        self.outbox[id_] = Outgoing(text, time.monotonic())
        self._wake.set()
        return id_

    async def stop_answer(self) -> None:
        """Press the stop button."""
        await self._say({"type": "stop"})

    async def reconnect(self, *, reload: bool = False) -> None:
        """Hang up and call again; with `reload`, having forgotten all that was shown."""
        if reload:
            self._forget()
        if self._socket is not None:
            await self._socket.close()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _forget(self) -> None:
        self.seq = 0
        self._line += 1  # what the old line still brings is not taken
        for kept in (self.history, self.seqs, self.streaming, self.dropped, self._seen):
            kept.clear()

    async def _say(self, frame: dict[str, Any]) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError, WebSocketException):
                await self._socket.send(json.dumps(frame))

    async def _live(self) -> None:
        attempt = 0
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                if await self._call():
                    attempt = 0
            self._socket = None
            self.welcomed.clear()
            attempt += 1
            await asyncio.sleep(random.uniform(0.1, min(3.0, 0.3 * 2**attempt)))

    async def _call(self) -> bool:
        """One line, from its hello to its end; whether there was a welcome."""
        self._line += 1
        line, visit = self._line, self.visit
        origin = "http" + visit.url.removeprefix("ws").split("/ws/")[0]
        async with websockets.connect(
            visit.url,
            origin=origin,  # type: ignore[arg-type]
            compression=None,
            max_size=2**22,
            proxy=None,
            open_timeout=5,
            close_timeout=1,
            ping_interval=5,
            ping_timeout=5,
        ) as socket:
            hello = {"type": "hello", "protocol": 1, "key": visit.key, "token": visit.token, "after": self.seq}
            await socket.send(json.dumps({**hello, "language": visit.language}))
            welcome = json.loads(await asyncio.wait_for(socket.recv(), 10))
            if welcome["type"] != "welcome":
                visit.errors[welcome.get("code", welcome["type"])] += 1
                return False
            if visit.token and welcome["conversation"] != visit.conversation:
                self.faults.append(("lost", f"conversation {visit.conversation} became {welcome['conversation']}"))
            visit.token, visit.conversation = welcome["token"], welcome["conversation"]
            visit.lines += 1
            if line != self._line:  # reloaded meanwhile: this line began with what was shown before
                return True
            self._socket = socket
            self.welcomed.set()
            sender = asyncio.create_task(self._send(socket, line))
            try:
                async for raw in socket:
                    if line == self._line:
                        self._take(json.loads(raw))
            finally:
                sender.cancel()
        return True

    async def _send(self, socket: websockets.ClientConnection, line: int) -> None:
        while True:
            self._wake.clear()
            for id_, message in list(self.outbox.items()):
                if id_ in self.outbox and (message.line != line or time.monotonic() > message.again):
                    message.line, message.again = line, time.monotonic() + CONFIRM_SECONDS
                    with contextlib.suppress(WebSocketException):  # the line has just broken: it is sent on the next
                        await socket.send(json.dumps({"type": "say", "id": id_, "text": message.text}))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 1)

    def _take(self, event: dict[str, Any]) -> None:
        self.heard = time.monotonic()
        if event["type"] == "error":
            self.visit.errors[event["code"]] += 1
            if event["id"] in self.outbox:
                self.refused.add(event["id"])
                self.outbox[event["id"]].again = time.monotonic() + (event["retry_after"] or 1.0)
        if "seq" not in event:
            return
        if event["seq"] <= self.seq:
            self.faults.append(("back", f"event {event['seq']} after {self.seq}"))
        self.seq = max(self.seq, event["seq"])
        if event["type"] == "message":
            self._finish(event["message"], event["seq"])
        elif event["reply"] in self._seen:
            self.faults.append(("late", f"{event['type']} {event['seq']} of the finished reply {event['reply']}"))
        elif event["reply"] in self.dropped:
            self.faults.append(("late", f"{event['type']} {event['seq']} of {event['reply']}, which a new owner ended"))
        elif event["type"] == "reply":
            self.streaming.add(event["reply"])
        self._on_event(event)

    def _finish(self, message: dict[str, Any], seq: int) -> None:
        self.streaming.discard(message["id"])
        if message["role"] == "system" and message["reason"] in ("joined", "transferred"):
            self.dropped |= self.streaming
            self.streaming.clear()
        self.outbox.pop(message["client_id"], None)
        if message["id"] in self._seen:
            before = self.seqs[[m["id"] for m in self.history].index(message["id"])]
            self.faults.append(("doubled", f"{message['role']} {message['id']} as {before} and as {seq}"))
            return
        self._seen.add(message["id"])
        self.history.append(message)
        self.seqs.append(seq)
