"""The guards' and the search's vectors on a GPU: what a text costs, and whether they are the CPU's.

usage: python -m bench.gpu        (models from KEFU_MODELS, default `models`)
Needs CUDA, torch, transformers, sentence-transformers, onnxruntime; no Django. Texts are the demo's questions.
"""

import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from chatbot.encoder import search_encoder
from chatbot.guards import Guards
from guardrails.verdict import Verdict
from knowledge.embedding import Embedder, TorchEmbedder, as_query
from knowledge.passages import Vectors

ROOT = Path(__file__).resolve().parent.parent
MODELS = Path(os.environ.get("KEFU_MODELS", ROOT / "models"))
THREADS = 16
MUST_COSINE = 0.99


def tell(what: str, found: str) -> None:
    print(f"| {what} | {found} |", flush=True)


def alone(call: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> str:
    """Milliseconds of one text, by one thread and among many."""
    times: list[float] = []

    def run(share: Sequence[str]) -> None:
        for text in share:
            start = time.perf_counter()
            call([text])
            times.append((time.perf_counter() - start) * 1e3)

    run(texts)
    one = statistics.median(times)
    times.clear()
    threads = [threading.Thread(target=run, args=(texts[n::4],)) for n in range(THREADS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(times) / (time.perf_counter() - start)
    return f"{one:.2f} ms alone; {THREADS} threads: {statistics.median(times):.1f} ms each, {rate:.0f} texts/s"


def figures(name: str, gpu: Embedder, cpu: Embedder, texts: Sequence[str]) -> bool:
    assert isinstance(gpu, TorchEmbedder)
    vectors, usual = gpu.embed(texts[:32]), gpu._encode(texts[:32])  # one shape that is recorded, and one that is not
    exact = float((vectors * usual).sum(1).min())
    cosines = np.concatenate([(gpu.embed([text]) * cpu.embed([text])).sum(1) for text in texts])
    tell(f"{name}: recorded passes", alone(gpu.embed, texts))
    tell(f"{name}: sentence-transformers", alone(gpu._encode, texts))
    tell(f"{name}: int8 on the CPU", alone(cpu.embed, texts))
    start = time.perf_counter()
    gpu.embed([*texts] * 20)
    tell(f"{name}: in batches", f"{20 * len(texts) / (time.perf_counter() - start):.0f} texts/s")
    tell(
        f"{name}: cosine to sentence-transformers / to int8, least (mean)",
        f"{exact:.5f} / {cosines.min():.4f} ({cosines.mean():.4f})",
    )
    return exact > MUST_COSINE and float(cosines.mean()) > MUST_COSINE


def main() -> int:
    lines = (ROOT / "demo" / "bench_questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    texts = [as_query(question) for question in questions]
    print(f"| {torch.cuda.get_device_name()} | torch {torch.__version__} |\n| --- | --- |", flush=True)
    start = time.perf_counter()
    gpu = search_encoder(MODELS, "cuda")
    tell("load, passes recorded", f"{time.perf_counter() - start:.1f} s, {torch.cuda.memory_reserved() / 1e9:.2f} GB")
    cpu = search_encoder(MODELS, "cpu")
    assert gpu.model_id == cpu.model_id
    well = figures("search", gpu, cpu, texts)
    guards = Guards(gpu, MODELS), Guards(cpu, MODELS)
    tell("with the guards' encoder", f"{torch.cuda.memory_reserved() / 1e9:.2f} GB")

    def said(check: Callable[[str, Sequence[str]], Verdict]) -> list[str]:
        return [check(question, ()).action for question in questions]

    for check in ("toxicity", "injection"):
        by_gpu, by_cpu = (said(getattr(one, check)) for one in guards)
        differ = sum(a != b for a, b in zip(by_gpu, by_cpu, strict=True))
        tell(f"{check}: other verdicts on the GPU than on the CPU", f"{differ} of {len(questions)}")
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
