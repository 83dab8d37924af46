"""How many sockets somebody may have open. Knows nothing of sockets: a holder is any text that nobody else uses.

`Seats` counts in this process; `SharedSeats` also in redis, where a process that dies leaves its seats after a while.
"""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import redis

from chatbot.events import LogUnavailable

HOLD_SECONDS = 90
RENEW_SECONDS = 30
_SCRIPT = (Path(__file__).parent / "seats.lua").read_text()


class Seats:
    """Seats of this process, by place. Thread-safe."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._holders: defaultdict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def take(self, place: str, holder: str) -> bool:
        """Take a seat, or keep the one that the holder has; return false when all are taken."""
        with self._lock:
            holders = self._holders[place]
            if holder not in holders and len(holders) >= self.most:
                return False
            holders.add(holder)
            return True

    def leave(self, place: str, holder: str) -> None:
        """Give the seat back, if the holder has one."""
        with self._lock:
            self._holders[place].discard(holder)
            if not self._holders[place]:
                del self._holders[place]

    def holders(self, place: str) -> int:
        """Return how many seats of the place are taken."""
        with self._lock:
            return len(self._holders.get(place, ()))

    def taken(self) -> list[tuple[str, str]]:
        """Return place and holder of every seat that is taken here."""
        with self._lock:
            return [(place, holder) for place, holders in self._holders.items() for holder in holders]


class SharedSeats(Seats):
    """Seats of all processes together; those of this process alone while redis is away.

    A daemon thread renews what this process holds, also after redis has lost its memory.
    """

    def __init__(self, client: redis.Redis, most: int) -> None:
        super().__init__(most)
        self._redis = client
        self._script = client.register_script(_SCRIPT)
        self._renewing: threading.Thread | None = None
        self._closed = threading.Event()

    def take(self, place: str, holder: str) -> bool:
        if not super().take(place, holder):
            return False
        self._renew_from_now_on()
        try:
            taken = bool(self._script(keys=[_key(place)], args=[holder, self.most, HOLD_SECONDS]))
        except redis.RedisError:
            return True
        if not taken:
            super().leave(place, holder)
        return taken

    def leave(self, place: str, holder: str) -> None:
        super().leave(place, holder)
        with contextlib.suppress(redis.RedisError):  # then the seat is free when its time is over
            self._redis.zrem(_key(place), holder)

    def holders(self, place: str) -> int:
        """Return how many seats of the place are taken in all processes; those here alone while redis is away."""
        here = super().holders(place)
        try:
            return max(here, self._redis.zcount(_key(place), f"({time.time()}", "+inf"))
        except redis.RedisError:
            return here

    def occupied(self, places: Sequence[str]) -> list[bool]:
        """Return, place by place, whether anybody sits there. Raises LogUnavailable."""
        try:
            pipe = self._redis.pipeline(transaction=False)
            for place in places:
                pipe.zcount(_key(place), f"({time.time()}", "+inf")
            return [bool(count) for count in pipe.execute()]
        except redis.RedisError as error:
            raise LogUnavailable(type(error).__name__) from error

    def renew(self) -> None:
        """Hold every seat of this process for another HOLD_SECONDS. Raises redis.RedisError."""
        for start in range(0, len(taken := self.taken()), 500):
            pipe = self._redis.pipeline(transaction=False)
            for place, holder in taken[start : start + 500]:
                # More than there are seats: who has one keeps it, whatever redis remembers.
                self._script(keys=[_key(place)], args=[holder, 2**31, HOLD_SECONDS], client=pipe)
            pipe.execute()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()

    def _renew_from_now_on(self) -> None:
        with self._lock:
            if self._renewing is None:
                self._renewing = threading.Thread(target=self._run, name="seats", daemon=True)
                self._renewing.start()

    def _run(self) -> None:
        while not self._closed.wait(RENEW_SECONDS):
            with contextlib.suppress(redis.RedisError):
                self.renew()


def _key(place: str) -> str:
    return f"kefu:seats:{place}"
