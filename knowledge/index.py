"""One base at one version, held in memory and never changed: vectors in FAISS, terms in BM25. Knows nothing of the
database.

Swapping to a newer version is exchanging one reference; searches that are under way keep the index that they began
with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import faiss
import numpy as np
import numpy.typing as npt

from knowledge.lexical import Floats, Lexical
from knowledge.passages import Passage, Vectors
from knowledge.terms import search_terms

Rows = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

faiss.omp_set_num_threads(1)  # one search is one core's work; more threads fight with those of the other turns

# Cosine, each language's mean taken off, from which two passages that are each other's nearest are translations.
TWIN = 0.4
_TWINS_UP_TO = 20_000  # passages; finding them compares every passage with every other

_LEAST_SPREAD = 0.01  # of cosines; a base of a few passages has hardly any
_SAMPLE = 5000  # vectors that mean and covariance are estimated from


@dataclass(frozen=True, eq=False)
class Entry:
    """A live chunk and the vectors that it is found by: `text` of shape (dimension,), `titles` of (n, dimension).

    A title is an FAQ pair's question or the heading of a section.
    """

    passage: Passage
    text: Vectors = field(repr=False)
    titles: Vectors = field(repr=False)


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


class _Field:
    """The vectors of one kind, texts or titles; those of one chunk stand together."""

    def __init__(self, groups: Sequence[Vectors], languages: Rows, dimension: int) -> None:
        """`languages` has the number of each chunk's language."""
        counts = [len(group) for group in groups]
        vectors = np.concatenate([np.empty((0, dimension), np.float32), *groups]).astype(np.float32)
        self._owner = np.repeat(np.arange(len(groups)), counts)
        self._first = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        self._languages = languages
        self._flat = faiss.IndexFlatIP(dimension)
        self._flat.add(vectors)
        # FAISS's own memory, not a copy.
        self.vectors: Vectors = faiss.rev_swig_ptr(self._flat.get_xb(), vectors.size).reshape(vectors.shape)
        self._moments = [
            _moments(vectors[languages[self._owner] == one]) for one in range(languages.max(initial=0) + 1)
        ]

    def nearest(self, query: Vectors, depth: int) -> Rows:
        """The rows of the chunks of the `depth` nearest vectors."""
        if not self._flat.ntotal:
            return self._owner
        found = self._flat.search(query[None, :], min(depth, self._flat.ntotal))[1][0]
        nearest: Rows = self._owner[found]
        return nearest

    def scores(self, rows: Rows, query: Vectors) -> tuple[Doubles, Doubles]:
        """The best cosine of each chunk of those rows, and its z-score; NaN where it has no vector of this kind."""
        counts = self._first[rows + 1] - self._first[rows]
        places = np.repeat(np.arange(len(rows)), counts)
        own = np.arange(len(places)) + np.repeat(self._first[rows] - np.cumsum(counts) + counts, counts)
        best = np.full(len(rows), -np.inf)
        np.maximum.at(best, places, self.vectors[own] @ query)
        best[counts == 0] = np.nan
        means, spreads = self._spreads(query)
        return best, (best - means[self._languages[rows]]) / spreads[self._languages[rows]]

    def _spreads(self, query: Vectors) -> tuple[Doubles, Doubles]:
        """By language: mean and standard deviation of the cosines of all its vectors, without computing them."""
        means = [float(query @ mean) for mean, _ in self._moments]
        spreads = [
            float(np.sqrt(max(float(query @ covariance @ query), _LEAST_SPREAD**2))) for _, covariance in self._moments
        ]
        return np.asarray(means), np.asarray(spreads)


def _moments(vectors: Vectors) -> tuple[Floats, Floats]:
    sample = vectors[:: len(vectors) // _SAMPLE + 1]
    mean: Floats = sample.mean(0) if len(sample) else np.zeros(vectors.shape[1], np.float32)
    covariance = (sample - mean).T @ (sample - mean) / max(len(sample), 1)
    return mean, covariance.astype(np.float32)


class Index:
    """Immutable: searched from any number of threads.

    `twins` has by row the row of the passage's translation, -1 where there is none.
    """

    def __init__(self, entries: Sequence[Entry], *, version: int, dimension: int) -> None:
        """`version` is the base's. Vectors are L2-normalised."""
        self.version = version
        self.passages: tuple[Passage, ...] = tuple(entry.passage for entry in entries)
        self.lexical = Lexical.build([search_terms(_searched(passage)) for passage in self.passages])
        languages = np.asarray([passage.language == "zh" for passage in self.passages], np.int64)
        self._texts = _Field([entry.text[None, :] for entry in entries], languages, dimension)
        self._titles = _Field([entry.titles for entry in entries], languages, dimension)
        self.twins = _twins(self._texts.vectors, languages)

    def __len__(self) -> int:
        return len(self.passages)

    def find(self, vector: Vectors, terms: Sequence[str], *, depth: int = 50) -> list[Candidate]:
        """The passages among the `depth` nearest by text, by title, or best by BM25; unordered.

        `vector` has shape (dimension,), `terms` come from `search_terms`.
        """
        if not self.passages:
            return []
        query = np.ascontiguousarray(vector, np.float32)
        bm25 = self.lexical.scores(terms)
        best = np.argpartition(bm25, -depth)[-depth:] if len(bm25) > depth else np.arange(len(bm25))
        near = [self._texts.nearest(query, depth), self._titles.nearest(query, depth)]
        rows: Rows = np.unique(np.concatenate([*near, best[bm25[best] > 0]]))
        rows = np.union1d(rows, self.twins[rows][self.twins[rows] >= 0])
        text, z_text = self._texts.scores(rows, query)
        title, z_title = self._titles.scores(rows, query)
        title = np.where(np.isnan(title), text, title)
        z = np.where(np.isnan(z_title), z_text, (z_text + z_title) / 2)
        words = bm25[rows] / (sum(self.lexical.mass(term) for term in set(terms)) or 1.0)
        columns = (rows, text, title, z, bm25[rows], words)
        return [Candidate(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


def _twins(vectors: Vectors, languages: Rows) -> Rows:
    """By row, the row that says the same in the other language: both are each other's nearest there."""
    twins = np.full(len(languages), -1, np.int64)
    groups = np.flatnonzero(languages == 0), np.flatnonzero(languages == 1)
    if min(map(len, groups)) == 0 or len(languages) > _TWINS_UP_TO:
        return twins
    ones, others = (_centred(vectors[group]) for group in groups)
    cosines = ones @ others.T
    nearest = cosines.argmax(1)
    mutual = cosines.argmax(0)[nearest] == np.arange(len(ones))
    found = np.flatnonzero(mutual & (cosines[np.arange(len(ones)), nearest] >= TWIN))
    twins[groups[0][found]] = groups[1][nearest[found]]
    twins[groups[1][nearest[found]]] = groups[0][found]
    return twins


def _centred(vectors: Vectors) -> Vectors:
    centred = vectors - vectors.mean(0)
    normal: Vectors = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return normal


def _searched(passage: Passage) -> str:
    """All that BM25 reads of a passage."""
    return "\n".join((passage.heading, passage.question, passage.text))
