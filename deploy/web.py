"""One web process: uvicorn on KEFU_HOST and KEFU_PORT. Several share the port (SO_REUSEPORT), each supervised alone."""

import socket
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from chatbot.limits import TokenBucket
from config.environment import config

SLICE = 4096
SMALL = 1 << 16
MOST_HELD = 1 << 26
"""Bytes of unfinished messages in a process; more, and who sends a message above SMALL is cut off."""


def listener(host: str, port: int) -> socket.socket:
    """A bound socket, not listening yet, whose port other processes of this user may share. OSError when taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(address)
    return sock


class PatientProtocol(WebSocketsSansIOProtocol):
    """uvicorn's websocket, but with an end to its patience, above the application's own limits.

    It is for what the application never sees: pings, the pieces of a message, and messages that do not end.
    """

    held: ClassVar[int] = 0  # bytes of unfinished messages, those of all sockets of the process together

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._pings = TokenBucket(per_minute=60, burst=20)
        self._frames = TokenBucket(per_minute=6_000, burst=1_000)
        self._pieces = self._mine = 0

    def data_received(self, data: bytes) -> None:
        # What is read at once may hold tens of thousands of frames, and all are parsed before the first is counted.
        for start in range(0, len(data), SLICE):
            super().data_received(data[start : start + SLICE])
            if self.transport.is_closing():
                return
        self._hold(self._pieces + len(self.conn.reader.buffer))

    def connection_lost(self, exc: Exception | None) -> None:
        self._hold(0)
        super().connection_lost(exc)

    def handle_text(self, event: Frame) -> None:
        self._piece(event)
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        self._piece(event)
        super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        self._piece(event)
        super().handle_cont(event)

    def handle_pong(self, event: Frame) -> None:
        self._count()
        super().handle_pong(event)

    def handle_ping(self) -> None:
        """Close a socket that pings without end."""
        if self._pings.take():
            self.transport.abort()
        else:
            super().handle_ping()

    def _count(self) -> None:
        if self._frames.take():
            self.transport.abort()

    def _piece(self, event: Frame) -> None:
        self._count()
        self._pieces = 0 if event.fin else self._pieces + len(event.data)

    def _hold(self, size: int) -> None:
        """Remember how much of an unfinished message is here; close the socket when all hold too much together."""
        PatientProtocol.held += size - self._mine
        self._mine = size
        if size > SMALL and self.held > MOST_HELD:
            self.transport.abort()


def main() -> None:
    options = config()
    server = uvicorn.Server(
        uvicorn.Config(
            "config.asgi:application",
            ws=PatientProtocol,
            ws_max_size=11 * 2**20,  # so that a message of 10 MB gets an error event that says why
            ws_per_message_deflate=False,  # a few kilobytes must not become megabytes
            ws_ping_interval=20.0,  # proxies close sockets that are silent for 30 s or a minute
            ws_ping_timeout=20.0,
            lifespan="off",
            proxy_headers=False,  # whose X-Forwarded-For is believed, chatbot/peers.py decides
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
    server.run(sockets=[listener(options.host, options.port)])


if __name__ == "__main__":
    main()
