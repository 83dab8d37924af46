"""Bodies that are too long, too slow or too many, before Django keeps them."""

import asyncio
from typing import Any

import pytest

from chatbot.bodies import SMALL_BYTES, BoundedBodies, Message, Receive, Scope, Send


class Django:
    """Reads the whole body, then answers 200; `hold` keeps it from answering."""

    def __init__(self) -> None:
        self.read = 0
        self.hold: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            self.read += len(message.get("body", b""))
            more = message.get("more_body", False)
        if self.hold:
            await self.hold.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        if scope.get("leaves"):
            assert (await receive())["type"] == "http.disconnect"


class Client:
    """Sends chunks; None means that it sends no more and stays."""

    def __init__(self, *chunks: bytes | None, **scope: Any) -> None:
        self.chunks, self.sent, self.answers = list(chunks), 0, list[Message]()
        self.scope: Scope = {"type": "http", "path": "/", "headers": [], **scope}

    async def receive(self) -> Message:
        if not self.chunks:
            return {"type": "http.disconnect"}
        chunk = self.chunks.pop(0)
        if chunk is None:
            await asyncio.Event().wait()
        assert chunk is not None
        self.sent += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(self.chunks)}

    async def send(self, message: Message) -> None:
        self.answers.append(message)

    async def call(self, app: BoundedBodies) -> int:
        await app(self.scope, self.receive, self.send)
        return int(self.answers[0]["status"])


def app(django: Django, most: int = 1_000_000, **options: Any) -> BoundedBodies:
    return BoundedBodies(django, most=lambda scope: most, **options)


@pytest.mark.parametrize("chunks", [[b""], [b"a" * 1_000_000], [b"a" * 100_000] * 10])
async def test_what_is_not_too_much_passes(chunks: list[bytes]) -> None:
    django = Django()
    assert await Client(*chunks).call(app(django)) == 200
    assert django.read == sum(map(len, chunks))


async def test_a_gigabyte_is_cut_off_at_the_limit_whatever_its_length_claims() -> None:
    for headers in ([], [(b"content-length", b"10")], [(b"content-length", b"x")]):
        django = Django()
        client = Client(*[b"a" * 100_000] * 10_000, headers=headers)
        assert await client.call(app(django)) == 413
        assert django.read <= 1_000_000
        assert client.sent <= 1_100_000
        assert (b"connection", b"close") in client.answers[0]["headers"]


async def test_a_length_that_is_too_long_is_believed() -> None:
    client = Client(b"a", headers=[(b"content-length", b"1000001")])
    assert await client.call(app(Django())) == 413
    assert client.sent == 0


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    assert await Client(b"a", None).call(app(Django(), seconds=0.02)) == 408


async def test_who_has_sent_everything_may_wait_for_the_answer() -> None:
    django = Django()
    django.hold = asyncio.Event()
    waiting = asyncio.ensure_future(Client(b"a" * 100).call(app(django, seconds=0.01)))
    await asyncio.sleep(0.03)
    django.hold.set()
    assert await waiting == 200


async def test_leaving_is_passed_on_after_the_body() -> None:
    client = Client(b"a", leaves=True)
    assert await client.call(app(Django())) == 200


async def test_so_many_large_bodies_at_once_and_small_ones_always() -> None:
    django = Django()
    django.hold = asyncio.Event()
    bounded = app(django, places=2)
    large = [asyncio.ensure_future(Client(b"a" * (SMALL_BYTES + 1)).call(bounded)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await Client(b"a" * (SMALL_BYTES + 1)).call(bounded) == 503
    small = asyncio.ensure_future(Client(b"a" * SMALL_BYTES).call(bounded))
    await asyncio.sleep(0)
    django.hold.set()
    assert [await task for task in (*large, small)] == [200, 200, 200]
    assert await Client(b"a" * (SMALL_BYTES + 1)).call(bounded) == 200


async def test_one_address_takes_half_of_the_places_at_most_and_gives_them_back() -> None:
    django = Django()
    django.hold = asyncio.Event()
    bounded = app(django, places=4, client=lambda scope: scope["who"])

    def large(who: str) -> asyncio.Future[int]:
        return asyncio.ensure_future(Client(b"a" * (SMALL_BYTES + 1), who=who).call(bounded))

    slow = [large("192.0.2.1") for _ in range(2)]
    await asyncio.sleep(0)
    assert await large("192.0.2.1") == 503
    others = [large("192.0.2.2") for _ in range(2)]
    await asyncio.sleep(0)
    assert await large("192.0.2.3") == 503
    django.hold.set()
    assert [await task for task in (*slow, *others)] == [200] * 4
    assert [await large("192.0.2.1") for _ in range(3)] == [200] * 3


async def test_a_failure_of_the_application_gives_its_place_back() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise LookupError

    bounded = BoundedBodies(fails, most=lambda scope: 1_000_000, places=1)
    for _ in range(3):
        with pytest.raises(LookupError):
            await Client(b"a" * 100_000).call(bounded)
