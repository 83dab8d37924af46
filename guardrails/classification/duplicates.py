"""Near-duplicates between two sets of texts, by the Jaccard similarity of their 5-character shingles. Pure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from guardrails.classification.ngrams import count

SHINGLE = 5
BUCKETS = 2**20


def near_duplicates(texts: Sequence[str], known: Sequence[str], least: float = 0.5) -> npt.NDArray[np.bool_]:
    """Which of `texts` have a similarity of at least `least` to one of `known`, (len(texts),)."""
    ours, theirs = _shingles(texts), _shingles(known)
    our_sizes, their_sizes = np.diff(ours.indptr), np.diff(theirs.indptr)
    result = np.zeros(len(texts), bool)
    turned = theirs.T.tocsc()
    for start in range(0, len(texts), 256):
        shared = (ours[start : start + 256] @ turned).tocoo()
        union = our_sizes[start + shared.row] + their_sizes[shared.col] - shared.data
        result[start + shared.row[shared.data >= least * union]] = True
    return result


def _shingles(texts: Sequence[str]) -> csr_matrix:
    counts = count(texts, BUCKETS, (SHINGLE,))
    ones = np.ones(len(counts.buckets), np.int32)
    return csr_matrix((ones, counts.buckets, counts.starts), shape=(len(texts), BUCKETS))
