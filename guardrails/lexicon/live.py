"""The lexicon of a process, exchanged for a new one when the lists change. Pure; knows not where lists are kept."""

import logging
import threading
import time
from collections.abc import Callable

from guardrails.lexicon.matching import Lexicon

logger = logging.getLogger(__name__)

FOLD = 1_000
"""Edits after which a rebuild pays: until then they cost matching a few microseconds, and each other 1 ms at most."""


class LiveLexicon:
    """Calling it returns the current lexicon; the first call builds it, none after that waits.

    load: makes a lexicon of the lists as they are, given the one before. newest: a number that is another one whenever
    they have changed; asked every `every` seconds by a thread of its own, which then loads and exchanges the pointer.
    A load or a look that fails keeps the lexicon that there is and is tried again; `report` hears "loaded" or "failed"
    each time. After `fold` edits the lexicon is built anew, by a thread that edits do not wait for.
    """

    def __init__(
        self,
        load: Callable[[Lexicon | None], Lexicon],
        newest: Callable[[], int],
        every: float = 0.25,
        report: Callable[[str], None] = lambda _: None,
        fold: int = FOLD,
    ) -> None:
        self._load, self._newest, self._every, self._report, self._fold = load, newest, every, report, fold
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._folding: threading.Thread | None = None
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
            with self._lock:
                # Read before loading: a change in between is seen again at the next look.
                self._current, self._number = self._load(self._current), number
        except Exception as error:  # whatever breaks, the lexicon that there is goes on
            logger.error("The word lists could not be read, so those of before stay: %s", type(error).__name__)
            self._report("failed")
            return
        logger.info("Word lists, change %d, loaded in %.2f s", number, time.monotonic() - started)
        self._report("loaded")
        if self._current.edits >= self._fold and not (self._folding and self._folding.is_alive()):
            self._folding = threading.Thread(target=self._rebuild, args=(self._current,), name="fold word lists")
            self._folding.daemon = True
            self._folding.start()

    def _first(self) -> Lexicon:
        with self._lock:
            if self._current is None:
                number = self._newest()
                self._current, self._number = self._load(None), number
                threading.Thread(target=self._watch, name="watch word lists", daemon=True).start()
            return self._current

    def _rebuild(self, lexicon: Lexicon) -> None:
        rebuilt = lexicon.rebuilt()
        with self._lock:
            if self._current is not None:
                self._current = self._current.rebuilt(rebuilt)  # with what was edited meanwhile

    def _watch(self) -> None:
        while not self._stopped.wait(self._every):
            self.refresh()
