"""Which agents are at their consoles, on all machines: a set in redis whose members run out unless reported again.

Knows ids only. What redis cannot say is unknown, never "nobody".
"""

import contextlib
import time
from collections.abc import Iterable
from typing import Any

import redis

from chatbot.events import REDIS_AWAY

_KEY = "kefu:agents"
_EVERY_SITE = 0
MOST_PLACES = 10_000
"""Pairs of agent and site; whoever would run out first is forgotten when there are more."""


class Presence:
    """The agents who are there, as members `site:agent` by the second until which they count. Thread-safe."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def report(self, agent: int, sites: Iterable[int] | None, seconds: float) -> None:
        """Say that an agent is there for these sites (None: all) for the next seconds; what was said before is void.

        When redis is away nothing is said, and nobody needs to know: the next report does it.
        """
        now = time.time()
        until = {_member(site, agent): now + seconds for site in ([_EVERY_SITE] if sites is None else sites)}
        with contextlib.suppress(*REDIS_AWAY):
            void = [member for member in self._members_of(agent) if member not in until]
            pipe = self._redis.pipeline(transaction=True)
            if void:
                pipe.zrem(_KEY, *void)
            if until:
                pipe.zadd(_KEY, until)
            pipe.zremrangebyscore(_KEY, 0, now)
            pipe.zremrangebyrank(_KEY, 0, -MOST_PLACES - 1)
            pipe.execute()

    def leave(self, agent: int) -> None:
        """Say that an agent is gone; who has another console open reports again. Without redis, time says it."""
        with contextlib.suppress(*REDIS_AWAY):
            if members := self._members_of(agent):
                self._redis.zrem(_KEY, *members)

    def agents(self, site: int | None = None) -> frozenset[int] | None:
        """Return who is there for a site (None: for any), or None when redis is away: unknown."""
        try:
            members: list[Any] = list(self._redis.zrangebyscore(_KEY, f"({time.time()}", "+inf"))
        except REDIS_AWAY:
            return None
        pairs = [tuple(map(int, member.split(b":"))) for member in members]
        return frozenset(agent for place, agent in pairs if site is None or place in (site, _EVERY_SITE))

    def _members_of(self, agent: int) -> list[str]:
        members: list[Any] = list(self._redis.zrange(_KEY, 0, -1))
        return [member.decode() for member in members if member.endswith(f":{agent}".encode())]


def _member(site: int, agent: int) -> str:
    return f"{site}:{agent}"
