"""The lexicon of a process, exchanged for a new one when the lists change. Pure; knows not where lists are kept."""

import logging
import threading
import time
from collections.abc import Callable

from guardrails.lexicon.matching import Lexicon

logger = logging.getLogger(__name__)


class LiveLexicon:
    """Calling it returns the current lexicon; the first call builds it, none after that waits.

    load: builds a lexicon from the lists as they are. newest: a number that is another one whenever they have changed;
    asked every `every` seconds by a thread of its own, which then loads and exchanges the pointer. A load or a look
    that fails keeps the lexicon that there is and is tried again; `report` hears "loaded" or "failed" each time.
    """

    def __init__(
        self,
        load: Callable[[], Lexicon],
        newest: Callable[[], int],
        every: float = 0.5,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._load, self._newest, self._every, self._report = load, newest, every, report
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._current: Lexicon | None = None
        self._number = 0

    def __call__(self) -> Lexicon:
        """Return the current lexicon. The first call raises what `newest` and `load` raise, and is then still first."""
        return self._current or self._first()

    def stop(self) -> None:
        """End the thread; the lexicon stays as it is."""
        self._stopped.set()

    def refresh(self) -> None:
        """Load anew if the lists have changed; what fails is logged and reported."""
        try:
            number = self._newest()
            if number == self._number:
                return
            started = time.monotonic()
            # Read before loading: a change in between is seen again at the next look.
            self._current, self._number = self._load(), number
        except Exception as error:  # whatever breaks, the lexicon that there is goes on
            logger.error("The word lists could not be read, so those of before stay: %s", type(error).__name__)
            self._report("failed")
            return
        logger.info("Word lists, change %d, loaded in %.2f s", number, time.monotonic() - started)
        self._report("loaded")

    def _first(self) -> Lexicon:
        with self._lock:
            if self._current is None:
                number = self._newest()
                self._current, self._number = self._load(), number
                threading.Thread(target=self._watch, name="watch word lists", daemon=True).start()
            return self._current

    def _watch(self) -> None:
        while not self._stopped.wait(self._every):
            self.refresh()
