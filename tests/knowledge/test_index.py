import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.index import Entry, Index, Part
from knowledge.language import language_of
from knowledge.passages import Passage, Vectors
from knowledge.segments import make_segment
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


def versions_of(seed: int, count: int, *, shared: bool) -> dict[int, list[Entry]]:
    """Document versions of one to six chunks with vectors around one direction; `shared` vectors are translations."""
    dice = np.random.default_rng(seed)
    words = ["运费", "退货", "发票", "refund", "tent", "KF200", "shipping", "七天"]
    made: dict[int, list[Entry]] = {}
    for version in range(1, count + 1):
        made[version] = []
        for number in range(int(dice.integers(1, 7))):
            chunk = version * 10 + number
            text = " ".join(dice.choice(words, 4))
            language = "zh" if dice.random() < 0.5 else "en"
            vectors = dice.normal(size=(1 + int(dice.integers(0, 3)), DIMENSION)).astype(np.float32) + 1
            if shared and made.get(version - 1):
                vectors[0] = made[version - 1][0].text + 0.01 * vectors[0]
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            passage = Passage(chunk, f"{version}.md", str(chunk), "", text, "", language, (), NO_TITLE)
            made[version].append(Entry(passage, vectors[0], vectors[1:], version))
    return made


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 10_000),
    st.booleans(),
    st.lists(st.tuples(st.sets(st.integers(1, 8)), st.booleans()), min_size=1, max_size=6),
    st.sampled_from([3, 100]),
)
def test_after_any_history_an_index_finds_what_one_made_anew_finds(
    seed: int, shared: bool, releases: list[tuple[set[int], bool]], depth: int
) -> None:
    versions = versions_of(seed, 8, shared=shared)
    snapshot = make_segment([entry for version in (1, 2, 3) for entry in versions[version]], DIMENSION)
    index = Index.of_parts([Part.whole(snapshot)], version=0)
    dice = np.random.default_rng(seed)
    for number, (wanted, tidied) in enumerate(releases, 1):
        index = index.moved_to(
            number,
            wanted,
            lambda some: make_segment([e for version in some for e in versions[version]], DIMENSION),
            tidy=tidied,
        )
        index.pair()
        fresh = Index(
            [entry for version in sorted(wanted) for entry in versions[version]], version=number, dimension=DIMENSION
        )
        assert (len(index), index.version) == (len(fresh), number)
        query = dice.normal(size=DIMENSION).astype(np.float32) + 1
        query /= np.linalg.norm(query)
        terms = search_terms("退货 运费 tent refund kf-200"[: int(dice.integers(2, 26))])
        results = []
        for one in (index, fresh):
            of_chunk = {
                row: passage.chunk_id for row, passage in enumerate(one.passages.load(range(len(one.passages))))
            }
            results.append(
                {
                    of_chunk[c.row]: (c.text, c.title, c.z, c.bm25, c.words, of_chunk.get(int(one.twins[c.row])))
                    for c in one.find(query, terms, depth=depth)
                }
            )
        if depth == 100:  # else texts of equal score may take each other's place at the end
            assert results[0].keys() == results[1].keys()
            assert {chunk: one[5] for chunk, one in results[0].items()} == {c: one[5] for c, one in results[1].items()}
        for chunk in results[0].keys() & results[1].keys():
            np.testing.assert_allclose(results[0][chunk][:5], results[1][chunk][:5], rtol=1e-4, atol=1e-4)


def test_what_has_gone_is_not_found_however_near_it_is() -> None:
    near = FakeEmbedder().embed(["passage: gas stove"])[0]
    old = [Entry(entry(row, "gas stove", vector=near).passage, near, NO_TITLE, 1) for row in range(300)]
    kept = Entry(entry(300, "tent").passage, FakeEmbedder().embed(["passage: tent"])[0], NO_TITLE, 2)
    index = Index.of_parts([Part.whole(make_segment([*old, kept], DIMENSION))], version=1)
    after = index.moved_to(2, [2], lambda _: make_segment([], DIMENSION))
    assert ask(after, "gas stove", depth=5).keys() == {300}
    assert (len(after), after.worn) == (1, 300)
    assert [passage.chunk_id for passage in after.passages] == [300]
    back = after.moved_to(1, [1, 2], lambda _: make_segment([], DIMENSION))
    assert (len(back), back.worn) == (301, 0)


def test_pairs_of_translations_stay_until_they_are_looked_for_anew() -> None:
    vectors = np.eye(DIMENSION, dtype=np.float32)
    texts = ["退货", "returns", "运费", "fees", "发票", "invoice"]
    entries = [Entry(entry(row, text).passage, vectors[row // 2], NO_TITLE, row) for row, text in enumerate(texts)]
    index = Index.of_parts([Part.whole(make_segment(entries[:4], DIMENSION))], version=1)
    assert index.twins.tolist() == [1, 0, 3, 2]
    after = index.moved_to(2, [1, 2, 3, 4, 5], lambda some: make_segment([entries[one] for one in some], DIMENSION))
    assert after.twins.tolist() == [-1, -1, 3, 2, -1, -1]
    after.pair()
    assert after.twins.tolist() == [-1, -1, 3, 2, 5, 4]
