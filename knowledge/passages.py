"""What retrieval hands on: passages, and how well they answer. Pure values."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sentence:
    """One sentence of a passage; `quotable` is false when the guards did not pass it at import."""

    text: str
    quotable: bool = True


@dataclass(frozen=True, eq=False)
class Passage:
    """A live chunk with its scores for one question.

    `text` is what is searched and shown (for an FAQ pair: the answer alone; `question` is its question). `heading` is
    the path of headings above it. `sentence_vectors` has shape (len(sentences), dimension), L2-normalised, in the order
    of `sentences`. `score` is the blend, higher is better; `dense` the cosine, `bm25` the raw BM25 score, `rerank` the
    reranker's score where there was one.
    """

    chunk_id: int
    document: str
    ref: str
    heading: str
    text: str
    question: str
    language: str
    sentences: tuple[Sentence, ...]
    sentence_vectors: Vectors = field(repr=False)
    score: float = 0.0
    dense: float = 0.0
    bm25: float = 0.0
    rerank: float | None = None


@dataclass(frozen=True, eq=False)
class Retrieved:
    """The best passages for a question, best first.

    `confidence` is the calibrated probability that they answer it, `answerable` whether it reaches the threshold.
    `exact` is true when the first passage is an FAQ pair whose question says the same as the customer's: its answer may
    be given in its own words. `contacts` are the shop's own, as the base publishes them: they may be told whatever
    passages were found.
    """

    question: str
    question_vector: Vectors = field(repr=False)
    passages: tuple[Passage, ...]
    answerable: bool
    confidence: float
    exact: bool
    knowledge_version: int
    contacts: frozenset[str] = frozenset()
