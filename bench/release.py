"""What the lexicon and the release of a unit cost on this machine: `python -m bench.release [--words 100000]`.

Prints one table: build time and memory of the automaton, microseconds to normalise and match 200 characters, and
milliseconds to release a unit.
"""

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from guardrails.lexicon import Lexicon, Word
from guardrails.normalizer import normalize
from guardrails.release import Release
from guardrails.units import split_units

TEXT = (
    "您好，您的订单已经发货，预计三天内送达。如果包裹有破损，请先拍照再签收，我们会为您安排换货。"
    "退款将在七个工作日内原路退回。 Please check the tracking number in your account: it is updated every night. "
    "If a parcel is late by more than five days, write to us and we will send it again, free of charge. "
)
REPLY = TEXT * 5
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
    print(f"\nCutting a unit out of a stream of 3-character deltas: {cut:.0f} us.")


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
