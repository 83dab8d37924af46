"""Bounds what a request may send before Django keeps it: bytes, seconds, and how many large ones at once.

Pure ASGI, in front of Django, which would take a body of any size. Knows nothing of what bodies mean.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SMALL_BYTES = 1 << 16


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class BoundedBodies:
    """Passes requests on to `app`. Not for websockets.

    most: how many bytes this request's body may have; its declared length is only believed when it is too long.
    seconds: how long a body may take to come. places: how many bodies above 64 KiB are there at once, half of them from
    one `client` (an address; "" is unknown) at most; more wait for nothing and get 503.
    """

    def __init__(
        self,
        app: App,
        *,
        most: Callable[[Scope], int],
        client: Callable[[Scope], str] = lambda scope: "",
        seconds: float = 60.0,
        places: int = 8,
    ) -> None:
        self._app, self._most, self._client, self._seconds, self._places = app, most, client, seconds, places
        self._large: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most, client = self._most(scope), self._client(scope)
        size, whole, large, answered = 0, False, False, False
        deadline = asyncio.get_running_loop().time() + self._seconds

        async def bounded() -> Message:
            nonlocal size, whole, large
            if whole:  # what still comes is the client's leaving
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise _Refused(408) from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > most:
                raise _Refused(413)
            if size > SMALL_BYTES and not large:
                if self._large.total() >= self._places or (client and self._large[client] >= self._places // 2):
                    raise _Refused(503)
                large = True
                self._large[client] += 1
            return message

        async def watched(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            if _declared(scope) > most:
                raise _Refused(413)
            await self._app(scope, bounded, watched)
        except _Refused as refused:
            if not answered:
                headers = [(b"content-length", b"0"), (b"connection", b"close"), (b"retry-after", b"5")]
                await send({"type": "http.response.start", "status": refused.status, "headers": headers})
                await send({"type": "http.response.body", "body": b""})
        finally:
            if large:
                self._large -= Counter([client])  # names that count nothing go


def _declared(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0
