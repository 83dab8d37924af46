import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.db.models.sql import compiler
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from knowledge import loading, purging, releases, services, snapshots
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.filters import Catalogue
from knowledge.index import Index
from knowledge.loading import Loader, current_version, load_index, published
from knowledge.models import Chunk, Document, DocumentVersion, Embedding, KnowledgeBase, Purge, Release
from knowledge.services import import_document, retire_document
from knowledge.terms import search_terms
from knowledge.vectors import text_hash
from tests.knowledge import tooling
from tests.knowledge.fakes import FakeEmbedder, pass_all

pytestmark = pytest.mark.django_db

PAGE = "# Returns\n\n## Time\n\nWithin 7 days. Unworn only.\n\n## Cost\n\nFree.\n"


def bring(name: str = "returns.md", data: str = PAGE) -> None:
    import_document("shop", name, data.encode(), embedder=FakeEmbedder(), judge=pass_all, guard_version="g1")


def texts(index: Index) -> list[str]:
    return sorted(passage.text for passage in index.passages)


def first(index: Index, question: str) -> str:
    found = index.find(FakeEmbedder().embed([f"query: {question}"])[0], search_terms(question))
    return index.passages[max(found, key=lambda one: one.z + one.words).row].text


def base_id() -> int:
    return KnowledgeBase.objects.get(slug="shop").pk


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every base is large, and worn by any change."""
    monkeypatch.setattr(loading, "IN_MEMORY", 0)
    monkeypatch.setattr(loading, "WORN_LEAST", 0)


def test_an_index_holds_what_was_imported_with_the_vectors_that_were_stored() -> None:
    bring()
    index = load_index("shop", "fake@1")
    first = index.passages[0]
    assert (first.document, first.ref, first.heading, first.text) == (
        "returns.md",
        "Time",
        "Returns › Time",
        "Within 7 days. Unworn only.",
    )
    assert [one.text for one in first.sentences] == ["Within 7 days.", "Unworn only."]
    expected = FakeEmbedder().embed(["passage: Within 7 days.", "passage: Unworn only."])
    np.testing.assert_allclose(first.sentence_vectors, expected, atol=2e-3)
    question = FakeEmbedder().embed(["query: Time"])[0]
    assert {one.row: one.title for one in index.find(question, [])}[0] == pytest.approx(1, abs=2e-3)


def test_loading_takes_the_same_few_queries_however_much_there_is(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    bring()
    with django_assert_num_queries(4):
        load_index("shop", "fake@1")
    for number in range(5):
        bring(f"{number}.md", PAGE + f"\n## More {number}\n\nText {number}.\n")
    with django_assert_num_queries(4):
        assert len(load_index("shop", "fake@1")) == 17


def test_a_change_reads_what_is_new_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    bring()
    loader = Loader("fake@1")
    index = loader.load("shop")
    read: list[int] = []
    batches = loading._batches

    def recorded(versions: Sequence[int]) -> object:
        read.extend(versions)
        return batches(versions)

    monkeypatch.setattr(loading, "_batches", recorded)
    bring("more.md", "The hotline is open on Sundays.")
    after = loader.load("shop", index)
    assert read == [DocumentVersion.objects.get(document__name="more.md").pk]
    assert (len(index), len(after), after.version) == (2, 3, 2)
    retire_document("shop", "returns.md")
    assert texts(loader.load("shop", after)) == ["The hotline is open on Sundays."]
    releases.rollback("shop", 1)
    assert texts(loader.load("shop", after)) == texts(index)


@contextmanager
def database_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many queries there were and how many rows they gave, once it is over."""
    rows, work = list[int](), list[int]()
    original = compiler.cursor_iter

    def counted(*arguments: Any) -> Iterator[Any]:
        for some in original(*arguments):
            rows.append(len(some))
            yield some

    with monkeypatch.context() as counting, CaptureQueriesContext(connection) as queries:
        counting.setattr(compiler, "cursor_iter", counted)
        yield work
    work += [len(queries), sum(rows)]


@pytest.mark.usefixtures("large")
def test_a_change_costs_the_same_few_rows_however_many_documents_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader("fake@1", tmp_path)

    def costs(documents: int) -> list[list[int]]:
        for number in range(documents):
            tooling.bring(f"# Fees\n\nParcel {number} costs {number} yuan.\n", name=f"{number}.md")
        releases.publish("shop")
        loader.make_snapshot("shop")
        index = loader.load("shop")
        tooling.bring(f"# Fees\n\nOne of {documents} is free.\n", name="1.md")
        document = Document.objects.get(name="1.md")
        found = []
        for change in (
            lambda: releases.publish_only("shop", [document]),
            lambda: releases.draft("shop"),
            lambda: releases.take_out(document),
            lambda: releases.publish("shop"),
            lambda: releases.rollback("shop"),
        ):
            with database_work(monkeypatch) as changing:
                change()
            with database_work(monkeypatch) as following:
                index = loader.load("shop", index)
            found += [changing, following]
        assert len(index.catalogue) == documents
        return found

    few = costs(3)
    assert few == costs(15)
    assert max(rows for _, rows in few) < 15


DOCUMENTS = ("a.md", "b.md", "c.md")
STEPS = st.tuples(
    st.sampled_from(
        ["urgent", "draft", "retire", "publish", "rollback", "describe", "purge", "snapshot", "look", "look"]
    ),
    st.integers(0, 5),
)


def step(loader: Loader, what: str, which: int) -> None:
    """One change of the base."""
    name = DOCUMENTS[which % len(DOCUMENTS)]
    document = Document.objects.filter(name=name).first()
    made = KnowledgeBase.objects.get().releases.filter(state="published").order_by("number")
    match what:
        case "urgent" | "draft":
            data = f"# Fees\n\n{name} costs {which} yuan.\n\n## 运费\n\n{name} 运费 {which} 元。\n"
            tooling.bring(data, name=name, then=what, twice=True)
        case "retire":
            retire_document("shop", name)
        case "publish":
            releases.publish("shop")
        case "rollback" if made:
            releases.rollback("shop", made[which % len(made)].number)
        case "describe" if document is not None:
            services.describe(document, {"brand": str(which)})
        case "purge" if document is not None:
            purge = purging.mark(document, force=True)
            loader.forget("shop", purge.hashes["versions"])
            purging.remove(document, purge)
        case "snapshot":
            loader.make_snapshot("shop")


def all_of(index: Index) -> tuple[int, dict[int, Any], dict[int, list[float]]]:
    """Release, what is known of the documents, and all that is found by chunk."""
    rows = {row: passage.chunk_id for row, passage in enumerate(index.passages.load(range(len(index.passages))))}
    query = FakeEmbedder().embed(["query: 运费 costs 2"])[0]
    found = index.find(query, search_terms("运费 costs 2"), depth=1000)
    scores = {rows[one.row]: [one.text, one.title, one.z, one.bm25, one.words] for one in found}
    return index.version, dict(index.catalogue), scores


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.booleans(), st.lists(STEPS, min_size=4, max_size=14))
def test_an_index_that_follows_any_changes_is_what_one_loaded_anew_is(
    monkeypatch: pytest.MonkeyPatch, large_base: bool, steps: list[tuple[str, int]]
) -> None:
    KnowledgeBase.objects.update(published=None)
    for model in (Release, Document, Embedding, Purge, KnowledgeBase):
        model.objects.all().delete()
    KnowledgeBase.objects.create(slug="shop", name="Shop")
    with tempfile.TemporaryDirectory() as folder, monkeypatch.context() as sized:
        if large_base:
            sized.setattr(loading, "IN_MEMORY", 0)
        loader = Loader("fake@1", Path(folder))
        index = loader.load("shop")
        for what, which in [*steps, ("look", 0)]:
            step(loader, what, which)
            if what != "look":
                continue
            index = loader.load("shop", index)
            version, about, scores = all_of(index)
            fresh = all_of(load_index("shop", "fake@1"))
            assert (version, about, scores.keys()) == (*fresh[:2], fresh[2].keys())
            for chunk, values in scores.items():
                np.testing.assert_allclose(values, fresh[2][chunk], rtol=1e-3, atol=1e-3)


@pytest.mark.usefixtures("large")
def test_what_was_purged_is_gone_although_no_release_tells_any_more_that_it_was_there() -> None:
    bring()
    bring("more.md", "The hotline is open on Sundays.")
    loader = Loader("fake@1")
    index = loader.load("shop")
    document = Document.objects.get(name="more.md")
    purging.remove(document, purging.mark(document, force=True))
    assert texts(loader.load("shop", index)) == ["Free.", "Within 7 days. Unworn only."]


def test_disabled_chunks_are_left_out() -> None:
    bring()
    Chunk.objects.filter(ref="Cost").update(enabled=False)
    assert [passage.ref for passage in load_index("shop", "fake@1").passages] == ["Time"]


def test_a_release_that_goes_while_it_is_read_is_left_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    bring()
    bring("more.md", "The hotline is open on Sundays.")
    Embedding.objects.filter(text_hash=text_hash("passage: Free.")).delete()
    now = [loading.Published(base_id(), 2)]
    monkeypatch.setattr(loading, "published_of", lambda _: now[-1])
    about = loading._about

    def retired_meanwhile(found: loading.Published, before: Index | None) -> Catalogue:
        if len(now) == 1:
            retire_document("shop", "returns.md")
            now.append(loading.Published(base_id(), 3))
            return about(now[0], before)
        return about(found, before)

    monkeypatch.setattr(loading, "_about", retired_meanwhile)
    assert texts(load_index("shop", "fake@1")) == ["The hotline is open on Sundays."]


def test_a_draft_can_be_loaded_before_it_is_published() -> None:
    bring()
    draft = releases.draft("shop")
    releases.take_out(KnowledgeBase.objects.get().documents.get())
    assert len(load_index("shop", "fake@1", draft.number)) == 0
    assert len(load_index("shop", "fake@1")) == 2


def test_an_unknown_base_is_named() -> None:
    with pytest.raises(BaseMissing, match="'nowhere'"):
        current_version("nowhere")


def test_a_base_embedded_with_another_model_says_so() -> None:
    bring()
    with pytest.raises(VectorsMissing, match="import them again"):
        load_index("shop", "fake@2")


def test_one_query_tells_what_of_every_base_answers(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    bring()
    KnowledgeBase.objects.create(slug="empty", name="empty")
    with django_assert_num_queries(1):
        assert {slug: one.number for slug, one in published().items()} == {"shop": 1, "empty": 0}


@pytest.mark.usefixtures("large")
def test_a_large_base_is_mapped_from_a_snapshot_and_its_passages_are_fetched_once(
    tmp_path: Path, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bring()
    loader = Loader("fake@1", tmp_path / "index")
    before = loader.load("shop")
    assert loader.wants_snapshot(base_id(), before)
    assert loader.make_snapshot("shop")
    assert loader.has_newer_snapshot(base_id(), before)
    index = loader.load("shop")
    assert (index.parts[0].segment.snapshot, index.parts[0].segment.passages, index.worn) == (1, None, 0)
    assert not loader.wants_snapshot(base_id(), index)
    assert not loader.has_newer_snapshot(base_id(), index)
    rows = range(2)
    with django_assert_num_queries(2):
        assert [one.text for one in index.passages.load(rows)] == ["Within 7 days. Unworn only.", "Free."]
    with django_assert_num_queries(0):
        assert index.passages.load(rows)[0].sentence_vectors.shape == (2, 64)


@pytest.mark.usefixtures("large")
def test_a_change_counts_beside_the_snapshot_until_a_new_one_is_made(tmp_path: Path) -> None:
    bring()
    loader = Loader("fake@1", tmp_path)
    assert loader.make_snapshot("shop")
    index = loader.load("shop")
    bring("more.md", "The hotline is open on Sundays.")
    bring(data=PAGE.replace("Free.", "Five euros."))
    index = loader.load("shop", index)
    assert texts(index) == ["Five euros.", "The hotline is open on Sundays.", "Within 7 days. Unworn only."]
    assert index.worn == 5
    assert first(index, "hotline on Sundays") == "The hotline is open on Sundays."
    assert loader.wants_snapshot(base_id(), index)
    assert loader.make_snapshot("shop")
    assert [one.number for one in snapshots.found(tmp_path / str(base_id()))] == [3]
    again = loader.load("shop")
    assert (again.worn, texts(again)) == (0, texts(index))
    releases.rollback("shop", 1)
    assert texts(loader.load("shop", again)) == ["Free.", "Within 7 days. Unworn only."]


@pytest.mark.usefixtures("large")
def test_a_change_that_comes_while_a_snapshot_is_made_counts_on_it_and_is_all_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring()
    loader = Loader("fake@1", tmp_path)
    index = loader.load("shop")
    loader.make_snapshot("shop")
    bring("more.md", "The hotline is open on Sundays.")
    read: list[int] = []
    batches = loading._batches

    def recorded(versions: Sequence[int]) -> object:
        read.extend(versions)
        return batches(versions)

    monkeypatch.setattr(loading, "_batches", recorded)
    index = loader.load("shop", index)
    assert index.parts[0].segment.snapshot == 1
    assert texts(index) == ["Free.", "The hotline is open on Sundays.", "Within 7 days. Unworn only."]
    assert read == [DocumentVersion.objects.get(document__name="more.md").pk]
    loader.make_snapshot("shop")
    (tmp_path / str(base_id()) / "2" / "snapshot.json").write_text("{}")
    read.clear()
    assert texts(loader.load("shop", index)) == texts(index)  # one that cannot be read is left aside
    assert read == []


@pytest.mark.usefixtures("large")
def test_nothing_of_a_forgotten_version_is_left_on_disk_or_in_the_cache(tmp_path: Path) -> None:
    bring()
    loader = Loader("fake@1", tmp_path)
    loader.make_snapshot("shop")
    index = loader.load("shop")
    assert texts(index)
    version = DocumentVersion.objects.get()
    loader.forget("shop", [version.pk + 1])
    assert snapshots.found(tmp_path / str(base_id()))
    Chunk.objects.all().delete()
    loader.forget("shop", [version.pk])
    assert [one.name for one in (tmp_path / str(base_id())).iterdir() if one.is_dir()] == []
    gone = index.passages[0]
    assert (gone.text, gone.sentences, gone.sentence_vectors.shape) == ("", (), (0, 64))


@pytest.mark.usefixtures("large")
def test_a_snapshot_that_cannot_be_read_is_left_aside(tmp_path: Path) -> None:
    bring()
    loader = Loader("fake@1", tmp_path)
    loader.make_snapshot("shop")
    (tmp_path / str(base_id()) / "1" / "rows.npy").write_bytes(b"damaged")
    assert texts(loader.load("shop")) == ["Free.", "Within 7 days. Unworn only."]
