"""One base at one version, held in memory and never changed: vectors in FAISS, terms in BM25. Knows nothing of the database.

Swapping to a newer version is exchanging one reference; searches that are under way keep the index that they began with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import faiss
import numpy as np
import numpy.typing as npt

from knowledge.lexical import Floats, Lexical
from knowledge.passages import Passage, Vectors
from knowledge.terms import search_terms

faiss.omp_set_num_threads(1)  # one search is one core's work; more threads fight with those of the other turns

TWIN = 0.4  # cosine, each language's mean taken off, from which two passages that are each other's nearest are translations
_TWINS_UP_TO = 20_000  # passages; finding them compares every passage with every other

_SAMPLE = 5000  # vectors that mean and covariance are estimated from


@dataclass(frozen=True, eq=False)
class Entry:
    """A live chunk and the vectors that it is found by: `text` of shape (dimension,), `titles` of shape (n, dimension), n ≥ 0.

    A title is an FAQ pair's question or the heading of a section.
    """

    passage: Passage
    text: Vectors = field(repr=False)
    titles: Vectors = field(repr=False)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A passage by its row in the index, with the cosines of its text and title, its dense z-score, and the share of the question that its words hold.

    `title` is that of the text where there is none. `z` is how many spreads its text lies above all texts of its language; where it has a title, the mean of that and of the same for
    titles (on StackFAQ the mean of both beats the greater cosine, R@1 84.7 against 80.4). `words` is its BM25 score over the sum of
    the weights of the question's terms: a share rather than a z-score, so that one rare word of a long question does not outweigh it all.
    """

    row: int
    text: float
    title: float
    z: float
    bm25: float
    words: float


class _Field:
    """The vectors of one kind, texts or titles; those of one chunk stand together."""

    def __init__(self, groups: Sequence[Vectors], languages: Sequence[str], dimension: int) -> None:
        counts = [len(group) for group in groups]
        vectors = np.concatenate([np.empty((0, dimension), np.float32), *groups]).astype(np.float32)
        self._owner = np.repeat(np.arange(len(groups)), counts)
        self._first = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        self._flat = faiss.IndexFlatIP(dimension)
        self._flat.add(vectors)
        self.vectors = faiss.rev_swig_ptr(self._flat.get_xb(), vectors.size).reshape(vectors.shape)  # FAISS's own memory, not a copy
        self._moments = {
            language: _moments(vectors[np.repeat([one == language for one in languages], counts)]) for language in set(languages)
        }

    def nearest(self, query: Vectors, depth: int) -> npt.NDArray[np.int64]:
        """The rows of the chunks of the `depth` nearest vectors."""
        if not self._flat.ntotal:
            return self._owner
        nearest: npt.NDArray[np.int64] = self._owner[self._flat.search(query[None, :], min(depth, self._flat.ntotal))[1][0]]
        return nearest

    def cosines(self, rows: npt.NDArray[np.int64], query: Vectors) -> list[float | None]:
        """The best cosine of each chunk of those rows, None where it has no vector of this kind."""
        spans = [(self._first[row], self._first[row + 1]) for row in rows]
        return [float((self.vectors[start:end] @ query).max()) if end > start else None for start, end in spans]

    def spreads(self, query: Vectors) -> dict[str, tuple[float, float]]:
        """By language: mean and standard deviation of the cosines of all its vectors with the query, without computing them."""
        return {
            language: (float(query @ mean), float(np.sqrt(max(query @ covariance @ query, 1e-8))))
            for language, (mean, covariance) in self._moments.items()
        }


def _moments(vectors: Vectors) -> tuple[Floats, Floats]:
    sample = vectors[:: len(vectors) // _SAMPLE + 1]
    mean: Floats = sample.mean(0) if len(sample) else np.zeros(vectors.shape[1], np.float32)
    return mean, (sample - mean).T @ (sample - mean) / max(len(sample), 1)


class Index:
    """Immutable; search from any number of threads. `twins` has the row of a passage's translation, -1 where there is none."""

    def __init__(self, entries: Sequence[Entry], *, version: int, dimension: int) -> None:
        """`version` is the base's. Vectors are L2-normalised."""
        self.version = version
        self.passages: tuple[Passage, ...] = tuple(entry.passage for entry in entries)
        self.lexical = Lexical.build([search_terms(_searched(passage)) for passage in self.passages])
        languages = [passage.language for passage in self.passages]
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
        rows = np.unique(np.concatenate([self._texts.nearest(query, depth), self._titles.nearest(query, depth), best[bm25[best] > 0]]))
        rows = np.union1d(rows, self.twins[rows][self.twins[rows] >= 0])
        mass = sum(self.lexical.mass(term) for term in set(terms)) or 1.0
        texts, titles = self._texts.spreads(query), self._titles.spreads(query)
        candidates: list[Candidate] = []
        for row, text, title in zip(rows, self._texts.cosines(rows, query), self._titles.cosines(rows, query), strict=True):
            assert text is not None
            language = self.passages[row].language
            z = _z(text, *texts[language])
            if title is not None:
                z = (z + _z(title, *titles[language])) / 2
            score = float(bm25[row])
            candidates.append(Candidate(int(row), text, text if title is None else title, z, score, score / mass))
        return candidates


def _twins(vectors: Vectors, languages: Sequence[str]) -> npt.NDArray[np.int64]:
    """By row, the row that says the same in another language: both are each other's nearest there."""
    twins = np.full(len(languages), -1, np.int64)
    groups = [np.flatnonzero([one == language for one in languages]) for language in sorted(set(languages))]
    if len(groups) != 2 or len(languages) > _TWINS_UP_TO:
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


def _z(value: float, mean: float, spread: float) -> float:
    return (value - mean) / spread


def _searched(passage: Passage) -> str:
    """All that BM25 reads of a passage."""
    return "\n".join((passage.heading, passage.question, passage.text))
