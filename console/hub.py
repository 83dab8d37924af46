"""Tells the consoles of one web process which conversations changed: one query for all of them, twice a second at most.

Lives on the event loop. Knows nothing of what a row says.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from chatbot.events import FeedEntry

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
MOST_CHANGED = 2_000  # more at once: the consoles load their lists again
QUIET = {"status", "reply", "typing"}
"""Events that change no row: a reply that is being written."""

Rows = Sequence[tuple[int, dict[str, Any]]]


class Desk(Protocol):
    """One open console. All calls return at once."""

    user_id: int | None

    def on_rows(self, rows: Rows) -> None: ...

    def on_nudge(self, conversation: uuid.UUID, type_: str) -> None: ...

    def on_feed(self, up: bool) -> None: ...

    def on_reload(self) -> None: ...


class Hub:
    """Collects what the feed says and hands it to all desks of this process."""

    def __init__(self, load: Callable[[list[uuid.UUID]], Awaitable[Rows]], queue_moved: Callable[[], None]) -> None:
        self._load, self._queue_moved = load, queue_moved
        self._desks: set[Desk] = set()
        self._changed: set[uuid.UUID] = set()
        self._flushing: asyncio.Task[None] | None = None
        self._moved = False

    def join(self, desk: Desk) -> None:
        """Tell the desk from now on."""
        self._desks.add(desk)

    def leave(self, desk: Desk) -> None:
        """Tell it no more."""
        self._desks.discard(desk)

    def is_here(self, user_id: int) -> bool:
        """Say whether the account has a console open in this process."""
        return any(desk.user_id == user_id for desk in self._desks)

    def on_entry(self, entry: FeedEntry) -> None:
        """Called by the feed for every event of every conversation."""
        if not self._desks or entry.event.type in QUIET:
            return
        if entry.event.seq == 0:
            for desk in tuple(self._desks):
                desk.on_nudge(entry.conversation, entry.event.type)
            self._moved |= entry.event.type == "queue"
        self._changed.add(entry.conversation)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush(), name="staff hub")

    def on_feed(self, up: bool) -> None:
        """Called by the feed when redis goes or comes back: what happened meanwhile is unknown."""
        for desk in tuple(self._desks):
            desk.on_feed(up)

    async def _flush(self) -> None:
        while self._changed and self._desks:
            await asyncio.sleep(FLUSH_SECONDS)
            changed, self._changed = self._changed, set()
            moved, self._moved = self._moved, False
            try:
                if moved:
                    self._queue_moved()
                if len(changed) > MOST_CHANGED:
                    for desk in tuple(self._desks):
                        desk.on_reload()
                    continue
                rows = await self._load(list(changed))
            except Exception:  # the outermost frame of this task: consoles load again, and the next change tries again
                logger.exception("changed conversations could not be loaded")
                for desk in tuple(self._desks):
                    desk.on_reload()
                continue
            for desk in tuple(self._desks):
                desk.on_rows(rows)
