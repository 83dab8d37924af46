"""When an engine wrote what: middleware for vLLM's server, `vllm serve … --middleware bench.engine_stamps.Stamps`.

For each streamed reply it adds a line to the file that KEFU_BENCH_STAMPS names: how the reply begins, and when its
first sentence and each of its deltas left the engine, on the machine's monotonic clock, which all processes share.
Knows nothing of Kefu.
"""

import json
import os
import re
import time
from collections.abc import Callable, Coroutine, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Coroutine[Any, Any, Message]]
Send = Callable[[Message], Coroutine[Any, Any, None]]
App = Callable[[Message, Receive, Send], Coroutine[Any, Any, None]]

BEGINNING = 40
"""Characters by which a reply of chance is known again."""

LONG = 120
"""Characters after which a sentence counts as one without its end: Kefu shows no longer piece at once."""

_STOP = re.compile(r"\S[.!?。！？](?:\s|$)")
_DELTA = re.compile(rb'"content":\s?"(?!")')


@dataclass
class Written:
    """A streamed reply as its bytes go by; `sentence` is when its first sentence was complete, or `LONG`."""

    text: str = ""
    sentence: float | None = None
    times: list[float] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        """These bytes went by now; events are whole in them, as vLLM sends them."""
        deltas = len(_DELTA.findall(body))
        if not deltas:
            return
        now = time.monotonic()
        self.times += [now] * deltas
        if self.sentence is not None and len(self.text) >= BEGINNING:
            return
        for line in body.split(b"\n"):
            if line.startswith(b"data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    self.text += choice["delta"].get("content") or ""
        if self.sentence is None and (_STOP.search(self.text) or len(self.text) >= LONG):
            self.sentence = now


class Stamps:
    """Notes when replies leave the server that it stands before."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._file = open(os.environ["KEFU_BENCH_STAMPS"], "a", buffering=1, encoding="utf-8")  # noqa: SIM115

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on; note what is said to it."""
        if scope["type"] != "http" or not scope["path"].endswith("/chat/completions"):
            await self._app(scope, receive, send)
            return
        written = Written()

        async def noted(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body":
                written.take(message.get("body", b""))

        try:
            await self._app(scope, receive, noted)
        finally:
            self._file.write(json.dumps(vars(written)) + "\n")
