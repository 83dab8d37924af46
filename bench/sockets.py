"""A thousand idle sockets and a hundred active ones: memory of each, how soon an event is with everyone, nothing lost.

usage: bench/sockets.py [--minutes 10] [--idle 1000] [--active 100] [--tabs 4]
Active sockets are several tabs of one conversation each; every one asks every ten seconds. Fan-out is the time from the
append in redis (whose clock numbers the feed) to the receipt in this process, which reads all sockets in one thread.
Exits with 1 when anything was lost, doubled or out of order, a socket closed, or a limit was missed.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis.asyncio
import websockets

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.client import percentile
from bench.processes import usage_of
from bench.server import Server, running

QUESTIONS = Path(__file__).resolve().parent.parent / "demo" / "bench_questions.jsonl"
FEED = "kefu:feed"
EVERY_SECONDS = 10.0
SETTLE_SECONDS = 3.0
STEPS = (200, 400, 600, 800, 1000)
LIMIT_KILOBYTES, LIMIT_SECONDS = 100.0, 0.1
ALONGSIDE = 200  # descriptors that this process needs beside its sockets


@dataclass
class Talk:
    """A conversation as its tabs and the feed know it: wall-clock times by event number."""

    token: str = ""
    id: str = ""
    appended: dict[int, float] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)


class Socket:
    """One websocket that is never reconnected: whatever ends it is a fault."""

    def __init__(self, url: str, talk: Talk) -> None:
        self.url, self.talk = url, talk
        self.received: list[tuple[int, float]] = []
        self.messages: list[dict[str, Any]] = []
        self.errors: list[str] = []

    async def connect(self) -> None:
        origin = "http" + self.url.removeprefix("ws").split("/ws/")[0]
        self._socket = await websockets.connect(
            self.url,
            origin=origin,  # type: ignore[arg-type]
            compression=None,
            ping_interval=None,
            proxy=None,
            max_queue=None,  # a receipt counts when it is read, and nothing waits in the kernel
            open_timeout=30,
        )
        hello = {"type": "hello", "protocol": 1, "key": "demo", "token": self.talk.token, "after": 0, "language": "en"}
        await self._socket.send(json.dumps(hello))
        welcome = json.loads(await self._socket.recv())
        if welcome["type"] != "welcome":
            raise RuntimeError(f"no welcome but {welcome}")
        self.talk.token, self.talk.id = welcome["token"], welcome["conversation"]
        self._reader = asyncio.create_task(self._read())

    async def ask(self, text: str) -> None:
        id_ = str(uuid.uuid4())
        self.talk.asked.add(id_)
        await self._socket.send(json.dumps({"type": "say", "id": id_, "text": text}))

    async def close(self) -> None:
        self._reader.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                now, event = time.time(), json.loads(raw)
                if event["type"] == "error":
                    self.errors.append(f"error {event['code']}")
                if "seq" in event:
                    self.received.append((event["seq"], now))
                    if event["type"] == "message":
                        self.messages.append(event["message"])
        finally:
            self.errors.append("closed")

    def faults(self) -> list[str]:
        """Everything wrong so far: numbers must be those of the feed, each once, in order."""
        numbers = [seq for seq, _ in self.received]
        faults = list(self.errors)
        if numbers != sorted(set(numbers)):
            faults.append("doubled or out of order")
        lost = self.talk.appended.keys() - set(numbers)
        return faults + [f"lost event {seq}" for seq in sorted(lost)]


async def follow(feed: Any, talks: dict[str, Talk]) -> None:
    """Note when redis appended each event, by its own clock."""
    last = "0-0"
    while True:
        for id_, row in await feed.xrange(FEED, min=f"({last}"):
            last = id_.decode()
            talk = talks.get(row[b"conversation"].decode())
            if talk is not None and row[b"seq"] != b"0":  # a nudge is for the server alone
                talk.appended[int(row[b"seq"])] = int(last.split("-")[0]) / 1000
        await asyncio.sleep(1)


async def connect_all(sockets: list[Socket]) -> None:
    """Connect a few at a time, as a crowd does."""
    for batch in range(0, len(sockets), 20):
        await asyncio.gather(*(socket.connect() for socket in sockets[batch : batch + 20]))


async def idle_sockets(server: Server, count: int) -> tuple[list[Socket], dict[int, float]]:
    """Open idle sockets step by step; return them with web's memory (MB) at each step."""
    sockets: list[Socket] = []
    memory: dict[int, float] = {}
    for step in sorted({min(step, count) for step in STEPS} | {count}):
        new = [Socket(server.socket_url, Talk()) for _ in range(step - len(sockets))]
        await connect_all(new)
        sockets += new
        await asyncio.sleep(SETTLE_SECONDS)
        memory[step] = usage_of(server.pid)["web"].megabytes
    return sockets, memory


async def ask_on(socket: Socket, texts: list[str], first: float, until: float) -> None:
    """Ask every ten seconds, beginning after `first` seconds."""
    due = time.monotonic() + first
    number = 0
    while due < until:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await socket.ask(texts[number % len(texts)])
        number, due = number + 1, due + EVERY_SECONDS


def unanswered(talk: Talk, messages: list[dict[str, Any]]) -> int:
    """How many questions no reply has ended; a reply answers everything up to the message that it replies to."""
    at = {message["id"]: message["at"] for message in messages}
    upto = max((at.get(m["reply_to"], "") for m in messages if m["role"] == "bot"), default="")
    ended = {m["client_id"] for m in messages if m["role"] == "customer" and m["at"] <= upto}
    return len(talk.asked - ended)


async def main(server: Server, options: argparse.Namespace) -> int:
    """Connect, ask for some minutes, print; return 1 on any fault or missed limit."""
    idle, memory = await idle_sockets(server, options.idle)
    talks = [Talk() for _ in range(options.active // options.tabs)]
    firsts = [Socket(server.socket_url, talk) for talk in talks]
    await connect_all(firsts)
    others = [Socket(server.socket_url, talk) for talk in talks for _ in range(options.tabs - 1)]
    await connect_all(others)
    active = firsts + others
    feed = redis.asyncio.Redis(unix_socket_path=str(server.sockets / "redis.sock"))
    following = asyncio.create_task(follow(feed, {talk.id: talk for talk in talks}))
    texts = [json.loads(line)["question"] for line in QUESTIONS.read_text().splitlines() if line.strip()]
    before, until = usage_of(server.pid), time.monotonic() + options.minutes * 60
    dice = random.Random(7)
    await asyncio.gather(
        *(ask_on(s, dice.sample(texts, len(texts)), dice.uniform(0, EVERY_SECONDS), until) for s in active)
    )
    after = usage_of(server.pid)
    await asyncio.sleep(SETTLE_SECONDS)
    following.cancel()
    await feed.aclose()
    status = show(options, idle, active, talks, memory)
    asked = sum(len(talk.asked) for talk in talks)
    spent = ", ".join(f"{n} {(after[n] - before[n]).cpu_seconds * 1000 / max(1, asked):.1f}" for n in after)
    print(f"| CPU ms a question | {spent} |")
    for batch in range(0, len(idle), 100):
        await asyncio.gather(*(socket.close() for socket in idle[batch : batch + 100]))
    await asyncio.gather(*(socket.close() for socket in active))
    return status


def show(
    options: argparse.Namespace, idle: list[Socket], active: list[Socket], talks: list[Talk], memory: dict[int, float]
) -> int:
    """Print the table and the faults; return 1 when there is one."""
    fan_out = [now - s.talk.appended[seq] for s in active for seq, now in s.received if seq in s.talk.appended]
    last: dict[tuple[str, int], float] = defaultdict(float)
    for socket in active:
        for seq, now in socket.received:
            last[socket.talk.id, seq] = max(last[socket.talk.id, seq], now)
    whole = [last[talk.id, seq] - at for talk in talks for seq, at in talk.appended.items() if last[talk.id, seq]]
    low, high = min(memory), max(memory)
    slope = (memory[high] - memory[low]) * 1024 / max(1, high - low)
    faults = [f"active: {fault}" for socket in active for fault in socket.faults()]
    faults += [f"idle: {fault}" for socket in idle for fault in [*socket.errors, *map(str, socket.received)]]
    open_ = sum(unanswered(s.talk, s.messages) for s in active[: len(talks)])
    asked = sum(len(talk.asked) for talk in talks)
    print("| what | figure |\n| --- | --- |")
    print(f"| sockets | {len(idle)} idle, {len(active)} active ({options.tabs} tabs a conversation) |")
    print(f"| web, MB (PSS) at idle sockets | {', '.join(f'{n}: {mb:.1f}' for n, mb in memory.items())} |")
    print(f"| memory of an idle socket ({low} to {high}) | {slope:.1f} kB |")
    print(f"| fan-out to a socket p50 / p95 / p99 / max ms | {_row(fan_out)} |")
    print(f"| fan-out to the last tab p50 / p95 / p99 / max ms | {_row(whole)} |")
    print(f"| asked, unanswered | {asked}, {open_} in {options.minutes:g} minutes |")
    print(f"| events, receipts, faults | {len(whole)}, {len(fan_out)}, {len(faults)} |")
    for fault in faults[:40]:
        print(fault)
    missed = slope > LIMIT_KILOBYTES or not percentile(whole, 95) <= LIMIT_SECONDS
    return 1 if faults or open_ or missed else 0


def _row(seconds: list[float]) -> str:
    return " / ".join(f"{percentile(seconds, q) * 1000:.0f}" for q in (50, 95, 99, 100))


def allow_files(count: int) -> None:
    """Raise this process' limit of open files; SystemExit when the machine does not allow so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        sys.exit(f"{count} open files are needed, the machine allows {hard}: raise it with ulimit -Hn as root")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--active", type=int, default=100)
    parser.add_argument("--tabs", type=int, default=4, help="sockets of one conversation")
    given = parser.parse_args()
    allow_files(given.idle + given.active + ALONGSIDE)
    with running({"KEFU_MESSAGES_PER_MINUTE": "100000"}) as own:
        sys.exit(asyncio.run(main(own, given)))
