"""Who looks at which case, so that no two reviewers read the same one while others wait. In redis, for seconds.

A claim is a courtesy, no right: whoever decides first has decided, and without redis nobody holds anything.
"""

import contextlib
import time
import uuid
from collections.abc import Sequence
from typing import Any

import redis

from chatbot.events import REDIS_AWAY

HELD_SECONDS = 60.0
"""How long a case is kept for whoever opened it; then it is offered to others, too."""

ALIVE_SECONDS = 10
"""A claim ends so long after the page that holds it was last heard of."""


class Claims:
    """Claims by the id of a case: who, and since when. Thread-safe."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def holders(self, cases: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
        """Return who (by user id) holds which of the cases."""
        with contextlib.suppress(*REDIS_AWAY):
            values: Any = self._redis.mget([_key(case) for case in cases]) if cases else []
            return {case: _read(value)[0] for case, value in zip(cases, values, strict=True) if value}
        return {}

    def take(self, case: uuid.UUID, user: int) -> int:
        """Claim a case unless somebody holds it; return who holds it now."""
        with contextlib.suppress(*REDIS_AWAY):
            value = f"{user} {int(time.time())}"
            if not self._redis.set(_key(case), value, nx=True, ex=ALIVE_SECONDS):
                return self.holders([case]).get(case, user)
        return user

    def keep(self, case: uuid.UUID, user: int) -> None:
        """Say that the page is still open; a claim that has lasted long enough ends all the same."""
        with contextlib.suppress(*REDIS_AWAY):
            value: Any = self._redis.get(_key(case))
            if value and _read(value)[0] == user and time.time() - _read(value)[1] < HELD_SECONDS:
                self._redis.expire(_key(case), ALIVE_SECONDS)

    def drop(self, case: uuid.UUID, user: int) -> None:
        """Let go of a case."""
        with contextlib.suppress(*REDIS_AWAY):
            value: Any = self._redis.get(_key(case))
            if value and _read(value)[0] == user:
                self._redis.delete(_key(case))


def _key(case: uuid.UUID) -> str:
    return f"kefu:reviewing:{case}"


def _read(value: bytes) -> tuple[int, int]:
    user, since = value.split()
    return int(user), int(since)
