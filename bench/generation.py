"""What engines behind an API cost and how they fail: cancelling, crowds, failures, long input, and repetition.

usage: python -m bench.generation [--only cancel crowd failures long cost repetition]
The server is a real one on this machine that plays an engine (bench/engine_server.py); SmolLM2 shows what the choice of
tokens does (from KEFU_MODELS, default `models`; left out without it). No data set is needed.
"""

import argparse
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.engine_server import EngineServer, Exchange, Script, saying
from bench.figures import HEAD, Figure, tell
from chatbot.engines import Prompt
from chatbot.engines.breaker import Breaker
from chatbot.engines.budget import fit
from chatbot.engines.decoding import Decoding, repetition
from chatbot.engines.extractive import ExtractiveEngine
from chatbot.engines.ladder import Attempt, Ladder, Rung
from chatbot.engines.limit import Limit
from chatbot.engines.openai_engine import OpenAIEngine, Patience
from chatbot.engines.tokens import estimate
from knowledge.passages import Passage, Sentence

MODELS = Path(os.environ.get("KEFU_MODELS", "models"))
DEADLINE = 25.0


def passage(*lines: str) -> Passage:
    sentences = tuple(Sentence(line) for line in lines)
    vectors = np.zeros((len(lines), 8), np.float32)
    return Passage(1, "shop.md", "1", "", " ".join(lines), "", "en", sentences, vectors)


def prompt_of(question: str, *passages: Passage) -> Prompt:
    return Prompt(question, np.zeros(8, np.float32), passages, "en")


QUESTION = prompt_of("How long does a refund take?", passage("Refunds take three days.", "Vouchers take a week."))


def never() -> bool:
    return False


@contextmanager
def served(script: Script, **options: Patience) -> Iterator[tuple[EngineServer, OpenAIEngine]]:
    with EngineServer(script).running() as server:
        engine = OpenAIEngine(server.url, "played", **options)  # type: ignore[arg-type]
        try:
            yield server, engine
        finally:
            engine.close()


# Cancelling: an engine that writes a token every 10 ms, or none yet.


def endless(exchange: Exchange) -> None:
    exchange.start()
    while not exchange.wait(0.01):
        exchange.delta("more ")


def silent(exchange: Exchange) -> None:
    exchange.wait()


def cancel() -> Iterator[Figure]:
    for what, script, customers in (("while it writes", endless, 32), ("before its first token", silent, 32)):
        milliseconds, wasted = zip(*cancelled(script, customers), strict=True)
        slow, most = float(np.percentile(milliseconds, 95)), max(wasted)
        found = f"engine free after {np.median(milliseconds):.0f} / {slow:.0f} ms p50/p95"
        yield Figure(f"stop {what}", "32 at once", customers, found, "≤ 200 ms", slow <= 200)
        yield Figure(f"stop {what}", "32 at once", customers, f"at most {most} tokens wasted", "≤ 20", most <= 20)


def cancelled(script: Script, customers: int) -> list[tuple[float, int]]:
    """(milliseconds until the server knows, tokens made meanwhile) of each customer, who leave one after the other."""
    with served(script) as (server, engine), ThreadPoolExecutor(customers) as pool:
        leaving = [threading.Event() for _ in range(customers)]
        replies = [pool.submit(lambda gone: list(engine.stream(QUESTION, gone.is_set)), gone) for gone in leaving]
        while len(server.exchanges) < customers:
            time.sleep(0.01)
        figures = []
        for gone, reply in zip(leaving, replies, strict=True):
            made = {exchange: exchange.tokens for exchange in server.exchanges if not exchange.left.is_set()}
            start = time.perf_counter()
            gone.set()
            reply.result()
            while not (freed := [exchange for exchange in made if exchange.left.is_set()]):
                time.sleep(0.001)
            figures.append(((time.perf_counter() - start) * 1000, freed[0].tokens - made[freed[0]]))
        return figures


# A crowd: twice as many questions as the engine can take.

PLACES, TOKENS, PACE = 16, 20, 0.02
ARRIVALS, SECONDS = 80.0, 8.0


def crowd() -> Iterator[Figure]:
    limits: list[tuple[str, Callable[[], Limit | None]]] = [
        ("no limit", lambda: None),
        (f"always {PLACES // 2}", lambda: Limit(PLACES // 2, target=1e9)),
        (f"always {PLACES}, what it has", lambda: Limit(PLACES, target=1e9)),
        ("always 128", lambda: Limit(128, target=1e9)),
        ("128, following its first tokens (shipped)", lambda: Limit(128)),
    ]
    for name, make in limits:
        rows = crowded(make())
        written = [row for row in rows if row.engine == "openai:played" and row.late is None]
        first = [row.first for row in rows]
        late = sum(row.late is not None for row in rows)
        half, most = (np.percentile(first, share) * 1000 for share in (50, 95))
        found = (
            f"{len(written) / len(rows):.0%} written by the engine, the others quoted; "
            f"first text p50/p95 {half:.0f} / {most:.0f} ms, {late} without"
        )
        shipped = "shipped" in name
        must = "0 without, ≥ 45 % written" if shipped else ""
        holds = late == 0 and len(written) >= 0.45 * len(rows) if shipped else None
        yield Figure(
            f"{ARRIVALS:.0f} questions/s, engine takes {PLACES / TOKENS / PACE:.0f}",
            name,
            len(rows),
            found,
            must,
            holds,
        )


@dataclass(frozen=True)
class Row:
    """Who wrote, seconds from arrival to first text, and why there was none."""

    engine: str
    first: float
    late: str | None = None


def crowded(limit: Limit | None) -> list[Row]:
    places = threading.BoundedSemaphore(PLACES)

    def play(exchange: Exchange) -> None:
        exchange.start()
        with places:
            for _ in range(TOKENS):
                if exchange.wait(PACE):
                    return
                exchange.delta("word ")
        exchange.finish()

    with served(play) as (_, engine), ThreadPoolExecutor(700) as pool:
        ladder = Ladder([Rung(engine, Breaker(), limit), Rung(ExtractiveEngine())])
        chance, start, arriving = random.Random(7), time.monotonic(), []
        due = 0.0
        while due < SECONDS:
            time.sleep(max(0.0, start + due - time.monotonic()))
            arriving.append(pool.submit(asked, ladder, time.monotonic()))
            due += chance.expovariate(ARRIVALS)
        return [one.result() for one in arriving]


def asked(ladder: Ladder, start: float) -> Row:
    draft, first = ladder.stream(replace(QUESTION, deadline=start + DEADLINE), never), 0.0
    try:
        for _ in draft:
            first = first or time.monotonic() - start
    except Exception as error:
        return Row(draft.writer, first or DEADLINE, type(error).__name__)
    return Row(draft.writer, first or DEADLINE, None if first else "nothing")


# Failures: every fourth request stalls, drops, errs or is refused.


def failures() -> Iterator[Figure]:
    number = iter(range(1 << 30))

    def stall(exchange: Exchange) -> None:
        exchange.start()
        exchange.wait()

    bad: Sequence[Script] = (stall, Exchange.drop, lambda e: e.reply(500), lambda e: e.reply(429, Retry_After="30"))

    def play(exchange: Exchange) -> None:
        turn = next(number)
        (bad[turn // 2 % len(bad)] if turn % 2 else saying("Three ", "days."))(exchange)

    attempts: list[Attempt] = []
    customers = 200
    with served(play, patience=Patience(first=1.0)) as (_, engine), ThreadPoolExecutor(32) as pool:
        rungs = [Rung(engine, Breaker(rest=0.2), Limit(128), healthy=engine.healthy), Rung(ExtractiveEngine())]
        ladder = Ladder(rungs, attempts.append)
        rows = list(pool.map(lambda _: asked(ladder, time.monotonic()), range(customers)))
    without = sum(row.late is not None for row in rows)
    slow = float(np.percentile([row.first for row in rows], 99))
    how = ", ".join(f"{count} {result}" for result, count in Counter(a.result for a in attempts).most_common())
    found = f"{without} without a reply, first text p99 {slow:.1f} s ({how})"
    yield Figure("half of all requests fail", "32 at once", customers, found, "0 without", without == 0)


# Long input.


def long() -> Iterator[Figure]:
    line = "Sentence number {} says a little more about the refund of boots that were worn in the rain."
    document = passage(*(line.format(n) for n in range(700)))
    for what, prompt in (
        ("a question of 10,000 tokens", prompt_of("How long does it take? " * 1700, document)),
        ("a document of 10,000 tokens", prompt_of("How long?", document, document)),
    ):
        start = time.perf_counter()
        cut = fit(prompt, 3072, estimate)
        seconds = time.perf_counter() - start
        size = estimate(cut.question) + sum(estimate(one.text) for one in cut.passages)
        found = f"cut to {size:,} in {seconds * 1000:.0f} ms"
        yield Figure(what, "budget 3,072", 1, found, "≤ 500 ms", seconds <= 0.5 and size <= 3072)


# What a token costs the worker.


def cost() -> Iterator[Figure]:
    texts = ["word "] * 400

    def play(exchange: Exchange) -> None:
        exchange.start()
        for text in texts:
            exchange.wait(0.01)
            exchange.delta(text)
        exchange.finish()

    with EngineServer(play).running() as server, ThreadPoolExecutor(16) as pool:
        engine = OpenAIEngine(server.url, "played")
        spent: list[float] = []

        def read(_: int) -> int:
            start = time.thread_time()
            count = sum(1 for _ in engine.stream(QUESTION, never))
            spent.append((time.thread_time() - start) / count)
            return count

        assert sum(pool.map(read, range(16))) == 16 * len(texts)
        engine.close()
    yield Figure("CPU of the worker a token", "16 at once", 16, f"{np.median(spent) * 1e6:.0f} µs")


# Repetition.

ASKED = (
    "How do I return boots?", "Which jacket keeps me dry?", "My parcel is late. What now?",
    "Tell me about your guarantee.",
)  # fmt: skip
EVIDENCE = passage(
    "Boots can be returned within 30 days when they have not been worn outside.",
    "The Ridge jacket is waterproof and has taped seams.",
    "A parcel that is late by more than a week is sent again or refunded.",
    "All products have a guarantee of two years against faults of material.",
)


def repetitions() -> Iterator[Figure]:
    folder = MODELS / "smollm2"
    if not folder.is_dir():
        print(f"no model at {folder}: run `make models ALL=1`", file=sys.stderr)
        return
    from chatbot.engines.transformers_engine import TransformersEngine

    engine = TransformersEngine(folder, device="cpu", max_new_tokens=80, prompt_tokens=500)
    for name, decoding in (
        ("greedy, nothing against repetition", Decoding(None, repetition_penalty=1.0, no_repeat_ngram=0)),
        ("temperature .5, nothing against repetition", Decoding(0.5, repetition_penalty=1.0, no_repeat_ngram=0)),
        ("temperature .5, penalty 1.15, no trigram twice", Decoding(0.5)),
    ):
        replies = [
            "".join(engine.stream(replace(prompt_of(text, EVIDENCE), decoding=decoding), never)) for text in ASKED
        ]
        shares = [repetition(reply) for reply in replies]
        must, holds = ("≤ 2 %", max(shares) <= 0.02) if decoding == Decoding(0.5) else ("", None)
        found = f"trigrams said before: mean {np.mean(shares):.1%}, most {max(shares):.1%}"
        yield Figure("repetition, SmolLM2", name, len(replies), found, must, holds)
    engine.close()


SECTIONS: dict[str, Callable[[], Iterator[Figure]]] = {
    "cancel": cancel, "crowd": crowd, "failures": failures, "long": long, "cost": cost, "repetition": repetitions,
}  # fmt: skip


def main(only: Sequence[str]) -> int:
    print(HEAD)
    short = [figure for name in only or SECTIONS for figure in tell(SECTIONS[name]())]
    return 1 if short else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=())
    sys.exit(main(parser.parse_args().only))
