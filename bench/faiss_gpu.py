"""Compares search on a GPU with search on the CPU: flat and inverted lists, one question and 32 at once.

    python bench/faiss_gpu.py [--sizes 100000 1000000] [--threads 1 2]

Imports nothing of Kefu and needs numpy and a FAISS with GPU support. The vectors are drawn around random centres, in
384 dimensions. Searches ask for 50 neighbours as Kefu does; recall@10 is against comparing every vector.
"""

import argparse
import os
import time
from collections.abc import Iterator

import faiss
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
DIMENSION = 384
DEPTH = 50
QUERIES = 320
TOGETHER = 32


def clustered(count: int, dice: np.random.Generator) -> Vectors:
    """Unit vectors around one centre for every hundred, all on one side of the space, as e5's are."""
    centres = dice.standard_normal((max(count // 100, 1), DIMENSION), dtype=np.float32) + 2
    vectors = np.empty((count, DIMENSION), np.float32)
    for start in range(0, count, 100_000):
        own = dice.integers(len(centres), size=min(100_000, count - start))
        block = centres[own] + 0.7 * dice.standard_normal((len(own), DIMENSION), dtype=np.float32)
        vectors[start : start + len(own)] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


def candidates(vectors: Vectors) -> Iterator[tuple[str, "faiss.Index", float]]:
    """Name, index and seconds of building, one after the other, so that few are in memory at once."""
    lists = int(4 * np.sqrt(len(vectors)))
    resources = faiss.StandardGpuResources() if hasattr(faiss, "StandardGpuResources") else None
    gpu = resources is not None and faiss.get_num_gpus() > 0

    def filled(index: "faiss.Index") -> tuple["faiss.Index", float]:
        started = time.perf_counter()
        if not index.is_trained:
            index.train(vectors[:: max(len(vectors) // (50 * lists), 1)])
        index.add(vectors)
        return index, time.perf_counter() - started

    flat, seconds = filled(faiss.IndexFlatIP(DIMENSION))
    yield "CPU flat fp32", flat, seconds
    half = faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    yield ("CPU flat fp16", *filled(half))
    if gpu:
        for name, is_half in (("GPU flat fp32", False), ("GPU flat fp16", True)):
            options = faiss.GpuIndexFlatConfig()
            options.useFloat16 = is_half
            yield (name, *filled(faiss.GpuIndexFlatIP(resources, DIMENSION, options)))
    inverted = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(DIMENSION), DIMENSION, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    inverted.by_residual = False
    inverted.cp.niter = 8
    built, seconds = filled(inverted)
    for nprobe in (16, 64):
        built.nprobe = nprobe
        yield f"CPU lists 8 bit, {nprobe} of {lists}", built, seconds
    if gpu:
        started = time.perf_counter()
        moved = faiss.index_cpu_to_gpu(resources, 0, built)
        seconds = time.perf_counter() - started
        for nprobe in (16, 64):
            moved.nprobe = nprobe
            yield f"GPU lists 8 bit, {nprobe} of {lists}", moved, seconds


def timed(index: "faiss.Index", queries: Vectors, together: int) -> tuple[float, float, npt.NDArray[np.int64]]:
    """p50 and p95 of one call in milliseconds, and the numbers found."""
    index.search(queries[:together], DEPTH)
    milliseconds, found = [], []
    for start in range(0, len(queries), together):
        started = time.perf_counter()
        found.append(index.search(queries[start : start + together], DEPTH)[1])
        milliseconds.append(1000 * (time.perf_counter() - started))
    return float(np.median(milliseconds)), float(np.quantile(milliseconds, 0.95)), np.concatenate(found)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="of the CPU's rows")
    options = parser.parse_args()
    gpus = faiss.get_num_gpus() if hasattr(faiss, "StandardGpuResources") else 0
    print(f"FAISS {faiss.__version__}, GPUs it can use: {gpus}\n")
    print(f"{'vectors':>9}  {'index':28}{'threads':>8}{'build s':>9}{'one: p50':>10}{'p95 ms':>8}", end="")
    print(f"{'32 at once: p50':>17}{'p95 ms':>8}{'recall@10':>11}")
    for size in options.sizes:
        dice = np.random.default_rng(7)
        vectors = clustered(size, dice)
        pairs = dice.integers(size, size=(QUERIES, 2))
        queries = vectors[pairs[:, 0]] + 0.5 * vectors[pairs[:, 1]]
        queries /= np.linalg.norm(queries, axis=1, keepdims=True)
        right = None
        for name, index, seconds in candidates(vectors):
            for threads in options.threads if name.startswith("CPU") else options.threads[:1]:
                faiss.omp_set_num_threads(threads)
                some = queries[:64] if "CPU flat" in name else queries  # a flat CPU search of a million takes a while
                p50, p95, found = timed(index, some, 1)
                if right is None:
                    faiss.omp_set_num_threads(os.cpu_count() or 1)
                    right = index.search(queries, 10)[1]
                    faiss.omp_set_num_threads(threads)
                together, together_95, _ = timed(index, some, TOGETHER)
                pairs_of = zip(right, found, strict=False)
                recall = np.mean([len(set(want) & set(got)) / 10 for want, got in pairs_of])
                print(
                    f"{size:>9}  {name:28}{threads if name.startswith('CPU') else '-':>8}{seconds:9.1f}{p50:10.2f}"
                    f"{p95:8.2f}{together:17.2f}{together_95:8.2f}{recall:11.3f}",
                    flush=True,
                )
            faiss.omp_set_num_threads(os.cpu_count() or 1)  # for building the next one


if __name__ == "__main__":
    main()
