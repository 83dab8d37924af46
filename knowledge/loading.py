"""Which release of a base answers, and the index made of it: from the rows, and from a snapshot where there is one."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from django.db.models import QuerySet

from knowledge import snapshots, vectors
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.filters import DOCUMENT, Catalogue
from knowledge.index import Index, Part
from knowledge.lexical import Mask
from knowledge.models import Chunk, Embedding, KnowledgeBase, Release, ReleaseItem
from knowledge.nearest import Faiss, Nearest, Stored
from knowledge.passages import Passage, Sentence, Vectors
from knowledge.releases import only_in
from knowledge.segments import Entry, Segment, join_segments, make_segment
from knowledge.snapshots import Damaged, Snapshot

logger = logging.getLogger(__name__)

IN_MEMORY = 20_000
"""Chunks; the passages of a larger base stay in the database until they are found, its vectors in a snapshot."""
WORN_SHARE = 0.1  # of an index, from which it is made anew
WORN_LEAST = 500
_KEYS_AT_ONCE = 5000
_VERSIONS_AT_ONCE = 1000
_CHUNKS_AT_ONCE = 10_000
_CACHED = 2000


class VectorStore(Protocol):
    """Keeps the vectors of snapshots elsewhere than in their files. `name` is a snapshot's and a kind's."""

    def keep(self, name: str, vectors: Stored) -> None:
        """Keeps new vectors under a name, in place of any there."""
        ...

    def find(self, name: str) -> Nearest:
        """What searches them."""
        ...

    def drop(self, prefix: str, *, but: str = "") -> None:
        """Removes all whose names begin so, but those that begin with `but`."""
        ...


@dataclass(frozen=True)
class Published:
    """What of a base answers: the number of its release, 0 before the first; from which probability on (None: the
    shipped one); and a number that rises whenever something else is said about its documents.
    """

    base_id: int
    number: int
    threshold: float | None = None
    described: int = 0


def published() -> dict[str, Published]:
    """What of every base answers, by its slug. One query."""
    rows = KnowledgeBase.objects.values_list("slug", "pk", "published__number", "threshold", "described")
    return {
        slug: Published(base_id, number or 0, threshold, described)
        for slug, base_id, number, threshold, described in rows
    }


def published_of(base_slug: str) -> Published:
    """What of a base answers. Raises `BaseMissing`."""
    fields = ("pk", "published__number", "threshold", "described")
    found = KnowledgeBase.objects.filter(slug=base_slug).values_list(*fields).first()
    if found is None:
        raise BaseMissing(f"there is no knowledge base {base_slug!r}")
    return Published(found[0], found[1] or 0, found[2], found[3])


def current_version(base_slug: str) -> int:
    """The number of the release that answers, 0 before the first. Raises `BaseMissing`."""
    return published_of(base_slug).number


def load_index(base_slug: str, model_id: str, number: int | None = None) -> Index:
    """The index of a base at its published release, or at that of this number (a draft's, say), in memory.

    Raises `BaseMissing`, `VectorsMissing`.
    """
    return Loader(model_id).load(base_slug, number=number)


def forget(folder: Path, base_slug: str, versions: Collection[int], store: VectorStore | None = None) -> None:
    """Removes every file of a base's snapshots in `folder` that was made of those document versions."""
    base_id = published_of(base_slug).base_id
    for number in snapshots.forget(folder / str(base_id), versions):
        if store is not None:
            store.drop(f"kefu_{base_id}_{number}_")


class Loader:
    """Loads indexes of bases that were embedded with one model. Thread-safe."""

    def __init__(self, model_id: str, folder: Path | None = None, store: VectorStore | None = None) -> None:
        """Snapshots are in `folder`, a folder a base; without one all is held in memory. `store` has their vectors."""
        self._model_id, self._folder, self._store = model_id, folder, store
        self._stored = _StoredPassages(model_id)

    def load(self, base_slug: str, before: Index | None = None, *, number: int | None = None) -> Index:
        """The index of the published release, or of that `number`; made of the published one `before`, where that is
        given, and of what has changed since: then call its `pair` when there is time. Both stand on the newest
        snapshot; beside an index `before` it is taken to be as it was written. Raises `BaseMissing`, `VectorsMissing`.

        Takes no lock: a published release never changes, and when another one is published while this one's rows are
        being removed, that one is loaded.
        """
        while True:
            now = published_of(base_slug)
            wanted = now if number is None else replace(now, number=number)
            about = _about(wanted, before)
            index = self._start(now.base_id, before)
            in_memory = not index.parts or (index.parts[0].segment.snapshot is None and len(index) <= IN_MEMORY)
            try:
                load = partial(self._segment, about)
                tidy = in_memory or self._folder is None
                index = index.moved_to(wanted.number, about, load, tidy=tidy)
            except VectorsMissing:
                if number is not None or published_of(base_slug) == now:
                    raise
                continue
            self._stored.clear()  # what was purged is no longer in any release
            if before is None:
                index.pair()
            return index.described(about)

    def describe(self, base_slug: str, index: Index) -> Index:
        """The same index with what is said about its documents now. Raises `BaseMissing`."""
        return index.described(_about(replace(published_of(base_slug), number=index.version)))

    def wants_snapshot(self, base_id: int, index: Index) -> bool:
        """Whether a new snapshot is worth its making: the base is large, and there is none or this index is worn."""
        if self._folder is None or len(index) <= IN_MEMORY:
            return False
        there = snapshots.found(self._folder / str(base_id))
        return not there or (_is_worn(index) and there[0].number != index.version)

    def has_newer_snapshot(self, base_id: int, index: Index) -> bool:
        """Whether there is a snapshot other than the one that this index stands on."""
        if self._folder is None or len(index) <= IN_MEMORY:
            return False
        there = snapshots.found(self._folder / str(base_id))
        return bool(there) and there[0].number != index.parts[0].segment.snapshot

    def make_snapshot(self, base_slug: str) -> bool:
        """Writes the snapshot of the published release, in place of older ones. False when somebody else is at it.

        A base that is held in memory needs none. May be killed at any moment, and is then begun anew.
        """
        folder = self._base_folder(published_of(base_slug).base_id)
        with snapshots.alone(folder) as alone:
            while alone and not self._made(base_slug, folder):
                logger.info("something was purged meanwhile; the snapshot is made anew")
        return alone

    def _made(self, base_slug: str, folder: Path) -> bool:
        since = snapshots.forgotten(folder)
        index = self.load(base_slug)
        there = snapshots.found(folder)
        is_there = bool(there) and there[0].number == index.version == index.parts[0].segment.snapshot
        if len(index) <= IN_MEMORY or is_there:
            return True
        kept = [(part.segment, part.alive) for part in index.parts]
        segment = kept[0][0] if not index.worn else join_segments(kept, near=_unsearched, keep=False)
        store, prefix = self._store, f"kefu_{folder.name}_{index.version}_"
        keep = (lambda kind, stored: store.keep(prefix + kind, stored)) if store is not None else None
        made = snapshots.write(folder, index.version, segment, model=self._model_id, keep=keep, since=since)
        if store is not None:
            store.drop(f"kefu_{folder.name}_", but=prefix if made is not None else "")
        return made is not None

    def forget(self, base_slug: str, versions: Collection[int]) -> None:
        """Removes every file and cached passage that was made of those document versions."""
        self._stored.clear()
        if self._folder is not None:
            forget(self._folder, base_slug, versions, self._store)

    def fetch(self, chunks: Sequence[int]) -> list[Passage]:
        """The passages of those chunks, in order; one that was purged meanwhile says nothing."""
        return self._stored.fetch(chunks)

    def _base_folder(self, base_id: int) -> Path:
        if self._folder is None:
            raise ValueError("this loader has no folder for snapshots")
        return self._folder / str(base_id)

    def _start(self, base_id: int, before: Index | None) -> Index:
        """What an index is made of: the newest snapshot, unless the one `before` stands on it or none can be read."""
        if self._folder is not None and (before is None or self.has_newer_snapshot(base_id, before)):
            folder = self._base_folder(base_id)
            for one in snapshots.found(folder):
                try:
                    part = Part.whole(self._read(one, folder, checked=before is None))
                except Damaged as error:
                    logger.warning("a snapshot is left aside: %s", error)
                    continue
                return Index.of_parts([part], version=0, fetch=self.fetch)
        return before if before is not None else Index.of_parts([], version=0, fetch=self.fetch)

    def _read(self, one: Snapshot, folder: Path, checked: bool) -> Segment:
        store = self._store
        find = (lambda kind: store.find(f"kefu_{folder.name}_{one.number}_{kind}")) if store is not None else None
        return snapshots.read(one, model=self._model_id, find=find, checked=checked)

    def _segment(self, about: Catalogue, versions: Collection[int]) -> Segment:
        """Of the chunks of those versions, with their passages when they are few."""
        parts: list[tuple[Segment, Mask]] = []
        count = 0
        for chunks in _batches(versions):
            count += len(chunks)
            few = count <= IN_MEMORY
            entries, dimension = self._entries(chunks, about, sentences=few)
            part = make_segment(entries, dimension, near=_unsearched, keep=few)
            parts.append((part, np.ones(len(part), np.bool_)))
        if not parts:
            return make_segment([], 0)
        return join_segments(parts)

    def _entries(self, chunks: list[Chunk], about: Catalogue, *, sentences: bool) -> tuple[list[Entry], int]:
        texts_of = vectors.embedded_texts if sentences else vectors.searched_texts
        texts = [texts_of(chunk) for chunk in chunks]
        titles = [1 + len(vectors.titles_of(chunk)) for chunk in chunks]
        keys = [[vectors.text_hash(text) for text in own] for own in texts]
        stored = _stored({key for own in keys for key in own}, self._model_id)
        entries = []
        dimension = 0
        for chunk, own, end in zip(chunks, keys, titles, strict=True):
            packed = b"".join(stored[key] for key in own)
            found = np.frombuffer(packed, np.float16).reshape(len(own), -1)
            dimension = found.shape[1]
            passage = _passage(chunk, about[chunk.version_id][DOCUMENT], found[end:].astype(np.float32))
            entries.append(Entry(passage, found[0], found[1:end], chunk.version_id))
        return entries, dimension


class _StoredPassages:
    """Passages fetched from the database by chunk, those used last kept."""

    def __init__(self, model_id: str) -> None:
        self._model_id = model_id
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Passage] = OrderedDict()

    def fetch(self, wanted: Sequence[int]) -> list[Passage]:
        """See `Loader.fetch`. Two queries, or none."""
        with self._lock:
            found = {chunk: self._kept[chunk] for chunk in wanted if chunk in self._kept}
        missing = [chunk for chunk in wanted if chunk not in found]
        if missing:
            found.update(self._query(missing))
        with self._lock:
            for chunk in wanted:
                if chunk in found:
                    self._kept[chunk] = found[chunk]
                    self._kept.move_to_end(chunk)
            while len(self._kept) > _CACHED:
                self._kept.popitem(last=False)
        return [found.get(chunk) or self._purged(chunk) for chunk in wanted]

    def clear(self) -> None:
        """Forgets all."""
        with self._lock:
            self._kept.clear()

    def _purged(self, chunk: int) -> Passage:
        some = Embedding.objects.filter(model=self._model_id).values_list("vector", flat=True).first()
        dimension = vectors.dimension_of(bytes(some or b""))
        return Passage(chunk, "", "", "", "", "", "en", (), np.empty((0, dimension), np.float32))

    def _query(self, missing: list[int]) -> dict[int, Passage]:
        chunks = list(Chunk.objects.filter(pk__in=missing).select_related("version__document"))
        keys = {
            chunk.pk: [
                vectors.text_hash(text) for text in vectors.embedded_texts(chunk)[1 + len(vectors.titles_of(chunk)) :]
            ]
            for chunk in chunks
        }
        stored = _stored({key for own in keys.values() for key in own}, self._model_id)
        return {
            chunk.pk: _passage(
                chunk,
                chunk.version.document.name,
                vectors.unpack([stored[key] for key in keys[chunk.pk]], _dimension(stored)),
            )
            for chunk in chunks
        }


def _about(now: Published, before: Index | None = None) -> Catalogue:
    """The names and metadata of a release's documents; of those that are in the index `before`, too, that one's."""
    items = ReleaseItem.objects.filter(release__base=now.base_id, release__number=now.number)
    if before is not None and before.catalogue.described == now.described:
        numbers = (now.number, before.version)
        this, other = (Release.objects.filter(base=now.base_id, number=number).first() for number in numbers)
        gone = only_in(other, this).values_list("version", flat=True)
        about = before.catalogue.changed(gone, _said_of(only_in(this, other)))
        if len(about) == items.count():  # else something was purged, and is in neither release any more
            return about
    return Catalogue(_said_of(items), now.described)


def _said_of(items: QuerySet[ReleaseItem]) -> dict[int, dict[str, str]]:
    rows = items.order_by("document__name").values_list("version", "document__name", "document__metadata")
    return {version: {**metadata, DOCUMENT: name} for version, name, metadata in rows}


def _batches(versions: Collection[int]) -> Iterator[list[Chunk]]:
    """The enabled chunks of those versions, in their order, some thousands at a time."""
    ordered = list(versions)
    place = {version: number for number, version in enumerate(ordered)}
    batch: list[Chunk] = []
    for start in range(0, len(ordered), _VERSIONS_AT_ONCE):
        some = Chunk.objects.filter(enabled=True, version__in=ordered[start : start + _VERSIONS_AT_ONCE])
        batch += sorted(some.order_by(), key=lambda chunk: (place[chunk.version_id], chunk.position))
        while len(batch) >= _CHUNKS_AT_ONCE:
            yield batch[:_CHUNKS_AT_ONCE]
            batch = batch[_CHUNKS_AT_ONCE:]
    if batch:
        yield batch


def _is_worn(index: Index) -> bool:
    return index.worn > max(WORN_SHARE * len(index), WORN_LEAST)


def _unsearched(stored: Stored) -> Nearest:
    """For a segment that is only written or joined."""
    return Faiss(None)


def _stored(keys: Iterable[bytes], model_id: str) -> "_Stored":
    ordered = sorted(keys)
    found = _Stored()
    for start in range(0, len(ordered), _KEYS_AT_ONCE):
        rows = Embedding.objects.filter(model=model_id, text_hash__in=ordered[start : start + _KEYS_AT_ONCE])
        found.update((bytes(key), bytes(vector)) for key, vector in rows.values_list("text_hash", "vector"))
    return found


class _Stored(dict[bytes, bytes]):
    """Stored vectors by key."""

    def __missing__(self, key: bytes) -> bytes:
        raise VectorsMissing("the documents were embedded with another model: import them again")


def _dimension(stored: Mapping[bytes, bytes]) -> int:
    return vectors.dimension_of(next(iter(stored.values()), b""))


def _passage(chunk: Chunk, document: str, sentence_vectors: Vectors) -> Passage:
    return Passage(
        chunk_id=chunk.pk,
        document=document,
        ref=chunk.ref,
        heading=chunk.heading,
        text=chunk.text,
        question=chunk.question,
        language=chunk.language,
        sentences=tuple(
            Sentence(chunk.text[sentence["start"] : sentence["end"]], sentence["verdict"]["action"] == "pass")
            for sentence in chunk.sentences
        ),
        sentence_vectors=np.ascontiguousarray(sentence_vectors),
    )
