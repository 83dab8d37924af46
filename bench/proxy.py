"""A TCP proxy whose lines break at any byte: closed, reset, or fallen silent. Knows nothing of what it carries."""

import asyncio
import contextlib
import math
import random
import socket
import struct
from collections import Counter

WAYS = ("closed", "reset", "silent")
SILENT_SECONDS = (2.0, 15.0)
DOOMED = 0.3  # share of the lines that carry their end in them from the start
MOST_BYTES = 30_000


class Line:
    """One connection through the proxy; `left` is how many bytes, of both directions, it still carries."""

    def __init__(self, left: float) -> None:
        self.left = left
        self.dead = asyncio.Event()


class Proxy:
    """Forwards to host:port. `calm` lines are never cut; `cuts` counts the others' ends by way."""

    def __init__(self, host: str, port: int, seed: int) -> None:
        self._target, self._random = (host, port), random.Random(seed)
        self._lines: set[Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts: Counter[str] = Counter()
        self.calm = False

    async def start(self) -> int:
        """Listen on a free port of this machine and return it."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End all lines."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Choose an open line: it ends within its next few hundred bytes, most likely inside a frame."""
        if self._lines:
            line = self._random.choice(sorted(self._lines, key=id))
            line.left = min(line.left, self._random.randint(0, 600))

    def settle(self) -> None:
        """Cut nothing any more."""
        self.calm = True
        for line in self._lines:
            if not line.dead.is_set():
                line.left = math.inf

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        doomed = not self.calm and self._random.random() < DOOMED
        line = Line(math.exp(self._random.uniform(0, math.log(MOST_BYTES))) // 1 if doomed else math.inf)
        upstream: asyncio.StreamWriter | None = None
        try:
            back, upstream = await asyncio.open_connection(*self._target)
            self._lines.add(line)
            ways = [self._pump(line, reader, upstream), self._pump(line, back, writer), line.dead.wait()]
            pumps = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if line.dead.is_set():
                await self._end(line, writer, upstream)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # nobody listens there at the moment
        finally:
            self._lines.discard(line)
            self._tasks.discard(task)
            for end in (writer, upstream):
                if end is not None:
                    end.close()

    async def _pump(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                passing = data[: int(min(line.left, len(data)))]
                line.left -= len(data)
                writer.write(passing)
                await writer.drain()
                if line.left < 0:
                    line.dead.set()
                    await asyncio.Event().wait()  # until the line is ended

    async def _end(self, line: Line, *ends: asyncio.StreamWriter) -> None:
        way = self._random.choice(WAYS)
        self.cuts[way] += 1
        if way == "silent":
            await asyncio.sleep(self._random.uniform(*SILENT_SECONDS))
        if way != "closed":
            for end in ends:
                sock = end.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.transport.abort()
