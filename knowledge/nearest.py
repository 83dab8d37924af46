"""Nearest vectors by inner product: exact for few, by inverted lists for many, on a GPU where there is one. Knows
nothing of chunks.
"""

import os
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from knowledge.passages import Vectors

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Stored = npt.NDArray[np.float16] | Vectors

_untyped: Any = faiss  # whose stubs know no keyword arguments
faiss.omp_set_num_threads(1)  # one search is one core's work; more threads fight with those of the other turns

FLAT_BELOW = 50_000  # vectors; from there on lists
RECALL = 0.97  # of the ten nearest, that the number of lists searched is chosen for
_TRAINED_ON = 40  # vectors a list
_TRIED = 200
_AT_ONCE = 50_000
_WIDER = 4  # times as many lists are looked through when only some of the vectors count: theirs lie further apart


@dataclass(frozen=True, eq=False)
class Allowed:
    """The `numbers` (ascending) of the vectors, of `whole` in all, that alone may be found."""

    numbers: Numbers = field(repr=False)
    whole: int

    @property
    def share(self) -> float:
        """Of all vectors."""
        return len(self.numbers) / self.whole

    @cached_property
    def selector(self) -> Any:
        """The same for FAISS."""
        mask = np.zeros(self.whole, np.bool_)
        mask[self.numbers] = True
        return _untyped.IDSelectorBitmap(np.packbits(mask, bitorder="little"))


class Nearest(Protocol):
    """Finds the vectors nearest to a query among those that it was made of, whose numbers are 0, 1, 2 …"""

    def search(self, query: Vectors, depth: int, allowed: Allowed | None = None) -> tuple[Floats, Numbers]:
        """Inner products, some of them approximate, and numbers; best first, fewer than `depth` when there are no more.

        Only those `allowed` count, where that is given. Safe from any number of threads.
        """
        ...


@dataclass(frozen=True, eq=False)
class Faiss:
    """A FAISS index that nobody changes any more."""

    index: Any

    def search(self, query: Vectors, depth: int, allowed: Allowed | None = None) -> tuple[Floats, Numbers]:
        """See `Nearest.search`."""
        depth = min(depth, self.index.ntotal if allowed is None else len(allowed.numbers))
        if not depth:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        how = None if allowed is None else self._only(allowed)
        scores, numbers = self.index.search(query[None, :], depth, params=how)
        some = numbers[0] >= 0
        return scores[0][some], numbers[0][some]

    def _only(self, allowed: Allowed) -> Any:
        """Lists are looked through until as many vectors were compared as without a filter, and more."""
        if not hasattr(self.index, "nprobe"):
            return _untyped.SearchParameters(sel=allowed.selector)
        lists = min(int(_WIDER * self.index.nprobe / allowed.share) + 1, self.index.nlist)
        return _untyped.SearchParametersIVF(sel=allowed.selector, nprobe=lists)


@dataclass(frozen=True, eq=False)
class OnGpu:
    """Lists on a GPU, searched by one thread at a time; and the same mapped, for those `allowed`: FAISS's GPU lists
    take no selection.
    """

    index: Any
    mapped: Faiss
    guard: threading.Lock = field(default_factory=threading.Lock)

    def search(self, query: Vectors, depth: int, allowed: Allowed | None = None) -> tuple[Floats, Numbers]:
        """See `Nearest.search`."""
        if allowed is not None:
            return self.mapped.search(query, depth, allowed)
        with self.guard:
            return Faiss(self.index).search(query, depth)


def flat(vectors: Stored) -> Faiss:
    """All vectors compared, in the precision that they are stored in."""
    dimension = vectors.shape[1]
    index: Any
    if vectors.dtype == np.float16:
        index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    else:
        index = faiss.IndexFlatIP(dimension)
    for start in range(0, len(vectors), _AT_ONCE):
        index.add(vectors[start : start + _AT_ONCE].astype(np.float32))
    return Faiss(index)  # below a millisecond: a GPU has nothing to gain


def write_lists(vectors: Stored, path: Path) -> None:
    """Sorts the vectors into lists of neighbours, one byte a number, and writes them where `read_lists` maps them from.

    How many lists a search looks through is measured: as few as find `RECALL` of the ten nearest of vectors in the set.
    """
    count, dimension = vectors.shape
    lists = int(4 * np.sqrt(count))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.by_residual = False  # inner products need no residuals, and searching without them is faster
    index.cp.niter = 8
    dice = np.random.default_rng(0)
    sample = np.sort(dice.choice(count, min(count, lists * _TRAINED_ON), replace=False))
    faiss.omp_set_num_threads(os.cpu_count() or 1)  # minutes of work, in a process of low priority
    try:
        index.train(vectors[sample].astype(np.float32))
        for start in range(0, count, _AT_ONCE):
            index.add(vectors[start : start + _AT_ONCE].astype(np.float32))
        index.nprobe = _enough_lists(index, vectors, dice)
    finally:
        faiss.omp_set_num_threads(1)
    faiss.write_index(index, str(path))


def read_lists(path: Path) -> Nearest:
    """What `write_lists` has written, mapped: processes of one machine share its pages; on the first GPU, where this
    FAISS can use one (faiss-gpu).
    """
    index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    lists: Any = faiss.downcast_InvertedLists(index.invlists)
    lists.prefetch_nthread = 0  # else each search starts 32 threads: 0.9 ms instead of 0.03
    if not hasattr(faiss, "StandardGpuResources") or not faiss.get_num_gpus():
        return Faiss(index)
    return OnGpu(faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, faiss.read_index(str(path))), Faiss(index))


def _enough_lists(index: Any, vectors: Stored, dice: np.random.Generator) -> int:
    """Queries are midpoints of two vectors: off the set, as questions are."""
    pairs = dice.choice(len(vectors), (_TRIED, 2))
    queries = vectors[pairs[:, 0]].astype(np.float32) + 0.5 * vectors[pairs[:, 1]].astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    exact = [set(row) for row in exact_nearest(vectors, queries, 10)]
    nprobe = 8
    while nprobe < index.nlist:
        index.nprobe = nprobe
        found = index.search(queries, 50)[1]
        if (
            np.mean([len(want & set(row)) / len(want) for want, row in zip(exact, found.tolist(), strict=True)])
            >= RECALL
        ):
            break
        nprobe = int(nprobe * 1.5)
    return min(nprobe, int(index.nlist))


def exact_nearest(vectors: Stored, queries: Vectors, depth: int) -> list[list[int]]:
    """The numbers of the nearest vectors of each query, every vector compared."""
    best = faiss.ResultHeap(len(queries), depth, keep_max=True)
    for start in range(0, len(vectors), _AT_ONCE):
        block = vectors[start : start + _AT_ONCE].astype(np.float32)
        some = faiss.IndexFlatIP(block.shape[1])
        some.add(block)
        scores, numbers = some.search(queries, min(depth, len(block)))
        best.add_result(scores, numbers + start)
    best.finalize()
    found: list[list[int]] = best.I.tolist()
    return found
