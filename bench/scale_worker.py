"""A process of bench.scale that searches as a worker does: `python -m bench.scale_worker BASE QUESTIONS.npz CODE`; or
that makes the snapshot: `python -m bench.scale_worker BASE`.

Takes "measure", "watch" and "end" on standard input; answers with JSON lines.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import numpy as np  # noqa: E402

from bench.scale import FILTERS  # noqa: E402
from chatbot.knowledge_bases import KnowledgeBases  # noqa: E402
from config.environment import config  # noqa: E402
from knowledge.embedding import as_query, load_embedder  # noqa: E402
from knowledge.loading import Loader  # noqa: E402
from knowledge.models import Embedding  # noqa: E402
from knowledge.retrieval import Retriever  # noqa: E402
from knowledge.terms import search_terms  # noqa: E402

THREADS = 4
CODE_SECONDS = 0.02
GIVEN_UP_SECONDS = 60.0


def tell(**row: Any) -> None:
    """Print one line."""
    print(json.dumps(row), flush=True)


def megabytes() -> tuple[float, float]:
    """Proportional memory of this process, and the part of it that is its own alone."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith("kB")}
    return sizes["Pss"], sizes["Private_Dirty"] + sizes["Private_Clean"]


def main() -> None:
    """Make a snapshot; or load the base, then do as told."""
    base, *rest = sys.argv[1:]
    model = Embedding.objects.values_list("model", flat=True).first()
    loader = Loader(str(model), config().var / "index")
    if not rest:
        loader.make_snapshot(base)
        return
    path, code = rest
    asked = np.load(path)
    questions: list[str] = asked["questions"].tolist()
    vectors = dict(zip(questions, asked["vectors"], strict=True))
    bases = KnowledgeBases(lambda: loader, lambda index, _: Retriever(index, vectors.__getitem__))
    before, started = megabytes()[0], time.monotonic()
    retriever = bases.retriever(base)
    tell(load_s=time.monotonic() - started)
    for line in sys.stdin:
        match line.strip():
            case "measure":
                tell(**measured(retriever, questions, vectors), mb=megabytes(), before_mb=before)
            case "watch":
                question = f"Which tents does the spare pole {code} fit?"
                vectors[question] = load_embedder(config().models / "e5-small").embed([as_query(question)])[0]
                watch(bases, base, questions, question, code)
            case _:
                return


def measured(retriever: Retriever, questions: list[str], vectors: dict[str, Any]) -> dict[str, list[float]]:
    """Milliseconds of each question: the index alone; the whole search with its passages; its CPU time; the whole
    search of the hundredth that a filter leaves.
    """
    index = retriever._index
    alone, whole, cpu, filtered = [], [], [], []
    for question in questions[:20]:
        index.find(vectors[question], search_terms(question))
    for question in questions:
        terms = search_terms(question)
        started = time.perf_counter()
        index.find(vectors[question], terms)
        alone.append(1000 * (time.perf_counter() - started))
    for question in questions:
        started, used = time.perf_counter(), time.thread_time()
        retriever.search(question)
        whole.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (time.thread_time() - used))
    retriever.search(questions[0], filters=FILTERS)
    for question in questions:
        started = time.perf_counter()
        retriever.search(question, filters=FILTERS)
        filtered.append(1000 * (time.perf_counter() - started))
    return {"find_ms": alone, "search_ms": whole, "cpu_ms": cpu, "filtered_ms": filtered}


def watch(bases: KnowledgeBases, base: str, questions: list[str], question: str, code: str) -> None:
    """Search without pause until the question finds the code; tell when that was, None for never, and how long searches
    took.
    """
    stop = threading.Event()
    taken: list[tuple[float, float]] = []

    def search(own: Iterator[str]) -> None:
        while not stop.is_set():
            started = time.time()
            bases.search(next(own), base)
            taken.append((started, time.time() - started))

    def turning(first: int) -> Iterator[str]:
        while True:
            yield questions[first % len(questions)]
            first += 7

    bases.watch(stop)
    threads = [threading.Thread(target=search, args=(turning(number * 31),)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    tell(watching=True)
    found, given_up = None, time.time() + GIVEN_UP_SECONDS
    while found is None and time.time() < given_up:
        if any(code in passage.text for passage in bases.search(question, base).passages):
            found = time.time()
        time.sleep(CODE_SECONDS)
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join()
    tell(found=found, searches=taken)


if __name__ == "__main__":
    main()
