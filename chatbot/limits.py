"""A token bucket: so many at once, so many a minute. Knows nothing of what it counts."""

import time
from collections.abc import Callable


class TokenBucket:
    """Holds up to `burst` tokens and gains `per_minute` of them a minute. Not thread-safe: one owner."""

    def __init__(self, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, burst, clock
        self._tokens, self._at = burst, clock()

    def take(self) -> float:
        """Take a token; return 0.0, or the seconds to wait when there is none."""
        now = self._clock()
        self._tokens, self._at = min(self._burst, self._tokens + (now - self._at) * self._rate), now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate
