import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.index import Entry, Index
from knowledge.language import language_of
from knowledge.passages import Passage, Vectors
from knowledge.terms import search_terms
from tests.knowledge.fakes import DIMENSION, FakeEmbedder

NO_TITLE = np.empty((0, DIMENSION), np.float32)


def entry(row: int, text: str, title: str = "", vector: Vectors | None = None) -> Entry:
    embedder = FakeEmbedder()
    passage = Passage(row, "doc", str(row), "", text, title, language_of(text), (), NO_TITLE)
    titles = embedder.embed([f"query: {title}"]) if title else NO_TITLE
    return Entry(passage, embedder.embed([f"passage: {text}"])[0] if vector is None else vector, titles)


def ask(index: Index, question: str, depth: int = 50) -> dict[int, tuple[float, float, float]]:
    found = index.find(FakeEmbedder().embed([f"query: {question}"])[0], search_terms(question), depth=depth)
    return {one.row: (one.text, one.title, one.bm25) for one in found}


def test_an_empty_index_finds_nothing() -> None:
    assert Index([], version=3, dimension=DIMENSION).find(np.ones(DIMENSION, np.float32), ["w:a"]) == []


def test_passages_are_found_by_vector_and_by_words() -> None:
    index = Index(
        [entry(0, "Refunds take three days"), entry(1, "Our shop is in Hangzhou")], version=3, dimension=DIMENSION
    )
    found = ask(index, "refund days")
    assert len(index) == 2
    assert index.version == 3
    assert found[0][0] > found[1][0]
    assert found[0][2] > 0 == found[1][2]


def test_a_rare_word_brings_in_a_passage_that_is_not_near() -> None:
    entries = [
        entry(row, f"tent {row} for campers", vector=FakeEmbedder().embed(["passage: gas stove"])[0])
        for row in range(30)
    ]
    far = entry(30, "code KF200 here", vector=FakeEmbedder().embed(["passage: nothing alike"])[0])
    assert 30 in ask(Index([*entries, far], version=1, dimension=DIMENSION), "gas stove kf-200", depth=3)


def test_the_title_counts_where_there_is_one() -> None:
    index = Index(
        [entry(0, "Three days.", "How long does a refund take?"), entry(1, "Three days.")],
        version=1,
        dimension=DIMENSION,
    )
    (_, with_title, _), (text, without, _) = ask(index, "how long does a refund take").values()
    assert with_title > 0.9
    assert without == text


def test_translations_find_each_other_and_lonely_passages_nobody() -> None:
    vectors = np.eye(DIMENSION, dtype=np.float32)
    pairs = [
        entry(row, text, vector=vectors[row // 2])
        for row, text in enumerate(["退货", "returns", "运费", "fees", "发票", "invoice"])
    ]
    lonely = entry(6, "帐篷很结实", vector=vectors[9])
    assert Index([*pairs, lonely], version=1, dimension=DIMENSION).twins.tolist() == [1, 0, 3, 2, 5, 4, -1]
    assert Index(pairs[::2], version=1, dimension=DIMENSION).twins.tolist() == [-1, -1, -1]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(0, 3), st.integers(0, 10_000))
def test_cosines_are_those_of_the_vectors_and_z_scores_those_of_their_language(
    size: int, titles: int, seed: int
) -> None:
    dice = np.random.default_rng(seed)

    def some(count: int) -> Vectors:
        vectors = dice.normal(size=(count, DIMENSION)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    entries = [
        Entry(
            Passage(row, "d", "", "", "退货" if row % 2 else "a", "", "zh" if row % 2 else "en", (), NO_TITLE),
            some(1)[0],
            some(titles),
        )
        for row in range(size)
    ]
    query = some(1)[0]
    found = Index(entries, version=1, dimension=DIMENSION).find(query, [], depth=size * 3)
    assert len(found) == size
    for one in found:
        kin = [e for e in entries if e.passage.language == entries[one.row].passage.language]
        cosines = np.array([e.text @ query for e in kin])
        np.testing.assert_allclose(one.text, entries[one.row].text @ query, atol=1e-5)
        z = (one.text - cosines.mean()) / max(cosines.std(), 0.01)
        if titles:
            each = np.concatenate([e.titles @ query for e in kin])
            np.testing.assert_allclose(one.title, (entries[one.row].titles @ query).max(), atol=1e-5)
            z = (z + (one.title - each.mean()) / max(each.std(), 0.01)) / 2
        np.testing.assert_allclose(one.z, z, atol=1e-2)
