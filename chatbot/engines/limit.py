"""How many replies an engine writes at once: more while first tokens come soon, fewer when late. Knows no engine."""

import threading
import time
from collections.abc import Callable

LESS = 0.7


class Limit:
    """Additive increase, multiplicative decrease, between `least` and `most`; begins at `most`. Thread-safe.

    A first token within `target` seconds adds one a round of replies while the limit is nearly used up. A later one,
    or a refusal, takes 30 % away, once in `target` seconds: the replies of one crowd are late together.
    """

    def __init__(
        self, most: int, *, least: int = 2, target: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._least, self._target, self._clock = most, min(least, most), target, clock
        self._lock = threading.Lock()
        self._now = float(most)
        self._spared_until = -float("inf")
        self.used = 0

    @property
    def now(self) -> int:
        """How many may be written at once."""
        return int(self._now)

    def enter(self) -> bool:
        """Whether one more may begin; who may must `leave`."""
        with self._lock:
            if self.used >= self.now:
                return False
            self.used += 1
            return True

    def leave(self) -> None:
        """One has ended."""
        with self._lock:
            self.used -= 1

    def began(self, seconds: float) -> None:
        """A first token came after so long."""
        if seconds > self._target:
            self.overloaded()
            return
        with self._lock:
            if self.used >= 0.8 * self.now:
                self._now = min(self._most, self._now + 1 / self._now)

    def overloaded(self) -> None:
        """A first token came late, or not at all."""
        with self._lock:
            now = self._clock()
            if now >= self._spared_until:
                self._spared_until = now + self._target
                self._now = max(self._least, self._now * LESS)
