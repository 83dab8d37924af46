"""Orders the passages that an index has found for a question by a weighted sum of what they have in common with it.

The weights are in calibration.json; `python -m bench.knowledge fit` makes them anew. Knows nothing of answers.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from knowledge.concepts import concepts_of
from knowledge.index import Candidate, Index
from knowledge.language import language_of
from knowledge.passages import Passage, Vectors

READ = 50  # candidates whose passages are read; none of the first five is ever further down
FIRST_LOOK = 2.0  # what the share of words counts against spreads of the cosine until then
COSINE = 20.0  # times a cosine: so its differences, and the weights, are of one size with the others'


@dataclass(frozen=True)
class Ranking:
    """What a passage's score is made of.

    `text` is the cosine of the whole passage; `question` that of an FAQ pair's question; `heading` that of the headings
    and `sentence` that of the best sentence of any other passage. `words` is the share of the question's words by BM25,
    `notions` that of its notions (knowledge.concepts). `own` is added for passages in the question's language, whose
    cosines are higher; `own_parallel` makes up for it by the share of passages that have their translation beside them,
    `own_nearer` is by how much this question is nearer to its language's passages on average (`Index.nearer`), as
    far as they have no translations.
    """

    text: float
    question: float
    heading: float
    sentence: float
    words: float
    notions: float
    own: float
    own_parallel: float
    own_nearer: float


@dataclass(frozen=True, eq=False)
class Ranked:
    """A candidate with its passage, its score, and what the score is made of, in the order of `Ranking`'s fields.

    `steady` is the score without `own_nearer`, which tells passages of one question apart and not whether they answer.
    """

    candidate: Candidate
    passage: Passage
    features: tuple[float, ...]
    score: float
    steady: float

    @property
    def notions(self) -> float:
        """The share of the question's notions that it touches."""
        return self.features[5]


def parallel(index: Index) -> float:
    """The share of an index's passages that have their translation beside them."""
    return float((index.twins >= 0).sum()) / max(len(index), 1)


def rank(
    index: Index, found: Sequence[Candidate], question: str, vector: Vectors, ranking: Ranking, parallel: float
) -> list[Ranked]:
    """The best of the candidates, best first; `vector` has shape (dimension,), `parallel` is the index's.

    Of two translations only the one in the question's language stays, with the better score of both.
    """
    chinese = language_of(question) == "zh"
    at_row = {one.row: one for one in found}
    twins = {row: at_row[twin] for row in at_row if (twin := int(index.twins[row])) in at_row}
    kept = [one for one in found if one.row not in twins or (index.languages[one.row] == 1) == chinese]
    kept.sort(key=lambda one: -max(_first_look(one), _first_look(twins.get(one.row, one))))
    kept = kept[:READ]
    read = [*kept, *(twins[one.row] for one in kept if one.row in twins)]
    passages = index.passages.load([one.row for one in read])
    shares = _shares(concepts_of(question), [concepts_of(searched(passage)) for passage in passages])
    weights = astuple(ranking)
    nearer = index.nearer(vector) * (1 - parallel) * COSINE * (1 if chinese else -1)
    ranked: dict[int, Ranked] = {}
    for one, passage, notions in zip(read, passages, shares, strict=True):
        own = float((passage.language == "zh") == chinese)
        features = (*_cosines(one, passage, vector), one.words, notions, own, own * parallel, own * nearer)
        score = sum(weight * value for weight, value in zip(weights, features, strict=True))
        ranked[one.row] = Ranked(one, passage, features, score, score - ranking.own_nearer * features[-1])
    best = [_better(ranked[one.row], ranked.get(twins[one.row].row if one.row in twins else -1)) for one in kept]
    return sorted(best, key=lambda one: (-one.score, one.candidate.row))


def searched(passage: Passage) -> str:
    """All that a passage says, its headings and question included."""
    return "\n".join((passage.heading, passage.question, passage.text))


def _first_look(one: Candidate) -> float:
    return one.z + FIRST_LOOK * one.words


def _better(own: Ranked, twin: Ranked | None) -> Ranked:
    """The passage in the question's language, as good as its translation at least."""
    if twin is None or twin.score <= own.score:
        return own
    return Ranked(own.candidate, own.passage, twin.features, twin.score, twin.steady)


def _cosines(one: Candidate, passage: Passage, vector: Vectors) -> tuple[float, float, float, float]:
    """`COSINE` times those of text, question, heading and sentence; 0 for what does not count."""
    text, title = COSINE * one.text, COSINE * one.title
    if passage.question:
        return text, title, 0.0, 0.0
    sentence = float((passage.sentence_vectors @ vector).max()) if len(passage.sentence_vectors) else one.text
    return text, 0.0, title, COSINE * sentence


def _shares(asked: frozenset[str], touched: Sequence[frozenset[str]]) -> list[float]:
    """For each text the share of the notions asked for that it touches, each counting by what it tells apart."""
    count = Counter(name for one in touched for name in one & asked)
    weight = {name: math.log1p(len(touched) / (1 + count[name])) for name in asked}
    whole = sum(weight.values()) or 1.0
    return [sum(weight[name] for name in one & asked) / whole for one in touched]
