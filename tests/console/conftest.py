"""Staff with their sessions, conversations with their shop, and a console's socket over a real redis."""

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from chatbot import services, sockets, threads, wiring
from chatbot.events import EventLog
from chatbot.feed import Feed
from chatbot.models import Conversation, Site
from chatbot.presence import Presence
from config.environment import Config
from console import accounts
from console import hub as hub_module
from console import wiring as console_wiring
from console.consumers import StaffConsumer
from console.hub import Hub
from guardrails.lexicon import Lexicon, Word
from guardrails.sealing import MasterKey
from tests.conftest import RedisServer
from tests.fakes import FakeFind, FakeJudging, FakeQueue
from tests.patience import PATIENCE

HOST = "chat.example"
MASTER_KEY = MasterKey(b"k" * 32)
Frame = dict[str, Any]


@pytest.fixture
def log(redis_client: redis.Redis) -> EventLog:
    return EventLog(redis_client)


@pytest.fixture
def site(db: None) -> Site:
    return Site.objects.create(key="shop", name="The Shop", knowledge_base="shop")


@pytest.fixture
def other_site(db: None) -> Site:
    return Site.objects.create(key="other", name="Another Shop", knowledge_base="other")


@pytest.fixture
def chat(site: Site, log: EventLog) -> Conversation:
    return services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


def staff(name: str, *roles: str, sites: tuple[str, ...] = ("shop",)) -> User:
    """Make an account."""
    return accounts.add(name, "a long pass word", roles=roles, sites=sites)


@pytest.fixture
def mei(site: Site) -> User:
    return staff("mei", "agent")


@pytest.fixture
def tom(site: Site) -> User:
    return staff("tom", "agent")


def cookie_of(user: User) -> str:
    """Return the cookie of a new session of this account."""
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@pytest.fixture
def service_threads() -> Iterator[None]:
    """Close the service threads' database connections when the test is over."""
    yield
    pools = [(threads._services, threads.SERVICE_THREADS), (console_wiring.masking_threads(), 4)]
    for pool, size in pools:
        meet = threading.Barrier(size)

        def close(meet: threading.Barrier = meet) -> None:
            meet.wait(PATIENCE)
            connections.close_all()

        for done in [pool.submit(close) for _ in range(size)]:
            done.result(PATIENCE)


@pytest.fixture
async def web(
    site: Site,
    log: EventLog,
    queue: FakeQueue,
    redis_running: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    service_threads: None,
) -> AsyncIterator[SimpleNamespace]:
    """One web process: its parts, to be changed by a test."""
    monkeypatch.setattr(hub_module, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(sockets, "HELLO_SECONDS", PATIENCE)
    feed, find = Feed(redis_running.url), FakeFind()
    words = Lexicon([Word("badword", "block", "abuse"), Word("riskword", "review", "politics")])
    judging = FakeJudging()
    parts = SimpleNamespace(moved=0, feed=feed, judging=judging)

    def move() -> None:
        parts.moved += 1

    hub = Hub(console_wiring._load_rows, move)
    monkeypatch.setattr(wiring, "feed", lambda: feed)
    monkeypatch.setattr(wiring, "event_log", lambda: log)
    monkeypatch.setattr(wiring, "masking", lambda: SimpleNamespace(find=find))
    monkeypatch.setattr(wiring, "master_key", lambda: MASTER_KEY)
    monkeypatch.setattr(wiring, "lexicon", lambda: words)
    monkeypatch.setattr(wiring, "judging", lambda: judging)
    monkeypatch.setattr(wiring, "limits", lambda: Config(message_characters=200))
    presence = Presence(redis.Redis.from_url(redis_running.url, retry=None))
    monkeypatch.setattr(wiring, "presence", lambda: presence)
    monkeypatch.setattr(console_wiring, "hub", lambda: hub)
    monkeypatch.setattr(console_wiring, "enqueue_turn", queue)
    monkeypatch.setattr(console_wiring, "queue_moved", move)
    yield parts
    if feed._task is not None:
        feed._task.cancel()


class Console:
    """A console's socket. Every frame that comes is kept."""

    def __init__(self, cookie: str = "", origin: str = f"http://{HOST}") -> None:
        headers = [(b"origin", origin.encode()), (b"host", HOST.encode())]
        headers += [(b"cookie", cookie.encode())] if cookie else []
        scope = {
            "type": "websocket",
            "path": "/ws/staff/",
            "headers": headers,
            "subprotocols": [],
            "client": ("192.0.2.7", 1),
        }
        self.socket = ApplicationCommunicator(StaffConsumer.as_asgi(), scope)
        self.frames: list[Frame] = []
        self.welcome: Frame = {}

    async def connect(self) -> None:
        await self.socket.send_input({"type": "websocket.connect"})
        assert (await self.socket.receive_output(PATIENCE))["type"] == "websocket.accept"

    async def open(self) -> "Console":
        await self.connect()
        await self.send(type="hello", protocol=1)
        self.welcome = await self.wait_for("welcome")
        async with asyncio.timeout(PATIENCE):  # what happens before the feed is up comes as `reload`
            while not wiring.feed().up:  # noqa: ASYNC110  the feed is no event
                await asyncio.sleep(0.002)
        return self

    async def send(self, **frame: Any) -> None:
        await self.send_raw(json.dumps(frame))

    async def send_raw(self, text: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def command(self, type_: str, chat: Conversation | uuid.UUID | None = None, **fields: Any) -> Frame:
        """Send a command and return its `done` or `error`."""
        frame_id = fields.pop("id", None) or str(uuid.uuid4())
        if chat is not None:
            fields["conversation"] = str(chat.pk if isinstance(chat, Conversation) else chat)
        await self.send(type=type_, id=frame_id, **fields)
        while True:
            frame = await self.next()
            if frame["type"] in ("done", "error") and frame["id"] == frame_id:
                return frame

    async def next(self) -> Frame:
        output = await self.socket.receive_output(PATIENCE)
        assert output["type"] == "websocket.send", output
        frame: Frame = json.loads(output["text"])
        self.frames.append(frame)
        return frame

    async def wait_for(self, type_: str, **fields: Any) -> Frame:
        """Read until a frame of that type with those fields comes."""
        while True:
            frame = await self.next()
            if frame["type"] == type_ and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    async def closed(self) -> tuple[list[Frame], int]:
        """Read until the server closes; return what came before, and the code."""
        frames: list[Frame] = []
        while True:
            output = await self.socket.receive_output(PATIENCE)
            if output["type"] == "websocket.close":
                return frames, output["code"]
            frames.append(json.loads(output["text"]))

    async def quiet(self) -> bool:
        return bool(await self.socket.receive_nothing(timeout=0.1))

    async def leave(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(PATIENCE)


async def off_loop(call: Any, *arguments: Any, **options: Any) -> Any:
    """Run database work where it may block."""
    return await threads.in_thread(lambda: call(*arguments, **options))


async def console_of(user: User) -> Console:
    """Open a console under a new session of this account."""
    return await Console(await off_loop(cookie_of, user)).open()
