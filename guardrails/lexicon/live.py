"""The lexicon of a process, exchanged for a new one when the lists change. Pure; knows not where lists are kept."""

import threading
from collections.abc import Callable

from guardrails.lexicon.matching import Lexicon
from guardrails.live import Live

FOLD = 1_000
"""Edits after which a rebuild pays: until then they cost matching a few microseconds, and each other 1 ms at most."""


class LiveLexicon(Live[Lexicon]):
    """A `Live` lexicon. After `fold` edits it is built anew, by a thread that edits do not wait for."""

    def __init__(
        self,
        load: Callable[[Lexicon | None], Lexicon],
        newest: Callable[[], int],
        every: float = 0.25,
        report: Callable[[str], None] = lambda _: None,
        fold: int = FOLD,
    ) -> None:
        super().__init__(load, newest, every, report, "word lists")
        self._fold = fold
        self._folding: threading.Thread | None = None

    def loaded(self, value: Lexicon) -> None:
        """Begin to build anew when there were many edits."""
        if value.edits >= self._fold and not (self._folding and self._folding.is_alive()):
            self._folding = threading.Thread(target=self._rebuild, args=(value,), name="fold word lists")
            self._folding.daemon = True
            self._folding.start()

    def _rebuild(self, lexicon: Lexicon) -> None:
        rebuilt = lexicon.rebuilt()
        with self._lock:
            if self._current is not None:
                self._current = self._current.rebuilt(rebuilt)  # with what was edited meanwhile
