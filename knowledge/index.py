"""One base at one release: an unchanging snapshot, what came since, and what of the snapshot has gone. Knows nothing of
the database.

An index never changes: a newer release is another one that shares the snapshot, and swapping is exchanging one
reference; searches that are under way keep the index that they began with. Whatever the history, a search finds what an
index built anew would find: document frequencies, means and spreads are those of the rows that are alive.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from knowledge.filters import LANGUAGE, Catalogue, Filters
from knowledge.lexical import Lexical, Mask
from knowledge.nearest import Allowed, Numbers
from knowledge.passages import Passage, Vectors
from knowledge.segments import LANGUAGES, Doubles, Entry, Moments, Segment, join_segments, make_segment

__all__ = ["Candidate", "Entry", "Index", "Passages"]

# Cosine, each language's mean taken off, from which two passages that are each other's nearest are translations.
TWIN = 0.4
TWINS_UP_TO = 20_000  # passages; finding them compares every passage with every other

_LEAST_SPREAD = 0.01  # of cosines; a base of a few passages has hardly any
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_BLOCK = 2000
_FEW = 10.0  # passages of a language, whose mean says half as much as that of many
_FILTERS_KEPT = 16  # with the rows that they let through: two bytes a passage at most

Fetch = Callable[[Sequence[int]], Sequence[Passage]]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A passage by its row in the index, with the cosines of its text and title, its dense z-score, and the share of
    the question that its words hold.

    `title` is that of the text where there is none. `z` is how many spreads its text lies above all texts of its
    language; where it has a title, the mean of that and of the same for titles (on StackFAQ the mean of both beats the
    greater cosine, R@1 84.7 against 80.4). `words` is its BM25 score over the sum of the weights of the question's
    terms: a share rather than a z-score, so that one rare word of a long question does not outweigh it all.
    """

    row: int
    text: float
    title: float
    z: float
    bm25: float
    words: float


@dataclass(frozen=True, eq=False)
class Part:
    """A segment of which some rows are alive, and the moments of the vectors of those."""

    segment: Segment
    alive: Mask
    texts: Moments
    titles: Moments

    @classmethod
    def whole(cls, segment: Segment) -> "Part":
        """All rows are alive."""
        return cls(segment, np.ones(len(segment), np.bool_), segment.texts.moments, segment.titles.moments)

    def of_versions(self, wanted: Collection[int]) -> "Part":
        """The rows of those versions are alive."""
        segment, alive = self.segment, self.segment.of_versions(wanted)
        come, gone = alive & ~self.alive, self.alive & ~alive
        texts, titles = self.texts, self.titles
        if come.any():
            texts += segment.texts.moments_of(come, segment.languages)
            titles += segment.titles.moments_of(come, segment.languages)
        if gone.any():
            texts -= segment.texts.moments_of(gone, segment.languages)
            titles -= segment.titles.moments_of(gone, segment.languages)
        return Part(segment, alive, texts, titles)

    @cached_property
    def dead(self) -> int:
        """How many rows have gone."""
        return int(len(self.alive) - self.alive.sum())


@dataclass(frozen=True, eq=False)
class Chosen:
    """The rows that a filter lets through; and the vectors of each kind that are theirs, part by part."""

    rows: Mask = field(repr=False)
    vectors: dict[str, list[Allowed]] = field(repr=False)


class Passages(Sequence[Passage]):
    """The passages of an index by row: held in memory, or fetched, then best many at once by `load`."""

    def __init__(self, parts: Sequence[Part], fetch: Fetch | None) -> None:
        self._parts, self._fetch = parts, fetch
        self._ends = np.cumsum([len(part.segment) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __iter__(self) -> Iterator[Passage]:
        alive = np.concatenate([np.empty(0, np.bool_), *(part.alive for part in self._parts)])
        return (self[row] for row in np.flatnonzero(alive).tolist())

    def __getitem__(self, row: int) -> Passage:  # type: ignore[override]
        return self.load([row])[0]

    def load(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of those rows, in order."""
        found: dict[int, Passage] = {}
        missing: list[tuple[int, int]] = []
        for row in rows:
            number = int(self._ends.searchsorted(row, side="right"))
            segment = self._parts[number].segment
            local = int(row - (self._ends[number] - len(segment)))
            if segment.passages is not None:
                found[row] = segment.passages[local]
            else:
                missing.append((row, int(segment.chunks[local])))
        if missing:
            if self._fetch is None:
                raise RuntimeError("these passages are not in memory, and nothing fetches them")
            fetched = self._fetch([chunk for _, chunk in missing])
            found.update((row, one) for (row, _), one in zip(missing, fetched, strict=True))
        return [found[row] for row in rows]


class Index:
    """Immutable but for `twins`: searched from any number of threads.

    `languages` has by row 1 for Chinese, 0 for others; `twins` has by row the row of the passage's translation, -1
    where there is none. `catalogue` is what is known of its documents.
    """

    def __init__(self, entries: Sequence[Entry], *, version: int, dimension: int) -> None:
        """An index of nothing but these entries. `version` is the base's; vectors are L2-normalised."""
        self._assemble([Part.whole(make_segment(entries, dimension))], version, None)
        self.pair()

    def described(self, catalogue: Catalogue) -> "Index":
        """The same index with what is known of its documents, for filters to go by."""
        new = copy(self)
        new._know(catalogue)
        return new

    @classmethod
    def of_parts(
        cls, parts: Sequence[Part], *, version: int, fetch: Fetch | None = None, before: "Index | None" = None
    ) -> "Index":
        """An index of segments; `fetch` gives the passages of chunks, in order, that no segment holds.

        With the index `before` it has that one's pairs of translations until `pair` is called.
        """
        new = cls.__new__(cls)
        new._assemble(parts, version, fetch)
        if before is None:
            new.pair()
        else:
            new._inherit(before)
        return new

    def _assemble(self, parts: Sequence[Part], version: int, fetch: Fetch | None) -> None:
        self.version, self.parts, self._fetch = version, tuple(part for part in parts if len(part.segment)), fetch
        self.passages = Passages(self.parts, fetch)
        self.lexical = Lexical([(part.segment.postings, part.alive) for part in self.parts])
        self.languages = np.concatenate([np.empty(0, np.int64), *(part.segment.languages for part in self.parts)])
        self._first = np.concatenate(([0], np.cumsum([len(part.segment) for part in self.parts], dtype=np.int64)))
        if self.parts:
            self._text = _spread_of([part.texts for part in self.parts])
            self._title = _spread_of([part.titles for part in self.parts])
        self.twins = np.full(int(self._first[-1]), -1, np.int64)
        self._know(Catalogue({}))

    def _know(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._chosen = lru_cache(_FILTERS_KEPT)(self._choose)

    def __len__(self) -> int:
        return self.lexical.size

    @property
    def worn(self) -> int:
        """Rows that are not in the snapshot, or in it and gone: what a new one would tidy up."""
        return sum(part.dead for part in self.parts) + sum(len(part.segment) for part in self.parts[1:])

    def moved_to(
        self,
        version: int,
        wanted: Collection[int],
        load: Callable[[Collection[int]], Segment],
        *,
        tidy: bool = False,
    ) -> "Index":
        """The index of another release that has the document versions `wanted`; call its `pair` when there is time.

        `load` makes a segment of those that this one has never seen. The snapshot is shared and the rest joined anew,
        or everything when it is to be `tidy`: one segment in memory, with nothing in it that has gone.
        """
        kept = [(part.segment, part.segment.of_versions(wanted)) for part in self.parts]
        have = frozenset[int]().union(*(segment.version_ids for segment, _ in kept))
        missing = [one for one in wanted if one not in have]
        parts = [] if tidy else [part.of_versions(wanted) for part in self.parts[:1]]
        joined = [(segment, mask) for segment, mask in kept[len(parts) :] if mask.any()]
        if missing and len(new := load(missing)):
            joined.append((new, np.ones(len(new), np.bool_)))
        if len(joined) == 1 and joined[0][1].all():
            parts.append(Part.whole(joined[0][0]))
        elif joined:
            parts.append(Part.whole(join_segments(joined)))
        return Index.of_parts(parts, version=version, fetch=self._fetch, before=self)

    def find(
        self, vector: Vectors, terms: Sequence[str], *, depth: int = 50, filters: Filters | None = None
    ) -> list[Candidate]:
        """The passages among the `depth` nearest by text, by title, or best by BM25; unordered.

        `vector` has shape (dimension,), `terms` come from `search_terms`. With `filters` these are the nearest and best
        of the passages that those let through; what each scores does not hang on them.
        """
        if not len(self):
            return []
        chosen = self._chosen(frozenset((key, frozenset(some)) for key, some in filters.items())) if filters else None
        query = np.ascontiguousarray(vector, np.float32)
        near = [self._nearest(kind, query, depth, chosen) for kind in ("texts", "titles")]
        best = self.lexical.best(terms, depth, None if chosen is None else chosen.rows)
        rows: Numbers = np.unique(np.concatenate([*near, best]))
        twins = self.twins[rows]
        twins = twins[twins >= 0]
        rows = np.union1d(rows, twins if chosen is None else twins[chosen.rows[twins]])
        if not len(rows):
            return []
        bm25 = self.lexical.scores_of(terms, rows)
        text, z_text = self._scores("texts", self._text, rows, query)
        title, z_title = self._scores("titles", self._title, rows, query)
        title = np.where(np.isnan(title), text, title)
        z = np.where(np.isnan(z_title), z_text, (z_text + z_title) / 2)
        words = bm25 / (sum(self.lexical.mass(term) for term in set(terms)) or 1.0)
        columns = (rows, text, title, z, bm25, words)
        return [Candidate(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]

    def _choose(self, filters: frozenset[tuple[str, frozenset[str]]]) -> Chosen:
        wanted = dict(filters)
        versions = self.catalogue.versions(wanted)
        masks = [part.alive for part in self.parts]
        if versions is not None:
            masks = [mask & part.segment.of_versions(versions) for mask, part in zip(masks, self.parts, strict=True)]
        if LANGUAGE in wanted:
            spoken = np.asarray(["en" in wanted[LANGUAGE], "zh" in wanted[LANGUAGE]])
            masks = [mask & spoken[part.segment.languages] for mask, part in zip(masks, self.parts, strict=True)]
        vectors = {
            kind: [getattr(part.segment, kind).allowed(mask) for mask, part in zip(masks, self.parts, strict=True)]
            for kind in ("texts", "titles")
        }
        return Chosen(np.concatenate(masks), vectors)

    def nearer(self, vector: Vectors) -> float:
        """By how much higher a question's cosines are with Chinese passages than with others, on average.

        Less than measured where one language has few passages, and 0 where it has none.
        """
        counts = sum((part.texts.count for part in self.parts), np.zeros(LANGUAGES))
        fewest = float(counts.min())
        if not fewest:
            return 0.0
        others, chinese = (float(vector @ mean) for mean, _ in self._text)
        return (chinese - others) * fewest / (fewest + _FEW)

    def _nearest(self, kind: str, query: Vectors, depth: int, chosen: Chosen | None) -> Numbers:
        """The rows of the chunks of the `depth` nearest vectors of a kind."""
        allowed = [None] * len(self.parts) if chosen is None else chosen.vectors[kind]
        found = [
            (first, *getattr(part.segment, kind).nearest(query, depth, part.alive if part.dead else None, some))
            for first, part, some in zip(self._first, self.parts, allowed, strict=False)
        ]
        scores = np.concatenate([scores for _, scores, _ in found])
        rows: Numbers = np.concatenate([rows + first for first, _, rows in found])
        return rows[np.argpartition(-scores, depth)[:depth]] if len(rows) > depth else rows

    def _scores(
        self, kind: str, spreads: list[tuple[Vectors, Vectors]], rows: Numbers, query: Vectors
    ) -> tuple[Doubles, Doubles]:
        """The best cosine of each chunk of those rows (ascending), and its z-score; NaN where it has no such vector."""
        cuts = np.searchsorted(rows, self._first)
        best = np.concatenate(
            [
                getattr(part.segment, kind).best(rows[cuts[number] : cuts[number + 1]] - self._first[number], query)
                for number, part in enumerate(self.parts)
            ]
        )
        means = np.asarray([float(query @ mean) for mean, _ in spreads])
        deviations = np.asarray(
            [float(np.sqrt(max(float(query @ covariance @ query), _LEAST_SPREAD**2))) for _, covariance in spreads]
        )
        languages = self.languages[rows]
        return best, (best - means[languages]) / deviations[languages]

    def pair(self) -> None:
        """Finds the rows that say the same in the other language: both are each other's nearest there, and neither
        holds numbers that contradict the other's: near misses about another product are as near.
        """
        if len(self) > TWINS_UP_TO:
            return
        rows, centred = [], []
        for language in range(LANGUAGES):
            some = [part.alive & (part.segment.languages == language) for part in self.parts]
            rows.append(np.flatnonzero(np.concatenate([np.empty(0, np.bool_), *some])))
            if not len(rows[-1]):
                self.twins = np.full(len(self.twins), -1, np.int64)
                return
            own = [part.segment.texts.vectors[mask] for part, mask in zip(self.parts, some, strict=True)]
            centred.append(_centred(np.concatenate(own).astype(np.float32)))
        ones, others = centred
        nearest, cosine = np.zeros(len(ones), np.int64), np.zeros(len(ones), np.float32)
        back, best = np.zeros(len(others), np.int64), np.full(len(others), -2, np.float32)
        every = np.arange(len(others))
        for start in range(0, len(ones), _BLOCK):
            cosines = ones[start : start + _BLOCK] @ others.T
            stop = start + len(cosines)
            nearest[start:stop] = cosines.argmax(1)
            cosine[start:stop] = cosines[np.arange(len(cosines)), nearest[start:stop]]
            highest = cosines.argmax(0)
            better = cosines[highest, every] > best
            back[better], best[better] = highest[better] + start, cosines[highest, every][better]
        found = np.flatnonzero((back[nearest] == np.arange(len(ones))) & (cosine >= TWIN))
        here, there = rows[0][found], rows[1][nearest[found]]
        numbers = [[_numbers(one) for one in self.passages.load(some.tolist())] for some in (here, there)]
        agree = np.asarray([one <= other or other <= one for one, other in zip(*numbers, strict=True)], np.bool_)
        twins = np.full(len(self.twins), -1, np.int64)
        twins[here[agree]] = there[agree]
        twins[there[agree]] = here[agree]
        self.twins = twins

    def _inherit(self, before: "Index") -> None:
        """The pairs of the index before, as far as both are still there."""
        rows_before = np.flatnonzero(before.twins >= 0)
        if not len(rows_before):
            return
        alive, chunks = self._alive_chunks()
        _, chunks_before = before._alive_chunks()
        row_of = dict(zip(chunks[alive].tolist(), alive.tolist(), strict=True))
        for row in rows_before.tolist():
            here, there = (row_of.get(int(chunks_before[one])) for one in (row, before.twins[row]))
            if here is not None and there is not None:
                self.twins[here] = there

    def _alive_chunks(self) -> tuple[Numbers, Numbers]:
        """The rows that are alive, and the chunk of every row."""
        alive = np.concatenate([np.empty(0, np.bool_), *(part.alive for part in self.parts)])
        return np.flatnonzero(alive), np.concatenate([np.empty(0, np.int64), *(p.segment.chunks for p in self.parts)])


def _numbers(passage: Passage) -> frozenset[str]:
    """All that it states in digits, however they are grouped."""
    whole = unicodedata.normalize("NFKC", f"{passage.heading} {passage.question} {passage.text}")
    return frozenset(number.replace(",", "") for number in _NUMBER.findall(whole))


def _centred(vectors: Vectors) -> Vectors:
    vectors -= vectors.mean(0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return vectors


def _spread_of(moments: Sequence[Moments]) -> list[tuple[Vectors, Vectors]]:
    total = moments[0]
    for other in moments[1:]:
        total += other
    return [total.mean_and_covariance(language) for language in range(LANGUAGES)]
