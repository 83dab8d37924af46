"""Texts to hashed character n-grams, with numpy alone. Knows nothing of labels.

Both languages take the same path: characters need no word boundaries, and survive misspelling.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import opencc

ORDERS = (1, 2, 3, 4, 5)
LONGEST = 2_000
"""Characters of a text that count; windows keep texts below it."""

Floats = npt.NDArray[np.float32]

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_DIGITS = re.compile(r"\d")
_BLANKS = re.compile(r"\s+")
_SIMPLIFIED = opencc.OpenCC("t2s")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def plain(text: str) -> str:
    """The text as it is compared: NFKC, lower case, simplified Chinese, no invisible characters, each digit a 0."""
    text = text[:LONGEST].encode("utf-8", "replace").decode()  # lone surrogates choke what follows
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
    text = _BLANKS.sub(" ", _DIGITS.sub("0", text)).strip()
    return f" {text if text.isascii() else _SIMPLIFIED.convert(text)} "


@dataclass(frozen=True)
class Counts:
    """Sparse rows: `buckets[starts[i]:starts[i + 1]]` are the distinct n-grams of text i, `times` how often each."""

    buckets: npt.NDArray[np.int64]
    times: Floats
    starts: npt.NDArray[np.int64]


def count(texts: Sequence[str], size: int, orders: Sequence[int] = ORDERS) -> Counts:
    """Count the n-grams of each text in `size` buckets (a power of two). A text is never empty: it has its blanks."""
    codes = [np.frombuffer(plain(text).encode("utf-32-le", "replace"), np.uint32) for text in texts]
    lengths = np.array([len(one) for one in codes], np.int64)
    flat = np.concatenate(codes).astype(np.uint64) if codes else np.empty(0, np.uint64)
    row = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    shift = np.uint64(64 - size.bit_length() + 1)
    keys = []
    rolling = np.zeros(len(flat), np.uint64)
    for order in range(1, max(orders) + 1):
        end = len(flat) - order + 1
        if end <= 0:
            break
        rolling = rolling[:end] * _FACTOR + flat[order - 1 :]
        if order in orders:
            whole = row[:end] == row[order - 1 :]  # none reaches over into the next text
            mixed = (rolling[whole] ^ (rolling[whole] >> np.uint64(31)) ^ np.uint64(order)) * _MIX
            keys.append(row[:end][whole] * size + (mixed >> shift).astype(np.int64))
    found, times = np.unique(np.concatenate(keys), return_counts=True) if keys else (np.empty(0, np.int64),) * 2
    starts = np.searchsorted(found, np.arange(len(texts) + 1) * size)
    return Counts(found % size, times.astype(np.float32), starts)


@dataclass(frozen=True)
class NgramHead:
    """Logits from TF-IDF weighted n-grams. idf: (size,); weights: (size, columns); bias: (columns,)."""

    idf: Floats
    weights: Floats
    bias: Floats

    def logits(self, texts: Sequence[str]) -> Floats:
        """(n, columns)."""
        if not texts:
            return np.empty((0, len(self.bias)), np.float32)
        counts = count(texts, len(self.idf))
        values = weigh(counts, self.idf)
        sums = np.add.reduceat(self.weights[counts.buckets] * values[:, None], counts.starts[:-1], axis=0)
        logits: Floats = sums + self.bias
        return logits


def weigh(counts: Counts, idf: Floats) -> Floats:
    """TF-IDF values of the counted n-grams, each text of length 1."""
    values = (1 + np.log(counts.times)) * idf[counts.buckets]
    lengths = np.sqrt(np.add.reduceat(values * values, counts.starts[:-1]))
    weighed: Floats = values / np.repeat(np.maximum(lengths, 1e-9), np.diff(counts.starts))
    return weighed


def inverse_frequency(counts: Counts, size: int) -> Floats:
    """Smoothed inverse document frequencies, (size,)."""
    documents = np.bincount(counts.buckets, minlength=size)
    idf: Any = np.log((len(counts.starts)) / (1 + documents)) + 1
    return np.asarray(idf, np.float32)
