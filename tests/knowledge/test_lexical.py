from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import lexical
from knowledge.lexical import Lexical, Postings
from knowledge.terms import search_terms

TEXTS = ["退货运费由我们承担", "PPR-9087 冲锋衣 1399元", "Refunds take three days", "发票可以在订单页申请", ""]
LEXICAL = Lexical.build([search_terms(text) for text in TEXTS])


@pytest.mark.parametrize(
    ("question", "best"),
    [("退貨運費誰付", 0), ("ppr9087多少钱", 1), ("PPR 9087?", 1), ("when do I get my refund", 2), ("怎么开发票", 3)],
)
def test_the_text_that_shares_the_rarest_terms_is_best(question: str, best: int) -> None:
    assert int(LEXICAL.scores(search_terms(question)).argmax()) == best


def test_a_question_of_unknown_words_scores_nothing() -> None:
    assert not LEXICAL.scores(search_terms("kayak 皮划艇")).any()


def test_an_unknown_term_has_the_most_mass() -> None:
    assert LEXICAL.mass("w:kayak") > LEXICAL.mass("w:refund")


def test_an_empty_base_can_be_searched() -> None:
    assert len(Lexical.build([]).scores(["w:refund"])) == 0


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from(["w:a", "w:b", "b:c", "c:d1"]), max_size=6), min_size=1, max_size=8))
def test_a_text_has_a_score_exactly_where_it_has_a_term(texts: list[list[str]]) -> None:
    lexical = Lexical.build(texts)
    for term in ("w:a", "w:b", "b:c", "c:d1", "w:never"):
        scores = lexical.scores([term])
        assert [bool(score > 0) for score in scores] == [term in text for text in texts]
        assert [lexical.has(row, term) for row in range(len(texts))] == [term in text for text in texts]


TERMS = st.lists(st.sampled_from(["w:a", "w:b", "w:c", "b:c", "b:d", "c:d1"]), max_size=6)


@settings(max_examples=100)
@given(st.lists(TERMS, max_size=12), st.lists(TERMS, max_size=12), st.data())
def test_parts_with_gone_rows_score_as_one_index_of_what_is_left(
    one: list[list[str]], other: list[list[str]], data: st.DataObject
) -> None:
    masks = [
        np.asarray(data.draw(st.lists(st.booleans(), min_size=len(p), max_size=len(p))), bool) for p in (one, other)
    ]
    alive = np.flatnonzero(np.concatenate([np.empty(0, bool), *masks]))
    parts = [(Postings.build(texts), mask) for texts, mask in zip((one, other), masks, strict=True)]
    fresh = Lexical.build([[*one, *other][row] for row in alive])
    merged = Postings.join(parts)
    for parted in (Lexical(parts), Lexical([(merged, np.ones(len(alive), bool))])):
        query = data.draw(TERMS)
        scores = parted.scores(query)
        left = scores[alive] if len(scores) > len(alive) else scores
        np.testing.assert_allclose(left, fresh.scores(query), rtol=1e-5)
        assert np.count_nonzero(scores) == np.count_nonzero(left)
        for term in ("w:a", "b:d", "c:d1", "w:never"):
            assert parted.mass(term) == pytest.approx(fresh.mass(term))
        depth = data.draw(st.integers(1, 5))
        best = parted.best(query, depth)
        np.testing.assert_allclose(
            np.sort(scores[best])[::-1][:depth], [one for one in np.sort(scores)[::-1][:depth] if one > 0], rtol=1e-5
        )
        np.testing.assert_allclose(parted.scores_of(query, best), scores[best], rtol=1e-5)


@pytest.mark.parametrize("bound_from", [50, 20_000])
def test_the_best_rows_are_found_without_reading_common_words_through(
    monkeypatch: pytest.MonkeyPatch, bound_from: int
) -> None:
    monkeypatch.setattr(lexical, "_BOUND_FROM", bound_from)
    dice = np.random.default_rng(3)
    words = [f"w:{word}" for word in range(200)]
    likely = 1 / np.arange(1, 201)
    texts = [list(dice.choice(words, 12, p=likely / likely.sum())) for _ in range(2000)]
    built = Lexical.build(texts)
    read: list[str] = []
    add = Lexical._add

    def recorded(self: Lexical, term: str, *how: Any) -> float:
        read.append(term)
        return add(self, term, *how)

    monkeypatch.setattr(Lexical, "_add", recorded)
    for question in texts[:50]:
        scores = np.sort(built.scores(question))[::-1]
        read.clear()
        best = built.best(question, 10)
        np.testing.assert_allclose(np.sort(built.scores_of(question, best))[::-1], scores[:10], rtol=1e-5)
        assert len(best) == 10
    assert len(read) < len(set(question))
