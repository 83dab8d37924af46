"""The contract of whatever keeps a snapshot's vectors, on files and on Milvus alike."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from knowledge import loading
from knowledge.loading import Loader, VectorStore
from knowledge.nearest import Allowed, Nearest, Stored, exact_nearest, read_lists, write_lists
from knowledge.passages import Vectors
from knowledge.snapshots import found
from tests.knowledge.fakes import FakeEmbedder
from tests.knowledge.test_loading import base_id, bring, texts
from tests.knowledge.test_nearest import vectors

if TYPE_CHECKING:
    from knowledge.milvus_store import MilvusStore


class Files:
    """What snapshots do with vectors when no store is chosen, as a store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, vectors: Stored) -> None:
        write_lists(vectors, self._folder / name)

    def find(self, name: str) -> Nearest:
        return read_lists(self._folder / name)

    def drop(self, prefix: str, *, but: str = "") -> None:
        for path in self._folder.glob(f"{prefix}*"):
            if not (but and path.name.startswith(but)):
                path.unlink()


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator["MilvusStore"]:
    pytest.importorskip("pymilvus", reason="the optional packages pymilvus and milvus-lite are not installed")
    manager = pytest.importorskip("milvus_lite.server_manager")
    from knowledge.milvus_store import MilvusStore

    store = MilvusStore(str(tmp_path / "milvus.db"))
    yield store
    store.close()
    manager.server_manager_instance.release_all()


@pytest.fixture(params=["files", pytest.param("milvus", marks=pytest.mark.integration)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> VectorStore:
    if request.param == "files":
        return Files(tmp_path)
    chosen: VectorStore = request.getfixturevalue("milvus")
    return chosen


def test_the_nearest_are_found_with_their_inner_products(store: VectorStore) -> None:
    some = vectors(2000).astype(np.float16)
    store.keep("kefu_1_1_texts", some)
    near = store.find("kefu_1_1_texts")
    queries: Vectors = vectors(2030)[2000:]
    exact = exact_nearest(some, queries, 10)
    shares = []
    for query, want in zip(queries, exact, strict=True):
        scores, numbers = near.search(query, 50)
        assert len(numbers) == 50
        np.testing.assert_allclose(scores, some[numbers].astype(np.float32) @ query, atol=0.02)
        assert list(scores) == sorted(scores, reverse=True)
        shares.append(len(set(want) & set(numbers.tolist())) / 10)
    assert np.mean(shares) >= 0.95


@pytest.mark.parametrize("named", [20_000, 100])
def test_only_what_is_allowed_is_found(store: VectorStore, named: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(store, Files):
        monkeypatch.setattr("knowledge.milvus_store._NAMED", named)
    some = vectors(3000).astype(np.float16)
    store.keep("kefu_1_1_texts", some)
    near = store.find("kefu_1_1_texts")
    numbers = np.arange(0, 3000, 10)
    queries: Vectors = vectors(3030)[3000:]
    shares = []
    for query, want in zip(queries, exact_nearest(some[numbers], queries, 10), strict=True):
        found = near.search(query, 20, Allowed(numbers, 3000))[1]
        assert set(found.tolist()) <= set(numbers.tolist())
        shares.append(len(set(numbers[want].tolist()) & set(found.tolist())) / 10)
    assert np.mean(shares) >= 0.95
    assert len(near.search(queries[0], 20, Allowed(np.empty(0, np.int64), 3000))[1]) == 0


def test_fewer_than_asked_for_are_given_when_there_are_no_more(store: VectorStore) -> None:
    store.keep("kefu_1_1_titles", vectors(60))
    assert len(store.find("kefu_1_1_titles").search(vectors(1)[0], 100)[1]) <= 60


def test_what_is_kept_again_replaces_what_was_there_and_what_is_dropped_is_gone(store: VectorStore) -> None:
    for name in ("kefu_1_1_texts", "kefu_1_2_texts", "kefu_12_1_texts"):
        store.keep(name, vectors(100))
    store.keep("kefu_1_2_texts", vectors(50))
    store.drop("kefu_1_", but="kefu_1_2_")
    assert 0 < len(store.find("kefu_1_2_texts").search(vectors(1)[0], 100)[1]) <= 50
    assert len(store.find("kefu_12_1_texts").search(vectors(1)[0], 5)[1]) == 5
    with pytest.raises(Exception, match=r"kefu_1_1_texts|not"):
        store.find("kefu_1_1_texts").search(vectors(1)[0], 5)


@pytest.mark.integration
@pytest.mark.django_db
def test_a_base_in_milvus_finds_what_is_published_and_forgets_what_is_purged(
    tmp_path: Path, milvus: "MilvusStore", monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge.milvus_store import MilvusNearest

    monkeypatch.setattr(loading, "IN_MEMORY", 0)
    loader = Loader("fake@1", tmp_path / "index", milvus)
    bring()
    loader.make_snapshot("shop")
    index = loader.load("shop")
    assert isinstance(index.parts[0].segment.texts.near, MilvusNearest)
    bring("more.md", "The hotline is open on Sundays.")
    index = loader.load("shop", index)
    query = FakeEmbedder().embed(["query: hotline on Sundays"])[0]
    assert {index.passages[one.row].text for one in index.find(query, [])} == set(texts(index))
    versions = [int(one) for one in index.parts[0].segment.version_ids]
    loader.forget("shop", versions)
    assert milvus._client.list_collections() == []
    assert found(tmp_path / "index" / str(base_id())) == []
