"""A customer for benches: one websocket that keeps what a person would have seen, and notes what must not happen."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import websockets

ANSWER_SECONDS = 30.0


@dataclass
class Asked:
    """One question: seconds from its due time to the first visible text and to the whole answer."""

    due: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    first: float | None = None
    whole: float | None = None
    outcome: str = ""
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Customer:
    """Connects, asks, and checks that events are numbered without gap and that no message comes twice."""

    def __init__(self, url: str, key: str, language: str) -> None:
        self.url, self.key, self.language = url, key, language
        self.asked: list[Asked] = []
        self.faults: list[str] = []
        self._seq = 0
        self._seen: set[str] = set()
        self._confirmed: list[tuple[str, str]] = []

    async def connect(self) -> None:
        origin = "http" + self.url.removeprefix("ws").split("/ws/")[0]
        self._socket = await websockets.connect(self.url, origin=origin, max_size=2**22)  # type: ignore[arg-type]
        hello = {"type": "hello", "protocol": 1, "key": self.key, "token": "", "after": 0, "language": self.language}
        await self._socket.send(json.dumps(hello))
        welcome = json.loads(await self._socket.recv())
        if welcome["type"] != "welcome":
            raise RuntimeError(f"no welcome but {welcome}")
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        self._reader.cancel()
        await self._socket.close()

    async def ask(self, text: str, due: float | None = None) -> Asked:
        """Send a question; `due` (perf_counter) is when it should have been sent."""
        asked = Asked(due if due is not None else time.perf_counter())
        self.asked.append(asked)
        await self._socket.send(json.dumps({"type": "say", "id": asked.id, "text": text}))
        return asked

    async def answer(self, asked: Asked) -> None:
        """Wait for the whole answer."""
        await asyncio.wait_for(asked.done.wait(), ANSWER_SECONDS)

    async def _read(self) -> None:
        async for raw in self._socket:
            event = json.loads(raw)
            if event["type"] == "error":
                self.faults.append(f"error {event['code']}")
                continue
            if "seq" not in event:
                continue
            if event["seq"] != self._seq + 1:
                self.faults.append(f"event {event['seq']} after {self._seq}")
            self._seq = event["seq"]
            self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        now = time.perf_counter()
        if event["type"] == "reply":
            waiting = next((asked for asked in self.asked if asked.whole is None), None)
            if waiting is not None and waiting.first is None:
                waiting.first = now - waiting.due
        if event["type"] != "message":
            return
        message = event["message"]
        if message["id"] in self._seen:
            self.faults.append("a message came twice")
        self._seen.add(message["id"])
        if message["role"] == "customer":
            self._confirmed.append((message["id"], message["client_id"]))
        else:
            self._answered(message, now)

    def _answered(self, message: dict[str, Any], now: float) -> None:
        """A burst is answered once: the reply answers everything up to the message that it replies to."""
        ids = [id_ for id_, _ in self._confirmed]
        upto = ids.index(message["reply_to"]) + 1 if message["reply_to"] in ids else 0
        clients = {client_id for _, client_id in self._confirmed[:upto]}
        answered = [asked for asked in self.asked if asked.whole is None and asked.id in clients]
        if not answered:
            self.faults.append("an answer to nothing")
        for asked in answered:
            asked.first = asked.first if asked.first is not None else now - asked.due
            asked.whole, asked.outcome = now - asked.due, message["outcome"]
            asked.done.set()


def percentile(values: list[float], q: float) -> float:
    """Return the q-th percentile (0 to 100) of values, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(q / 100 * len(ordered) + 0.5) - 1))] if ordered else float("nan")
