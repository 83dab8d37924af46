"""Composes the reply from the best sentences of the passages, word for word, with citations. No model, no chance.

Embeds nothing: it reads the sentence vectors that came with the passages and the question's vector.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chatbot.engines import Draft, Prompt
from chatbot.engines.citations import cite, without_markers
from chatbot.engines.quotes import Quote, quotes_of
from knowledge.asked import kinds_asked
from knowledge.concepts import concepts_of
from knowledge.passages import Passage
from knowledge.terms import fold

MOST_SENTENCES = 3

# What a quote's score is made of besides its passage's own; looked for on the development questions of `bench.answers`.
DENSE = 0.6  # of its cosine's z-score among all quotes
NOTIONS = 1.3  # of the share of the question's notions that it touches, by idf
KIND = 0.9  # for a fact of a kind that was asked for
IN_RANGE = 1.0  # for each number of the question that lies in a range of its row ("175–181 cm")
# How much less than the best one a further quote may score.
NEAR = 2.5  # of the same passage
FAR = 1.5  # of another passage
ROW = 0.5  # where one of them is a table's row: a row is an answer by itself

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
    prompt_version = "2"

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Draft:
        """Yields at most three sentences, a row of a table being one; nothing when there is nothing to quote."""

        def write(_: Draft) -> Generator[str, None, None]:
            for delta in compose(prompt):
                if cancelled():
                    return
                yield delta

        return Draft(self, write, bounded=True)

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
    scored = sorted(_score(prompt), key=lambda one: -one.score)
    if not scored:
        return []
    chosen = _with_its_own(scored[0], [one for one in scored if one.passage == scored[0].passage], prompt.passages)
    for one in scored[1:]:
        if len(chosen) >= MOST_SENTENCES:
            break
        if one not in chosen and scored[0].score - one.score <= _most_less(scored[0], one):
            chosen.append(one)
    first = scored[0].passage
    return _written(sorted(chosen, key=lambda one: (one.passage != first, one.passage, one.order)), prompt.passages)


def _with_its_own(best: _Scored, own: list[_Scored], passages: Sequence[Passage]) -> list[_Scored]:
    """A short FAQ answer whole; else the best quote with what it leans on and what limits it. `own`: its passage's."""
    if passages[best.passage].question and len(own) <= MOST_SENTENCES:
        return own
    if best.quote.is_row:
        return [best]
    before = [one for one in own if one.order == best.order - 1 and _LEANS_BACK.match(best.quote.text)]
    after = [
        one
        for one in own
        if one.order == best.order + 1 and (_EXCEPTION.search(one.quote.text) or _LEANS_BACK.match(one.quote.text))
    ]
    return [best, *before, *after]


def _most_less(best: _Scored, other: _Scored) -> float:
    """How much less than the best quote another one may score to be told, too."""
    least = NEAR if other.passage == best.passage else FAR
    return min(least, ROW) if best.quote.is_row or other.quote.is_row else least


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
    dense = _z(cosines)
    notions = _shares(concepts_of(prompt.question), [concepts_of(quote.text) for _, _, quote in quotes])
    kinds = kinds_asked(prompt.question)
    numbers = [float(number) for number in _NUMBER.findall(fold(prompt.question))]

    def score(index: int) -> float:
        number, _, quote = quotes[index]
        facts = sum(1 for kind in kinds if kind.holds.search(quote.text))
        fitting = _fitting(numbers, quote.text) if quote.is_row else 0
        own = DENSE * float(dense[index]) + NOTIONS * notions[index] + KIND * facts + IN_RANGE * fitting
        return prompt.passages[number].score + own

    return [_Scored(quote, number, order, score(index)) for index, (number, order, quote) in enumerate(quotes)]


def _quotes(passages: Sequence[Passage]) -> Iterator[tuple[int, int, Quote]]:
    """Each quote with the positions of its passage and in its passage, without repetitions."""
    seen: set[str] = set()
    for number, passage in enumerate(passages):
        fresh = [quote for quote in quotes_of(passage) if quote.text not in seen]
        seen.update(quote.text for quote in fresh)
        yield from ((number, order, quote) for order, quote in enumerate(fresh))


def _shares(asked: frozenset[str], touched: Sequence[frozenset[str]]) -> list[float]:
    """For each quote the share of the notions asked for that it touches, each counting by what it tells apart."""
    frequency = Counter(name for one in touched for name in one & asked)
    weight = {name: math.log(1 + len(touched) / count) for name, count in frequency.items()}
    whole = sum(weight.values()) or 1.0
    return [sum(weight[name] for name in one & asked) / whole for one in touched]


def _fitting(numbers: Sequence[float], text: str) -> int:
    """How many of the numbers lie in a range that the text gives."""
    ranges = [(float(low), float(high)) for low, high in _RANGE.findall(text)]
    return sum(1 for number in numbers if any(low <= number <= high for low, high in ranges))


def _z(values: Sequence[float]) -> Floats:
    """The values in standard deviations from their mean."""
    array = np.asarray(values, np.float64)
    spread = float(array.std())
    return (array - array.mean()) / spread if spread > 1e-6 else np.zeros_like(array)
