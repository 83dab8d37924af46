"""Composes the reply from the best sentences of the passages, word for word, with citations. No model; the same in, the same out.

Embeds nothing: it reads the sentence vectors that came with the passages and the question's vector.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from chatbot.engines import Prompt
from chatbot.engines.asked import Kind, kinds_asked
from chatbot.engines.citations import cite, without_markers
from chatbot.engines.concepts import concepts_of
from chatbot.engines.quotes import Quote, quotes_of
from chatbot.turn import Language
from knowledge.passages import Passage
from knowledge.terms import fold, search_terms

MOST_SENTENCES = 3

# What a quote's score is made of; looked for by hand on demo/questions.dev.jsonl (`python -m bench.answers`).
DENSE = 0.3  # of its cosine's z-score among all quotes
WORDS = 3.0  # of the share of the question's terms that it holds, by idf
CONCEPT = 1.5  # of a notion, against 1 of a word
CONTEXT = 0.8  # what a term counts that only the heading or the FAQ's question holds
KIND, WEAK_KIND = 0.6, 0.2  # for a fact of a kind that was asked for
RANK = 0.5  # of its passage's z-score
OWN_LANGUAGE = 1.0
IN_RANGE = 1.0  # for each number of the question that lies in a range of its row ("175–181 cm")
NEAR = 2.5  # how much less a further sentence of the same passage may score
FAR = 2.0  # how much less a quote of another passage may score

_EXCEPTION = re.compile(
    r"^(?:但|不过|然而|除|如果|若|如需|如有|只有|仅|另外|否则|其中|注意|请注意|超过|不足|未满|逾期|前提|海外|周末|节假日)|除外|以外|不包括|不适用|不含|前提是|否则"
    r"|^(?:but|however|unless|except|if|only|otherwise|note|please note|exceptions?|in that case|provided|this does not|none of)\b|\b(?:unless|except|excluding|excluded|provided that|does not apply)\b",
    re.IGNORECASE,
)
_LEANS_BACK = re.compile(
    r"^(?:但|不过|然而|否则|其中|此时|届时|它|该|此|这|那|上述|同时|然后|因此|所以|也|还|并)|^(?:it|its|they|them|their|this|that|these|those|he|she|but|however|otherwise|then|also|so|in that case|after that|none of)\b",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*[–—~～至到-]\s*(\d+(?:\.\d+)?)")
_NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-]*-)")


class ExtractiveEngine:
    """The default engine where there is no GPU. Thread-safe; holds nothing."""

    name = "extractive"
    model = ""
    prompt_version = "1"

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Iterator[str]:
        """Yields at most three sentences, or one row of a table; nothing when no passage has anything to quote. Raises nothing."""
        for delta in compose(prompt):
            if cancelled():
                return
            yield delta

    def close(self) -> None:
        """There is nothing to free."""


@dataclass(frozen=True, eq=False)
class _Scored:
    quote: Quote
    passage: int
    order: int
    score: float


def compose(prompt: Prompt) -> list[str]:
    """The reply's sentences in order, with their markers and the spaces between them."""
    scored = _score(prompt)
    if not scored:
        return []
    best = max(scored, key=lambda one: one.score)
    kinds = kinds_asked(prompt.question)
    first = _from_passage(best, [one for one in scored if one.passage == best.passage], prompt.passages[best.passage])
    second = _from_another(best, first, scored, kinds)
    if second is not None and len(first) == MOST_SENTENCES:
        first.remove(min(first, key=lambda one: one.score))
    return _written([*first, second] if second is not None else first, prompt.passages)


def _from_another(best: _Scored, first: list[_Scored], scored: list[_Scored], kinds: Sequence[Kind]) -> _Scored | None:
    """The best quote of another passage, if it holds a kind of fact that was asked for and the first passage did not give."""
    missing = [kind for kind in kinds if not kind.weak and not any(kind.holds.search(one.quote.text) for one in first)]
    others = [
        one
        for one in scored
        if one.passage != best.passage and one.score >= best.score - FAR and any(kind.holds.search(one.quote.text) for kind in missing)
    ]
    return max(others, key=lambda one: one.score, default=None)


def _from_passage(best: _Scored, own: list[_Scored], passage: Passage) -> list[_Scored]:
    """The quotes of one passage that go with the best, in their order."""
    if best.quote.is_row:
        return [best]
    if len(own) <= MOST_SENTENCES and passage.question:
        return own
    chosen = {best.order}
    wanted: list[int] = []
    if _LEANS_BACK.match(best.quote.text) and best.order:
        wanted.append(best.order - 1)
    after = best.order + 1
    if after < len(own) and (_EXCEPTION.search(own[after].quote.text) or _LEANS_BACK.match(own[after].quote.text)):
        wanted.append(after)
    wanted += [one.order for one in sorted(own, key=lambda one: -one.score) if one.score >= best.score - NEAR]
    for order in wanted:
        if len(chosen) < MOST_SENTENCES:
            chosen.add(order)
    return [one for one in own if one.order in chosen]


def _written(chosen: list[_Scored], passages: Sequence[Passage]) -> list[str]:
    deltas: list[str] = []
    for number, one in enumerate(chosen):
        last_of_run = number + 1 == len(chosen) or chosen[number + 1].passage != one.passage
        text = without_markers(one.quote.text)
        text = cite(text, one.passage + 1) if last_of_run else text
        deltas.append(text if number == 0 or passages[one.passage].language == "zh" else f" {text}")
    return deltas


def _score(prompt: Prompt) -> list[_Scored]:
    """Every quote of every passage with its score."""
    quotes = [(number, order, quote) for number, passage in enumerate(prompt.passages) for order, quote in enumerate(quotes_of(passage))]
    if not quotes:
        return []
    cosines = np.array([max(float(prompt.passages[n].sentence_vectors[s] @ prompt.question_vector) for s in quote.sentences) for n, _, quote in quotes])
    dense, rank = _z(cosines), _z(np.array([passage.score for passage in prompt.passages]))
    asked = _terms(prompt.question)
    own = [_terms(quote.text) & asked for _, _, quote in quotes]
    context = [_terms(f"{passage.heading}\n{passage.question}") & asked for passage in prompt.passages]
    frequency = Counter(term for (n, _, _), terms in zip(quotes, own, strict=True) for term in terms | context[n])
    weight = {
        term: math.log(1 + len(quotes) / frequency[term]) * (CONCEPT if term.startswith("k:") else 1.0) if frequency[term] else 0.0
        for term in asked
    }
    mass = sum(weight.values()) or 1.0
    kinds = kinds_asked(prompt.question)
    numbers = [float(number) for number in _NUMBER.findall(fold(prompt.question))]

    def score(index: int) -> float:
        number, _, quote = quotes[index]
        passage = prompt.passages[number]
        words = sum(weight[term] * (1.0 if term in own[index] else CONTEXT) for term in own[index] | context[number]) / mass
        facts = sum((WEAK_KIND if kind.weak else KIND) for kind in kinds if kind.holds.search(quote.text))
        ranges = _held(numbers, quote.text) if quote.is_row else 0
        return (
            DENSE * float(dense[index]) + WORDS * words + facts + RANK * float(rank[number])
            + OWN_LANGUAGE * (passage.language == prompt.language) + IN_RANGE * ranges
        )  # fmt: skip

    return [_Scored(quote, number, order, score(index)) for index, (number, order, quote) in enumerate(quotes)]


def _terms(text: str) -> frozenset[str]:
    """The words of a text, and the notions behind them."""
    return frozenset((*search_terms(text), *(f"k:{name}" for name in concepts_of(text))))


def _held(numbers: Sequence[float], text: str) -> int:
    """How many of the numbers lie in a range that the text gives."""
    ranges = [(float(low), float(high)) for low, high in _RANGE.findall(text)]
    return sum(1 for number in numbers if any(low <= number <= high for low, high in ranges))


def _z(values: "np.ndarray") -> "np.ndarray":
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-6 else np.zeros_like(values)
