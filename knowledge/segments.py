"""Chunks with all that they are found by, in arrays that never change: a snapshot's or a delta's. Knows nothing of the
database or of questions.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from knowledge.lexical import Mask, Postings
from knowledge.nearest import Allowed, Floats, Nearest, Numbers, Stored, flat
from knowledge.passages import Passage, Vectors
from knowledge.terms import search_terms

Doubles = npt.NDArray[np.float64]

LANGUAGES = 2  # 0 English, 1 Chinese
_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class Entry:
    """A live chunk and the vectors that it is found by: `text` of shape (dimension,), `titles` of (n, dimension).

    A title is an FAQ pair's question or the heading of a section. `version` is the document version that it is of.
    """

    passage: Passage
    text: Stored = field(repr=False)
    titles: Stored = field(repr=False)
    version: int = 0


@dataclass(frozen=True, eq=False)
class Moments:
    """Of vectors of each language: their number, sum and sum of outer products. Exact, so they can be added and taken
    away.
    """

    count: Doubles
    total: Doubles
    products: Doubles

    @classmethod
    def of(cls, vectors: Stored, languages: Numbers) -> "Moments":
        """`languages` has each vector's."""
        dimension = vectors.shape[1]
        count = np.zeros(LANGUAGES)
        total = np.zeros((LANGUAGES, dimension))
        products = np.zeros((LANGUAGES, dimension, dimension))
        for start in range(0, len(vectors), _AT_ONCE):
            some, own = vectors[start : start + _AT_ONCE], languages[start : start + _AT_ONCE]
            for language in range(LANGUAGES):
                block = some[own == language].astype(np.float64)
                count[language] += len(block)
                total[language] += block.sum(0)
                products[language] += block.T @ block
        return cls(count, total, products)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.count + other.count, self.total + other.total, self.products + other.products)

    def __sub__(self, other: "Moments") -> "Moments":
        return Moments(self.count - other.count, self.total - other.total, self.products - other.products)

    def mean_and_covariance(self, language: int) -> tuple[Floats, Floats]:
        """Of the vectors of a language, zeros when there is none."""
        count = max(self.count[language], 1.0)
        mean = self.total[language] / count
        covariance = self.products[language] / count - np.outer(mean, mean)
        return mean.astype(np.float32), covariance.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Field:
    """The vectors of one kind, texts or titles; those of one chunk stand together, chunks in order.

    `first[row]` is the number of the first vector of that row, `first[row + 1]` of the one after its last.
    """

    vectors: Stored = field(repr=False)
    first: Numbers = field(repr=False)
    near: Nearest = field(repr=False)
    moments: Moments = field(repr=False)

    @cached_property
    def owners(self) -> npt.NDArray[np.int32]:
        """The row of each vector."""
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int32), np.diff(self.first))

    def allowed(self, rows: Mask) -> Allowed:
        """The vectors of those rows."""
        return Allowed(np.flatnonzero(rows[self.owners]), len(self.owners))

    def nearest(
        self, query: Vectors, depth: int, alive: Mask | None, allowed: Allowed | None = None
    ) -> tuple[Floats, Numbers]:
        """Scores and rows of the `depth` nearest vectors, one row as often as it has some; best first.

        Only rows that are `alive` count, which nearly all should be; or else vectors that are `allowed`.
        """
        if allowed is not None:
            scores, numbers = self.near.search(query, depth, allowed)
            return scores, self.owners[numbers].astype(np.int64)
        asked = depth
        while True:
            scores, numbers = self.near.search(query, asked)
            rows: Numbers = self.owners[numbers].astype(np.int64)
            if alive is not None:
                live = alive[rows]
                scores, rows = scores[live], rows[live]
            if len(rows) >= depth or len(numbers) < asked:
                return scores[:depth], rows[:depth]
            asked *= 4

    def best(self, rows: Numbers, query: Vectors) -> Doubles:
        """The best cosine of each of those rows; NaN where it has no vector of this kind."""
        counts = self.first[rows + 1] - self.first[rows]
        places = np.repeat(np.arange(len(rows)), counts)
        own = np.arange(len(places)) + np.repeat(self.first[rows] - np.cumsum(counts) + counts, counts)
        best = np.full(len(rows), -np.inf)
        np.maximum.at(best, places, self.vectors[own].astype(np.float32) @ query)
        best[counts == 0] = np.nan
        return best

    def moments_of(self, rows: Mask, languages: Numbers) -> Moments:
        """Of the vectors of those rows alone."""
        some = np.flatnonzero(rows[self.owners])
        return Moments.of(self.vectors[some], languages[self.owners[some]])


@dataclass(frozen=True, eq=False)
class Segment:
    """Chunks by row. `passages` is None where there are too many to hold them in memory; `snapshot` is the number of
    the snapshot that it is mapped from.
    """

    chunks: Numbers = field(repr=False)
    versions: Numbers = field(repr=False)
    languages: Numbers = field(repr=False)
    texts: Field = field(repr=False)
    titles: Field = field(repr=False)
    postings: Postings = field(repr=False)
    passages: tuple[Passage, ...] | None = field(repr=False)
    snapshot: int | None = None

    def __len__(self) -> int:
        return len(self.chunks)

    @cached_property
    def _by_version(self) -> tuple[Numbers, Numbers]:
        return np.unique(self.versions, return_inverse=True)

    @property
    def version_ids(self) -> frozenset[int]:
        """The document versions whose chunks it holds."""
        return frozenset(self._by_version[0].tolist())

    def of_versions(self, wanted: Iterable[int]) -> Mask:
        """Which rows are of those versions."""
        known, place = self._by_version
        mask: Mask = np.isin(known, np.fromiter(wanted, np.int64))[place]
        return mask


MakeNearest = Callable[[Stored], Nearest]


def make_segment(entries: Sequence[Entry], dimension: int, *, near: MakeNearest = flat, keep: bool = True) -> Segment:
    """A segment in memory; without the passages themselves unless `keep`."""
    languages = np.asarray([entry.passage.language == "zh" for entry in entries], np.int64)

    def made(groups: list[Stored]) -> Field:
        kind = np.result_type(*groups) if groups else np.float32
        vectors = np.concatenate([np.empty((0, dimension), kind), *groups])
        counts = np.asarray([len(group) for group in groups], np.int64)
        first = np.concatenate(([0], np.cumsum(counts)))
        return Field(vectors, first, near(vectors), Moments.of(vectors, np.repeat(languages, counts)))

    return Segment(
        np.asarray([entry.passage.chunk_id for entry in entries], np.int64),
        np.asarray([entry.version for entry in entries], np.int64),
        languages,
        made([entry.text[None, :] for entry in entries]),
        made([entry.titles for entry in entries]),
        Postings.build(search_terms(_searched(entry.passage)) for entry in entries),
        tuple(entry.passage for entry in entries) if keep else None,
    )


def join_segments(parts: Sequence[tuple[Segment, Mask]], *, near: MakeNearest = flat, keep: bool = True) -> Segment:
    """The rows of all parts whose mask is true, part after part; with the passages where all parts have them."""
    held: list[Passage] | None = []
    for part, mask in parts:
        if held is not None and keep and part.passages is not None:
            held += [part.passages[row] for row in np.flatnonzero(mask)]
        else:
            held = None
    return Segment(
        np.concatenate([part.chunks[mask] for part, mask in parts]),
        np.concatenate([part.versions[mask] for part, mask in parts]),
        np.concatenate([part.languages[mask] for part, mask in parts]),
        _joined([(part.texts, mask, part.languages) for part, mask in parts], near),
        _joined([(part.titles, mask, part.languages) for part, mask in parts], near),
        Postings.join([(part.postings, mask) for part, mask in parts]),
        None if held is None else tuple(held),
    )


def _joined(parts: Sequence[tuple[Field, Mask, Numbers]], near: MakeNearest) -> Field:
    vectors = np.concatenate([one.vectors[mask[one.owners]] for one, mask, _ in parts])
    counts = np.concatenate([np.diff(one.first)[mask] for one, mask, _ in parts])
    kept = [one.moments - one.moments_of(~mask, languages) for one, mask, languages in parts]
    moments = kept[0]
    for other in kept[1:]:
        moments += other
    return Field(vectors, np.concatenate(([0], np.cumsum(counts))), near(vectors), moments)


def _searched(passage: Passage) -> str:
    """All that BM25 reads of a passage."""
    return "\n".join((passage.heading, passage.question, passage.text))
