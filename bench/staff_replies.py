"""What judging adds to an agent's reply: `python -m bench.staff_replies`, on a Kefu of its own.

Seconds from a console's `reply` to its `done`, beside those of a `note`, which takes the same path unjudged; alone,
then while customers ask 20 questions a second.
"""

import asyncio
import json
import time
import uuid
from typing import Any

import websockets

from bench.agents import session_cookie
from bench.chat import many_customers
from bench.client import Customer, percentile
from bench.processes import usage_of
from bench.server import Server, running

REPLIES = 100
RATE, SOCKETS = 20.0, 50
TEXTS = (
    "Thank you for waiting: order {} left our warehouse this morning and should reach you within three days.",
    "您好，订单{}已经由仓库发出，预计两到三天送达，请留意快递短信。",
    "I have checked your invoice number {}. The amount was charged once only; the second line is a reservation.",
    "关于您反馈的第{}号商品破损问题，我们可以为您免费换货，也可以直接退款，请告诉我您的选择。",
)


class Console:
    """One console that sends one command at a time."""

    def __init__(self, server: Server, cookie: str) -> None:
        self.server, self.cookie = server, cookie

    async def open(self) -> None:
        url = self.server.socket_url.replace("/chat/", "/staff/")
        headers = {"Cookie": self.cookie, "Origin": self.server.address}
        self.socket = await websockets.connect(url, additional_headers=headers)
        await self.socket.send(json.dumps({"type": "hello", "protocol": 1}))
        await self.next("welcome")

    async def next(self, type_: str) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = json.loads(await self.socket.recv())
            if frame["type"] == type_:
                return frame

    async def command(self, type_: str, **fields: Any) -> tuple[dict[str, Any], float]:
        """The answer, and the seconds until it came."""
        id_, started = str(uuid.uuid4()), time.perf_counter()
        await self.socket.send(json.dumps({"type": type_, "id": id_, **fields}))
        while True:
            frame = json.loads(await self.socket.recv())
            if frame.get("id") == id_:
                return frame, time.perf_counter() - started


async def main(server: Server, cookie: str) -> None:
    console = Console(server, cookie)
    await console.open()
    customer = Customer(server.socket_url, "demo", "en")
    await customer.connect()
    await customer.ask("I want to talk to a person")
    chat = (await console.next("conversation"))["row"]["conversation"]
    await console.command("take", conversation=chat)
    await say(console, "reply", chat, "warm", 10)
    print("| run | p50 / p95 / most ms | refused | CPU ms: web, masker, worker |\n| --- | --- | --- | --- |")
    for act in ("note", "reply"):
        await measured(server, console, act, chat, "alone")
    seconds = 2 * REPLIES * 0.25
    load = asyncio.create_task(
        many_customers(server.socket_url, "demo", None, sockets=SOCKETS, rate=RATE, seconds=seconds)
    )
    await asyncio.sleep(4)  # the sockets connect
    for act in ("note", "reply"):
        await measured(server, console, act, chat, f"{RATE:g} questions a second")
    still = not load.done()
    result = await load
    first = " / ".join(f"{percentile(result.first, q) * 1000:.0f}" for q in (50, 95))
    print(
        f"\nthe customers' first text meanwhile, p50 / p95: {first} ms (asked to the end: {'yes' if still else 'no'})"
    )


async def measured(server: Server, console: Console, act: str, chat: str, name: str) -> None:
    before = usage_of(server.pid)
    times, refused = await say(console, act, chat, name, REPLIES)
    after = usage_of(server.pid)
    row = " / ".join(f"{1000 * t:.0f}" for t in (percentile(times, 50), percentile(times, 95), max(times)))
    parts = ("web", "masker", "worker")
    cpu = ", ".join(f"{(after[part] - before[part]).cpu_seconds * 1000 / REPLIES:.1f}" for part in parts)
    print(f"| {act}, {name} | {row} | {refused} | {cpu} |", flush=True)


async def say(console: Console, act: str, chat: str, name: str, times: int) -> tuple[list[float], int]:
    found, refused = [], 0
    for number in range(times):
        text = TEXTS[number % len(TEXTS)].format(f"{act[0]}{name[:2]}{number}")
        answer, seconds = await console.command(act, conversation=chat, text=text)
        refused += answer["type"] != "done"
        found.append(seconds)
        await asyncio.sleep(0.12)  # a console may send 600 frames a minute
    return found, refused


if __name__ == "__main__":
    with running({"KEFU_MESSAGES_PER_MINUTE": "100000"}) as started:
        made = json.loads(started.command("staff", "add", "mei", "--role", "agent", "--site", "demo"))
        asyncio.run(main(started, session_cookie(started.address, "mei", made["password"])))
