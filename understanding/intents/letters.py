"""Texts to hashed runs of one to three characters, weighed by how rare they are. numpy alone; knows no labels.

Both languages take the same path: characters need no word boundaries, and survive misspelling.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt
import opencc

Floats = npt.NDArray[np.float32]

ORDERS = (1, 2, 3)
BUCKETS = 2**15
LONGEST = 1_000
"""Characters of a text that count."""

_DIGITS = re.compile(r"\d")
_SIMPLIFIED = opencc.OpenCC("t2s")


def plain(text: str) -> str:
    """The text as it is compared: NFKC, lower case, simplified Chinese, single blanks, each digit a 0."""
    text = unicodedata.normalize("NFKC", text[:LONGEST].encode("utf-8", "replace").decode()).casefold()
    text = _DIGITS.sub("0", " ".join(text.split()))
    return f" {text if text.isascii() else _SIMPLIFIED.convert(text)} "


@dataclass(frozen=True)
class Weighed:
    """Sparse rows of length 1: of text i, `values[starts[i]:starts[i + 1]]` in the columns `buckets[…]`."""

    buckets: npt.NDArray[np.int64]
    values: Floats
    starts: npt.NDArray[np.int64]

    def times(self, weights: Floats) -> Floats:
        """(texts, columns): the rows multiplied by (BUCKETS, columns)."""
        if len(self.starts) == 1:
            return np.empty((0, weights.shape[1]), np.float32)
        products = weights[self.buckets] * self.values[:, None]
        result: Floats = np.add.reduceat(products, self.starts[:-1], axis=0)
        return result


def count(texts: Sequence[str]) -> Weighed:
    """How often each run occurs, not weighed yet. A text is never empty: it has its blanks."""
    rows = []
    for text in texts:
        line = plain(text)
        runs = [line[at : at + order] for order in ORDERS for at in range(len(line) - order + 1)]
        rows.append(np.unique([crc32(run.encode()) % BUCKETS for run in runs], return_counts=True))
    starts = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    buckets = np.concatenate([np.empty(0, np.int64), *(buckets for buckets, _ in rows)])
    times = np.concatenate([np.empty(0, np.float32), *(times for _, times in rows)])
    return Weighed(buckets, times.astype(np.float32), starts)


def rarity(counts: Weighed) -> Floats:
    """Smoothed inverse document frequencies of the buckets, (BUCKETS,)."""
    documents = np.bincount(counts.buckets, minlength=BUCKETS)
    return np.asarray(np.log(len(counts.starts) / (1 + documents)) + 1, np.float32)


def weigh(counts: Weighed, rare: Floats) -> Weighed:
    """The rows by TF-IDF, each of length 1."""
    values = (1 + np.log(counts.values)) * rare[counts.buckets]
    if len(values):
        lengths = np.sqrt(np.add.reduceat(values * values, counts.starts[:-1]))
        values = values / np.repeat(np.maximum(lengths, 1e-9), np.diff(counts.starts))
    return Weighed(counts.buckets, values.astype(np.float32), counts.starts)
