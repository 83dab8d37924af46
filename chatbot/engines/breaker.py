"""Leaves an engine alone that keeps failing, and lets one caller find out whether it is back. Knows no engine."""

import threading
import time
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "half-open", "open"]


class Breaker:
    """Opens after `failures` in a row. After `rest` seconds one caller may probe (half-open): success closes it,
    failure opens it for twice as long, `longest` at most. Thread-safe.
    """

    def __init__(
        self,
        *,
        failures: int = 3,
        rest: float = 2.0,
        longest: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._first_rest, self._longest, self._clock = failures, rest, longest, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._rest, self._until = rest, 0.0
        self._probing = False

    @property
    def state(self) -> State:
        """Whether callers pass, one does, or none."""
        return "closed" if self._failures < self._most else "half-open" if self._probing else "open"

    def admits(self) -> bool:
        """Whether the caller may try; who may must say `succeeded`, `failed` or `undecided` afterwards."""
        with self._lock:
            if self._failures < self._most:
                return True
            if self._probing or self._clock() < self._until:
                return False
            self._probing = True
            return True

    def succeeded(self) -> None:
        """The engine works."""
        with self._lock:
            self._failures, self._rest, self._probing = 0, self._first_rest, False

    def failed(self) -> None:
        """The engine does not work."""
        with self._lock:
            self._failures += 1
            if self._failures == self._most or self._probing:
                self._until = self._clock() + self._rest
                self._rest = min(2 * self._rest, self._longest)
            self._probing = False

    def undecided(self) -> None:
        """The caller gave up before the engine had shown anything."""
        with self._lock:
            self._probing = False
