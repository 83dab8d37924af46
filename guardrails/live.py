"""A value that is kept elsewhere, exchanged for a new one when it changes there. Pure; knows not where that is."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Value = TypeVar("Value")


class Live(Generic[Value]):
    """Calling it returns the current value; the first call loads it, none after that waits.

    load: makes the value as it is now, given the one before. newest: a number that is another one whenever it has
    changed; asked every `every` seconds by a thread of its own, which then loads and exchanges the pointer. A load or
    a look that fails keeps the value that there is and is tried again; `report` hears "loaded" or "failed" each time.
    what: the value's name, for the log.
    """

    def __init__(
        self,
        load: Callable[[Value | None], Value],
        newest: Callable[[], int],
        every: float = 1.0,
        report: Callable[[str], None] = lambda _: None,
        what: str = "value",
    ) -> None:
        self._load, self._newest, self._every, self._report, self._what = load, newest, every, report, what
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._current: Value | None = None
        self._number = 0

    def __call__(self) -> Value:
        """Return the current value. The first call raises what `newest` and `load` raise, and is then still first."""
        return self._first() if self._current is None else self._current

    def stop(self) -> None:
        """End the thread; the value stays as it is."""
        self._stopped.set()

    def refresh(self) -> None:
        """Load anew if there was a change; what fails is logged and reported."""
        try:
            number = self._newest()
            if number == self._number:
                return
            started = time.monotonic()
            with self._lock:
                # Read before loading: a change in between is seen again at the next look.
                self._current, self._number = self._load(self._current), number
        except Exception as error:  # whatever breaks, the value that there is goes on
            logger.error("The %s could not be read, so those of before stay: %s", self._what, type(error).__name__)
            self._report("failed")
            return
        logger.info("%s, change %d, loaded in %.2f s", self._what.capitalize(), number, time.monotonic() - started)
        self._report("loaded")
        self.loaded(self._current)

    def loaded(self, value: Value) -> None:
        """Called after each refresh that has loaded something."""

    def _first(self) -> Value:
        with self._lock:
            if self._current is None:
                number = self._newest()
                self._current, self._number = self._load(None), number
                threading.Thread(target=self._watch, name=f"watch {self._what}", daemon=True).start()
            return self._current

    def _watch(self) -> None:
        while not self._stopped.wait(self._every):
            self.refresh()
