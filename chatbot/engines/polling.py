"""A network for httpcore whose waiting readers look up many times a second, and may be told to go.

Without it a thread that waits for a server's next byte learns of nothing else until that byte comes.
"""

import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2
from httpcore2 import SOCKET_OPTION, NetworkStream

POLL_SECONDS = 0.05

Check = Callable[[], None]
"""Raises what should end the wait."""


class PollingNetwork(httpcore2.SyncBackend):
    """Connections whose reads call the check that the reading thread has set; without one they wait as usual."""

    def __init__(self) -> None:
        self._thread = threading.local()

    def watch(self, check: Check | None) -> None:
        """Let this thread's reads call `check` before each wait, from now on."""
        self._thread.check = check

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        return _Polled(super().connect_tcp(host, port, timeout, local_address, socket_options), self._thread)


class _Polled(NetworkStream):
    def __init__(self, inner: NetworkStream, thread: threading.local) -> None:
        self._inner, self._thread = inner, thread

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        check: Check | None = getattr(self._thread, "check", None)
        if check is None:
            return self._inner.read(max_bytes, timeout)
        while True:
            check()
            try:
                return self._inner.read(max_bytes, POLL_SECONDS)
            except httpcore2.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _Polled(self._inner.start_tls(ssl_context, server_hostname, timeout), self._thread)
