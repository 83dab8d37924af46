"""What customers' and staff's sockets have in common: the wait for a hello, and one goodbye, whatever ends them.

A client that goes while something is sent to it makes `send` raise, and channels then calls no `disconnect`. So what a
socket takes, it gives back through `goodbye`, which runs when the socket's task ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from chatbot import metrics
from chatbot.seats import Seats

HELLO_SECONDS = 5.0


class Socket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """A websocket whose first frame is a hello. After `close` nothing is read or sent."""

    closed = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with AsyncExitStack() as self.goodbye:
            try:
                await super().__call__(scope, receive, send)
            except OSError:  # the client went while something was sent to it
                return

    async def open(self, silent: Seats, network: str, name: str, too_late: Callable[[], Awaitable[None]]) -> bool:
        """Accept the socket; return whether its network had a seat left among those that have said no hello.

        `too_late` is awaited when no hello has come in time.
        """
        self.give_up_seat = partial(silent.leave, network, name)
        self.goodbye.callback(self.give_up_seat)
        admitted = silent.take(network, name)
        await self.accept()
        metrics.OPEN_SOCKETS.inc()
        self.goodbye.callback(metrics.OPEN_SOCKETS.dec)
        self.hello_timer = asyncio.get_running_loop().create_task(_late(too_late), name="hello timer")
        self.goodbye.callback(self.hello_timer.cancel)
        return admitted

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        if not self.closed:
            await super().websocket_receive(message)

    async def send(self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False) -> None:
        if not self.closed:
            await super().send(text_data, bytes_data, close)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        if not self.closed:
            self.closed = True
            await super().close(code, reason)


async def _late(too_late: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(HELLO_SECONDS)
    try:
        await too_late()
    except OSError:  # it has gone by itself
        return
