"""Follows one conversation for one reader: every event once, in order, whatever the feed loses.

Events come from the feed into a bounded queue; gaps in the numbers, overflows and outages of the feed are filled from
the log and the database. Knows nothing of frames: what is to be shown is handed to `show`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chatbot.events import Event
from chatbot.selectors import CaughtUp

WAITING_EVENTS = 256
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class FeedState:
    """The feed was lost or came back; stands in the queue among the events."""

    up: bool


class Follower:
    """A reader's place in a conversation; `cursor` is the number of the last event that was shown.

    read: returns what came after a number. show: awaited for each event in turn, nudges (seq 0) too.
    live: awaited with whether events come as they happen, when that changes.
    """

    def __init__(
        self,
        cursor: int,
        *,
        read: Callable[[int], Awaitable[CaughtUp]],
        show: Callable[[Event], Awaitable[None]],
        live: Callable[[bool], Awaitable[None]],
    ) -> None:
        self.cursor = cursor
        self._read, self._show, self._live = read, show, live
        self._inbox: asyncio.Queue[Event | FeedState] = asyncio.Queue(WAITING_EVENTS)
        self._overflowed = False
        self._is_live = self._feed_up = True

    def on_event(self, event: Event) -> None:
        """Called by the feed. A full inbox is no loss: the log is read when it has been emptied.

        `gone` is in no log, so it takes another's place.
        """
        if self._inbox.full():
            self._overflowed = True
            if event.type != "gone":
                return
            self._inbox.get_nowait()
        self._inbox.put_nowait(event)

    def on_feed(self, up: bool) -> None:
        """Called by the feed when redis goes or comes back."""
        if self._inbox.full():
            self._inbox.get_nowait()
            self._overflowed = True
        self._inbox.put_nowait(FeedState(up))

    async def run(self) -> None:
        """Show everything from now on; ends only by what the callables raise, or cancelled."""
        await self._catch_up()
        while True:
            item = await self._next()
            if isinstance(item, FeedState):
                self._feed_up = item.up
                await (self._catch_up() if item.up else self._say_live(False))
            elif item.seq == 0:
                await self._show(item)
            elif item.seq == self.cursor + 1:
                await self._show(item)
                self.cursor = item.seq
            elif item.seq > self.cursor:
                await self._catch_up()
            if self._overflowed and self._inbox.empty():
                self._overflowed = False
                await self._catch_up()

    async def _next(self) -> Event | FeedState:
        """Return the next item; where the feed is back and the log was not, look again after a while."""
        if self._is_live or not self._feed_up:
            return await self._inbox.get()
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                return await self._inbox.get()
        except TimeoutError:
            return FeedState(True)

    async def _catch_up(self) -> None:
        missed = await self._read(self.cursor)
        for event in missed.events:
            await self._show(event)
            self.cursor = max(self.cursor, event.seq)
        self.cursor = max(self.cursor, missed.seq)
        await self._say_live(missed.live)

    async def _say_live(self, live: bool) -> None:
        if live != self._is_live:
            self._is_live = live
            await self._live(live)
