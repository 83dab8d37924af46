from pathlib import Path

import faiss
import numpy as np
import pytest

from knowledge.nearest import Allowed, exact_nearest, flat, read_lists, write_lists
from knowledge.passages import Vectors


def vectors(count: int, dimension: int = 32) -> Vectors:
    dice = np.random.default_rng(1)
    centres = dice.normal(size=(20, dimension))
    made = (centres[dice.integers(20, size=count)] + 0.5 * dice.normal(size=(count, dimension))).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


@pytest.mark.parametrize("precision", [np.float16, np.float32])
def test_a_flat_search_compares_every_vector_in_the_precision_it_has(precision: type) -> None:
    some = vectors(500).astype(precision)
    query = vectors(501)[-1]
    scores, numbers = flat(some).search(query, 10)
    exact = some.astype(np.float32) @ query
    np.testing.assert_allclose(scores, np.sort(exact)[::-1][:10], atol=1e-4)
    np.testing.assert_allclose(exact[numbers], scores, atol=1e-4)


def test_asking_for_more_than_there_is_gives_all() -> None:
    assert len(flat(vectors(3)).search(vectors(1)[0], 10)[1]) == 3
    assert len(flat(vectors(0)).search(vectors(1)[0], 10)[1]) == 0


def test_lists_are_mapped_from_their_file_and_find_nearly_all_of_the_nearest(tmp_path: Path) -> None:
    some = vectors(3000).astype(np.float16)
    write_lists(some, tmp_path / "texts.lists")
    lists = read_lists(tmp_path / "texts.lists")
    queries = vectors(3100)[3000:]
    exact = exact_nearest(some, queries, 10)
    found = [lists.search(query, 50)[1].tolist() for query in queries]
    assert np.mean([len(set(want) & set(got)) / 10 for want, got in zip(exact, found, strict=True)]) >= 0.95
    assert len(lists.search(queries[0], 3000)[1]) < 3000  # it does not look everywhere


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_only_what_is_allowed_is_found_and_nearly_all_of_the_nearest_of_it(tmp_path: Path, share: float) -> None:
    some = vectors(5000).astype(np.float16)
    write_lists(some, tmp_path / "texts.lists")
    numbers = np.flatnonzero(np.random.default_rng(2).random(5000) < share)
    allowed = Allowed(numbers, 5000)
    queries = vectors(5050)[5000:]
    exact = [set(numbers[row].tolist()) for row in exact_nearest(some[numbers], queries, 10)]
    for near, least in ((flat(some), 1.0), (read_lists(tmp_path / "texts.lists"), 0.97)):
        found = [near.search(query, 40, allowed)[1].tolist() for query in queries]
        assert {number for one in found for number in one} <= set(numbers.tolist())
        shares = [len(want & set(got)) / 10 for want, got in zip(exact, found, strict=True)]
        assert np.mean(shares) >= least


def test_nothing_allowed_finds_nothing_and_no_more_than_is_allowed_is_found() -> None:
    some = flat(vectors(500))
    assert len(some.search(vectors(1)[0], 10, Allowed(np.empty(0, np.int64), 500))[1]) == 0
    assert sorted(some.search(vectors(1)[0], 10, Allowed(np.asarray([3, 7]), 500))[1].tolist()) == [3, 7]


def test_lists_are_put_on_a_gpu_where_faiss_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lists(vectors(1000), tmp_path / "texts.lists")
    moved: list[int] = []

    def to_gpu(resources: object, number: int, index: object) -> object:
        moved.append(number)
        return index

    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss, "index_cpu_to_gpu", to_gpu, raising=False)
    lists = read_lists(tmp_path / "texts.lists")
    assert len(lists.search(vectors(1)[0], 5)[1]) == 5
    assert moved == [0]
    assert lists.search(vectors(1)[0], 5, Allowed(np.asarray([8]), 1000))[1].tolist() == [8]
