"""Asks clamd whether a file is known to harm: its INSTREAM command, over TCP or a unix socket.

Knows nothing of what becomes of the file. Protocol: clamd(8), commands `zINSTREAM` and its replies.
"""

import socket
import struct
import time
from dataclasses import dataclass

_CHUNK = 1 << 16
_LONGEST_REPLY = 4096


class ScannerUnavailable(Exception):
    """No verdict: the scanner is away, silent, too slow, or says something else. Never means that a file is clean."""


@dataclass(frozen=True)
class Clamd:
    """A scanner at `address`: `host:port` or the path of a unix socket. `seconds` bounds a whole scan."""

    address: str
    seconds: float = 20.0

    def scan(self, data: bytes) -> str | None:
        """Return the name of what was found, None when the file is clean. Raises ScannerUnavailable."""
        deadline = time.monotonic() + self.seconds
        try:
            with self._connected(deadline) as line:
                _send(line, b"zINSTREAM\0", deadline)
                for start in range(0, len(data), _CHUNK):
                    chunk = data[start : start + _CHUNK]
                    _send(line, struct.pack("!L", len(chunk)) + chunk, deadline)
                _send(line, struct.pack("!L", 0), deadline)
                reply = _reply(line, deadline)
        except (OSError, ValueError) as error:  # ValueError: an address without a port
            raise ScannerUnavailable(f"{self.address}: {error!r}") from None
        if reply == "stream: OK":
            return None
        if reply.startswith("stream: ") and reply.endswith(" FOUND"):
            return reply.removeprefix("stream: ").removesuffix(" FOUND")
        raise ScannerUnavailable(f"{self.address} answers {reply[:100]!r}")

    def _connected(self, deadline: float) -> socket.socket:
        if self.address.startswith("/"):
            line = socket.socket(socket.AF_UNIX)
            try:
                line.settimeout(_left(deadline))
                line.connect(self.address)
            except OSError:
                line.close()
                raise
            return line
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), _left(deadline))


def _send(line: socket.socket, data: bytes, deadline: float) -> None:
    line.settimeout(_left(deadline))
    line.sendall(data)


def _reply(line: socket.socket, deadline: float) -> str:
    reply = b""
    while not reply.endswith(b"\0"):
        line.settimeout(_left(deadline))
        part = line.recv(_LONGEST_REPLY)
        reply += part
        if not part or len(reply) > _LONGEST_REPLY:
            raise OSError(f"no whole reply: {reply[:100]!r}")
    return reply[:-1].decode("utf-8", "replace").strip()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the scan takes too long")
    return left
