"""Compares the ways of finding neighbours: all compared, lists (what Kefu uses for many) and graphs (HNSW).

    KEFU_BENCH_DATA=FOLDER python -m bench.scale_nearest [--size 100000] [--models FOLDER] [--threads 2]

The vectors are those of bench.scale, the questions real ones. Recall is that of the ten nearest among fifty found, as
many as a search reads; p50 and p95 are of one search on one core; "1 %" searches the hundredth that a filter leaves.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from bench.scale_set import Source, how_far, many_moved
from chatbot.encoder import search_encoder
from knowledge.nearest import Allowed, exact_nearest, flat, read_lists, write_lists

DEPTH = 50
SHARE = 0.01
NEIGHBOURS = 32  # of a graph's nodes
BUILT_WITH = 80  # efConstruction
LOOKED_AT = (64, 128, 256)  # efSearch

Find = Callable[[Any, int], Any]


def graph(vectors: Any, path: Path, threads: int) -> Any:
    """HNSW over vectors of a byte a number, as the lists have."""
    index = faiss.IndexHNSWSQ(vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILT_WITH
    faiss.omp_set_num_threads(threads)
    index.train(vectors[:50_000].astype(np.float32))
    index.add(vectors.astype(np.float32))
    faiss.omp_set_num_threads(1)
    faiss.write_index(index, str(path))
    return index


def ways(vectors: Any, folder: Path, threads: int) -> Iterator[tuple[str, float, float, Find]]:
    """Each way: its name, seconds to build, MB on disk or in memory, and a search."""
    started = time.monotonic()
    every = flat(vectors)
    yield "all", time.monotonic() - started, vectors.nbytes / 2**20, lambda query, depth: every.search(query, depth)[1]
    few = Allowed(np.flatnonzero(np.random.default_rng(1).random(len(vectors)) < SHARE), len(vectors))
    yield "all, 1 %", 0.0, 0.0, lambda query, depth: every.search(query, depth, few)[1]
    started = time.monotonic()
    write_lists(vectors, folder / "lists")
    took, size = time.monotonic() - started, (folder / "lists").stat().st_size / 2**20
    lists: Any = read_lists(folder / "lists")
    name = f"lists, {lists.index.nprobe} of {lists.index.nlist}"
    yield name, took, size, lambda query, depth: lists.search(query, depth)[1]
    yield "lists, 1 %", 0.0, 0.0, lambda query, depth: lists.search(query, depth, few)[1]
    started = time.monotonic()
    built = graph(vectors, folder / "graph", threads)
    took, size = time.monotonic() - started, (folder / "graph").stat().st_size / 2**20
    for width in LOOKED_AT:
        how = faiss.SearchParametersHNSW(efSearch=width)
        find: Find = lambda query, depth, how=how: built.search(query[None, :], depth, params=how)[1][0]  # noqa: E731
        yield f"HNSW, ef {width}", took, size, find
    how_few = faiss.SearchParametersHNSW(efSearch=LOOKED_AT[-1], sel=few.selector)
    yield (
        f"HNSW, ef {LOOKED_AT[-1]}, 1 %",
        0.0,
        0.0,
        lambda query, depth: built.search(query[None, :], depth, params=how_few)[1][0],
    )


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="that build")
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("KEFU_MODELS", "models")))
    options = parser.parse_args()
    if not (data := os.environ.get("KEFU_BENCH_DATA")):
        parser.error("KEFU_BENCH_DATA names no folder")
    source = Source(Path(data) / "retrieval", search_encoder(options.models))
    dice = np.random.default_rng(0)
    pairs = dice.integers(len(source.pairs), size=options.size)
    vectors = many_moved(source.texts, pairs, how_far(source.texts, options.size, dice), dice)
    print(f"{options.size} vectors of {vectors.shape[1]} numbers, {len(source.asked)} questions")
    print(f"{'':22}{'build s':>9}{'MB':>7}{'p50 ms':>9}{'p95 ms':>9}{'recall@10':>11}")
    few = np.flatnonzero(np.random.default_rng(1).random(len(vectors)) < SHARE)
    exact = exact_nearest(vectors, source.asked, 10)
    exact_few = [few[row].tolist() for row in exact_nearest(vectors[few], source.asked, 10)]
    with tempfile.TemporaryDirectory(prefix="kefu-nearest-") as folder:
        for name, took, size, find in ways(vectors, Path(folder), options.threads):
            taken, shares = [], []
            for query, want in zip(source.asked, exact_few if name.endswith("1 %") else exact, strict=True):
                started = time.perf_counter()
                numbers = find(query, DEPTH)
                taken.append(1000 * (time.perf_counter() - started))
                numbers = numbers[numbers >= 0]
                best = numbers[np.argsort(-(vectors[numbers].astype(np.float32) @ query))[:10]]
                shares.append(len(set(want) & set(best.tolist())) / 10)
            p50, p95 = np.quantile(taken, [0.5, 0.95])
            print(f"{name:22}{took:9.1f}{size:7.0f}{p50:9.2f}{p95:9.2f}{np.mean(shares):11.3f}", flush=True)


if __name__ == "__main__":
    main()
