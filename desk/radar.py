"""Looks through passages for what a manager should see: contradictions, near-duplicates, dates that are past.

Neighbours come from the vectors of sentences; what differs is judged by `statements`, weighed by a logistic regression
(radar_weights.json, made by `python -m bench.radar --fit`). Pure; knows nothing of rows or of who asked what.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from desk.past_dates import past
from desk.statements import NAMES, Difference, Statement, compare, differences, may_differ
from guardrails.grounding import wording
from guardrails.grounding.features import Floats
from knowledge.passages import Vectors

WEIGHTS = Path(__file__).parent / "radar_weights.json"
NEIGHBOURS = 12
"""Nearest sentences that each is compared with."""

NEAREST = 0.8
"""Least cosine of two statements about one thing."""

TWINS = 0.95
"""Least cosine of sentences that may say the same."""

COPIED = 0.8
"""Share of the shorter passage's text that stands in the other one, from which they are near-duplicates."""

FARTHEST = 2.0
"""Standard deviations that a feature counts at most: products of outliers would outweigh everything."""

CONTEXTS = 3
"""A sentence that stands in more contexts is looked at in so many of them; it would be its own neighbours otherwise."""

_SHORTEST = 6  # code points of a sentence
_BLOCK = 1024
_LONGEST_COLUMN = 30


@dataclass(frozen=True)
class Source:
    """A passage: `context` is its headings and question, `sentences` its text in order."""

    chunk: int
    document: str
    language: str
    context: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """`key` is the same as long as the texts are; `chunks` are the passages that say so, `detail` is for a person."""

    kind: str
    key: str
    chunks: tuple[int, ...]
    score: float
    detail: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Scorer:
    """A logistic regression on the features and their products by two. mean, scale, weights: (features,); products:
    (features, features), zero on and below the diagonal. A pair is reported from `least` on.
    """

    mean: Floats
    scale: Floats
    weights: Floats
    products: Floats
    bias: float
    least: float

    @classmethod
    def load(cls, file: Path = WEIGHTS) -> "Scorer":
        """Read what `bench.radar --fit` wrote. Raises ValueError when it was made for other features."""
        stored = json.loads(file.read_text(encoding="utf-8"))
        if tuple(stored["features"]) != NAMES:
            raise ValueError(f"{file.name} was made for other features: run `python -m bench.radar --fit`")
        mean, scale, weights = (np.array(stored[name], np.float64) for name in ("mean", "scale", "weights"))
        products = np.zeros((len(NAMES), len(NAMES)))
        products[np.triu_indices(len(NAMES), 1)] = stored["products"]
        return cls(mean, scale, weights, products, stored["bias"], stored["least"])

    def probability(self, one: Statement, other: Statement, cosine: float) -> float:
        """That the statements contradict each other; 0 when nothing in them could."""
        if not may_differ(one, other):
            return 0.0
        values = np.clip((compare(one, other, cosine) - self.mean) / self.scale, -FARTHEST, FARTHEST)
        return float(1 / (1 + np.exp(-(values @ self.weights + values @ self.products @ values + self.bias))))


@cache
def shipped() -> Scorer:
    """The scorer of radar_weights.json."""
    return Scorer.load()


@dataclass
class _Said:
    """A sentence in its context, wherever it is said."""

    text: str
    context: str
    language: str
    row: tuple[tuple[str, str], ...] = ()
    """The cells, where the passage is a row of a table."""

    places: list[tuple[int, str]] = field(default_factory=list)
    """(chunk, document)"""


def look(sources: Sequence[Source], vectors: Vectors, *, today: date, scorer: Scorer | None = None) -> list[Found]:
    """What is wrong in the passages, contradictions first, the surest first.

    vectors: (sentences of all sources in order, dimension), L2-normalised. Memory grows with the sentences, time with
    their square at the speed of a matrix product (50,000: a minute).
    """
    said, rows = _said(sources)
    near = _neighbours(vectors[rows])
    statements = _Statements(said)
    found = list(_contradictions(said, near, statements, scorer or shipped()))
    found.sort(key=lambda one: -one.score)
    found += _duplicates(sources, said, near)
    found += _expired(said, today)
    return found


class _Statements:
    """Takes sentences apart, each once and when it is first asked for."""

    def __init__(self, said: Sequence[_Said]) -> None:
        self._said = said
        self._made: dict[int, Statement] = {}

    def __getitem__(self, number: int) -> Statement:
        if number not in self._made:
            one = self._said[number]
            self._made[number] = Statement.of(one.text, one.context)
        return self._made[number]


def contexts_of(source: Source) -> Iterator[str]:
    """What stands above each sentence: headings and question; for the cells of a table's row the row's first, too."""
    is_row = _cells("".join(source.sentences)) != ()
    for number in range(len(source.sentences)):
        first = source.sentences[0] if is_row and number else ""
        yield "\n".join(filter(None, (source.context, first)))


def _cells(text: str) -> tuple[tuple[str, str], ...]:
    """(column, value) of a table's row as chunks have it (`Region: Tibet; Fee: 20`); () for prose."""
    cells = [
        (name.strip(), value.strip())
        for name, mark, value in (part.partition("：" if "：" in part else ": ") for part in re.split("；|; ", text))
        if mark and len(name) <= _LONGEST_COLUMN
    ]
    opens = text.lstrip().startswith(cells[0][0]) if cells else False
    return tuple(cells) if opens and len(cells) > 1 and not re.search(r"。|[.!?]\s", text) else ()


def _are_rows_apart(one: _Said, other: _Said) -> bool:
    """Whether a row of a table is about something that the other does not name, or both are of different columns."""
    if one.row and other.row:
        return one.row[0] != other.row[0] or _column(one.text) != _column(other.text)
    row, prose = (one, other) if one.row else (other, one)
    if not row.row:
        return False
    named = wording.terms_of(wording.fold(row.row[0][1]))
    return named.isdisjoint(wording.terms_of(wording.fold(f"{prose.context}\n{prose.text}")))


def _column(text: str) -> str:
    return re.split("：|: ", text, maxsplit=1)[0]


def _said(sources: Sequence[Source]) -> tuple[list[_Said], list[int]]:
    """The different sentences, and the row of each one's vector."""
    known: dict[str, dict[str, _Said]] = defaultdict(dict)
    said, rows, row = [], [], 0
    for source in sources:
        cells = _cells("".join(source.sentences))
        for text, context in zip(source.sentences, contexts_of(source), strict=True):
            if len(text) >= _SHORTEST:
                contexts = known[text]
                if context not in contexts and len(contexts) < CONTEXTS:
                    contexts[context] = _Said(text, context, source.language, cells)
                    said.append(contexts[context])
                    rows.append(row)
                contexts.get(context, next(iter(contexts.values()))).places.append((source.chunk, source.document))
            row += 1
    return said, rows


def _neighbours(vectors: Vectors) -> list[tuple[int, int, float]]:
    """Pairs of rows with their cosine, each once, nearest first."""
    if len(vectors) < 2:
        return []
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, np.float32))
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(vectors), _BLOCK):
        block = np.ascontiguousarray(vectors[start : start + _BLOCK], np.float32)
        cosines, numbers = index.search(block, min(NEIGHBOURS + 1, len(vectors)))
        for row, column in zip(*np.nonzero(cosines >= NEAREST), strict=True):
            one, other = start + int(row), int(numbers[row, column])
            if one != other:
                found[min(one, other), max(one, other)] = float(cosines[row, column])
    return sorted(((*pair, cosine) for pair, cosine in found.items()), key=lambda one: -one[2])


def comparable(sources: Sequence[Source], vectors: Vectors) -> Iterator[tuple[Statement, Statement, float]]:
    """The pairs of statements that `look` judges, with their cosines: what the scorer is fitted on."""
    said, rows = _said(sources)
    statements = _Statements(said)
    for first, second, cosine in _judged(said, _neighbours(vectors[rows])):
        yield statements[first], statements[second], cosine


def _judged(said: Sequence[_Said], near: Iterable[tuple[int, int, float]]) -> Iterator[tuple[int, int, float]]:
    for first, second, cosine in near:
        one, other = said[first], said[second]
        if one.language == other.language and not _share_a_passage(one, other) and not _are_rows_apart(one, other):
            yield first, second, cosine


def _contradictions(
    said: Sequence[_Said], near: Iterable[tuple[int, int, float]], statements: _Statements, scorer: Scorer
) -> Iterator[Found]:
    for first, second, cosine in _judged(said, near):
        one, other = statements[first], statements[second]
        probability = scorer.probability(one, other, cosine)
        if probability >= scorer.least:
            yield Found(
                "contradiction",
                key("contradiction", one.context + "\n" + one.text, other.context + "\n" + other.text),
                tuple(dict.fromkeys(chunk for n in (first, second) for chunk, _ in said[n].places)),
                probability,
                {
                    "sentences": [_shown(said[first]), _shown(said[second])],
                    "differences": [_told(one) for one in differences(one, other)],
                    "probability": round(probability, 3),
                },
            )


def _share_a_passage(one: _Said, other: _Said) -> bool:
    """What one passage says one after the other are its cases."""
    return not {chunk for chunk, _ in one.places}.isdisjoint(chunk for chunk, _ in other.places)


def _duplicates(
    sources: Sequence[Source], said: Sequence[_Said], near: Iterable[tuple[int, int, float]]
) -> Iterator[Found]:
    """Passages of which one says, nearly word for word, what most of the other says."""
    by_chunk = {source.chunk: source for source in sources}
    candidates: dict[tuple[int, int], None] = {}
    groups: dict[str, list[int]] = defaultdict(list)
    for one in said:
        groups[one.text] += [chunk for chunk, _ in one.places]
    for chunks in groups.values():
        if len(chunks) <= NEIGHBOURS:  # what stands everywhere is a formula
            candidates.update({(a, b): None for a in chunks for b in chunks if a < b})
    for first, second, cosine in near:
        if cosine >= TWINS:
            pair = said[first].places[0][0], said[second].places[0][0]
            candidates[min(pair), max(pair)] = None
    shingled: dict[int, frozenset[str]] = {}
    for a, b in candidates:
        if a == b:
            continue
        for chunk in (a, b):
            if chunk not in shingled:
                shingled[chunk] = _shingles(" ".join(by_chunk[chunk].sentences))
        share = len(shingled[a] & shingled[b]) / max(1, min(len(shingled[a]), len(shingled[b])))
        if share < COPIED or not _say_the_same(by_chunk[a], by_chunk[b]):
            continue
        texts = [" ".join(by_chunk[chunk].sentences) for chunk in (a, b)]
        places = [{"chunk": chunk, "document": by_chunk[chunk].document} for chunk in (a, b)]
        detail = {"passages": [place | {"text": text} for place, text in zip(places, texts, strict=True)]}
        yield Found("duplicate", key("duplicate", *texts), (a, b), share, detail | {"share": round(share, 3)})


def _say_the_same(one: Source, other: Source) -> bool:
    """Whether the passages hold no fact, name or case by which they speak of different things."""
    first, second = (Statement.of(" ".join(source.sentences), source.context) for source in (one, other))
    cases = any(not first.cases[name] & second.cases[name] for name in first.cases.keys() & second.cases.keys())
    topics = bool(first.above - second.above and second.above - first.above)
    return not (may_differ(first, second) or cases or topics or (first.names ^ second.names))


def _expired(said: Iterable[_Said], today: date) -> Iterator[Found]:
    for one in said:
        ended = past(one.text, today, one.context)
        if ended is not None:
            yield Found(
                "expired",
                key("expired", one.context + "\n" + one.text),
                tuple(dict.fromkeys(chunk for chunk, _ in one.places)),
                float((today - ended).days),
                {"sentences": [_shown(one)], "ended": ended.isoformat()},
            )


def _shown(one: _Said) -> dict[str, Any]:
    chunk, document = one.places[0]
    return {"text": one.text, "context": one.context, "chunk": chunk, "document": document}


def _told(difference: Difference) -> dict[str, Any]:
    return {"kind": difference.kind, "values": list(difference.values)}


def _shingles(text: str) -> frozenset[str]:
    plain = "".join(text.lower().split())
    return frozenset(plain[n : n + 4] for n in range(max(1, len(plain) - 3)))


def key(kind: str, *texts: str) -> str:
    """The same for the same texts in any order."""
    return sha256("\x1f".join((kind, *sorted(" ".join(text.split()) for text in texts))).encode()).hexdigest()
