"""Composes the reply from the best sentences of the passages, word for word, with citations. No model, no chance.

Embeds nothing: it reads the sentence vectors that came with the passages and the question's vector.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chatbot.engines import Prompt
from chatbot.engines.asked import Kind, kinds_asked
from chatbot.engines.citations import cite, without_markers
from chatbot.engines.concepts import concepts_of
from chatbot.engines.quotes import Quote, quotes_of
from knowledge.passages import Passage
from knowledge.terms import fold, search_terms

MOST_SENTENCES = 3

# What a quote's score is made of; looked for by hand on demo/questions.dev.jsonl (`python -m bench.answers`).
DENSE = 0.6  # of its cosine's z-score among all quotes
WORDS = 2.5  # of the share of the question's terms that it holds, by idf
CONCEPT = 2.0  # of a notion, against 1 of a word
CONTEXT = 0.7  # what a term counts that only the heading or the FAQ's question holds
KIND = 0.5  # for a fact of a kind that was asked for
RANK = 0.4  # of its passage's z-score
OWN_LANGUAGE = 0.5
IN_RANGE = 1.0  # for each number of the question that lies in a range of its row ("175–181 cm")
NEAR = 2.5  # how much less a further sentence of the same passage may score
FAR = 2.0  # how much less a quote of another passage may score

_EXCEPTION = re.compile(
    r"^(?:但|不过|然而|除|如果|若|如需|如有|只有|仅|另外|否则|其中|注意|请注意|超过|不足|未满|逾期|前提)|除外|以外|不包括|不适用|不含|前提是"
    r"|^(?:but|however|if|only|otherwise|note|please note|exceptions?|in that case|provided|none of)\b"
    r"|\b(?:unless|except|excluding|excluded|provided that|does not apply|do not apply)\b",
    re.IGNORECASE,
)
_LEANS_BACK = re.compile(
    r"^(?:但|不过|然而|否则|其中|此时|届时|它|该|此|这|那|上述|同时|然后|因此|所以|也|还|并)"
    r"|^(?:it|its|they|their|this|that|these|those|but|however|otherwise|then|also|so|after that|none of)\b",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*[–—~～至到-]\s*(\d+(?:\.\d+)?)")
_NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\d-])")

Floats = npt.NDArray[np.float64]


class ExtractiveEngine:
    """The default engine where there is no GPU. Thread-safe; holds nothing."""

    name = "extractive"
    model = ""
    prompt_version = "1"

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Iterator[str]:
        """Yields at most three sentences, or one row of a table; nothing when there is nothing to quote."""
        for delta in compose(prompt):
            if cancelled():
                return
            yield delta

    def close(self) -> None:
        """There is nothing to free."""


@dataclass(frozen=True, eq=False)
class _Scored:
    """A quote, the `order`-th of the passage at position `passage` in the prompt."""

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
    own = [one for one in scored if one.passage == best.passage]
    first = own if prompt.passages[best.passage].question and len(own) <= MOST_SENTENCES else _with_its_like(best, own)
    second = _told_elsewhere(best, first, scored, kinds_asked(prompt.question))
    if second is None:
        return _written(first, prompt.passages)
    if len(first) == MOST_SENTENCES:
        first = [one for one in first if one is not min(first, key=lambda one: one.score)]
    return _written([*first, second], prompt.passages)


def _with_its_like(best: _Scored, own: list[_Scored]) -> list[_Scored]:
    """The best quote with what it leans on, what limits it and what scores nearly as much, as the passage has them."""
    if best.quote.is_row:
        return [best]
    wanted = [best.order]
    if best.order and _LEANS_BACK.match(best.quote.text):
        wanted.append(best.order - 1)
    after = own[best.order + 1].quote.text if best.order + 1 < len(own) else ""
    if _EXCEPTION.search(after) or _LEANS_BACK.match(after):
        wanted.append(best.order + 1)
    wanted += [one.order for one in sorted(own, key=lambda one: -one.score) if one.score >= best.score - NEAR]
    kept = list(dict.fromkeys(wanted))[:MOST_SENTENCES]
    return [one for one in own if one.order in kept]


def _told_elsewhere(
    best: _Scored, first: list[_Scored], scored: list[_Scored], kinds: Sequence[Kind]
) -> _Scored | None:
    """The best quote of another passage that holds a kind of fact which was asked for and which `first` lacks."""
    missing = [kind for kind in kinds if not any(kind.holds.search(one.quote.text) for one in first)]
    others = [
        one
        for one in scored
        if one.passage != best.passage
        and one.score >= best.score - FAR
        and any(kind.holds.search(one.quote.text) for kind in missing)
    ]
    return max(others, key=lambda one: one.score, default=None)


def _written(chosen: list[_Scored], passages: Sequence[Passage]) -> list[str]:
    """The quotes as text; the last one from a passage cites it."""
    deltas: list[str] = []
    for number, one in enumerate(chosen):
        text = without_markers(one.quote.text)
        if number + 1 == len(chosen) or chosen[number + 1].passage != one.passage:
            text = cite(text, one.passage + 1)
        deltas.append(text if number == 0 or passages[one.passage].language == "zh" else f" {text}")
    return deltas


def _score(prompt: Prompt) -> list[_Scored]:
    """Every quote of every passage with its score."""
    quotes = list(_quotes(prompt.passages))
    if not quotes:
        return []
    cosines = [
        max(
            float(prompt.passages[number].sentence_vectors[sentence] @ prompt.question_vector)
            for sentence in quote.sentences
        )
        for number, _, quote in quotes
    ]
    dense, rank = _z(cosines), _z([passage.score for passage in prompt.passages])
    asked = _terms(prompt.question)
    own = [_terms(quote.text) & asked for _, _, quote in quotes]
    context = [_terms(f"{passage.heading}\n{passage.question}") & asked for passage in prompt.passages]
    weight = _weights(terms | context[number] for (number, _, _), terms in zip(quotes, own, strict=True))
    mass = sum(weight.values()) or 1.0
    kinds = kinds_asked(prompt.question)
    numbers = [float(number) for number in _NUMBER.findall(fold(prompt.question))]

    def score(index: int) -> float:
        number, _, quote = quotes[index]
        words = (
            sum(weight[term] * (1.0 if term in own[index] else CONTEXT) for term in own[index] | context[number]) / mass
        )
        facts = KIND * sum(1 for kind in kinds if kind.holds.search(quote.text))
        fitting = IN_RANGE * _fitting(numbers, quote.text) if quote.is_row else 0.0
        same_language = OWN_LANGUAGE * (prompt.passages[number].language == prompt.language)
        return (
            DENSE * float(dense[index]) + WORDS * words + facts + RANK * float(rank[number]) + fitting + same_language
        )

    return [_Scored(quote, number, order, score(index)) for index, (number, order, quote) in enumerate(quotes)]


def _quotes(passages: Sequence[Passage]) -> Iterator[tuple[int, int, Quote]]:
    """Each quote with the positions of its passage and in its passage, without repetitions."""
    seen: set[str] = set()
    for number, passage in enumerate(passages):
        fresh = [quote for quote in quotes_of(passage) if quote.text not in seen]
        seen.update(quote.text for quote in fresh)
        yield from ((number, order, quote) for order, quote in enumerate(fresh))


def _terms(text: str) -> frozenset[str]:
    """The words of a text, and the notions behind them (`k:`)."""
    return frozenset((*search_terms(text), *(f"k:{name}" for name in concepts_of(text))))


def _weights(terms: Iterable[frozenset[str]]) -> dict[str, float]:
    """What each term can tell apart among the quotes: its idf, times `CONCEPT` for a notion."""
    each = list(terms)
    frequency = Counter(term for one in each for term in one)
    return {
        term: math.log(1 + len(each) / count) * (CONCEPT if term.startswith("k:") else 1.0)
        for term, count in frequency.items()
    }


def _fitting(numbers: Sequence[float], text: str) -> int:
    """How many of the numbers lie in a range that the text gives."""
    ranges = [(float(low), float(high)) for low, high in _RANGE.findall(text)]
    return sum(1 for number in numbers if any(low <= number <= high for low, high in ranges))


def _z(values: Sequence[float]) -> Floats:
    """The values in standard deviations from their mean."""
    array = np.asarray(values, np.float64)
    spread = float(array.std())
    return (array - array.mean()) / spread if spread > 1e-6 else np.zeros_like(array)
