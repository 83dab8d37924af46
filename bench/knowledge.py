"""Measures retrieval and "can this be answered?", and refits the few numbers behind them.

    KEFU_BENCH_DATA=FOLDER python -m bench.knowledge        a table of both, over the halves that nothing was fitted on
    KEFU_BENCH_DATA=FOLDER python -m bench.knowledge fit    fits knowledge/calibration.json on the other halves and on demo/questions.dev.jsonl

The folder holds retrieval/stackfaq.{faq,queries}.jsonl.gz and retrieval/esun.{faq,unanswerable}.jsonl.gz; the model is `e5-small` in
`KEFU_MODELS`. StackFAQ's queries are paraphrases by people. E.SUN has none, so two kinds stand in: its titles with a third of their
words dropped, against the whole base ("esun"), and its titles whole, against the answers alone ("esun answers").
Unanswerable are E.SUN's own such queries, and every question against a base from which its document was taken out ("left out"): the
near misses of one bank, of which some other document answers a part, so that it cannot reach 100.
"""

import argparse
import gzip
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.answerability import TABLE, Calibration, Evidence, probability, shipped
from knowledge.embedding import Embedder, as_passage, as_query, load_embedder
from knowledge.index import Entry, Index
from knowledge.language import language_of
from knowledge.passages import Passage, Vectors
from knowledge.retrieval import Ranked, gather, rank
from knowledge.terms import STOP, fold, search_terms, words

FOLDS = 4
SEED = "kefu"


@dataclass(frozen=True)
class Case:
    """A question to one base; `ref` is the document that answers it, "" when none does."""

    source: str
    question: str
    ref: str
    base: Index


@dataclass(frozen=True)
class Outcome:
    """What the search made of a case; `place` is that of the right document among the documents found, 0 for the first, -1 for none."""

    case: Case
    place: int
    evidence: Evidence


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a .jsonl or .jsonl.gz file."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as lines:
        return [json.loads(line) for line in lines]


def held_out(key: str) -> bool:
    """Whether a row belongs to the half that nothing is fitted on."""
    return sha256(f"{SEED} {key}".encode()).digest()[0] % 2 == 1


def base_of(rows: Iterable[dict[str, Any]], vectors: dict[str, Vectors], *, questions: bool = True) -> Index:
    """An index of FAQ rows, or of their answers alone."""
    entries = []
    for number, row in enumerate(rows):
        question, answer = (row["question"], row["answer"]) if questions else ("", row["answer"])
        passage = Passage(number, "faq", row["ref"], "", answer, question, language_of(question + answer), (), np.empty((0, 0), np.float32))
        asked = vectors[as_query(question)][None, :] if questions else np.empty((0, 384), np.float32)
        entries.append(Entry(passage, vectors[as_passage(f"{question}\n{answer}".strip())], asked))
    return Index(entries, version=1, dimension=384)


def worn(question: str) -> str:
    """A stand-in for a paraphrase: the question without its stop words and a third of the others."""
    rest = [word for word in words(fold(question)) if word not in STOP]
    dice = random.Random(question)
    kept = [word for word in rest if dice.random() > 1 / 3]
    return "".join(kept if len(kept) > 1 else rest) or question


def cases(folder: Path, embed: Callable[[Sequence[str]], None], vectors: dict[str, Vectors]) -> list[Case]:
    """All cases, of both halves."""
    stack, asked = read(folder / "stackfaq.faq.jsonl.gz"), read(folder / "stackfaq.queries.jsonl.gz")
    esun, refused = read(folder / "esun.faq.jsonl.gz"), read(folder / "esun.unanswerable.jsonl.gz")
    embed([as_query(row["question"]) for row in stack + esun] + [as_query(row["query"]) for row in asked + refused])
    embed([as_query(worn(row["question"])) for row in esun])
    embed([as_passage(f"{row['question']}\n{row['answer']}") for row in stack + esun] + [as_passage(row["answer"]) for row in esun])
    whole, bank, answers = base_of(stack, vectors), base_of(esun, vectors), base_of(esun, vectors, questions=False)
    found = [Case("stackfaq", row["query"], row["ref"], whole) for row in asked]
    found += [Case("esun", worn(row["question"]), row["ref"], bank) for row in esun]
    found += [Case("esun answers", row["question"], row["ref"], answers) for row in esun]
    found += [Case("esun unanswerable", row["query"], "", bank) for row in refused]
    for fold_number in range(FOLDS):
        gone = lambda row, number=fold_number: sha256(row["ref"].encode()).digest()[0] % FOLDS == number  # noqa: E731
        less = base_of([row for row in stack if not gone(row)], vectors)
        found += [Case("stackfaq left out", row["query"], "", less) for row in asked if gone(row)]
        less = base_of([row for row in esun if not gone(row)], vectors)
        found += [Case("esun left out", worn(row["question"]), "", less) for row in esun if gone(row)]
    return found


def look(case: Case, vectors: dict[str, Vectors], words_weight: float) -> Outcome:
    """Searches one case."""
    terms = search_terms(case.question)
    found = case.base.find(vectors[as_query(case.question)], terms)
    ranked = rank(case.base, found, case.question, words_weight)
    evidence = gather(case.base, ranked, case.question, terms)
    assert evidence is not None
    return Outcome(case, place_of(case, ranked), evidence)


def place_of(case: Case, ranked: Sequence[Ranked]) -> int:
    """Where the right document stands among the documents."""
    refs = list(dict.fromkeys(case.base.passages[one.candidate.row].ref for one in ranked))
    return refs.index(case.ref) if case.ref in refs else -1
