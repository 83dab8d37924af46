"""What tier 1 finds, flags by mistake and costs, in one table: `python -m bench.lexicon [--data DIR]`.

Recall is measured on writings by bench.evasions. These are development figures: the tables of look-alikes and of parts
were completed after looking at what this generator's writings slipped through. --data: a folder with
`waimai_complaints_benign.jsonl.gz` (harmless complaints) and public word lists under `lexicon/*.jsonl.gz`; complaints
are split in halves by a seed, list and triage were tuned on one, both are printed. Exits with 1 on a missed target.
"""

import argparse
import gc
import gzip
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson

from bench.evasions import EVASIONS, Evasion, variants
from bench.release import TEXT, microseconds, resident_mb, synthetic_words
from guardrails.characters import lookalikes, parts, syllables
from guardrails.lexicon import Lexicon, Word, WordList
from guardrails.lexicon.words import IMPORTED, read_lines, shipped
from guardrails.normalizer import ALL, normalize
from guardrails.triage import triage

SEED = 11
LEVELS = {"count": 0, "review": 1, "block": 2}

Figure = tuple[str, float, str, Callable[[float], bool]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of complaints and public lists, not part of the project")
    parser.add_argument("--words", type=int, default=100_000)
    options = parser.parse_args()
    print("| figure | measured | target |\n| --- | --- | --- |")
    missed = 0
    for figures in (own(), recall(), cost(options.words), mistakes(options.data) if options.data else iter(())):
        for name, value, target, holds in figures:
            missed += not holds(value)
            shown = f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
            print(f"| {name} | {shown}{'' if holds(value) else ' MISSED'} | {target} |", flush=True)
    return int(missed > 0)


def own() -> Iterator[Figure]:
    """The shipped list: its size, and whether each word finds itself."""
    words = shipped().words
    lexicon = Lexicon.of([shipped()])
    found = sum(word.text in {hit.word for hit in lexicon.match(f"a，{word.text}。b")} for word in words)
    yield "words shipped", len(words), "≥ 1,500", lambda value: value >= 1500
    yield "words that find themselves, %", 100 * found / len(words), "100", lambda value: value == 100


def recall() -> Iterator[Figure]:
    """By evasion, how many writings of blocked and reviewed words are found at the word's level or above."""
    lexicon = Lexicon.of([shipped()])
    words = [word for word in shipped().words if word.level != "count"]
    for name, evasion in EVASIONS.items():
        found, number = recall_of(lexicon, words, evasion)
        yield f"recall, {name} ({number})", found / number, "≥ .95", lambda value: value >= 0.95


def recall_of(lexicon: Lexicon, words: list[Word], evasion: Evasion) -> tuple[int, int]:
    dice = random.Random(SEED)
    found = number = 0
    for word in words:
        for text, start, end in variants(word.text, evasion, dice):
            number += 1
            found += any(
                hit.start < end and hit.end > start and LEVELS[hit.level] >= LEVELS[word.level]
                for hit in lexicon.match(text)
            )
    return found, number


def cost(size: int) -> Iterator[Figure]:
    """Time and memory with a long list: as it is imported, and with every transform."""
    words = tuple(synthetic_words(size))
    text = TEXT[:200]
    for table in (lookalikes, parts, syllables):
        table()
    Lexicon.of([WordList("small", words[:100])]).match(text)
    for name, transforms in (("imported", IMPORTED), ("all transforms", ALL)):
        gc.collect()
        before, start = resident_mb(), time.process_time()
        lexicon = Lexicon.of([WordList("bench", words, (), transforms)])
        build, memory = time.process_time() - start, resident_mb() - before
        label = f"{size} words, {name}"
        yield f"{label}: build, s of CPU", build, "≤ 2", lambda value: value <= 2
        yield f"{label}: memory, MB", memory, "≤ 100", lambda value: value <= 100
        reading = normalize(text)
        ((_, matcher),) = lexicon._built
        ((_, large),) = matcher._index._automata
        automaton = partial(large.find_matches_as_indexes, reading.text, overlapping=True)
        yield f"{label}: automaton, 200 characters, µs", microseconds(automaton), "≤ 100", lambda value: value <= 100
        whole = microseconds(partial(lexicon.match, text)) / 1e3
        yield f"{label}: normalise, match, offsets, ms", whole, "≤ 2", lambda value: value <= 2
        del lexicon, matcher, large, automaton


def mistakes(data: Path) -> Iterator[Figure]:
    """Harmless complaints that the shipped and the triaged public lists flag."""
    texts = [row["text"] for row in _rows(next(data.rglob("waimai_complaints_benign.jsonl.gz")))]
    random.Random(SEED).shuffle(texts)
    halves = {"tuned on": texts[: len(texts) // 2], "held out": texts[len(texts) // 2 :]}
    ours = Lexicon.of([shipped()])
    for half, complaints in halves.items():
        blocked, flagged = _flagged(ours, complaints)
        yield f"shipped list: complaints blocked, {half}, %", blocked, "≤ 0.5", lambda value: value <= 0.5
        yield f"shipped list: blocked or reviewed, {half}, %", flagged, "≤ 2", lambda value: value <= 2
    lines = [line for path in sorted(data.rglob("lexicon/*.jsonl.gz")) for line in read_lines(path)]
    kept = [each for each in triage(lines, "block", "public") if each.level]
    words = tuple(dict.fromkeys(Word(each.line.text, each.level, "public") for each in kept if each.level))
    public = Lexicon.of([WordList("public", words, shipped().allow, IMPORTED)])
    yield "triaged public lists: words kept", len(words), "–", lambda _: True
    yield "of these block", sum(word.level == "block" for word in words), "–", lambda _: True
    for half, complaints in halves.items():
        yield f"triaged lists: complaints blocked, {half}, %", _flagged(public, complaints)[0], "≤ 1", lambda v: v <= 1
    without = {each: _flagged(Lexicon.of([_without(each)]), texts)[0] for each in ("homophones", "pinyin", "split")}
    whole = _flagged(ours, texts)[0]
    for each, blocked in without.items():
        yield f"shipped list: complaints blocked because of {each}, %", whole - blocked, "–", lambda _: True


def _without(transform: str) -> WordList:
    return replace(shipped(), transforms=replace(ALL, **{transform: False}))


def _flagged(lexicon: Lexicon, texts: list[str]) -> tuple[float, float]:
    actions = [lexicon.judge(text).action for text in texts]
    return 100 * actions.count("block") / len(texts), 100 * (len(texts) - actions.count("pass")) / len(texts)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(orjson.loads, lines)


if __name__ == "__main__":
    sys.exit(main())
