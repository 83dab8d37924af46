"""Measures how often the extractive engine's reply holds the facts that a question asks for.

    python -m bench.answers [FILE]     FILE of labelled questions, by default demo/questions.dev.jsonl
    python -m bench.answers --wrong    also prints the questions whose facts were found but not told
    python -m bench.answers --top 10   hands the engine that many passages, by default 5

The base is demo/knowledge, the model `e5-small` in `KEFU_MODELS`. Demo's README says what a labelled line is. A fact
counts when it stands literally in the reply, citation markers left out. Tune on the dev file only; the held-out file
is for reporting.
"""

import argparse
import json
import os
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.engines import Prompt
from chatbot.engines.extractive import compose
from knowledge.chunking import chunk
from knowledge.embedding import Embedder, as_query, load_embedder
from knowledge.index import Entry, Index
from knowledge.passages import Passage, Retrieved, Sentence
from knowledge.readers import read_document
from knowledge.retrieval import Retriever
from knowledge.sentences import sentence_spans
from knowledge.vectors import embedded_texts, title_of

DEMO = Path(__file__).resolve().parent.parent / "demo"
_MARKER = re.compile(r"\s*\[\d+\]")


@dataclass
class Chunk:
    """A chunk as it would be stored."""

    heading: str
    question: str
    text: str
    sentences: list[dict[str, Any]]


@dataclass(frozen=True)
class Told:
    """What became of one question's facts: all in the first passage, in the passages, in the reply; and the reply's
    cost.
    """

    language: str
    first: bool
    found: bool
    told: bool
    characters: int
    milliseconds: float


def base(folder: Path, embedder: Embedder) -> Index:
    """The index of all documents in a folder."""
    return Index([*entries(folder, embedder)], version=1, dimension=embedder.dimension)


def entries(folder: Path, embedder: Embedder) -> Iterator[Entry]:
    """One entry a chunk."""
    for file in sorted(folder.iterdir()):
        for number, draft in enumerate(chunk(read_document(file.name, file.read_bytes()))):
            spans = sentence_spans(draft.text)
            stored = Chunk(
                draft.heading, draft.question, draft.text, [{"start": start, "end": end} for start, end in spans]
            )
            vectors = embedder.embed(embedded_texts(stored))
            titles = 1 + bool(title_of(draft.question, draft.heading))
            sentences = tuple(Sentence(draft.text[start:end]) for start, end in spans)
            passage = Passage(
                number,
                file.name,
                draft.ref,
                draft.heading,
                draft.text,
                draft.question,
                draft.language,
                sentences,
                vectors[titles:],
            )
            yield Entry(passage, vectors[0], vectors[1:titles])


def measure(row: dict[str, Any], found: Retrieved) -> tuple[Told, str]:
    """How one labelled question fared, and the reply."""
    begun = time.perf_counter()
    reply = "".join(compose(Prompt(row["question"], found.question_vector, found.passages, row["language"])))
    milliseconds = (time.perf_counter() - begun) * 1000
    texts = [passage.text for passage in found.passages]
    plain = _MARKER.sub("", reply)
    told = Told(
        row["language"],
        all(fact in texts[0] for fact in row["facts"]),
        all(any(fact in text for text in texts) for fact in row["facts"]),
        all(fact in plain for fact in row["facts"]),
        len(plain),
        milliseconds,
    )
    return told, reply


def table(outcomes: list[Told]) -> str:
    """The figures by language, in Markdown."""
    lines = [
        "| language | questions | facts in first passage | in any passage | in the reply | characters | ms |",
        "| --- " * 7 + "|",
    ]
    for language in sorted({one.language for one in outcomes}):
        own = [one for one in outcomes if one.language == language]
        shares = [np.mean([getattr(one, name) for one in own]) for name in ("first", "found", "told")]
        length = statistics.mean(one.characters for one in own)
        cost = statistics.median(one.milliseconds for one in own)
        cells = [language, str(len(own)), *(f"{share:.0%}" for share in shares), f"{length:.0f}", f"{cost:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", nargs="?", type=Path, default=DEMO / "questions.dev.jsonl")
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--top", type=int, default=5)
    options = parser.parse_args()
    embedder = load_embedder(Path(os.environ.get("KEFU_MODELS", "models")) / "e5-small")
    retriever = Retriever(base(DEMO / "knowledge", embedder), lambda question: embedder.embed([as_query(question)])[0])
    rows = [json.loads(line) for line in options.questions.read_text(encoding="utf-8").splitlines()]
    outcomes = []
    for row in rows:
        if row["answerable"]:
            outcome, reply = measure(row, retriever.search(row["question"], options.top))
            outcomes.append(outcome)
            if options.wrong and outcome.found and not outcome.told:
                print(f"{row['id']} {row['question']}\n  wanted {row['facts']}\n  {reply}\n")
    print(table(outcomes))


if __name__ == "__main__":
    main()
