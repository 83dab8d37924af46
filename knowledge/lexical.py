"""BM25 over terms, in postings that can be joined, cut and mapped from files. Knows nothing of vectors or passages."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

K1 = 1.5
B = 0.75
WEIGHTS = {"w": 1.0, "b": 0.5, "c": 2.0}  # of the kinds of terms: words, bigrams, codes

_BOUND_FROM = 20_000  # rows of a posting that are looked at for the least score that is among the best


@dataclass(frozen=True, eq=False)
class Postings:
    """Which texts hold which terms.

    Term number t, whose key is `keys[t]` (ascending), is in the rows `rows[starts[t]:starts[t+1]]` (ascending),
    `counts` times in each; `lengths` has each text's number of terms. The arrays may be mapped from a file.
    """

    keys: Keys = field(repr=False)
    starts: Longs = field(repr=False)
    rows: Rows = field(repr=False)
    counts: npt.NDArray[np.uint16] = field(repr=False)
    lengths: Rows = field(repr=False)

    @classmethod
    def build(cls, texts: Iterable[Sequence[str]]) -> "Postings":
        """From the terms of each text, in order."""
        vocabulary: dict[str, int] = {}
        numbers: list[int] = []
        rows: list[int] = []
        counts: list[int] = []
        lengths: list[int] = []
        for row, terms in enumerate(texts):
            lengths.append(len(terms))
            for term, count in Counter(terms).items():
                numbers.append(vocabulary.setdefault(term, len(vocabulary)))
                rows.append(row)
                counts.append(min(count, 65535))
        keys, place = np.unique(np.fromiter(map(key_of, vocabulary), np.uint64, len(vocabulary)), return_inverse=True)
        number = place[np.asarray(numbers, np.int64)]
        order = np.argsort(number, kind="stable")
        starts = np.concatenate(([0], np.cumsum(np.bincount(number, minlength=len(keys)))))
        return cls(
            keys,
            starts.astype(np.int64),
            np.asarray(rows, np.int32)[order],
            np.asarray(counts, np.uint16)[order],
            np.asarray(lengths, np.int32),
        )

    @classmethod
    def join(cls, parts: "Sequence[tuple[Postings, Mask]]") -> "Postings":
        """The texts of all parts, one part after the other, but for those whose mask is false."""
        keys = np.unique(np.concatenate([np.empty(0, np.uint64), *(part.keys for part, _ in parts)]))
        places = [np.searchsorted(keys, part.keys) for part, _ in parts]
        held = [mask[part.rows] for part, mask in parts]
        sizes = [_sums(one, part.starts) for (part, _), one in zip(parts, held, strict=True)]
        total = np.zeros(len(keys), np.int64)
        for place, size in zip(places, sizes, strict=True):
            total[place] += size
        ends = np.cumsum(total)
        rows = np.empty(int(total.sum()), np.int32)
        counts = np.empty(len(rows), np.uint16)
        cursor = ends - total
        before = 0
        for (part, mask), place, one, size in zip(parts, places, held, sizes, strict=True):
            target = np.repeat(cursor[place] - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))
            rows[target] = (np.cumsum(mask) - 1 + before).astype(np.int32)[part.rows[one]]
            counts[target] = part.counts[one]
            cursor[place] += size
            before += int(mask.sum())
        some = total > 0
        lengths = np.concatenate([np.empty(0, np.int32), *(part.lengths[mask] for part, mask in parts)])
        return cls(keys[some], np.concatenate(([0], ends[some])), rows, counts, lengths)

    def find(self, key: int) -> slice:
        """Where the posting of a term stands in `rows` and `counts`; empty when no text has the term."""
        number = int(self.keys.searchsorted(np.uint64(key)))
        if number == len(self.keys) or int(self.keys[number]) != key:
            return slice(0, 0)
        return slice(int(self.starts[number]), int(self.starts[number + 1]))


def _sums(mask: Mask, starts: Longs) -> Longs:
    sums = np.concatenate(([0], np.cumsum(mask)))
    counted: Longs = sums[starts[1:]] - sums[starts[:-1]]
    return counted


@lru_cache(maxsize=65536)
def key_of(term: str) -> int:
    """A term's number in every index: 64 bits of its hash, so that no file holds words."""
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little")


class Lexical:
    """BM25 over the postings of several parts as if they were one; rows are numbered through all parts.

    A row whose mask is false scores nothing and counts in no statistic.
    """

    def __init__(self, parts: Sequence[tuple[Postings, Mask]]) -> None:
        self.rows = sum(len(mask) for _, mask in parts)
        self.size = sum(int(mask.sum()) for _, mask in parts)
        lengths = sum(int(part.lengths[mask].sum(dtype=np.int64)) for part, mask in parts)
        mean = max(lengths / self.size if self.size else 0.0, 1.0)
        self._parts: list[tuple[int, Postings, Floats, bool]] = []
        first = 0
        for part, mask in parts:
            norm = (K1 * (1 - B + B * part.lengths.astype(np.float64) / mean)).astype(np.float32)
            norm[~mask] = np.inf  # so it gains nothing from any term
            self._parts.append((first, part, norm, bool(mask.all())))
            first += len(mask)
        self._frequency = lru_cache(maxsize=65536)(self._count)

    @classmethod
    def build(cls, texts: Iterable[Sequence[str]]) -> "Lexical":
        """From the terms of each text, in order."""
        postings = Postings.build(texts)
        return cls([(postings, np.ones(len(postings.lengths), np.bool_))])

    def scores(self, terms: Iterable[str]) -> Floats:
        """The BM25 score of every row, shape (rows,); a term counts once."""
        total = np.zeros(self.rows, np.float32)
        for term in sorted(set(terms)):
            self._add(term, total)
        return total

    def scores_of(self, terms: Iterable[str], rows: Longs) -> Floats:
        """The BM25 scores of those rows alone."""
        total = np.zeros(len(rows), np.float32)
        for term in sorted(set(terms)):
            self._look_up(term, rows, total)
        return total

    def best(self, terms: Iterable[str], depth: int, allowed: Mask | None = None) -> Longs:
        """The rows of the `depth` best scores above 0, unordered; only of those `allowed`, where that is given.

        Exact, though the postings of common words are not read through when no row that has only those can be among the
        best any more (MaxScore: Turtle and Flood 1995).
        """
        bounds = sorted(((self.mass(term) * (K1 + 1), term) for term in set(terms)), reverse=True)
        total = np.zeros(self.rows, np.float32)
        left = sum(bound for bound, _ in bounds)
        least = 0.0
        rest = len(bounds)
        for number, (bound, term) in enumerate(bounds):
            if left < least:
                rest = number
                break
            least = max(least, self._add(term, total, depth, allowed))
            left -= bound
        if rest == len(bounds):
            rows = np.flatnonzero(total >= least) if least > 0 else np.flatnonzero(total)
            scores = total[rows]
        else:
            rows = np.flatnonzero(total >= (least - left) * 0.9999)  # of single precision
            scores = total[rows]
            for _, term in bounds[rest:]:
                self._look_up(term, rows, scores)
        if len(rows) > depth:
            rows = rows[np.argpartition(scores, -depth)[-depth:]]
        return rows

    def mass(self, term: str) -> float:
        """What the term can tell apart: its idf times the weight of its kind; a term never seen has the most."""
        frequency = self._frequency(key_of(term))
        return math.log1p((self.size - frequency + 0.5) / (frequency + 0.5)) * WEIGHTS[term[0]]

    def has(self, row: int, term: str) -> bool:
        """Whether the text of that row, gone or not, holds the term."""
        for first, part, norm, _ in self._parts:
            local = row - first
            if 0 <= local < len(norm):
                held = part.rows[part.find(key_of(term))]
                place = int(held.searchsorted(local))
                return place < len(held) and int(held[place]) == local
        return False

    def _count(self, key: int) -> int:
        total = 0
        for _, part, norm, whole in self._parts:
            posting = part.find(key)
            held = posting.stop - posting.start
            total += held if whole or not held else int(np.isfinite(norm[part.rows[posting]]).sum())
        return total

    def _add(self, term: str, total: Floats, depth: int = 0, allowed: Mask | None = None) -> float:
        """Adds what the term gives to all rows, or those allowed; the `depth`-th best of those that hold it in `total`,
        0 if unknown.
        """
        least = 0.0
        gain = np.float32(self.mass(term) * (K1 + 1))
        for first, part, norm, _ in self._parts:
            posting = part.find(key_of(term))
            if posting.start == posting.stop:
                continue
            rows = np.asarray(part.rows[posting])
            counts = part.counts[posting]
            if allowed is not None:
                some = allowed[first : first + len(norm)][rows]
                rows, counts = rows[some], counts[some]
            counts = counts.astype(np.float32)
            own = total[first : first + len(norm)]
            own[rows] += gain * counts / (counts + norm[rows])
            if depth and len(rows) >= depth:
                least = max(least, float(np.partition(own[rows[:_BOUND_FROM]], -depth)[-depth]))
        return least

    def _look_up(self, term: str, rows: Longs, total: Floats) -> None:
        gain = np.float32(self.mass(term) * (K1 + 1))
        for first, part, norm, _ in self._parts:
            posting = part.find(key_of(term))
            if posting.start == posting.stop:
                continue
            held = np.asarray(part.rows[posting])
            local = rows - first
            places = np.minimum(held.searchsorted(local), len(held) - 1)
            hit = np.flatnonzero(held[places] == local)
            counts = part.counts[posting][places[hit]].astype(np.float32)
            total[hit] += gain * counts / (counts + norm[local[hit]])
