"""Measures the answer cache: whom its semantic level would give the wrong answer, and how long a hit takes.

    KEFU_BENCH_DATA=FOLDER python -m bench.cache [--pairs 6000] [--only hits stackfaq clinc150 afqmc]

The folder holds pairs/afqmc.train, retrieval/stackfaq.queries and intents/clinc150.{train,val} (.jsonl.gz). The
threshold is fitted on one half of AFQMC's pairs, drawn by a seed, and reported on the other. Hits are timed in this
process, with a worker's model, guards, demo documents and a redis-server of its own. Status 1 when something that must
hold does not.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import redis

from bench.answers import BASES, base
from bench.client import percentile
from bench.figures import HEAD, Figure, tell
from chatbot import wording
from chatbot.answer_cache import Versions
from chatbot.answer_store import SAME, AnswerStore, StoredAnswers
from chatbot.by_rule import by_rule
from chatbot.encoder import search_encoder
from chatbot.engines.extractive import ExtractiveEngine
from chatbot.guards import Guards
from chatbot.pipeline import Assistant
from chatbot.same_question import same_facts
from chatbot.turn import Conclusion, Turn
from chatbot.understanding import Listener
from config.environment import Config
from deploy.redis_server import find_server, server_command
from guardrails.lexicon import Lexicon
from guardrails.lexicon.words import shipped
from guardrails.release import Release, Released, Withheld
from guardrails.screening import screen_message
from knowledge.embedding import Embedder, as_query
from knowledge.followup import standalone
from knowledge.passages import Vectors
from knowledge.retrieval import Retriever
from understanding import shipped as intents
from understanding.sentiment.model import SentimentModel

SEED = 6
MOST_FALSE, LEAST_FOUND = 0.01, 0.05
EXACT_SECONDS, SEMANTIC_SECONDS = 0.060, 0.150
GRID = np.arange(0.90, 0.996, 0.005)
SHIPS_ON: bool = Config.model_fields["cache_semantic"].default
AGAIN = 10  # times that each question is asked once more


@dataclass(frozen=True)
class Pairs:
    """Pairs of questions: whether they mean the same, their cosine, and whether the facts agree."""

    same: np.ndarray[Any, Any]
    cosine: np.ndarray[Any, Any]
    facts: np.ndarray[Any, Any]

    def of(self, rows: np.ndarray[Any, Any]) -> "Pairs":
        return Pairs(self.same[rows], self.cosine[rows], self.facts[rows])

    def at(self, least: float, *, facts: bool = True) -> tuple[float, float, float]:
        """False hits among different pairs, hits among same ones, and false ones among the hits."""
        hit = (self.cosine >= least) & (self.facts | (not facts))
        false = float((hit & ~self.same).sum() / max(1, (~self.same).sum()))
        found = float((hit & self.same).sum() / max(1, self.same.sum()))
        return false, found, float((hit & ~self.same).sum() / max(1, hit.sum()))


def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a set."""
    with gzip.open(folder / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def pairs_of(texts: Sequence[tuple[str, str]], same: Sequence[bool], embedder: Embedder) -> Pairs:
    """Embed and compare."""
    number = {text: row for row, text in enumerate(sorted({one for pair in texts for one in pair}))}
    vectors = embedder.embed([as_query(text) for text in number])
    cosine = np.asarray([float(vectors[number[a]] @ vectors[number[b]]) for a, b in texts])
    return Pairs(np.asarray(same, bool), cosine, np.asarray([same_facts(a, b) for a, b in texts], bool))


def fit(pairs: Pairs) -> float:
    """The least threshold of the grid whose false hits are few enough."""
    return next((float(least) for least in GRID if pairs.at(least)[0] <= MOST_FALSE), 1.0)


def chinese(folder: Path, embedder: Embedder, most: int) -> Iterator[Figure]:
    """AFQMC: fitted on one half, reported on the other."""
    rows = rows_of(folder, "pairs/afqmc.train")
    random.Random(SEED).shuffle(rows)
    rows = rows[:most]
    pairs = pairs_of([(r["a"], r["b"]) for r in rows], [bool(int(r["same"])) for r in rows], embedder)
    order = np.arange(len(rows))
    chosen, held = pairs.of(order[::2]), pairs.of(order[1::2])
    least = fit(chosen)
    for name, half, threshold, facts in (
        ("AFQMC, fitted on", chosen, least, True),
        ("AFQMC, held out", held, least, True),
        ("AFQMC, held out, cosine alone", held, least, False),
        ("AFQMC, held out, as shipped", held, SAME, True),
    ):
        false, found, wrong = half.at(threshold, facts=facts)
        text = f"{false:.2%} / {found:.2%} / {wrong:.0%}"
        must = name.endswith("held out")
        holds = (false <= MOST_FALSE and found >= LEAST_FOUND) or not SHIPS_ON
        yield Figure(
            f"semantic level at {threshold:.3f}: false hits / found / false among hits", name, len(half.same), text,
            f"≤ 1 % / ≥ 5 %, else off; it ships {'on' if SHIPS_ON else 'off'}" if must else "", holds if must else None,
        )  # fmt: skip


def english(folder: Path, embedder: Embedder) -> Iterator[Figure]:
    """StackFAQ's queries: two of one FAQ mean the same; the nearest of another FAQ does not."""
    rows = rows_of(folder, "retrieval/stackfaq.queries")
    texts, refs = [row["query"] for row in rows], np.asarray([row["ref"] for row in rows])
    vectors = embedder.embed([as_query(text) for text in texts])
    cosines = vectors @ vectors.T
    alike = [(a, b) for a in range(len(rows)) for b in range(a) if refs[a] == refs[b]]
    others = [(a, int(np.where(refs == refs[a], -1, cosines[a]).argmax())) for a in range(len(rows))]
    chosen = [(texts[a], texts[b]) for a, b in (*alike, *others)]
    pairs = pairs_of(chosen, [True] * len(alike) + [False] * len(others), embedder)
    false, found, wrong = pairs.at(SAME)
    yield Figure(
        f"semantic level at {SAME}: false hits / found / false among hits",
        "StackFAQ: two queries of one FAQ, and the nearest of another", len(chosen),
        f"{false:.2%} / {found:.2%} / {wrong:.0%}",
    )  # fmt: skip


def stream(folder: Path, embedder: Embedder) -> Iterator[Figure]:
    """CLINC150 as a shop's day: what is asked finds the nearest of before; of another intent it is wrong."""
    before, now = rows_of(folder, "intents/clinc150.train")[::3], rows_of(folder, "intents/clinc150.val")[::3]
    old, new = (embedder.embed([as_query(row["text"]) for row in rows]) for rows in (before, now))
    nearest = (new @ old.T).argsort(1)[:, ::-1][:, :5]
    hits = wrong = 0
    for row, asked in enumerate(now):
        for one in nearest[row]:
            if float(new[row] @ old[one]) >= SAME and same_facts(asked["text"], before[one]["text"]):
                hits += 1
                wrong += asked["label"] != before[one]["label"]
                break
    yield Figure(
        f"semantic level at {SAME}, nearest of {len(before):,} questions: hits / of another intent",
        "CLINC150, val against a third of train", len(now), f"{hits / len(now):.2%} / {wrong} of {hits}",
    )  # fmt: skip


@contextmanager
def redis_server() -> Iterator[redis.Redis]:
    """A redis-server of its own."""
    with tempfile.TemporaryDirectory(prefix="kefu-") as folder:
        socket = Path(folder) / "redis.sock"
        process = subprocess.Popen(server_command(find_server(), socket, Path(folder)), stdout=subprocess.DEVNULL)
        client = redis.Redis(unix_socket_path=str(socket), socket_timeout=0.5)
        try:
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    if process.poll() is not None:
                        raise
            yield client
        finally:
            process.terminate()
            process.wait()


def hits(models: Path, embedder: Embedder) -> Iterator[Figure]:
    """The demo's questions: first answered, then found; a semantic hit asks with a word more."""
    guards, words = Guards(embedder, models), Lexicon.of([shipped()])
    release = Release(lambda: words, checks=guards.on_units)

    def embed(question: str) -> Vectors:
        return embedder.embed([as_query(question)])[0]

    def say(code: str, language: Any, *, after: bool = False) -> tuple[Released, ...]:
        said = release.whole("\n\n" * after + wording.say(code, language))
        assert not isinstance(said, Withheld)
        return said

    retriever = Retriever(base(BASES["demo"], embedder), embed)
    moods, wants = SentimentModel.load(), intents.understanding()
    understand = Listener(
        by_rule,
        standalone,
        lambda text: (wants(text, embed(text)), wants.version),
        lambda texts: moods.judge(texts, np.stack([embed(text) for text in texts])),
    )
    engine = ExtractiveEngine()
    versions = Versions("1", 1, words.version, engine.prompt_version, f"{engine.name}:{engine.model}")
    results: list[str] = []
    with redis_server() as client:
        cache = StoredAnswers(
            AnswerStore(client), lambda _: versions, embed=embed, report=lambda what, result, _: results.append(result)
        )
        assistant = Assistant(
            screen=lambda text: screen_message(text, words, guards.on_messages),
            understand=understand, search=lambda question, _, **__: retriever.search(question),
            engine=engine, release=release, say=say, cache=cache,
        )  # fmt: skip

        def answered(turn: Turn) -> tuple[str, float]:
            results.clear()
            started = time.perf_counter()
            end = list(assistant.answer(turn, "demo", lambda: ""))[-1]
            seconds = time.perf_counter() - started
            assert isinstance(end, Conclusion)
            return results[0] if results else "", seconds

        turns = [Turn(row["question"], row["language"]) for row in questions()]
        first = [seconds for turn in turns for result, seconds in [answered(turn)] if result == "miss"]
        exact = [one for turn in turns * AGAIN for one in [answered(turn)] if one[0] == "exact"]
        spoken = [Turn(reworded(turn), turn.language) for turn in turns]
        semantic = [one for turn in spoken * AGAIN for one in [answered(turn)] if one[0] == "semantic"]
    yield timed("answered anew", first, len(turns))
    yield timed("exact hit", [seconds for _, seconds in exact], len(turns), EXACT_SECONDS)
    yield timed("semantic hit", [seconds for _, seconds in semantic], len(turns), SEMANTIC_SECONDS)


def questions() -> list[dict[str, Any]]:
    """The demo's development questions that need nothing said before."""
    with (BASES["demo"].parent / "questions.dev.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    return [row for row in rows if not row.get("history")]


def reworded(turn: Turn) -> str:
    """The same question with a word of courtesy in it."""
    return f"请问一下，{turn.text}" if turn.language == "zh" else f"Please tell me: {turn.text}"


def timed(what: str, seconds: Sequence[float], asked: int, most: float | None = None) -> Figure:
    """A row of times."""
    if not seconds:
        return Figure(what, "demo, in this process", 0, "none", "", None if most is None else False)
    p50, p95 = percentile([*seconds], 50) * 1000, percentile([*seconds], 95) * 1000
    must = "" if most is None else f"p95 ≤ {most * 1000:.0f} ms"
    return Figure(
        f"{what}, p50 / p95", f"demo, {asked} questions, in this process", len(seconds), f"{p50:.1f} / {p95:.1f} ms",
        must, None if most is None else p95 <= most * 1000,
    )  # fmt: skip


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6_000, help="pairs of AFQMC, both halves together")
    parser.add_argument("--only", nargs="+", choices=["hits", "stackfaq", "clinc150", "afqmc"])
    options = parser.parse_args()
    folder, models = Path(os.environ["KEFU_BENCH_DATA"]), Path(os.environ.get("KEFU_MODELS", "models"))
    embedder = search_encoder(models)
    parts: dict[str, Callable[[], Iterator[Figure]]] = {
        "hits": lambda: hits(models, embedder),
        "stackfaq": lambda: english(folder, embedder),
        "clinc150": lambda: stream(folder, embedder),
        "afqmc": lambda: chinese(folder, embedder, options.pairs),
    }
    print(HEAD)
    short = [figure for name, part in parts.items() if name in (options.only or parts) for figure in tell(part())]
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
