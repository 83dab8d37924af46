from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from knowledge import loading, releases, snapshots
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.index import Index
from knowledge.loading import Loader, current_version, load_index, published
from knowledge.models import Chunk, DocumentVersion, Embedding, KnowledgeBase
from knowledge.services import import_document, retire_document
from knowledge.terms import search_terms
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


def test_disabled_chunks_are_left_out() -> None:
    bring()
    Chunk.objects.filter(ref="Cost").update(enabled=False)
    assert [passage.ref for passage in load_index("shop", "fake@1").passages] == ["Time"]


def test_a_release_that_goes_while_it_is_read_is_left_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    bring()
    bring("more.md", "The hotline is open on Sundays.")
    Embedding.objects.filter(text_hash=loading.vectors.text_hash("passage: Free.")).delete()
    now = [loading.Published(base_id(), 2)]
    monkeypatch.setattr(loading, "published_of", lambda _: now[-1])
    about = loading._about

    def retired_meanwhile(found: loading.Published) -> dict[int, dict[str, str]]:
        if len(now) == 1:
            retire_document("shop", "returns.md")
            now.append(loading.Published(base_id(), 3))
            return about(now[0])
        return about(found)

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
