"""Builds a costly part once a process, on first use, by one thread."""

import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Decorates a function without arguments: its first call builds, every later call returns the same object."""

    def __init__(self, build: Callable[[], T]) -> None:
        self._build, self._lock = build, threading.RLock()
        self._built: list[T] = []
        update_wrapper(self, build)

    def __call__(self) -> T:
        if not self._built:
            with self._lock:
                if not self._built:
                    self._built.append(self._build())
        return self._built[0]
