"""Lets a signed token in once: whoever brings it first may bring it again, nobody else may.

Who brings it is named by the caller; redis keeps digests until the token expires. While redis is away each process
remembers what it has seen itself.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import redis

Seen = Literal["new", "again", "replayed"]
OWN_TOKENS = 20_000


class Replays:
    """Who brought which token first. Thread-safe."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time) -> None:
        self._redis, self._clock = client, clock
        self._own: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def claim(self, token: str, holder: str, *, until: float) -> Seen:
        """Say whether `token` (a name of its own, of a token that expires at `until`) is new, the holder's, or not."""
        key, value = f"kefu:token:{_digest(token)}", _digest(holder)
        known = self._first_here(key)
        if known not in ("", value):
            return "replayed"
        try:
            new = bool(self._redis.set(key, value, nx=True, ex=max(1, int(until - self._clock()) + 1)))
            found: Any = None if new else self._redis.get(key)
            first = value if found is None else found.decode()
        except redis.RedisError:
            new, first = True, value
        if first != value or self._remember(key, value, until) != value:
            return "replayed"
        return "new" if new and not known else "again"

    def _first_here(self, key: str) -> str:
        """Return who brought the token to this process first, "" when nobody has."""
        with self._lock:
            holder, end = self._own.get(key, ("", 0.0))
            return holder if end > self._clock() else ""

    def _remember(self, key: str, value: str, until: float) -> str:
        """Keep who brought the token, unless somebody else was first here; return who was."""
        with self._lock:
            holder, end = self._own.get(key, ("", 0.0))
            if end > self._clock():
                return holder
            self._own[key] = value, until
            self._own.move_to_end(key)
            if len(self._own) > OWN_TOKENS:
                self._own.popitem(last=False)
            return value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
