"""BM25 over terms, as one sparse matrix. Knows nothing of vectors or passages."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]

K1 = 1.5
B = 0.75
WEIGHTS = {"w": 1.0, "b": 0.5, "c": 2.0}  # of the kinds of terms: words, bigrams, codes


@dataclass(frozen=True, eq=False)
class Lexical:
    """The postings of `size` texts: term number t is in the rows `rows[starts[t]:starts[t+1]]` (ascending) and adds
    `gains` to each.
    """

    size: int
    vocabulary: dict[str, int] = field(repr=False)
    starts: npt.NDArray[np.int64] = field(repr=False)
    rows: Rows = field(repr=False)
    gains: Floats = field(repr=False)

    @classmethod
    def build(cls, texts: Sequence[Sequence[str]]) -> "Lexical":
        """From the terms of each text, in order."""
        vocabulary: dict[str, int] = {}
        numbers: list[int] = []
        rows: list[int] = []
        counts: list[int] = []
        for row, terms in enumerate(texts):
            for term, count in Counter(terms).items():
                numbers.append(vocabulary.setdefault(term, len(vocabulary)))
                rows.append(row)
                counts.append(count)
        size = len(texts)
        number = np.asarray(numbers, np.int64)
        order = np.argsort(number, kind="stable")
        frequency = np.bincount(number, minlength=len(vocabulary))
        idf = np.log1p((size - frequency + 0.5) / (frequency + 0.5))
        weight = np.asarray([WEIGHTS[term[0]] for term in vocabulary])
        lengths = np.asarray([len(terms) for terms in texts], np.float64)
        norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if size else 0.0, 1.0))
        count_ = np.asarray(counts, np.float64)[order]
        row_ = np.asarray(rows, np.int32)[order]
        gains = (idf * weight)[number[order]] * count_ * (K1 + 1) / (count_ + norm[row_])
        return cls(size, vocabulary, np.concatenate(([0], np.cumsum(frequency))), row_, gains.astype(np.float32))

    def scores(self, terms: Iterable[str]) -> Floats:
        """The BM25 score of every text, shape (size,); a term counts once."""
        total = np.zeros(self.size, np.float32)
        for term in set(terms):
            number = self.vocabulary.get(term)
            if number is not None:
                posting = slice(self.starts[number], self.starts[number + 1])
                total[self.rows[posting]] += self.gains[posting]
        return total

    def mass(self, term: str) -> float:
        """What the term can tell apart: its idf times the weight of its kind; a term never seen has the most."""
        number = self.vocabulary.get(term)
        frequency = 0 if number is None else int(self.starts[number + 1] - self.starts[number])
        return math.log1p((self.size - frequency + 0.5) / (frequency + 0.5)) * WEIGHTS[term[0]]

    def has(self, row: int, term: str) -> bool:
        """Whether the text of that row holds the term."""
        number = self.vocabulary.get(term)
        if number is None:
            return False
        posting = self.rows[self.starts[number] : self.starts[number + 1]]
        position = int(posting.searchsorted(row))
        return position < len(posting) and int(posting[position]) == row
