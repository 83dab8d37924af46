"""CPU time and memory: of Kefu's processes, read from /proc, by the part that each plays; and of a call here."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARTS = (
    ("redis", "redis-server"),
    ("web", "deploy.web"),
    ("masker", "multiprocessing"),
    ("worker", "--queues turns"),
    ("desk", "--queues desk"),
)


@dataclass(frozen=True)
class Usage:
    """CPU seconds used so far and proportional memory in MB."""

    cpu_seconds: float
    megabytes: float

    def __sub__(self, earlier: "Usage") -> "Usage":
        return Usage(self.cpu_seconds - earlier.cpu_seconds, self.megabytes)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_seconds + other.cpu_seconds, self.megabytes + other.megabytes)


def descendants(pid: int) -> list[int]:
    """Return the process ids below `pid`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def usage_of(pid: int | None) -> dict[str, Usage]:
    """Return the usage of each part among the processes below `pid`; empty without one."""
    usage: dict[str, Usage] = {}
    for child in descendants(pid) if pid else []:
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
            memory = Path(f"/proc/{child}/smaps_rollup").read_text()
        except OSError:
            continue
        part = next((name for name, mark in _PARTS if mark in command), None)
        if part is not None:
            pss = next(int(line.split()[1]) for line in memory.splitlines() if line.startswith("Pss:"))
            used = Usage((int(fields[11]) + int(fields[12])) / _TICKS, pss / 1024)
            usage[part] = usage.get(part, Usage(0, 0)) + used
    return usage


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread, and those that it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def milliseconds(call: Callable[[], object]) -> float:
    """Return the CPU time of one call, in all threads."""
    began = time.process_time()
    call()
    return (time.process_time() - began) * 1e3
