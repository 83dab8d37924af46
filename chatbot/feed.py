"""The feed of all conversations' events into one web process: one blocking read for all its sockets.

When redis goes, everyone who watches is told; when it is back, everyone catches up from their own last number.
"""

import asyncio
import logging
import uuid
from typing import Any, Protocol

import redis.asyncio

from chatbot.events import FEED, REDIS_AWAY, Event, FeedEntry, feed_entries

logger = logging.getLogger(__name__)

BLOCK_MILLISECONDS = 5_000
BATCH = 500
RETRY_SECONDS = 0.25


class Watcher(Protocol):
    """Somebody who watches one conversation. Both calls return at once."""

    def on_event(self, event: Event) -> None: ...

    def on_feed(self, up: bool) -> None: ...


class Observer(Protocol):
    """Somebody who watches all conversations. Both calls return at once."""

    def on_entry(self, entry: FeedEntry) -> None: ...

    def on_feed(self, up: bool) -> None: ...


class Feed:
    """Hands every event to those who watch its conversation. Lives on one event loop; started by its first watcher."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._watchers: dict[uuid.UUID, set[Watcher]] = {}
        self._observers: set[Observer] = set()
        self._task: asyncio.Task[None] | None = None
        self.up = False

    def watch(self, conversation: uuid.UUID, watcher: Watcher) -> None:
        """Call the watcher for every event from now on."""
        self._watchers.setdefault(conversation, set()).add(watcher)
        self._start()

    def unwatch(self, conversation: uuid.UUID, watcher: Watcher) -> None:
        """Stop calling the watcher."""
        watchers = self._watchers.get(conversation)
        if watchers is not None:
            watchers.discard(watcher)
            if not watchers:
                del self._watchers[conversation]

    def observe(self, observer: Observer) -> None:
        """Call the observer for every entry of every conversation from now on."""
        self._observers.add(observer)
        self._start()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="feed")

    async def _run(self) -> None:
        # Longer than the blocking read; a redis that is gone without a word is noticed all the same.
        seconds = BLOCK_MILLISECONDS / 1000 + 5
        client: Any = redis.asyncio.Redis.from_url(
            self._url, socket_timeout=seconds, socket_connect_timeout=2, retry=None
        )
        while True:
            try:
                newest = await client.xrevrange(FEED, count=1)
                last = newest[0][0].decode() if newest else "0-0"
                self._tell(True)
                while True:
                    last = await self._read(client, last)
            except Exception as error:  # the outermost frame of this task, on which every socket depends
                if self.up:
                    known = isinstance(error, REDIS_AWAY)
                    logger.warning("the feed lost redis: %s", type(error).__name__, exc_info=not known)
                self._tell(False)
                await asyncio.sleep(RETRY_SECONDS)

    async def _read(self, client: Any, last: str) -> str:
        answer = await client.xread({FEED: last}, count=BATCH, block=BLOCK_MILLISECONDS)
        if not answer:
            await client.ping()
            return last
        [(_, rows)] = answer.items() if isinstance(answer, dict) else answer
        for entry in feed_entries(rows):
            for observer in self._observers:
                try:
                    observer.on_entry(entry)
                except Exception:  # another's fault: sockets must not lose an event for it
                    logger.exception("an observer of the feed failed")
            for watcher in tuple(self._watchers.get(entry.conversation, ())):
                watcher.on_event(entry.event)
        return str(rows[-1][0].decode())

    def _tell(self, up: bool) -> None:
        self.up = up
        for observer in self._observers:
            observer.on_feed(up)
        for watchers in tuple(self._watchers.values()):
            for watcher in tuple(watchers):
                watcher.on_feed(up)
