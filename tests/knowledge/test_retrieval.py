from collections.abc import Sequence

import numpy as np
import pytest

from knowledge.answerability import Calibration
from knowledge.embedding import OnnxEmbedder, as_passage, as_query
from knowledge.index import Entry, Index
from knowledge.language import language_of
from knowledge.passages import Passage, Vectors
from knowledge.ranking import Ranking
from knowledge.retrieval import Retriever, asks_the_same
from tests.knowledge.fakes import DIMENSION, FakeEmbedder

FAQ = {
    "退款多久到账？": "审核通过后三个工作日内原路退回。",
    "退货的运费谁出？": "质量问题由我们承担，其他情况由您承担。",
    "怎么开发票？": "在订单详情页点击申请发票。",
    "PPR-9087防水吗？": "PPR-9087冲锋衣防水等级为20000毫米。",
    "PPR-9088防水吗？": "PPR-9088软壳衣只防小雨。",
    "Do you ship to Canada?": "Yes, by air, within ten days.",
    "Can I pay by credit card?": "We take Visa and Mastercard.",
}
PLAIN = Ranking(1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0)
SURE = Calibration((5.0, *[0.0] * 8), (5.0, *[0.0] * 8), 0.5, PLAIN)
DOUBTFUL = Calibration((-5.0, *[0.0] * 8), (-5.0, *[0.0] * 8), 0.5, PLAIN)


def passage(question: str, answer: str, dense: float = 0.0, dimension: int = DIMENSION) -> Passage:
    vectors = np.zeros((0, dimension), np.float32)
    return Passage(1, "faq.csv", question, "", answer, question, language_of(question), (), vectors, dense=dense)


def index_of(pairs: dict[str, str], embedder: FakeEmbedder | OnnxEmbedder) -> Index:
    texts = embedder.embed([as_passage(f"{question}\n{answer}") for question, answer in pairs.items()])
    titles = embedder.embed([as_query(question) for question in pairs])
    entries = [
        Entry(passage(*pair, dimension=embedder.dimension), text, title[None, :])
        for pair, text, title in zip(pairs.items(), texts, titles, strict=True)
    ]
    return Index(entries, version=7, dimension=embedder.dimension)


def retriever(calibration: Calibration = SURE, pairs: dict[str, str] = FAQ) -> Retriever:
    embedder = FakeEmbedder()

    def embed_query(question: str) -> Vectors:
        return embedder.embed([as_query(question)])[0]

    return Retriever(index_of(pairs, embedder), embed_query, calibration)


def test_the_best_passage_comes_first_with_its_scores() -> None:
    found = retriever().search("退貨運費要我出嗎", top=3)
    assert found.passages[0].question == "退货的运费谁出？"
    assert [one.score for one in found.passages] == sorted((one.score for one in found.passages), reverse=True)
    assert len(found.passages) == 3
    assert found.passages[0].bm25 > 0
    assert found.passages[0].dense > found.passages[2].dense
    assert (found.knowledge_version, found.answerable, found.exact) == (7, True, False)
    assert found.question_vector.shape == (DIMENSION,)


@pytest.mark.parametrize("code", ["PPR-9087", "ppr 9087", "PPR9087"])
def test_a_code_finds_its_own_passage_and_not_its_neighbour(code: str) -> None:
    assert "9087" in retriever().search(f"{code} 下雨能穿吗").passages[0].text


def test_an_empty_base_answers_nothing() -> None:
    index = Index([], version=2, dimension=DIMENSION)
    found = Retriever(index, lambda _: np.ones(DIMENSION, np.float32)).search("退款多久到账？")
    assert (found.passages, found.answerable, found.confidence, found.exact) == ((), False, 0.0, False)


def test_doubt_is_not_answerable_unless_the_question_is_the_very_same() -> None:
    doubtful = retriever(DOUBTFUL)
    assert not doubtful.search("退款到哪里").answerable
    found = doubtful.search("请问退款多久到账")
    assert found.exact
    assert found.answerable
    assert found.confidence >= 0.99


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("退款多久到账", "退款多久到账？"),
        ("请问退款多久能到账呀", "退款多久到账？"),
        ("退款多長時間到賬？", "退款多久到账？"),
        ("credit card: can I pay?", "Can I pay by credit card?"),
        ("怎样开发票", "如何开发票？"),
        ("do you ship to canada", "Do you ship to Canada?"),
        ("Please, do you ship to Canada?", "Do you ship to Canada?"),
    ],
)
def test_the_same_question_in_other_dress_is_the_same(question: str, other: str) -> None:
    assert asks_the_same(question, passage(other, "a", dense=0.95))


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("7天内能退吗", "15天内能退吗"),
        ("7天内不能退吗", "7天内能退吗"),
        ("PPR-9087防水吗", "PPR-9088防水吗"),
        ("从中国寄到加拿大多久", "从加拿大寄到中国多久"),
        ("Can I change from card to cash?", "Can I change from cash to card?"),
        ("怎么退货", "可以退货吗"),
        ("How do I open an account?", "How do I close an account?"),
        ("When do you ship?", "Where do you ship?"),
        ("", ""),
        ("退款", ""),
    ],
)
def test_a_question_that_differs_in_what_matters_is_another(question: str, other: str) -> None:
    assert not asks_the_same(question, passage(other, "a", dense=0.99))


def test_the_same_words_far_apart_are_not_the_same() -> None:
    assert not asks_the_same("退款多久到账", passage("退款多久到账？", "a", dense=0.8))


def test_of_two_translations_the_one_in_the_questions_language_is_given() -> None:
    same = np.eye(DIMENSION, dtype=np.float32)
    names = ["运费是20元", "The fee is 20 yuan", "退货七天", "Returns within seven days"]
    entries = [
        Entry(passage(name, name), same[row // 2], same[row // 2 : row // 2 + 1]) for row, name in enumerate(names)
    ]
    search = Retriever(Index(entries, version=1, dimension=DIMENSION), lambda _: same[0], SURE).search
    assert [one.text for one in search("how much is the fee", 2).passages] == [names[1], names[3]]
    assert [one.text for one in search("运费多少", 2).passages] == [names[0], names[2]]


def test_an_error_of_the_embedder_passes_through() -> None:
    def fail(_: str) -> Vectors:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        Retriever(Index([], version=1, dimension=DIMENSION), fail).search("hi")


@pytest.mark.models
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("钱什么时候退给我", "退款多久到账？"),
        ("邮费我付还是你付", "退货的运费谁出？"),
        ("我要发票报销", "怎么开发票？"),
        ("你们能寄到加拿大吗", "Do you ship to Canada?"),
        ("is mastercard ok", "Can I pay by credit card?"),
    ],
)
def test_the_real_model_finds_paraphrases_and_crosses_languages(
    real_embedder: OnnxEmbedder, question: str, answer: str
) -> None:
    found = Retriever(index_of(FAQ, real_embedder), lambda text: real_embedder.embed([as_query(text)])[0]).search(
        question
    )
    assert answer in [one.question for one in found.passages[:2]]


@pytest.mark.parametrize("question", ["退貨運費要我出嗎", "请问退款多久到账"])
def test_a_reranker_puts_the_first_passages_in_order_but_never_before_the_very_same_question(question: str) -> None:
    plain = retriever().search(question)
    embedder = FakeEmbedder()
    asked: list[str] = []

    def by_length(question: str, texts: Sequence[str]) -> list[float]:
        asked.extend(texts)
        return [float(len(text)) for text in texts]

    search = Retriever(
        index_of(FAQ, embedder), lambda text: embedder.embed([as_query(text)])[0], SURE, rerank=by_length
    ).search
    found = search(question, top=3)
    assert (found.confidence, found.exact) == (plain.confidence, plain.exact)
    if found.exact:
        assert asked == []
        assert [one.text for one in found.passages] == [one.text for one in plain.passages[:3]]
    else:
        assert len(asked) == len(plain.passages) > 3
        assert [one.rerank for one in found.passages] == sorted(map(float, map(len, asked)), reverse=True)[:3]
        assert {one.text: one.score for one in plain.passages}.items() >= {
            o.text: o.score for o in found.passages
        }.items()


def test_without_an_answer_of_the_reranker_the_order_stays() -> None:
    embedder = FakeEmbedder()
    late = Retriever(
        index_of(FAQ, embedder), lambda text: embedder.embed([as_query(text)])[0], SURE, rerank=lambda *_: None
    )
    found, plain = late.search("退貨運費要我出嗎"), retriever().search("退貨運費要我出嗎")
    assert [(one.text, one.rerank) for one in found.passages] == [(one.text, None) for one in plain.passages]
