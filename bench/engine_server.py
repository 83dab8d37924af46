"""A small real HTTP server that speaks like an OpenAI-compatible engine and plays scripts: it stalls, drops, errs.

For tests and benches. A script is called with each request's `Exchange` and says what goes out, byte by byte if so.
"""

import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOST_SECONDS = 30.0  # that a script waits for anything


@dataclass(eq=False)
class Exchange:
    """One request and what is written in reply. `tokens` counts the deltas made, heard or not."""

    body: dict[str, Any]
    headers: dict[str, str]
    handler: BaseHTTPRequestHandler = field(repr=False)
    tokens: int = 0
    left: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    streaming: bool = False

    def reply(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        """A whole response."""
        self.handler.send_response(status)
        for name, value in {"Content_Type": "application/json", **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def start(self, content_type: str = "text/event-stream; charset=utf-8") -> None:
        """The head of a stream."""
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", content_type)
        self.handler.send_header("Transfer-Encoding", "chunked")
        self.handler.end_headers()
        self.streaming = True

    def write(self, raw: bytes) -> None:
        """Bytes of the stream, as one chunk of HTTP."""
        self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def event(self, data: object) -> None:
        """One event; a str goes out as it is."""
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        self.write(f"data: {text}\n\n".encode())

    def delta(self, text: str | None = None, *, finish: str | None = None, **more: object) -> None:
        """One more token."""
        if text:
            self.tokens += 1
        content = {} if text is None else {"content": text}
        self.event({"choices": [{"index": 0, "delta": content | more, "finish_reason": finish}]})

    def finish(self, reason: str = "stop") -> None:
        """What a server that has done its work sends last."""
        self.delta(finish=reason)
        self.event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": self.tokens}})
        self.event("[DONE]")

    def wait(self, seconds: float = MOST_SECONDS) -> bool:
        """Wait so long, or until the client has left; return whether it has."""
        connection = self.handler.connection
        flags = 0 if isinstance(connection, ssl.SSLSocket) else socket.MSG_PEEK  # a client says nothing more here
        with suppress(OSError):
            if select.select([connection], [], [], seconds)[0] and connection.recv(1, flags):
                return False
            if not select.select([connection], [], [], 0)[0]:
                return False
        self.left.set()
        return True

    def drop(self) -> None:
        """Close the connection in the middle."""
        self.streaming = False
        self.handler.close_connection = True
        with suppress(OSError):
            self.handler.connection.shutdown(socket.SHUT_RDWR)


Script = Callable[[Exchange], None]


def saying(*texts: str) -> Script:
    """A script that says these tokens and finishes."""

    def play(exchange: Exchange) -> None:
        exchange.start()
        exchange.delta("", role="assistant")
        for text in texts:
            exchange.delta(text)
        exchange.finish()

    return play


class EngineServer:
    """Plays its scripts one a request, the last one again and again. `exchanges` remembers all requests."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.scripts = list(scripts) or [saying("Three ", "days.")]
        self.healthy = True
        self.asked_health = 0
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), self._handler())
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._http.server_address[1]}/v1"

    @contextmanager
    def running(self) -> Iterator["EngineServer"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def play(self, exchange: Exchange) -> None:
        """Answer one request."""
        with self._lock:
            self.exchanges.append(exchange)
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            script(exchange)
            if exchange.streaming:
                exchange.handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            exchange.left.set()
            exchange.handler.close_connection = True
        finally:
            exchange.over.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def do_GET(self) -> None:
                server.asked_health += 1
                Exchange({}, {}, self).reply(200 if server.healthy else 503)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.play(Exchange(body, {k.lower(): v for k, v in self.headers.items()}, self))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no error."""
