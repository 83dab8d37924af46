"""Reads files that nobody trusts, in a child process with limits. Knows nothing of chunks and of the database.

A child has no secrets in its environment, no network, and ends with any file that it could not bear; else it serves
`FILES_A_CHILD` files, so that only the first of a batch pays for its start.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from knowledge.archives import members
from knowledge.blocks import Block, Notice, Unreadable, from_json

__all__ = ["DEFAULT", "Limits", "Parsed", "Parser", "members", "never", "parse", "parse_fully"]

FILES_A_CHILD = 100
IDLE_CHILDREN = 2
MEGABYTE = 2**20
_STEP_SECONDS = 0.1  # how often `cancelled` is asked
_ROOT = Path(__file__).resolve().parent.parent
_CHILD = Path(__file__).resolve().with_name("parsing_child.py")
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "OPENPYXL_DEFUSEDXML": "False",  # twice as fast; readers.packages refuses all entities before
}


@dataclass(frozen=True)
class Limits:
    """What reading one file may take: wall-clock and CPU seconds, the child's address space, bytes of the file, bytes
    of what comes out of it.
    """

    seconds: int = 60
    memory_mb: int = 1024
    bytes_in: int = 50 * MEGABYTE
    bytes_out: int = 32 * MEGABYTE


@dataclass(frozen=True)
class Parsed:
    """A file's blocks, what a manager should know besides, and the child's peak of resident memory so far."""

    blocks: tuple[Block, ...]
    notices: tuple[Notice, ...]
    peak_mb: float


DEFAULT = Limits()


def never() -> bool:
    """Not cancelled."""
    return False


def parse(name: str, data: bytes, limits: Limits = DEFAULT, cancelled: Callable[[], bool] = never) -> list[Block]:
    """The blocks of a document, by its content and the extension of its name; never [].

    Thread-safe. Raises `Unreadable` for whatever is wrong, within `limits.seconds` or a second after `cancelled()` is
    true (code "cancelled").
    """
    return list(parse_fully(name, data, limits, cancelled).blocks)


def parse_fully(name: str, data: bytes, limits: Limits = DEFAULT, cancelled: Callable[[], bool] = never) -> Parsed:
    """As `parse`, with notices: macros, hidden text, pages that are pictures …"""
    if len(data) > limits.bytes_in:
        raise Unreadable("too_large", limits.bytes_in // MEGABYTE)
    parser = _taken(limits)
    try:
        return parser.parse(name, data, cancelled)
    finally:
        _give_back(parser)


class Parser:
    """One child at a time, started when needed. Not thread-safe; `parse` keeps a few of them."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self.limits = limits
        self.peak_mb = 0.0
        """The peak of resident memory of the child that answered last, or was killed."""
        self._child: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files = 0

    @property
    def warm(self) -> bool:
        """Whether a child waits that has served before and may serve again."""
        return self._child is not None and self._child.poll() is None and 0 < self._files < FILES_A_CHILD

    def parse(self, name: str, data: bytes, cancelled: Callable[[], bool] = never) -> Parsed:
        """See `parse_fully`. A child that served other files before and fails gets no blame put on this file: a fresh
        one tries again.
        """
        fresh = not self.warm
        try:
            return self._once(name, data, cancelled)
        except _Failed as failure:
            self.close()
            if not fresh and failure.code in ("crashed", "memory"):
                return self.parse(name, data, cancelled)
            raise Unreadable(failure.code, failure.detail) from None
        except Unreadable:  # the child's own answer
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Kill the child and all that it may have started."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._child.wait()
        if self._folder is not None:
            self._folder.cleanup()
        self._child = self._folder = None
        self._files = 0

    def _once(self, name: str, data: bytes, cancelled: Callable[[], bool]) -> Parsed:
        if not self.warm:
            self.close()
            self._start()
        self._files += 1
        seconds = self.limits.seconds
        # The child's name for the file needs no more than its end.
        head = json.dumps({"name": name[-300:], "size": len(data), "seconds": seconds}).encode() + b"\n"
        told = json.loads(self._exchange(head + data, seconds, cancelled))
        self.peak_mb = _peak_mb(self._pid)
        if "code" in told:
            if told["code"] == "memory":
                raise _Failed("memory", told["detail"])
            raise Unreadable(told["code"], told["detail"])
        blocks = tuple(from_json(values) for values in told["blocks"])
        return Parsed(blocks, tuple(Notice(*notice) for notice in told["notices"]), self.peak_mb)

    @property
    def _pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def _start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kefu-parsing-")
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", "-B", "-X", "utf8", str(_CHILD), str(_ROOT), str(self.limits.memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd=self._folder.name,
            start_new_session=True,
        )

    def _exchange(self, request: bytes, seconds: float, cancelled: Callable[[], bool]) -> bytes:
        """Write the request and read the answer, whichever the child is ready for. Raises `_Failed`, `Unreadable`."""
        assert self._child is not None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        into, out = self._child.stdin.fileno(), self._child.stdout.fileno()
        os.set_blocking(into, False)
        os.set_blocking(out, False)
        poll = select.poll()  # select() knows no descriptors above 1023
        poll.register(into, select.POLLOUT)
        poll.register(out, select.POLLIN)
        deadline = time.monotonic() + seconds
        left, answer, size = memoryview(request), bytearray(), None
        while size is None or len(answer) < size:
            if cancelled():
                raise _Failed("cancelled")
            if time.monotonic() > deadline:
                self.peak_mb = _peak_mb(self._pid)
                raise _Failed("time", self.limits.seconds)
            ready = {one for one, _ in poll.poll(_STEP_SECONDS * 1000)}
            try:
                if into in ready:
                    left = left[os.write(into, left[: 1 << 16]) :]
                    if not left:
                        poll.unregister(into)
                if out in ready:
                    piece = os.read(out, 1 << 20)
                    if not piece:
                        raise _Failed(*self._ending())
                    answer += piece
            except BrokenPipeError:
                raise _Failed(*self._ending()) from None
            if size is None and len(answer) >= _LENGTH.size:
                size = _LENGTH.unpack_from(answer)[0]
                del answer[: _LENGTH.size]
                if size > self.limits.bytes_out:
                    self.peak_mb = _peak_mb(self._pid)
                    raise _Failed("too_much_text", self.limits.bytes_out // MEGABYTE)
        return bytes(answer)

    def _ending(self) -> tuple[str, int | str]:
        """Why a child has ended without an answer."""
        status = self._child.wait() if self._child is not None else 0
        return ("time", self.limits.seconds) if status == -signal.SIGXCPU else ("crashed", "")


_LENGTH = struct.Struct(">Q")


class _Failed(Exception):
    """The child is of no more use; code and detail as in `Unreadable`."""

    def __init__(self, code: str, detail: object = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def _peak_mb(pid: int) -> float:
    """The most resident memory that a process has had, in MB; 0.0 when it is gone."""
    with contextlib.suppress(OSError, ValueError):
        status = Path(f"/proc/{pid}/status").read_text()
        rows = (int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        return next(rows, 0.0)  # who has ended, and is not waited for yet, has no memory
    return 0.0


_idle: list[Parser] = []
_lock = threading.Lock()


def _taken(limits: Limits) -> Parser:
    with _lock:
        for parser in _idle:
            if parser.limits == limits:
                _idle.remove(parser)
                return parser
    return Parser(limits)


def _give_back(parser: Parser) -> None:
    if not parser.warm:
        parser.close()
        return
    with _lock:
        _idle.insert(0, parser)
        surplus = _idle[IDLE_CHILDREN:]
        del _idle[IDLE_CHILDREN:]
    for one in surplus:
        one.close()


def _close_all() -> None:
    while _idle:
        _idle.pop().close()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_idle.clear)  # the children are the parent's
