import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.batching import Batcher, BatcherClosed, BatcherFull
from tests.patience import PATIENCE


class Gate:
    """A function that waits at a gate and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.inside = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        self.inside.release()
        assert self.open.wait(2 * PATIENCE)
        return [item * 2 for item in items]


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        threading.Event().wait(0.001)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(), min_size=1, max_size=60), st.integers(1, 8), st.integers(1, 16))
def test_everyone_gets_their_own_result(items: list[int], most: int, callers: int) -> None:
    sizes: list[int] = []
    batcher: Batcher[int, int] = Batcher(
        lambda batch: [item * 2 for item in batch], max_batch=most, observe=lambda n, _: sizes.append(n)
    )
    with ThreadPoolExecutor(callers) as pool:
        assert list(pool.map(batcher, items)) == [item * 2 for item in items]
    batcher.close()
    assert max(sizes) <= most
    assert sum(sizes) == len(items)


def test_what_queues_up_meanwhile_runs_as_one_batch(gate: Gate) -> None:
    batcher: Batcher[int, int] = Batcher(gate, max_batch=3, seconds=PATIENCE)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batcher, 1)
        assert gate.inside.acquire(timeout=PATIENCE)
        rest = [pool.submit(batcher, item) for item in (2, 3, 4, 5)]
        until(lambda: batcher.queued == 4)
        gate.open.set()
        assert [first.result(), *(one.result() for one in rest)] == [2, 4, 6, 8, 10]
    assert [len(batch) for batch in gate.batches] == [1, 3, 1]
    batcher.close()


def test_a_full_queue_refuses_at_once(gate: Gate) -> None:
    batcher: Batcher[int, int] = Batcher(gate, waiting=1, seconds=PATIENCE)
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(batcher, 1)
        assert gate.inside.acquire(timeout=PATIENCE)
        queued = pool.submit(batcher, 2)
        until(lambda: batcher.queued == 1)
        with pytest.raises(BatcherFull):
            batcher(3)
        gate.open.set()
        assert (running.result(), queued.result()) == (2, 4)
    batcher.close()


def test_an_item_that_waits_too_long_times_out_and_is_not_run(gate: Gate) -> None:
    batcher: Batcher[int, int] = Batcher(gate, seconds=PATIENCE)
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(batcher, 1)
        assert gate.inside.acquire(timeout=PATIENCE)
        batcher._seconds = 0.05
        with pytest.raises(TimeoutError):
            batcher(2)
        gate.open.set()
        assert running.result() == 2
    batcher.close()
    assert gate.batches == [[1]]


def test_an_error_reaches_the_callers_of_its_batch_only() -> None:
    def run(items: list[int]) -> list[int]:
        if 13 in items:
            raise ValueError("unlucky")
        return items

    batcher: Batcher[int, int] = Batcher(run)
    assert batcher(1) == 1
    with pytest.raises(ValueError, match="unlucky"):
        batcher(13)
    assert batcher(2) == 2
    batcher.close()


def test_too_few_results_are_an_error() -> None:
    batcher: Batcher[int, int] = Batcher(lambda _: [])
    with pytest.raises(RuntimeError, match="0 results for 1 items"):
        batcher(1)
    batcher.close()


def test_closing_lets_accepted_items_finish_and_takes_no_more(gate: Gate) -> None:
    batcher: Batcher[int, int] = Batcher(gate, seconds=PATIENCE)
    with ThreadPoolExecutor(3) as pool:
        one = pool.submit(batcher, 1)
        assert gate.inside.acquire(timeout=PATIENCE)
        two = pool.submit(batcher, 2)
        until(lambda: batcher.queued == 1)
        closing = pool.submit(batcher.close)
        gate.open.set()
        closing.result()
        assert (one.result(), two.result()) == (2, 4)
    batcher.close()
    with pytest.raises(BatcherClosed):
        batcher(3)
