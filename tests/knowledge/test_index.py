import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.filters import Catalogue, Filters
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


@pytest.mark.parametrize(
    ("zh", "en", "same"),
    [
        ("七天内可退货", "Returns within seven days", True),
        ("７天内可退货，运费1000元", "Returns within 7 days, the fee is 1,000 yuan", True),
        ("七天内可退货，运费10元", "Returns within 7 days, the fee is 10 yuan", True),
        ("7天内可退货", "Returns within 14 days", False),
        ("KF-200保修2年", "The KF-300 has a warranty of 2 years", False),
    ],
)
def test_passages_whose_numbers_contradict_each_other_are_no_translations(zh: str, en: str, same: bool) -> None:
    vectors = np.eye(DIMENSION, dtype=np.float32)
    texts = [zh, en, "运费", "fees"]
    entries = [entry(row, text, vector=vectors[row // 2]) for row, text in enumerate(texts)]
    twins = Index(entries, version=1, dimension=DIMENSION).twins.tolist()
    assert twins == ([1, 0, 3, 2] if same else [-1, -1, 3, 2])


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
    st.sampled_from([None, {"language": ["zh"]}, {"brand": ["0", "2"]}, {"brand": ["1"], "language": ["en", "zh"]}]),
)
def test_after_any_history_an_index_finds_what_one_made_anew_finds(
    seed: int, shared: bool, releases: list[tuple[set[int], bool]], depth: int, filters: Filters | None
) -> None:
    about = Catalogue({version: {"brand": str(version % 3)} for version in range(1, 9)})
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
        for one in (index.described(about), fresh.described(about)):
            of_chunk = {
                row: passage.chunk_id for row, passage in enumerate(one.passages.load(range(len(one.passages))))
            }
            results.append(
                {
                    of_chunk[c.row]: (c.text, c.title, c.z, c.bm25, c.words, of_chunk.get(int(one.twins[c.row])))
                    for c in one.find(query, terms, depth=depth, filters=filters)
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


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 12),
    st.fixed_dictionaries(
        {"brand": st.sets(st.sampled_from("0123"))}, optional={"language": st.sets(st.sampled_from(["zh", "en", "fr"]))}
    ),
)
def test_a_filter_finds_the_best_of_what_it_lets_through_with_unchanged_scores(
    seed: int, depth: int, filters: dict[str, set[str]]
) -> None:
    versions = versions_of(seed, 8, shared=False)
    parts = [make_segment([e for v in some for e in versions[v]], DIMENSION) for some in ((1, 2, 3, 4, 5), (6, 7, 8))]
    index = Index.of_parts([Part.whole(one) for one in parts], version=0)
    index = index.moved_to(1, [1, 3, 4, 6, 7, 8], lambda _: make_segment([], DIMENSION))
    index = index.described(Catalogue({version: {"brand": str(version % 3)} for version in range(1, 9)}))
    query = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32) + 1
    terms = search_terms("退货 tent")
    whole = {one.row: one for one in index.find(query, terms, depth=1000)}
    found = {one.row: one for one in index.find(query, terms, depth=depth, filters=filters)}

    def fits(row: int) -> bool:
        passage = index.passages[row]
        brand = str(int(passage.document.removesuffix(".md")) % 3)
        return brand in filters["brand"] and passage.language in filters.get("language", {"zh", "en"})

    through = {row for row in whole if fits(row)}
    assert found.keys() <= through
    for row, one in found.items():
        scores = [(each.text, each.z, each.bm25) for each in (one, whole[row])]
        np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-4)
    best = sorted(through, key=lambda row: -whole[row].text)[:depth]
    assert all(row in found for row in through if whole[row].text > whole[best[-1]].text + 1e-4)
    worst = sorted((whole[row].bm25 for row in through), reverse=True)[:depth]
    assert all(row in found for row in through if whole[row].bm25 > max(worst[-1], 0) + 1e-4)


def test_a_filter_that_nothing_fits_finds_nothing_and_what_is_said_anew_counts_at_once() -> None:
    entries = [
        Entry(entry(row, "gas stove").passage, FakeEmbedder().embed(["query: gas"])[0], NO_TITLE, row) for row in (0, 1)
    ]
    index = Index(entries, version=1, dimension=DIMENSION)
    query, terms = FakeEmbedder().embed(["query: gas"])[0], search_terms("gas")
    assert index.find(query, terms, filters={"brand": ["a"]}) == []
    assert index.find(query, terms, filters={"brand": []}) == []
    later = index.described(Catalogue({1: {"brand": "a"}}))
    assert [one.row for one in later.find(query, terms, filters={"brand": ["a"]})] == [1]
    assert len(later.find(query, terms)) == 2
    assert index.find(query, terms, filters={"brand": ["a"]}) == []


def test_of_two_translations_a_filter_by_language_leaves_the_one_it_lets_through() -> None:
    vectors = np.eye(DIMENSION, dtype=np.float32)
    texts = ["退货", "returns", "运费", "fees"]
    index = Index(
        [entry(row, text, vector=vectors[row // 2]) for row, text in enumerate(texts)], version=1, dimension=DIMENSION
    )
    assert index.twins.tolist() == [1, 0, 3, 2]
    found = index.find(vectors[0], [], filters={"language": ["en"]}, depth=1)
    assert [one.row for one in found] == [1]


def test_how_much_nearer_a_language_is_on_average_counts_only_beside_another_one() -> None:
    vectors = np.eye(DIMENSION, dtype=np.float32)
    chinese = [entry(row, "帐篷", vector=vectors[0]) for row in range(30)]
    english = [entry(row, "tent", vector=vectors[1]) for row in range(30)]
    both = Index([*chinese, *english], version=1, dimension=DIMENSION)
    assert both.nearer(vectors[0]) == pytest.approx(30 / 40)
    assert both.nearer(vectors[1]) == pytest.approx(-30 / 40)
    assert both.nearer(vectors[2]) == 0
    few = Index([*chinese, *english[:1]], version=1, dimension=DIMENSION)
    assert 0 < few.nearer(vectors[0]) < 0.1
    for one in (chinese, english, []):
        assert Index(one, version=1, dimension=DIMENSION).nearer(vectors[0]) == 0
