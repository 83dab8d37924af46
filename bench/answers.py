"""Measures the extractive answers to two small shops' questions: are the facts asked for in the reply, and does it keep
silent where it must?

    python -m bench.answers               bench/shops/questions.dev.jsonl and demo/questions.dev.jsonl
    python -m bench.answers --wrong       also prints what went wrong
    python -m bench.answers --held-out    the questions that nothing was tuned on; never look at single failures there

A question goes the way it goes in the product: it is made to stand alone, searched for, refused where the search is not
sure, else quoted. bench/shops/README.md says what a line is and when a text holds a fact.
"""

import argparse
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.shops.facts import holds_all
from chatbot.encoder import search_encoder
from chatbot.engines import Prompt
from chatbot.engines.extractive import compose
from knowledge.chunking import chunk
from knowledge.embedding import Embedder, as_query
from knowledge.followup import standalone
from knowledge.index import Entry, Index
from knowledge.passages import Passage, Sentence
from knowledge.readers import read_document
from knowledge.retrieval import Retriever
from knowledge.sentences import sentence_spans
from knowledge.vectors import embedded_texts, title_of

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "demo"
BASES = {"demo": DEMO / "knowledge", "lantern": ROOT / "bench" / "shops" / "lantern"}
KINDS = ("direct", "paraphrase", "typo", "table_row", "two_facts", "follow_up", "cross_lingual")
_MARKER = re.compile(r"\s*\[\d+\]")

Row = dict[str, Any]


@dataclass
class Chunk:
    """A chunk as it would be stored."""

    heading: str
    question: str
    text: str
    sentences: list[dict[str, Any]]
    questions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What became of one question: where its facts were, what was said, how sure the search was, and the cost."""

    row: Row
    first: bool
    found: bool
    told: bool
    kept: bool
    confidence: float
    reply: str
    milliseconds: float


def base(folder: Path, embedder: Embedder) -> Index:
    """The index of all documents in a folder."""
    return Index([*entries(folder, embedder)], version=1, dimension=embedder.dimension)


def entries(folder: Path, embedder: Embedder) -> Iterator[Entry]:
    """One entry a chunk."""
    for file in sorted(folder.iterdir()):
        for number, draft in enumerate(chunk(read_document(file.name, file.read_bytes()))):
            spans = sentence_spans(draft.text)
            places = [{"start": start, "end": end} for start, end in spans]
            vectors = embedder.embed(embedded_texts(Chunk(draft.heading, draft.question, draft.text, places)))
            titles = 1 + bool(title_of(draft.question, draft.heading))
            passage = Passage(
                number,
                file.name,
                draft.ref,
                draft.heading,
                draft.text,
                draft.question,
                draft.language,
                tuple(Sentence(draft.text[start:end]) for start, end in spans),
                vectors[titles:],
            )
            yield Entry(passage, vectors[0], vectors[1:titles])


def shop_rows(name: str) -> list[Row]:
    """The rows of bench/shops/questions.NAME.jsonl."""
    return _read(ROOT / "bench" / "shops" / f"questions.{name}.jsonl")


def demo_rows(name: str) -> list[Row]:
    """The rows of demo/questions.NAME.jsonl, in the shape of the others."""
    return [
        row
        | {"base": "demo", "history": [], "kind": "demo" if row["answerable"] else "unanswerable"}
        | {"facts": [[fact] for fact in row["facts"]]}
        for row in _read(DEMO / f"questions.{name}.jsonl")
    ]


def _read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def measure(row: Row, retriever: Retriever) -> Outcome:
    """How one question fared."""
    begun = time.perf_counter()
    question = standalone(row["question"], row["history"])
    found = retriever.search(question)
    if found.exact:
        reply = found.passages[0].text
    else:
        reply = "".join(compose(Prompt(question, found.question_vector, found.passages, row["language"])))
    milliseconds = (time.perf_counter() - begun) * 1000
    texts = [passage.text for passage in found.passages]
    reply = _MARKER.sub("", reply)
    facts = row["facts"]
    return Outcome(
        row,
        bool(facts) and holds_all(texts[:1], facts),
        bool(facts) and holds_all(texts, facts),
        bool(facts) and holds_all([reply], facts),
        found.answerable,
        found.confidence,
        reply,
        milliseconds,
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """Where the facts asked for are, by kind of question, in Markdown."""
    titles = ("kind", "questions", "first passage", "any passage", "reply, if not refused", "kept", "kept and told")
    lines = [f"| {' | '.join(titles)} |", "| --- " * len(titles) + "|"]
    answerable = [one for one in outcomes if one.row["facts"]]
    kinds = [kind for kind in KINDS if any(one.row["kind"] == kind for one in answerable)]
    for kind in [*kinds, "all"]:
        own = [one for one in answerable if kind in ("all", one.row["kind"])]
        columns = [[one.first, one.found, one.told, one.kept, one.kept and one.told] for one in own]
        shares = " | ".join(f"{share:.0%}" for share in np.mean(columns, axis=0))
        lines.append(f"| {kind} | {len(own)} | {shares} |")
    return "\n".join(lines)


def refusals(outcomes: Sequence[Outcome]) -> str:
    """What the threshold costs, and what others would."""
    answerable = [one for one in outcomes if one.row["facts"]]
    sure = np.array([one.confidence for one in answerable])
    told = np.array([one.told for one in answerable])
    unsure = np.array([one.confidence for one in outcomes if not one.row["facts"]])
    answered = np.mean([one.kept for one in outcomes if not one.row["facts"]])
    lines = [f"unanswerable: {len(unsure)}, answered {answered:.0%}"]
    for share in (0.05, 0.1, 0.2, 0.3):
        over = sure > np.quantile(unsure, 1 - share)
        lines.append(f"  with {share:.0%} answered: kept {over.mean():.0%}, kept and told {(over & told).mean():.0%}")
    return "\n".join(lines)


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    embedder = search_encoder(Path(os.environ.get("KEFU_MODELS", "models")))
    retrievers = {
        name: Retriever(base(folder, embedder), lambda question: embedder.embed([as_query(question)])[0])
        for name, folder in BASES.items()
    }
    name = "held_out" if options.held_out else "dev"
    for title, rows in (("Two shops", shop_rows(name)), ("The demo's own questions", demo_rows(name))):
        outcomes = [measure(row, retrievers[row["base"]]) for row in rows]
        median = np.median([one.milliseconds for one in outcomes])
        longest = max(len(one.reply) for one in outcomes)
        print(f"{title} ({name})\n\n{table(outcomes)}\n\n{refusals(outcomes)}")
        print(f"{median:.1f} ms a question with embedding; longest reply {longest} characters\n")
        for one in outcomes if options.wrong and not options.held_out else ():
            if one.row["facts"] and not (one.told and one.kept):
                what = "refused" if one.told else "not told" if one.found else "not found"
                print(f"{one.row['id']} {what}: {one.row['history']} {one.row['question']} {one.row['facts']}")
                print(f"  {one.confidence:.2f} {one.reply}")
            elif not one.row["facts"] and one.kept:
                print(f"{one.row['id']} answered: {one.row['question']}\n  {one.confidence:.2f} {one.reply}")


if __name__ == "__main__":
    main()
