import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.lexical import Lexical
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
