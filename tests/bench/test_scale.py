import numpy as np
import pytest

from bench.scale import AT_ONCE, CHUNKS_A_DOCUMENT, LIMITS, Figures
from bench.scale_set import moved, neighbours
from knowledge.importing import MOST_DOCUMENTS


@pytest.mark.parametrize(
    ("size", "limit"), [(2000, 20), (10_000, 20), (10_001, 40), (100_000, 40), (300_000, 80), (1_000_000, 80)]
)
def test_a_base_must_be_as_fast_as_the_next_size_up(size: int, limit: float) -> None:
    assert Figures(size).limit == limit


@pytest.mark.parametrize(("slow_ms", "recall", "seconds", "held"), [(19, 0.96, 1.9, 4), (21, 0.94, 2.1, 0)])
def test_what_must_hold_is_said_one_by_one(slow_ms: float, recall: float, seconds: float, held: int) -> None:
    figures = Figures(10_000, search_ms=[slow_ms] * 20, recall=recall, filtered_recall=recall, publish_s=[0.1, seconds])
    assert sum(figures.holds().values()) == held
    assert len(figures.holds()) == 4


def test_the_largest_base_has_room_for_the_document_that_is_published_then() -> None:
    assert max(LIMITS) / AT_ONCE * -(-AT_ONCE // CHUNKS_A_DOCUMENT) < MOST_DOCUMENTS


def test_vectors_that_are_moved_further_have_further_neighbours() -> None:
    dice = np.random.default_rng(0)
    real = dice.normal(size=(200, 16)).astype(np.float32) + 1
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    near, far = (moved(real, np.repeat(real, 5, axis=0), length, np.random.default_rng(0)) for length in (0.1, 0.5))
    np.testing.assert_allclose(np.linalg.norm(far.astype(np.float32), axis=1), 1, atol=1e-2)
    assert np.median(neighbours(near, near)) > np.median(neighbours(far, far))
