"""From a question to the passages that answer it, and how sure that is.

Knows nothing of the database, engines or customers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from knowledge.answerability import Calibration, Evidence, probability, shipped
from knowledge.index import Candidate, Index
from knowledge.language import language_of
from knowledge.passages import Passage, Retrieved, Vectors
from knowledge.terms import codes, content_words, fold, search_terms

OWN_LANGUAGE = 0.15  # spreads that a passage in the question's language gains over equals
EVIDENCE = 5  # passages that are asked whether they answer
SAME_QUESTION = 0.92  # cosine from which two questions of the same words are the same question

_DIRECTION_WORDS = "from to before after than into 从 到 至 换 转 比 前 后 之前 之后 改"
_DIRECTIONS = frozenset(_DIRECTION_WORDS.split())


@dataclass(frozen=True, eq=False)
class Ranked:
    """A candidate with its blended score."""

    candidate: Candidate
    score: float


class Retriever:
    """Searches one index. Thread-safe as far as `embed_query` is."""

    def __init__(
        self, index: Index, embed_query: Callable[[str], Vectors], calibration: Calibration | None = None
    ) -> None:
        """`embed_query` takes the raw question and gives its vector, shape (dimension,), made as a query of the index's
        model.
        """
        self._index = index
        self._embed_query = embed_query
        self._calibration = calibration or shipped()

    def search(self, question: str, top: int = 5) -> Retrieved:
        """The best `top` passages, and whether they answer. Whatever `embed_query` raises passes through."""
        vector = self._embed_query(question)
        terms = search_terms(question)
        found = self._index.find(vector, terms)
        ranked = rank(self._index, found, question, self._calibration.words_weight)
        evidence = gather(self._index, ranked, question, vector, terms)
        confidence = probability(evidence, language_of(question), self._calibration) if evidence else 0.0
        passages = tuple(
            replace(
                self._index.passages[one.candidate.row],
                score=one.score,
                dense=max(one.candidate.text, one.candidate.title),
                bm25=one.candidate.bm25,
            )
            for one in ranked[:top]
        )
        exact = bool(passages) and asks_the_same(question, passages[0])
        return Retrieved(
            question=question,
            question_vector=vector,
            passages=passages,
            answerable=exact or confidence >= self._calibration.threshold,
            confidence=max(confidence, 0.99) if exact else confidence,
            exact=exact,
            knowledge_version=self._index.version,
        )


def rank(index: Index, found: Sequence[Candidate], question: str, words_weight: float) -> list[Ranked]:
    """The candidates by blended score, best first; an FAQ pair that asks the very question comes before all others.

    Of two translations only the one in the question's language stays, with the better score of both.
    """
    language = language_of(question)
    own = content_words(question)
    scores = {one.row: one.z + words_weight * one.words for one in found}
    ranked: list[Ranked] = []
    for one in found:
        twin = int(index.twins[one.row])
        if index.passages[one.row].language == language:
            ranked.append(Ranked(one, OWN_LANGUAGE + max(scores[one.row], scores.get(twin, -math.inf))))
        elif twin < 0:
            ranked.append(Ranked(one, scores[one.row]))
    ranked.sort(key=lambda one: (-one.score, one.candidate.row))
    same = [one for one in ranked[:5] if _same_words(own, question, index.passages[one.candidate.row].question)]
    return [*same, *(one for one in ranked if one not in same)]


def gather(
    index: Index, ranked: Sequence[Ranked], question: str, vector: Vectors, terms: Sequence[str]
) -> Evidence | None:
    """What speaks for the first passages; None when nothing was found."""
    if not ranked:
        return None
    first = [one.candidate for one in ranked[:EVIDENCE]]
    passages = [index.passages[one.row] for one in first]
    language = language_of(question)
    foreign = passages[0].language != language
    nearest = sorted((one.candidate.z for one in ranked), reverse=True)
    rest = nearest[1:10] or nearest
    by_vector = max(ranked, key=lambda one: one.candidate.z)
    by_words = max(ranked, key=lambda one: one.candidate.bm25)
    mass = {term: index.lexical.mass(term) for term in set(terms)}
    held = [{term for term in mass if index.lexical.has(one.row, term)} for one in first]
    total = 0.0 if foreign else sum(mass.values())
    named = {f"c:{code}" for code in codes(fold(question))}
    return Evidence(
        title=max(one.title for one in first),
        text=max(one.text for one in first),
        sentence=max(float((passage.sentence_vectors @ vector).max(initial=-1.0)) for passage in passages),
        margin=nearest[0] - sum(rest) / len(rest),
        coverage=max(sum(mass[term] for term in one) for one in held) / total if total else 0.0,
        agreement=float(by_vector is by_words),
        missing_codes=float(not named <= set().union(*held)),
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
