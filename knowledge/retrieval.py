"""From a question to the passages that answer it, and how sure that is.

Knows nothing of the database, engines or customers.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from knowledge.answerability import Calibration, Evidence, probability, shipped
from knowledge.asked import kinds_asked
from knowledge.concepts import concepts_of
from knowledge.filters import Filters
from knowledge.index import Index
from knowledge.language import language_of
from knowledge.lexical import Lexical
from knowledge.passages import Passage, Retrieved, Vectors
from knowledge.ranking import Ranked, parallel, rank, searched
from knowledge.reranking import Rerank
from knowledge.terms import codes, content_words, fold, search_terms

TOP = 8  # passages that are handed on
RERANKED = 20  # passages that a reranker reads, where there is one
EVIDENCE = 5  # passages that are asked whether they answer
MOST = 0.6  # of a question's words: what a passage about the same thing holds anyway
SAME_QUESTION = 0.92  # cosine from which two questions of the same words are the same question

_DIRECTION_WORDS = "from to before after than into 从 到 至 换 转 比 前 后 之前 之后 改"
_DIRECTIONS = frozenset(_DIRECTION_WORDS.split())


class Retriever:
    """Searches one index. Thread-safe as far as `embed_query` is."""

    def __init__(
        self,
        index: Index,
        embed_query: Callable[[str], Vectors],
        calibration: Calibration | None = None,
        *,
        threshold: float | None = None,
        rerank: Rerank | None = None,
    ) -> None:
        """`embed_query` takes the raw question and gives its vector, shape (dimension,), made as a query of the index's
        model. `threshold` is the base's own probability from which a question is answered, in place of the
        calibration's. `rerank` puts the first passages in order once more; how sure the search is stays its own.
        """
        self._index = index
        self._embed_query = embed_query
        self._calibration = calibration or shipped()
        self._threshold = self._calibration.threshold if threshold is None else threshold
        self._parallel = parallel(index)
        self._rerank = rerank

    def search(self, question: str, top: int = TOP, *, filters: Filters | None = None) -> Retrieved:
        """The best `top` of the passages that `filters` let through, and whether they answer.

        Whatever `embed_query` raises passes through.
        """
        vector = self._embed_query(question)
        terms = search_terms(question)
        candidates = self._index.find(vector, terms, filters=filters)
        ranked = rank(self._index, candidates, question, vector, self._calibration.ranking, self._parallel)
        ranked = first_the_same(ranked, question)
        evidence = gather(self._index.lexical, ranked, question, terms)
        confidence = probability(evidence, language_of(question), self._calibration) if evidence else 0.0
        found = [
            replace(
                one.passage,
                score=one.score,
                dense=max(one.candidate.text, one.candidate.title),
                bm25=one.candidate.bm25,
            )
            for one in ranked[: max(top, RERANKED if self._rerank else 0)]
        ]
        exact = bool(found) and asks_the_same(question, found[0])
        if not exact:
            found = self._reranked(question, found)
        passages = tuple(found[:top])
        return Retrieved(
            question=question,
            question_vector=vector,
            passages=passages,
            answerable=exact or confidence >= self._threshold,
            confidence=max(confidence, 0.99) if exact else confidence,
            exact=exact,
            knowledge_version=self._index.version,
        )

    def _reranked(self, question: str, found: list[Passage]) -> list[Passage]:
        """The same with the first ones in the reranker's order, if there is one and it answers in time."""
        first = found[:RERANKED]
        scores = self._rerank(question, [searched(one) for one in first]) if self._rerank and first else None
        if scores is None:
            return found
        scored = [replace(one, rerank=score) for one, score in zip(first, scores, strict=True)]
        return [*sorted(scored, key=lambda one: -(one.rerank or 0.0)), *found[RERANKED:]]


def first_the_same(ranked: Sequence[Ranked], question: str) -> list[Ranked]:
    """The same, with an FAQ pair among the first that asks the very question before all others."""
    own = content_words(question)
    same = [one for one in ranked[:EVIDENCE] if _same_words(own, question, one.passage.question)]
    return [*same, *(one for one in ranked if one not in same)]


def gather(lexical: Lexical, ranked: Sequence[Ranked], question: str, terms: Sequence[str]) -> Evidence | None:
    """What speaks for the first passages; None when nothing was found. `terms` come from `search_terms`."""
    if not ranked:
        return None
    first = ranked[:EVIDENCE]
    foreign = first[0].passage.language != language_of(question)
    rows = np.asarray([one.candidate.row for one in first])
    mass = {term: lexical.mass(term) for term in set(terms) if term[0] in "wc"}
    held = {term: lexical.scores_of([term], rows) > 0 for term in mass}
    whole = sum(mass.values()) or 1.0
    most = float(max(sum((mass[term] * held[term] for term in mass), np.zeros(len(rows)))))
    kinds = kinds_asked(question)
    told = [bool(kind.holds.search(first[0].passage.text)) for kind in kinds]
    return Evidence(
        score=first[0].steady,
        covered=0.0 if foreign else max(most / whole - MOST, 0.0) / (1 - MOST),
        notions=max(one.notions for one in first),
        speaks=float(bool(concepts_of(question))),
        asks=float(bool(kinds)),
        tells=sum(told) / len(told) if told else 1.0,
        missing_codes=float(any(not held[term].any() for term in (f"c:{one}" for one in codes(fold(question))))),
        foreign=float(foreign),
    )


def asks_the_same(question: str, passage: Passage) -> bool:
    """Whether the passage is an FAQ pair whose question says the same, so that its answer may be given in its own
    words.

    The words that carry meaning (numbers, codes and negations among them) are the same, in any order unless a direction
    ("from", "before") makes order matter, and the vectors are near.
    """
    return passage.dense >= SAME_QUESTION and _same_words(content_words(question), question, passage.question)


def _same_words(own: list[str], question: str, other: str) -> bool:
    if not (own and other):
        return False
    theirs = content_words(other)
    if own == theirs:
        return True
    return sorted(own) == sorted(theirs) and not _DIRECTIONS & set(fold(question).split() + own)
