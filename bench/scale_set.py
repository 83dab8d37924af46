"""A knowledge base of any size, made of a few thousand real FAQ pairs: their texts with words exchanged, their vectors
moved, so far that neighbours lie as near to each other as in the real set.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rjieba

from knowledge.embedding import Embedder, as_passage, as_query
from knowledge.language import language_of
from knowledge.nearest import flat
from knowledge.passages import Vectors

EXCHANGED = 0.4  # of the words of a text
UNEVEN = 0.4  # spread of the logarithm of how far vectors are moved: as uneven as the real ones' distances are
CALIBRATED_ON = 20_000  # vectors
_AT_ONCE = 50_000

Halves = npt.NDArray[np.float16]
Cosines = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A real FAQ pair, in words."""

    question: list[str]
    answer: list[str]
    language: str


@dataclass(frozen=True)
class Made:
    """A chunk of the made base: which pair it is made of, and its texts. `kept` ends the answer as in the real one."""

    pair: int
    question: str
    text: str
    kept: str


class Source:
    """The real pairs, their vectors, and questions that people asked about them."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        """Reads retrieval/{esun,stackfaq}.faq.jsonl.gz and stackfaq.queries.jsonl.gz, and embeds them."""
        rows = [row for name in ("esun.faq", "stackfaq.faq") for row in rows_of(folder / f"{name}.jsonl.gz")]
        self.pairs = [
            Pair(_words(row["question"]), _words(row["answer"])[:120], language_of(row["question"] + row["answer"]))
            for row in rows
        ]
        self.kept = ["".join(one.answer[-12:]).strip() for one in self.pairs]
        self.texts = embedder.embed([as_passage(f"{row['question']}\n{row['answer']}") for row in rows])
        self.titles = embedder.embed([as_query(row["question"]) for row in rows])
        asked = [row["query"] for row in rows_of(folder / "stackfaq.queries.jsonl.gz")][::4]
        asked += [row["question"] for row in rows_of(folder / "esun.faq.jsonl.gz")][::10]
        self.questions = asked
        self.asked = embedder.embed([as_query(question) for question in asked])
        self.pool = {
            language: np.asarray([word for one in self.pairs if one.language == language for word in one.answer])
            for language in ("zh", "en")
        }

    def chunks(self, count: int, dice: np.random.Generator) -> Iterator[Made]:
        """That many chunks."""
        for pair in dice.integers(len(self.pairs), size=count).tolist():
            one = self.pairs[pair]
            question, answer = (self._exchanged(words, one.language, dice) for words in (one.question, one.answer))
            yield Made(pair, question, f"{answer} {self.kept[pair]}", self.kept[pair])

    def _exchanged(self, words: Sequence[str], language: str, dice: np.random.Generator) -> str:
        pool = self.pool[language]
        some = dice.random(len(words)) < EXCHANGED
        others = iter(pool[dice.integers(len(pool), size=int(some.sum()))].tolist())
        return "".join(next(others) if exchange else word for word, exchange in zip(words, some, strict=True)).strip()


def moved(real: Vectors, centres: Vectors, far: float, dice: np.random.Generator) -> Halves:
    """Those centres, each moved `far` in directions in which the real vectors differ."""
    spread = np.linalg.cholesky(np.cov(real.T) + 1e-6 * np.eye(real.shape[1])).astype(np.float32)
    length = far * np.exp(UNEVEN * dice.standard_normal((len(centres), 1), dtype=np.float32))
    step = length * (dice.standard_normal(centres.shape, dtype=np.float32) @ spread.T) + centres
    made: Halves = (step / np.linalg.norm(step, axis=1, keepdims=True)).astype(np.float16)
    return made


def many_moved(real: Vectors, pairs: npt.NDArray[np.int64], far: float, dice: np.random.Generator) -> Halves:
    """The vectors of those pairs, moved."""
    made = np.empty((len(pairs), real.shape[1]), np.float16)
    for start in range(0, len(pairs), _AT_ONCE):
        made[start : start + _AT_ONCE] = moved(real, real[pairs[start : start + _AT_ONCE]], far, dice)
    return made


def how_far(real: Vectors, count: int, dice: np.random.Generator) -> float:
    """How far vectors have to be moved so that the median cosine of nearest neighbours is the real one, if `count` are
    made of the real ones. Measured on fewer of them with as many made of each.
    """
    wanted = float(np.median(neighbours(real, real)))
    each = max(count // len(real), 1)
    some = real[dice.permutation(len(real))[: max(CALIBRATED_ON // each, 2)]]
    near, far = 0.0, 3.0
    for _ in range(10):
        middle = (near + far) / 2
        made = moved(real, np.repeat(some, each, axis=0), middle, dice)
        if float(np.median(neighbours(made, made[dice.permutation(len(made))[:300]]))) > wanted:
            near = middle
        else:
            far = middle
    return (near + far) / 2


def neighbours(among: Vectors | Halves, some: Vectors | Halves) -> Cosines:
    """The cosine of each of those vectors (which are among them) with its nearest neighbour but itself."""
    near = flat(among)
    return np.asarray([near.search(one.astype(np.float32), 2)[0][-1] for one in some], np.float64)


def _words(text: str) -> list[str]:
    return list(rjieba.cut(text))


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a .jsonl.gz file."""
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]
