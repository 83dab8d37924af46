"""What the lexicon and the release of a unit cost on this machine: `python -m bench.release [--words 100000]`.

Prints two tables: build time and memory of the automaton, microseconds to normalise and match 200 characters, and
milliseconds to release a unit by the lexicon alone; then the release of a unit with every check, on one core. For that
the units are true sentences in words of their own (bench/grounding), so that no check can be skipped.
"""

import argparse
import gc
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from bench.figures import HEAD, Figure, tell
from bench.grounded import SETS, read
from bench.processes import milliseconds, one_core
from chatbot.encoder import search_encoder
from chatbot.guards import Guards
from guardrails.lexicon import Lexicon, Word
from guardrails.lexicon.words import shipped
from guardrails.normalizer import normalize
from guardrails.release import Release
from guardrails.units import split_units

TEXT = (
    "您好，您的订单已经发货，预计三天内送达。如果包裹有破损，请先拍照再签收，我们会为您安排换货。"
    "退款将在七个工作日内原路退回。 Please check the tracking number in your account: it is updated every night. "
    "If a parcel is late by more than five days, write to us and we will send it again, free of charge. "
)
REPLY = TEXT * 5
PASSAGES, AT_ONCE = 5, 8
ALONE_MS, TOGETHER_MS = 150, 40
COMMON = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=100_000, help="words in the larger list")
    large = parser.parse_args().words
    text = TEXT[:200]
    print(f"{len(text)} characters; a reply of {len(REPLY)} in deltas of 3.\n")
    print("| words | build ms of CPU | memory MB | normalise us | with match us | unit ms | worst |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for size in (250, large):
        words = synthetic_words(size)
        gc.collect()
        before, start = resident_mb(), time.process_time()
        lexicon = Lexicon(words)
        build, memory = time.process_time() - start, resident_mb() - before
        units = unit_milliseconds(lexicon)
        print(
            f"| {size} | {build * 1e3:.0f} | {memory:.0f} | {microseconds(lambda: normalize(text)):.0f} "
            f"| {microseconds(partial(lexicon.match, text)):.0f} "
            f"| {statistics.median(units):.3f} | {max(units):.3f} |"
        )
    pieces = [REPLY[at : at + 3] for at in range(0, len(REPLY), 3)]
    cut = microseconds(lambda: sum(1 for _ in split_units(pieces)), 50) / sum(1 for _ in split_units(pieces))
    print(f"\nCutting a unit out of a stream of 3-character deltas: {cut:.0f} us.\n\n{HEAD}")
    tell(with_every_check())


def with_every_check() -> Iterator[Figure]:
    """Milliseconds of CPU to release a unit with lexicon, leak check, grounding and classifier, on one core."""
    asked = list(units_and_passages())
    with one_core():
        release, new, known = full_release(), list[float](), list[float]()
        seen = set[tuple[str, ...]]()
        release.whole("Good morning.", ("We are open.",))  # loads what is loaded at first use
        for unit, passages in asked:
            one = milliseconds(partial(release.whole, unit, passages))
            (known if passages in seen else new).append(one)
            seen.add(passages)
        for what, spent in (("its passages are new", new), ("its passages are known", known)):
            yield _cost(f"a unit with every check, alone, {what}", spent, ALONE_MS)
        release, together = full_release(), list[float]()
        for _, passages in asked:
            release.whole("Nothing of the kind is said here.", passages)  # now they are known
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for at in range(0, len(asked) - AT_ONCE + 1, AT_ONCE):
                run = partial(pool.map, release.whole, *zip(*asked[at : at + AT_ONCE], strict=True))
                together.append(milliseconds(lambda run=run: list(run())) / AT_ONCE)  # type: ignore[misc]
        yield _cost(f"a unit with every check, {AT_ONCE} at once", together, TOGETHER_MS)


def _cost(what: str, spent: list[float], most: int) -> Figure:
    p50, p95 = np.percentile(spent, (50, 95))
    found = f"{p50:.1f} / {p95:.1f}"
    data = "bench/grounding, supported sentences"
    return Figure(f"{what}: ms of CPU, p50 / p95", data, len(spent), found, f"≤ {most}", bool(p95 <= most))


def units_and_passages() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Supported sentences, each with five passages of its shop."""
    rows = [row for row in read(SETS / "sentences.jsonl") if row.label == "supported"]
    for row in rows:
        shop = dict.fromkeys(
            [*row.passages, *(one for other in rows if other.shop == row.shop for one in other.passages)]
        )
        yield row.sentence, tuple(shop)[:PASSAGES]


def full_release() -> Release:
    """What a worker on a CPU releases with, with empty memories."""
    models = Path(os.environ.get("KEFU_MODELS", "models"))
    guards, lexicon = Guards(search_encoder(models), models), Lexicon.of([shipped()])
    return Release(lambda: lexicon, guards.on_units)


def synthetic_words(size: int) -> list[Word]:
    """Return distinct words of 2 to 6 common Chinese characters, or 4 to 9 Latin letters, half and half."""
    dice = random.Random(1)
    texts: set[str] = set()
    while len(texts) < size:
        if len(texts) % 2:
            texts.add("".join(dice.choices(COMMON, k=dice.randint(3, 6))))
        else:
            texts.add("".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(4, 9))))
    return [Word(text, "block", "synthetic", "bench") for text in sorted(texts)]


def microseconds(call: Callable[[], object], times: int = 300) -> float:
    """Return the median time of one call; the first, which fills caches, is left out."""
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


def unit_milliseconds(lexicon: Lexicon) -> list[float]:
    """Return the time from one released unit to the next, for a reply in deltas of 3 characters; fastest of 5 runs."""
    release = Release(lambda: lexicon)
    runs = []
    for _ in range(5):
        taken, start = [], time.perf_counter()
        for _unit in release.stream(REPLY[at : at + 3] for at in range(0, len(REPLY), 3)):
            now = time.perf_counter()
            taken.append((now - start) * 1e3)
            start = now
        runs.append(taken)
    return min(runs, key=sum)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
