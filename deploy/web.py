"""One web process: uvicorn on KEFU_HOST and KEFU_PORT. Several share the port (SO_REUSEPORT), each supervised alone."""

import socket
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from chatbot.limits import TokenBucket
from config.environment import config


def listener(host: str, port: int) -> socket.socket:
    """A bound socket, not listening yet, whose port other processes of this user may share. OSError when taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(address)
    return sock


class PatientProtocol(WebSocketsSansIOProtocol):
    """uvicorn's websocket, but with an end to its patience: it answers pings below the application's own limits."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._pings = TokenBucket(per_minute=60, burst=20)

    def handle_ping(self) -> None:
        """Close a socket that pings without end."""
        if self._pings.take():
            self.transport.abort()
        else:
            super().handle_ping()


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
