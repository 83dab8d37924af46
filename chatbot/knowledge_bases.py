"""The knowledge bases of one process: the newest index of each, swapped by reference.

A search never waits for a change: a thread looks which releases are published, loads, and swaps. Only the first search
of a base waits until it is there.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from django.db import DatabaseError, close_old_connections

from knowledge import loading, releases
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.filters import Filters
from knowledge.index import Index
from knowledge.loading import Loader, Published
from knowledge.passages import Retrieved
from knowledge.retrieval import Retriever

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.3
LOOK_UNWATCHED_SECONDS = 0.5
ASK_AGAIN_SECONDS = 60.0


class KnowledgeBases:
    """Searches the newest release of each base. Thread-safe.

    In a long-lived process `watch` follows what is published. Without it whoever searches looks for themselves, at most
    twice a second: for commands and tests.
    """

    def __init__(
        self,
        loader: Callable[[], Loader],
        retriever: Callable[[Index, float | None], Retriever],
        make_snapshot: Callable[[str], None] | None = None,
    ) -> None:
        """`retriever` takes an index and the base's own threshold, if it has one. `make_snapshot` is asked, at most
        once a minute a base, to have a snapshot made elsewhere.
        """
        self._loader, self._make_retriever, self._make_snapshot = loader, retriever, make_snapshot
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._indexes: dict[str, Index] = {}
        self._published: dict[str, Published] = {}
        self._retrievers: dict[str, Retriever] = {}
        self._contacts: dict[str, tuple[tuple[int, int], frozenset[str]]] = {}
        self._looked: dict[str, float] = {}
        self._asked: dict[str, float] = {}
        self._watching = False

    def search(self, question: str, base: str, *, filters: Filters | None = None) -> Retrieved:
        """Search what `filters` let through of the newest release. Raises `BaseMissing`, `VectorsMissing`."""
        found = self.retriever(base).search(question, filters=filters)
        return replace(found, contacts=self.contacts(base))

    def retriever(self, base: str) -> Retriever:
        """Return the retriever of a base's newest release. Raises `BaseMissing`, `VectorsMissing`."""
        found = self._retrievers.get(base)
        since = time.monotonic() - self._looked.get(base, 0.0)
        if found is not None and (self._watching or since <= LOOK_UNWATCHED_SECONDS):
            return found
        with self._locks[base]:
            if found is not None or base not in self._retrievers:
                self._refresh(base, loading.published_of(base))
            return self._retrievers[base]

    def version(self, base: str) -> int:
        """The release of the base that this process answers from; 0 before its first search."""
        index = self._indexes.get(base)
        return 0 if index is None else index.version

    def contacts(self, base: str) -> frozenset[str]:
        """What looks like personal data and is published in the base: nobody's secret. None before its first search."""
        now, kept = self._published.get(base), self._contacts.get(base)
        if now is None:
            return frozenset()
        release = now.base_id, now.number
        if kept is None or kept[0] != release:
            kept = self._contacts[base] = release, frozenset(releases.contacts(base))
        return kept[1]

    def stamp(self, base: str) -> tuple[int, str]:
        """The release of the base that this process answers from, and all that its answers hang on: the base itself
        (another may have its slug later), the release, the base's own threshold and what is known of its documents.
        (0, "") before its first search.
        """
        index, now = self._indexes.get(base), self._published.get(base)
        if index is None or now is None:
            return 0, ""
        return index.version, f"{now.base_id} {index.version} {now.threshold} {now.described}"

    def watch(self, stop: threading.Event | None = None) -> threading.Thread:
        """Follow what is published from now on until `stop`, in a thread that ends with the process."""
        self._watching = True
        thread = threading.Thread(target=self._follow, args=(stop or threading.Event(),), name="knowledge", daemon=True)
        thread.start()
        return thread

    def _follow(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            try:
                close_old_connections()
                self.look()
            except DatabaseError as error:
                logger.warning("the database cannot be read; knowledge stays as it is: %s", error)

    def look(self) -> None:
        """Bring every base that was searched before up to date: one query when nothing has changed."""
        if not self._retrievers:
            return
        published = loading.published()
        for base in tuple(self._retrievers):
            if base not in published:
                with self._locks[base]:
                    self._drop(base)
                continue
            try:
                with self._locks[base]:
                    self._refresh(base, published[base])
            except (BaseMissing, VectorsMissing) as error:
                logger.error("base %s stays at release %d: %s", base, self.version(base), error)

    def _refresh(self, base: str, now: Published) -> None:
        loader, index = self._loader(), self._indexes.get(base)
        if index is not None and self._published[base].base_id != now.base_id:
            self._drop(base)  # another has its slug by now
            index = None
        if index is None:
            index = self._swap(base, loader.load(base), now)
        elif index.version != now.number or loader.has_newer_snapshot(now.base_id, index):
            index = self._swap(base, loader.load(base, index), now)
            index.pair()  # it takes a while, and the pairs of the release before do until then
            self._swap(base, index, now)
        elif self._published[base].described != now.described:
            index = self._swap(base, loader.describe(base, index), now)
        elif self._published[base].threshold != now.threshold:
            self._swap(base, index, now)
        self._looked[base] = time.monotonic()
        if self._make_snapshot is None or not loader.wants_snapshot(now.base_id, index):
            return
        if time.monotonic() - self._asked.get(base, -ASK_AGAIN_SECONDS) >= ASK_AGAIN_SECONDS:
            self._asked[base] = time.monotonic()
            self._make_snapshot(base)

    def _drop(self, base: str) -> None:
        """The base was deleted: nothing of it may answer."""
        del self._retrievers[base], self._indexes[base], self._published[base]

    def _swap(self, base: str, index: Index, now: Published) -> Index:
        self._retrievers[base] = self._make_retriever(index, now.threshold)
        self._indexes[base], self._published[base] = index, now
        return index
