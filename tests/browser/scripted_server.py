"""A small real server that speaks the widget's protocol as a test tells it: static files and a websocket on one port.

Knows nothing of Kefu's own server; it keeps a numbered log and replays what comes after the cursor.
"""

import json
import mimetypes
import queue
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from chatbot.minifying import minified
from tests.patience import PATIENCE

STATIC = Path(__file__).resolve().parents[2] / "chatbot" / "static"
NOON = "2026-11-21T12:00:00Z"
ERROR = {"type": "error", "code": "x", "message": "", "id": None, "retry_after": None, "fatal": False}
ANYWHERE = {"Access-Control-Allow-Origin": "*"}
ASKED = {"profile", "feedback", "rate", "passage", "related", "earlier", "link", "transcript"}
Event = dict[str, Any]


class ScriptedServer:
    """One conversation at a time. `pages` are HTML by path; `frames` holds what the widget has sent, pings
    left out, `asked` what it has asked, which is answered from `answers` by type. `look` is how the site's chat looks.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.frames: queue.Queue[Event] = queue.Queue()
        self.asked: queue.Queue[Event] = queue.Queue()
        self._live: ServerConnection | None = None
        self._server: Server = serve(self._converse, "127.0.0.1", 0, process_request=self._respond)
        self.port: int = self._server.socket.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.reset()

    def reset(self) -> None:
        """A new conversation that knows nobody."""
        self.drop()
        self.pages = {"/blank": "<!doctype html>"}
        self.headers.clear()
        self.log: list[Event] = []
        self.confirming = True
        self.reachable = True
        self.refusal: Event | None = None
        self.welcome: Event = {"site": "云杉户外", "language": "zh"}
        self.look: Event = {}
        self.answers: dict[str, Event] = {"related": {"questions": []}}
        for waiting in (self.frames, self.asked):
            while not waiting.empty():
                waiting.get_nowait()

    def stop(self) -> None:
        self.drop()
        self._server.shutdown()

    def expect(self, kind: str) -> Event:
        """The next frame of the widget, which must be of this type; waits for it."""
        frame = self.frames.get(timeout=PATIENCE)
        assert frame["type"] == kind, frame
        return frame

    def expect_asked(self, kind: str) -> Event:
        """The next question of the widget of this type; waits for it."""
        while True:
            frame = self.asked.get(timeout=PATIENCE)
            if frame["type"] == kind:
                return frame

    def publish(self, kind: str, **fields: Any) -> Event:
        """Appends an event to the log and sends it if somebody listens."""
        event = {"type": kind, "seq": len(self.log) * 3 + 3, **fields}
        self.log.append(event)
        if self._live is not None:
            self.send(event)
        return event

    def message(self, id: str, text: str, *, role: str = "bot", **fields: Any) -> Event:
        """Publishes a finished message."""
        blank: Event = {"client_id": None, "sources": [], "outcome": "answered", "reason": "", "reply_to": None}
        return self.publish("message", message={**blank, "at": NOON, "id": id, "role": role, "text": text, **fields})

    def error(self, message: str, *, id: str | None = None, retry_after: float | None = None) -> None:
        """Sends an error that is not fatal, about the message `id` or about nothing."""
        self.send({**ERROR, "message": message, "id": id, "retry_after": retry_after})

    def send(self, event: Event) -> None:
        """Sends a frame as it is, outside the log."""
        assert self._live is not None, "nobody is connected"
        self._live.send(json.dumps(event))

    def drop(self, code: int = 1012) -> None:
        """Hangs up."""
        live, self._live = self._live, None
        if live is not None:
            live.close(code)

    def _respond(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/ws/chat/":
            return None if self.reachable else _response(503, "text/plain", b"away")
        if path.startswith("/look/"):
            return _response(200, "application/json", json.dumps(self.look).encode(), ANYWHERE)
        if path in self.pages:
            return _response(200, "text/html; charset=utf-8", self.pages[path].encode(), self.headers)
        file = (STATIC / path.removeprefix("/static/")).resolve()
        if path.startswith("/static/") and file.is_relative_to(STATIC) and file.is_file():
            kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0] or "text/plain"
            script = file.suffix in (".js", ".css")  # as they are served: chatbot/minifying.py
            data = minified(file.name, file.read_text()).encode() if script else file.read_bytes()
            return _response(200, f"{kind}; charset=utf-8", data, ANYWHERE)
        return _response(404, "text/plain", b"")

    def _converse(self, connection: ServerConnection) -> None:
        try:
            hello = json.loads(connection.recv(timeout=PATIENCE))
            if self.refusal is not None:
                connection.send(json.dumps(self.refusal))
                connection.close(4403)
            else:
                self._greet(connection, hello)
            self.frames.put(hello)
            for text in connection:
                frame = json.loads(text)
                confirming = self.confirming  # before the test hears of the frame and changes it
                if frame["type"] == "ping":
                    connection.send('{"type": "pong"}')
                    continue
                if frame["type"] in ASKED:
                    answer = self.answers.get(frame["type"], {})
                    connection.send(json.dumps({"type": "done", "id": frame["id"], **answer}))
                    self.asked.put(frame)
                    continue
                self.frames.put(frame)
                if frame["type"] == "say" and confirming:
                    self.confirm(frame)
        except ConnectionClosed:
            pass  # The page went away: the end of a test.

    def confirm(self, frame: Event) -> None:
        """Publishes the customer's own message, once."""
        known = [event["message"]["client_id"] for event in self.log if event["type"] == "message"]
        if frame["id"] not in known:
            self.message(f"m-{frame['id']}", frame["text"], role="customer", client_id=frame["id"], outcome="")

    def _greet(self, connection: ServerConnection, hello: Event) -> None:
        fresh = hello["token"] != "token-1"
        seq = self.log[-1]["seq"] if self.log else 0
        welcome = {"type": "welcome", "protocol": 1, "conversation": "c-1", "token": "token-1", "seq": seq}
        connection.send(json.dumps({**welcome, "fresh": fresh, **self.welcome}))
        after = 0 if fresh else hello["after"]
        for event in self.log:
            if event["seq"] > after:
                connection.send(json.dumps(event))
        self._live = connection


def _response(status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> Response:
    fields = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    return Response(status, "", Headers(fields), body)
