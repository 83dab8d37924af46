"""An agent for benches: logs in as people do, takes what waits, writes, transfers and hands back.

Keeps what the server confirmed, so that a history can be compared with it.
"""

import asyncio
import contextlib
import json
import random
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets
from websockets.exceptions import WebSocketException

LOOK_SECONDS = 1.5
ANSWER_SECONDS = 10.0


def session_cookie(address: str, name: str, password: str) -> str:
    """Log in through the form and return the session's cookie. Raises RuntimeError when that fails."""
    with httpx.Client(base_url=address, timeout=30) as client:
        form = client.get("/staff/login/")
        field_ = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        token = field_.group(1) if field_ else ""
        names = {"csrfmiddlewaretoken": token, "username": name, "password": password}
        answer = client.post("/staff/login/", data=names, headers={"Referer": f"{address}/staff/login/"})
        session = client.cookies.get("sessionid")
        if answer.status_code != 302 or session is None:
            raise RuntimeError(f"{name} could not log in: {answer.status_code}")
        return f"sessionid={session}"


@dataclass
class Sent:
    """A reply; `done` once the server has confirmed it."""

    conversation: str
    text: str
    done: bool = False


@dataclass
class Agent:
    """One member of staff at one console; `replies` by their id."""

    url: str
    name: str
    cookie: str
    dice: random.Random
    others: list[str]
    replies: dict[str, Sent] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket: websockets.ClientConnection | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._seqs: dict[str, int] = {}
        self.welcomed = asyncio.Event()
        self._task = asyncio.create_task(self._live())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def work(self, until: float) -> None:
        """Do what agents do until the time is up; then hand everything back."""
        while time.monotonic() < until:
            await asyncio.sleep(self.dice.expovariate(1 / LOOK_SECONDS))
            mine = await self._list("mine")
            if mine and self.dice.random() < 0.7:
                await self._serve(self.dice.choice(mine))
                continue
            view = self.dice.choices(["waiting", "message", "bot", "taken"], [70, 10, 15, 5])[0]
            if found := await self._list(view):
                await self._take(self.dice.choice(found[:5]))
        await self.hand_all_back()

    async def hand_all_back(self) -> None:
        """Give the bot what one has, until one has nothing."""
        while mine := await self._list("mine"):
            for conversation in mine:
                await self.command("hand_back", conversation)

    async def _list(self, view: str) -> list[str]:
        answer = await self.command("inbox", view=view)
        return [row["conversation"] for row in answer.get("conversations", ())]

    async def _take(self, conversation: str) -> None:
        await self.command("watch", conversation, after=0)
        answer = await self.command("take", conversation)
        if answer["type"] == "done":
            await self._reply(conversation)

    async def _serve(self, conversation: str) -> None:
        act = self.dice.choices(["reply", "note", "transfer", "hand_back", "close"], [50, 10, 12, 20, 8])[0]
        match act:
            case "reply":
                await self._reply(conversation)
            case "note":
                await self.command("note", conversation, text=f"note of {self.name}")
            case "transfer":
                await self.command("transfer", conversation, to=self.dice.choice(self.others))
            case _:
                await self.command(act, conversation)

    async def _reply(self, conversation: str) -> None:
        """Reply, again and again under one id until the server says yes or no."""
        id_ = str(uuid.uuid4())
        sent = self.replies[id_] = Sent(conversation, f"{self.name} says {id_}")
        for _ in range(8):
            answer = await self.command("reply", conversation, id_=id_, text=sent.text)
            if answer["type"] == "done":
                sent.done = True
            if answer["type"] == "done" or answer["code"] in ("not_owner", "not_found", "not_allowed"):
                return

    async def command(self, type_: str, conversation: str = "", *, id_: str = "", **fields: Any) -> dict[str, Any]:
        """Send a command and return its `done` or `error`; code "unheard" when the line broke before."""
        id_ = id_ or str(uuid.uuid4())
        frame = {"type": type_, "id": id_, **({"conversation": conversation} if conversation else {}), **fields}
        await self.welcomed.wait()
        waiting = self._answers[id_] = asyncio.get_running_loop().create_future()
        answer: dict[str, Any] = {"type": "error", "code": "unheard"}
        try:
            if self._socket is not None:
                await self._socket.send(json.dumps(frame))
                answer = await asyncio.wait_for(waiting, ANSWER_SECONDS)
        except (OSError, WebSocketException, TimeoutError):
            await asyncio.sleep(0.2)
        finally:
            self._answers.pop(id_, None)
        if answer["type"] == "error":
            self.errors[answer["code"]] += 1
            await asyncio.sleep(0.2)
        else:
            self.acts[type_] += 1
        return answer

    async def _live(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                await self._call()
            self._socket = None
            self.welcomed.clear()
            for waiting in self._answers.values():
                if not waiting.done():
                    waiting.set_result({"type": "error", "code": "unheard"})
            await asyncio.sleep(self.dice.uniform(0.1, 0.6))

    async def _call(self) -> None:
        origin = "http" + self.url.removeprefix("ws").split("/ws/")[0]
        async with websockets.connect(
            self.url,
            origin=origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": self.cookie},
            compression=None,
            max_size=2**22,
            proxy=None,
            open_timeout=5,
            close_timeout=1,
            ping_interval=5,
            ping_timeout=5,
        ) as socket:
            await socket.send(json.dumps({"type": "hello", "protocol": 1, "language": "en"}))
            welcome = json.loads(await asyncio.wait_for(socket.recv(), 10))
            if welcome["type"] != "welcome":
                self.errors[f"hello: {welcome.get('code')}"] += 1
                return
            self._socket = socket
            self._seqs.clear()
            await socket.send(json.dumps({"type": "available", "id": str(uuid.uuid4()), "available": True}))
            self.welcomed.set()
            async for raw in socket:
                self._hear(json.loads(raw))

    def _hear(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "done" and "row" in frame:  # of `watch`: its events begin anew
            self._seqs.pop(frame["row"]["conversation"], None)
        if frame["type"] in ("done", "error") and frame["id"] in self._answers:
            waiting = self._answers[frame["id"]]
            if not waiting.done():
                waiting.set_result(frame)
        elif frame["type"] == "event":
            conversation, seq = frame["conversation"], frame["event"]["seq"]
            if seq <= self._seqs.get(conversation, 0):
                self.faults.append(("back", f"{self.name} saw event {seq} of {conversation} too late"))
            self._seqs[conversation] = seq
