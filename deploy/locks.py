"""One lock a file, so that two commands in one clone take turns. Standard library only."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Held(Exception):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path, waiting: str | None) -> Iterator[None]:
    """Holds an exclusive lock on `path` (made when missing; never removed: a removed lock can be held twice).

    When another process holds it, prints `waiting` once and waits; with `waiting` None raises Held instead.
    The kernel frees it when this process ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                raise Held(str(path)) from None
            print(waiting, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
