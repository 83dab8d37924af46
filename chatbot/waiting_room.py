"""Tells the customers of one web process where they stand in the queue: one look a second at most for all of a site.

Lives on the event loop. Knows nothing of sockets or of how the standings come about.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from chatbot.events import FeedEntry
from chatbot.waiting import NONE, Standing

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
REFRESH_SECONDS = 30.0
"""Nobody moved, but agents may have come or gone."""

Look = Callable[[int, list[uuid.UUID]], Awaitable[Mapping[uuid.UUID, Standing]]]
"""(site, conversations) -> standings of those that need a person."""


class Guest(Protocol):
    """A customer's socket. The call returns at once; the same standing may be told again."""

    def on_waiting(self, standing: Standing) -> None: ...


class _Site:
    """The guests of one site, and those of their conversations that may have to be told something."""

    def __init__(self) -> None:
        self.guests: dict[uuid.UUID, set[Guest]] = {}
        self.open: set[uuid.UUID] = set()
        self.moved = False
        self.looking: asyncio.Task[None] | None = None
        self.refresh: asyncio.TimerHandle | None = None


class WaitingRoom:
    """Hands every guest their standing, when they enter and when the queue has moved. An observer of the feed."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._sites: dict[int, _Site] = {}

    def enter(self, site: int, conversation: uuid.UUID, guest: Guest) -> None:
        """Tell the guest from now on."""
        here = self._sites.setdefault(site, _Site())
        here.guests.setdefault(conversation, set()).add(guest)
        self._moved(site, {conversation})

    def leave(self, site: int, conversation: uuid.UUID, guest: Guest) -> None:
        """Tell the guest nothing more."""
        here = self._sites.get(site)
        guests = here.guests.get(conversation) if here is not None else None
        if here is None or guests is None:
            return
        guests.discard(guest)
        if not guests:
            del here.guests[conversation]
            here.open.discard(conversation)

    def on_entry(self, entry: FeedEntry) -> None:
        """Called by the feed for every event of every conversation."""
        if entry.event.seq == 0 and entry.event.type == "queue":
            self._moved(entry.event.data()["site"], {entry.conversation})

    def on_feed(self, up: bool) -> None:
        """Called by the feed when redis goes or comes back: what moved meanwhile is unknown."""
        if up:
            for site, here in self._sites.items():
                self._moved(site, set(here.guests))

    def _moved(self, site: int, conversations: set[uuid.UUID]) -> None:
        here = self._sites.get(site)
        if here is None:
            return
        here.open |= conversations & here.guests.keys()
        if not here.open:
            return
        here.moved = True
        if here.looking is None or here.looking.done():
            here.looking = asyncio.get_running_loop().create_task(self._tell(site, here), name="waiting room")

    async def _tell(self, site: int, here: _Site) -> None:
        while here.moved and here.open:
            here.moved = False
            asked = list(here.open)
            try:
                standings = await self._look(site, asked)
            except Exception:  # the outermost frame of this task: the next move, or the refresh, looks again
                logger.exception("the queue of site %s could not be looked at", site)
                break
            for conversation in asked:
                standing = standings.get(conversation, NONE)
                for guest in tuple(here.guests.get(conversation, ())):
                    guest.on_waiting(standing)
                if standing is NONE and not here.moved:
                    here.open.discard(conversation)
            await asyncio.sleep(PAUSE_SECONDS)
        if here.refresh is not None:
            here.refresh.cancel()
        if here.open:
            loop = asyncio.get_running_loop()
            here.refresh = loop.call_later(REFRESH_SECONDS, self._moved, site, set(here.open))
