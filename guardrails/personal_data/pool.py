"""Masks in child processes, so that no model runs on the event loop's process. Imports none of the models itself.

Bounded: more callers than processes and queue places are refused at once. A child that dies or hangs is replaced.
"""

import multiprocessing
import multiprocessing.connection
import os
import queue
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any

from guardrails.personal_data.finding import Finding
from guardrails.personal_data.imports import without_torch

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


_LOADING_SECONDS = 120.0


class MaskingUnavailable(Exception):
    """The text was not masked and must not be used: the pool is full, too slow, or its children keep dying."""


class MaskingPool:
    """The detector's `find` in `processes` children; `queue` more callers may wait; a call fails after `seconds`.

    Thread-safe. Children start with the first call (or `warm`), die with their parent and ignore Ctrl-C.
    """

    def __init__(self, processes: int = 1, queue: int = 64, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(processes + queue)
        self._idle = _idle_children(processes)

    def find(self, text: str) -> list[Finding]:
        """Return what the detector finds in `text`. Raises MaskingUnavailable."""
        if not self._places.acquire(blocking=False):
            raise MaskingUnavailable("full")
        try:
            return self._ask(text, time.monotonic() + self._seconds)
        finally:
            self._places.release()

    def warm(self, seconds: float = 60.0) -> None:
        """Block until every child has loaded its models and answered. Raises MaskingUnavailable after `seconds`."""
        deadline = time.monotonic() + seconds
        children = [self._take(deadline) for _ in range(self._idle.maxsize)]
        try:
            for child in children:
                child.start()
            for child in children:
                child.find("", max(0.0, deadline - time.monotonic()))
        except (BrokenProcessPool, TimeoutError):
            raise MaskingUnavailable("a masking process did not start") from None
        finally:
            for child in children:
                self._idle.put(child)

    def close(self) -> None:
        """End the children; waits for no call."""
        while not self._idle.empty():
            self._idle.get_nowait().kill()

    def _ask(self, text: str, deadline: float) -> list[Finding]:
        """Ask one child; once more when it died, which may not have been this text's doing."""
        for _ in range(2):
            child = self._take(deadline)
            seconds = max(0.0, deadline - time.monotonic())
            try:
                return child.find(text, seconds)
            except BrokenProcessPool:
                child.replace()
            except TimeoutError:
                if seconds > self._seconds / 2 and child.hangs():  # else it was only asked too late
                    child.replace()
                raise MaskingUnavailable("timed out") from None
            finally:
                self._idle.put(child)
        raise MaskingUnavailable("two masking processes died")

    def _take(self, deadline: float) -> "_Child":
        try:
            return self._idle.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise MaskingUnavailable("no masking process was free in time") from None


class _Child:
    """One masking process behind an executor of its own, so that a call that hangs tells which process to kill."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None
        self._loaded: Future[list[Finding]] | None = None
        self._started = 0.0

    def start(self) -> ProcessPoolExecutor:
        """Start the process unless it runs; it loads its models in the background."""
        if self._executor is None:
            context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
            self._executor = ProcessPoolExecutor(1, mp_context=context, initializer=_start)
            self._started = time.monotonic()
            self._loaded = self._executor.submit(_find, "")
        return self._executor

    def find(self, text: str, seconds: float) -> list[Finding]:
        """Ask the process. Raises BrokenProcessPool when it died, TimeoutError when late, else MaskingUnavailable."""
        answer = self.start().submit(_find, text)
        error = answer.exception(seconds)
        if isinstance(error, BrokenProcessPool):
            raise error
        if error is not None:
            raise MaskingUnavailable(type(error).__name__)  # no more: its text may hold what was to be masked
        return answer.result()

    def hangs(self) -> bool:
        """Return whether a late answer means that the process hangs, and not that it is still loading its models."""
        loading = self._loaded is not None and not self._loaded.done()
        return not loading or time.monotonic() - self._started > _LOADING_SECONDS

    def replace(self) -> None:
        """Kill the process and start another."""
        self.kill()
        self._executor = None
        self.start()

    def kill(self) -> None:
        """Kill the process, whatever it is doing."""
        if self._executor is not None:
            for process in list((self._executor._processes or {}).values()):
                process.kill()
            self._executor.shutdown(wait=False, cancel_futures=True)


def _idle_children(processes: int) -> "queue.LifoQueue[_Child]":
    idle: queue.LifoQueue[_Child] = queue.LifoQueue(processes)
    for _ in range(processes):
        idle.put(_Child())
    return idle


def _start() -> None:
    """In the child, before its first text: threads, signals, the watch on the parent, then the models."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    without_torch().__enter__()  # never left: in this process torch cannot be imported at all
    _detector()


def _follow_parent() -> None:
    """End this process when its parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)


@cache
def _detector() -> Any:
    from guardrails.personal_data.detector import Detector  # only here: it loads the models

    return Detector()


def _find(text: str) -> list[Finding]:
    return _detector().find(text) if text else []
