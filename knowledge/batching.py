"""Dynamic batching: calls that come together run together. Knows nothing of what runs."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class BatcherFull(Exception):
    """Too many items wait already; the caller should degrade or refuse."""


class BatcherClosed(Exception):
    """The batcher takes nothing any more."""


@dataclass(frozen=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    result: "Future[Result]"
    since: float = field(default_factory=time.monotonic)


class Batcher(Generic[Item, Result]):
    """Runs `run(items) -> results` on one thread of its own, with all items that have queued up meanwhile.

    An item that finds nothing running is run at once, alone: an idle machine never waits for company. At most `waiting`
    items queue. `observe(batch_size, queue_seconds)` is told of every batch, `queue_seconds` being its longest wait.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Sequence[Result]],
        *,
        max_batch: int = 32,
        waiting: int = 256,
        seconds: float = 5.0,
        observe: Callable[[int, float], None] | None = None,
        name: str = "batcher",
    ) -> None:
        self._run = run
        self._max_batch = max_batch
        self._seconds = seconds
        self._observe = observe
        self._queue: queue.Queue[_Waiting[Item, Result] | None] = queue.Queue(waiting)
        self._closed = threading.Event()
        self._door = threading.Lock()  # nothing gets in behind the last item that close() announces
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def __call__(self, item: Item) -> Result:
        """The result of one item; blocks.

        Raises `BatcherFull`, `BatcherClosed`, `TimeoutError` after `seconds`, or what `run` raised for the batch that
        the item was in.
        """
        waiting: _Waiting[Item, Result] = _Waiting(item, Future())
        with self._door:
            if self._closed.is_set():
                raise BatcherClosed
            try:
                self._queue.put_nowait(waiting)
            except queue.Full:
                raise BatcherFull from None
        try:
            return waiting.result.result(self._seconds)
        except TimeoutError:
            waiting.result.cancel()  # spares the work if it has not begun
            raise

    @property
    def queued(self) -> int:
        """How many items wait for the next batch."""
        return self._queue.qsize()

    def close(self) -> None:
        """Lets what has been accepted finish, then ends the thread. May be called twice."""
        with self._door:
            first = not self._closed.is_set()
            self._closed.set()
        if first:
            self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (waiting := self._queue.get()) is not None:
            batch = [waiting]
            last = False
            while len(batch) < self._max_batch and not self._queue.empty():
                following = self._queue.get_nowait()
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._flush([one for one in batch if one.result.set_running_or_notify_cancel()])
            if last:
                return

    def _flush(self, batch: list[_Waiting[Item, Result]]) -> None:
        if not batch:
            return
        if self._observe is not None:
            self._observe(len(batch), time.monotonic() - batch[0].since)
        try:
            results = self._run([one.item for one in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(results)} results for {len(batch)} items")
        except Exception as error:  # whatever it is belongs to the callers of this batch, and the thread must live on
            for one in batch:
                one.result.set_exception(error)
            return
        for one, result in zip(batch, results, strict=True):
            one.result.set_result(result)
