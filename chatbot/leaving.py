"""Customers who have left for long: nobody reads the answer that is being written, so it is stopped.

A timer of the event loop for each conversation that nobody in this process has open; no thread. Other processes are
asked by the seats that they share.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

from chatbot import services
from chatbot.events import EventLog
from chatbot.seats import Seats

LEAVE_SECONDS = 10.0


class Leaving:
    """Calls `left(conversation, place)` when a conversation has been left for `seconds`. Lives on one event loop."""

    def __init__(self, left: Callable[[uuid.UUID, str], Awaitable[None]], *, seconds: float = LEAVE_SECONDS) -> None:
        self._left, self._seconds = left, seconds
        self._timers: dict[uuid.UUID, asyncio.TimerHandle] = {}
        self._calls: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._timers)

    def leave(self, conversation: uuid.UUID, place: str) -> None:
        """A socket has gone, perhaps not the last; `place` is where the customer's sockets have their seats."""
        self.back(conversation)
        loop = asyncio.get_running_loop()
        self._timers[conversation] = loop.call_later(self._seconds, self._call, conversation, place)

    def back(self, conversation: uuid.UUID) -> None:
        """A socket has come."""
        timer = self._timers.pop(conversation, None)
        if timer is not None:
            timer.cancel()

    def _call(self, conversation: uuid.UUID, place: str) -> None:
        del self._timers[conversation]

        async def call() -> None:
            await self._left(conversation, place)

        task = asyncio.get_running_loop().create_task(call(), name="customer left")
        self._calls.add(task)  # the loop itself holds tasks but weakly
        task.add_done_callback(self._calls.discard)


def stop_if_left(conversation: uuid.UUID, place: str, *, seats: Seats, log: EventLog) -> bool:
    """Stop the answer that is being written for a customer who has no socket anywhere; return whether one was.

    Raises LogUnavailable: then the answer is finished for nobody.
    """
    if seats.holders(place) or not log.leased([conversation])[0]:
        return False
    services.request_stop(conversation_id=conversation, log=log)
    return True
