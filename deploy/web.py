"""One web process: uvicorn on KEFU_HOST and KEFU_PORT. Several share the port (SO_REUSEPORT), each supervised alone."""

import socket

import uvicorn

from config.environment import config


def listener(host: str, port: int) -> socket.socket:
    """A bound socket, not listening yet, whose port other processes of this user may share. OSError when taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(address)
    return sock


def main() -> None:
    options = config()
    server = uvicorn.Server(
        uvicorn.Config(
            "config.asgi:application",
            ws="websockets-sansio",
            ws_ping_interval=20.0,  # proxies close sockets that are silent for 30 s or a minute
            ws_ping_timeout=20.0,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
    server.run(sockets=[listener(options.host, options.port)])


if __name__ == "__main__":
    main()
