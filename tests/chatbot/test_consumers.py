"""The socket, as a widget and as somebody who means harm would use it; real redis, real database, real vault."""

import asyncio
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
import redis
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core import signing
from django.db import connections

from chatbot import (
    admission,
    answering,
    consumers,
    following,
    metrics,
    ownership,
    protocol,
    pulse,
    services,
    sites,
    sockets,
    tokens,
    wiring,
)
from chatbot import feed as feed_module
from chatbot import threads as threads_module
from chatbot import waiting_room as waiting_room_module
from chatbot.appearance import SWITCHES
from chatbot.consumers import ChatConsumer
from chatbot.engines import Prompt
from chatbot.events import EventLog, Writer
from chatbot.feed import Feed
from chatbot.leaving import Leaving, stop_if_left
from chatbot.limits import Limiter, TokenBucket, TooMany
from chatbot.models import Conversation, Message, Rating, Site
from chatbot.presence import Presence
from chatbot.pulse import Pulse
from chatbot.replays import Replays
from chatbot.seats import Seats, SharedSeats
from chatbot.turn import Conclusion, Part, Source
from chatbot.waiting import Board
from chatbot.waiting_room import WaitingRoom
from chatbot.wording import SENTENCES
from config.environment import Config
from guardrails import vault
from guardrails.lexicon import Lexicon, Word
from guardrails.models import VaultEntry
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.pool import MaskingUnavailable
from tests.chatbot.conftest import MASTER_KEY
from tests.conftest import RedisServer
from tests.fakes import (
    Clock,
    FakeAnswer,
    FakeEngine,
    FakeFind,
    FakeQueue,
    Reader,
    conclusion,
    released,
    retrieved,
    until,
)
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN, HOST = "https://shop.example", "chat.example"
Frame = dict[str, Any]


@pytest.fixture
def find() -> FakeFind:
    return FakeFind()


@pytest.fixture
async def web(
    site: Site,
    log: EventLog,
    queue: FakeQueue,
    find: FakeFind,
    redis_running: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    threads: None,
) -> AsyncIterator[SimpleNamespace]:
    """One web process: its parts, to be changed by a test."""
    monkeypatch.setattr(feed_module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.005)
    monkeypatch.setattr(sockets, "HELLO_SECONDS", PATIENCE)
    feed, words = Feed(redis_running.url), Lexicon([Word("badword", "block", "abuse")])
    options = Config(message_characters=200, messages_per_minute=600)
    parts = SimpleNamespace(lexicon=words, limits=options, find=find, silent=Seats(5), seats=Seats(5))
    parts.looks, parts.left = [], []
    monkeypatch.setattr(wiring, "feed", lambda: feed)
    monkeypatch.setattr(wiring, "event_log", lambda: log)
    monkeypatch.setattr(wiring, "masking", lambda: SimpleNamespace(find=find))
    monkeypatch.setattr(wiring, "master_key", lambda: MASTER_KEY)
    monkeypatch.setattr(wiring, "lexicon", lambda: parts.lexicon)
    monkeypatch.setattr(wiring, "limits", lambda: parts.limits)
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", [HOST])
    client = redis.Redis.from_url(redis_running.url, retry=None)
    secret = wiring.secret("limits")
    monkeypatch.setattr(wiring, "limiter", lambda: Limiter(client, wiring.rates(parts.limits), secret=secret))
    monkeypatch.setattr(wiring, "replays", lambda: Replays(client))
    monkeypatch.setattr(wiring, "silent_sockets", lambda: parts.silent)
    monkeypatch.setattr(wiring, "seats", lambda: parts.seats)
    monkeypatch.setattr(waiting_room_module, "PAUSE_SECONDS", 0.01)
    parts.presence = Presence(client)
    board = Board(parts.presence)

    async def look(site: int, conversations: list[uuid.UUID]) -> Any:
        parts.looks.append((site, conversations))
        return await in_thread(board.look, site, conversations)

    room = WaitingRoom(look)
    feed.observe(room)
    monkeypatch.setattr(wiring, "waiting_room", lambda: room)

    async def left(conversation: uuid.UUID, place: str) -> None:
        parts.left.append(await in_thread(lambda: stop_if_left(conversation, place, seats=parts.seats, log=log)))

    leaving = Leaving(left, seconds=0.05)
    monkeypatch.setattr(wiring, "leaving", lambda: leaving)
    monkeypatch.setattr(consumers, "enqueue_turn", queue)
    yield parts
    if feed._task is not None:
        feed._task.cancel()


@pytest.fixture
def threads() -> Iterator[None]:
    """Close the service threads' database connections when the test is over."""
    yield
    meet = threading.Barrier(threads_module.SERVICE_THREADS + consumers.RECEIVING_THREADS)

    def close() -> None:
        meet.wait(PATIENCE)
        connections.close_all()

    closing = [threads_module._services.submit(close) for _ in range(threads_module.SERVICE_THREADS)]
    for done in [*closing, *(consumers._receiving.submit(close) for _ in range(consumers.RECEIVING_THREADS))]:
        done.result(PATIENCE)


class Widget:
    """A customer's socket. Every frame that comes is kept; the numbered ones go through a Reader, which is strict."""

    def __init__(
        self, origin: str = ORIGIN, host: str = HOST, peer: str = "192.0.2.1", forwarded: str | None = None
    ) -> None:
        headers = [(b"origin", origin.encode()), (b"host", host.encode())]
        headers += [(b"x-forwarded-for", forwarded.encode())] if forwarded is not None else []
        self.scope = {
            "type": "websocket",
            "path": "/ws/chat/",
            "headers": headers,
            "subprotocols": [],
            "client": (peer, 1),
        }
        self.socket = ApplicationCommunicator(ChatConsumer.as_asgi(), self.scope)
        self.reader = Reader()
        self.frames: list[Frame] = []
        self.welcome: Frame = {}

    async def open(self, **hello: Any) -> "Widget":
        """Connect and say hello."""
        await self.connect()
        await self.send(type="hello", **{"protocol": 1, "key": "shop", "language": "en", **hello})
        self.welcome = await self.wait_for("welcome")
        known = not self.welcome["fresh"] and hello.get("after", 0) <= self.welcome["seq"]
        self.reader.cursor = hello.get("after", 0) if known else 0
        return self

    async def connect(self) -> None:
        await self.socket.send_input({"type": "websocket.connect"})
        assert (await self.socket.receive_output(PATIENCE))["type"] == "websocket.accept"

    async def send(self, **frame: Any) -> None:
        await self.send_raw(json.dumps(frame))

    async def send_raw(self, data: str | bytes) -> None:
        name = "text" if isinstance(data, str) else "bytes"
        await self.socket.send_input({"type": "websocket.receive", name: data})

    async def say(self, text: str, identity: str = "") -> str:
        identity = identity or str(uuid.uuid4())
        await self.send(type="say", id=identity, text=text)
        return identity

    async def next(self) -> Frame:
        output = await self.socket.receive_output(PATIENCE)
        assert output["type"] == "websocket.send", output
        frame: Frame = json.loads(output["text"])
        self.frames.append(frame)
        if "seq" in frame and frame["type"] != "welcome":
            self.reader.see(frame)
        return frame

    async def wait_for(self, type_: str, **fields: Any) -> Frame:
        """Read until a frame of that type with those fields comes."""
        while True:
            frame = await self.next()
            if frame["type"] == type_ and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    async def message(self, role: str = "customer") -> Frame:
        """Read until a finished message of that role comes."""
        while True:
            message: Frame = (await self.wait_for("message"))["message"]
            if message["role"] == role:
                return message

    async def closed(self) -> tuple[list[Frame], int]:
        """Read until the server closes; return what came before, and the code."""
        frames: list[Frame] = []
        while True:
            output = await self.socket.receive_output(PATIENCE)
            if output["type"] == "websocket.close":
                return frames, output["code"]
            frames.append(json.loads(output["text"]))

    async def quiet(self) -> bool:
        """Say whether nothing has come that was not read."""
        return bool(await self.socket.receive_nothing(timeout=0.05))

    async def leave(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(PATIENCE)

    @property
    def chat(self) -> uuid.UUID:
        return uuid.UUID(self.welcome["conversation"])


@pytest.fixture
async def widget(web: SimpleNamespace) -> AsyncIterator[Widget]:
    widget = await Widget().open()
    yield widget
    await widget.leave()


async def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    return await threads_module.in_thread(lambda: call(*arguments))


async def come_true(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(until, condition)


async def queued(queue: FakeQueue) -> None:
    """Wait until a message is queued; that is a moment after it has been announced."""
    await come_true(lambda: queue.ids)


async def kill(redis_running: RedisServer) -> None:
    """Kill redis when the numbers of all announced messages are in the database, which is a moment after the event."""
    waiting = Message.objects.filter(sequence=None)
    await in_thread(until, lambda: not waiting.exists())
    redis_running.kill()


async def answer(queue: FakeQueue, log: EventLog, *script: Any) -> None:
    """Answer the oldest queued message as a worker would."""
    await queued(queue)
    message_id = queue.ids.pop(0)

    def work() -> None:
        answering.answer_turn(
            message_id, answer=FakeAnswer(script), log=log, pulse=Pulse(log), enqueue=FakeQueue(), seconds=60
        )

    await in_thread(work)


# --- hello


async def test_a_hello_is_welcomed(widget: Widget, site: Site) -> None:
    welcome = widget.welcome
    assert (welcome["protocol"], welcome["seq"], welcome["fresh"], welcome["site"]) == (1, 0, True, "The Shop")
    visitor = tokens.read(welcome["token"], site="shop", origin=ORIGIN)
    assert visitor is not None
    chat = await in_thread(Conversation.objects.get)
    assert (visitor.conversation, visitor.id, chat.language, chat.site_id) == (chat.id, chat.visitor, "en", site.id)
    await widget.send(type="ping")
    await widget.wait_for("pong")


async def test_the_page_that_kefu_serves_itself_needs_no_permission(web: SimpleNamespace) -> None:
    widget = await Widget(origin=f"http://{HOST}").open()
    await widget.leave()


@pytest.mark.parametrize(
    ("hello", "origin", "code"),
    [
        ({"key": "nobody"}, ORIGIN, "bad_key"),
        ({"key": ""}, ORIGIN, "bad_key"),
        ({}, "https://evil.example", "bad_origin"),
        ({}, "http://shop.example", "bad_origin"),
        ({}, "https://shop.example.evil.example", "bad_origin"),
        ({}, "https://evil.example/https://shop.example", "bad_origin"),
        ({}, "null", "bad_origin"),
        ({}, "", "bad_origin"),
        ({}, "http://[", "bad_origin"),
        ({}, f"file://{HOST}", "bad_origin"),
        ({}, HOST, "bad_origin"),
    ],
)
async def test_a_hello_that_is_not_allowed_is_refused_with_its_reason(
    hello: Frame, origin: str, code: str, web: SimpleNamespace
) -> None:
    widget = Widget(origin)
    await widget.connect()
    await widget.send(type="hello", **{"protocol": 1, "key": "shop", **hello})
    [error], closed = await widget.closed()
    assert (error["type"], error["code"], error["fatal"], closed) == ("error", code, True, protocol.CLOSE_REFUSED)
    assert error["message"]
    assert not await in_thread(Conversation.objects.exists)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": "hi"},
        {"type": "stop"},
        {"type": "ping"},
        {"type": "hello", "protocol": 99, "key": "shop"},
        {"type": "hello", "protocol": 1, "key": "shop\0"},
        {"type": "hello", "protocol": 1, "key": "shop", "after": True},
    ],
)
async def test_who_does_not_begin_with_a_good_hello_is_sent_away(frame: Frame, web: SimpleNamespace) -> None:
    widget = Widget()
    await widget.connect()
    await widget.send(**frame)
    [error], closed = await widget.closed()
    assert (error["code"], error["fatal"], closed) == ("bad_hello", True, protocol.CLOSE_BAD_HELLO)
    assert not await in_thread(Message.objects.exists)


async def test_who_says_no_hello_in_time_is_sent_away(web: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.02)
    widget = Widget()
    await widget.connect()
    [error], closed = await widget.closed()
    assert (error["code"], closed) == ("no_hello", protocol.CLOSE_NO_HELLO)


async def test_who_said_hello_in_time_may_stay(web: SimpleNamespace) -> None:
    widget = await Widget().open()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "hello timer" and not task.cancelling()]
    await widget.send(type="ping")
    await widget.wait_for("pong")
    await widget.leave()


@pytest.mark.parametrize("sent_before", [0, 1, 2], ids=["accept", "welcome", "first event"])
async def test_a_client_that_goes_while_something_is_sent_to_it_leaves_nothing_behind(
    web: SimpleNamespace, sent_before: int
) -> None:
    """uvicorn's `send` raises then, and no disconnect is ever handed over."""
    hello = {"type": "hello", "protocol": 1, "key": "shop", "token": "", "after": 0, "language": "en"}
    coming: list[Frame] = [{"type": "websocket.connect"}]
    coming += [{"type": "websocket.receive", "text": text} for text in (json.dumps(hello), "nonsense", "nonsense")]
    before, sent = metrics.OPEN_SOCKETS._value.get(), []

    async def receive() -> Frame:
        if not coming:
            await asyncio.Event().wait()
        return coming.pop(0)

    async def send(message: Frame) -> None:
        sent.append(message)
        if len(sent) > sent_before:
            raise OSError("the client has gone")

    await asyncio.wait_for(ChatConsumer.as_asgi()(Widget().scope, receive, send), PATIENCE)
    assert len(sent) > sent_before
    assert (metrics.OPEN_SOCKETS._value.get(), web.silent.taken(), web.seats.taken()) == (before, [], [])
    assert not wiring.feed()._watchers


async def test_after_a_goodbye_nothing_is_read_or_sent(web: SimpleNamespace) -> None:
    widget = Widget()
    await widget.connect()
    for _ in range(2):
        await widget.send(type="ping")
    frames, closed = await widget.closed()
    assert ([frame["code"] for frame in frames], closed) == (["bad_hello"], protocol.CLOSE_BAD_HELLO)


async def test_a_second_hello_changes_nothing(widget: Widget) -> None:
    await widget.send(type="hello", protocol=1, key="shop")
    assert (await widget.wait_for("error"))["code"] == "unknown_type"
    await widget.say("hi")
    assert (await widget.message())["text"] == "hi"


async def test_a_hello_that_breaks_gives_a_reason(web: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(consumers, "open_session", broken)
    widget = Widget()
    await widget.connect()
    await widget.send(type="hello", protocol=1, key="shop")
    [error], closed = await widget.closed()
    assert (error["code"], closed) == ("internal", 1011)
    assert "database" not in json.dumps(error)


# --- limits


async def test_too_many_sockets_without_a_hello_from_one_address_are_sent_away(web: SimpleNamespace) -> None:
    web.silent = Seats(2)
    silent = [Widget() for _ in range(2)]
    for widget in silent:
        await widget.connect()
    one_more = Widget()
    await one_more.connect()
    [error], closed = await one_more.closed()
    assert (error["code"], error["fatal"], closed) == ("too_many_sockets", False, protocol.CLOSE_TOO_MANY)
    assert error["retry_after"] > 0
    await one_more.send(type="hello", protocol=1, key="shop")
    assert await one_more.quiet()
    elsewhere = await Widget(peer="192.0.2.2").open()
    await silent[0].leave()
    again = await Widget().open()
    for widget in (one_more, elsewhere, silent[1], again):
        await widget.leave()
    assert not web.silent.taken()
    assert not web.seats.taken()


async def test_who_has_said_hello_waits_no_more(web: SimpleNamespace) -> None:
    web.silent = Seats(1)
    tabs = [await Widget().open() for _ in range(3)]
    assert not web.silent.taken()
    for tab in tabs:
        await tab.leave()


@pytest.mark.parametrize(
    ("trusted", "refused"), [([], True), (["198.51.100.0/24"], True), (["192.0.2.1"], False), (["192.0.2.0/24"], False)]
)
async def test_a_forwarded_address_counts_only_when_a_trusted_proxy_says_so(
    trusted: list[str], refused: bool, web: SimpleNamespace
) -> None:
    web.silent = Seats(1)
    web.limits = Config(trusted_proxies=trusted)
    first, second = Widget(forwarded="203.0.113.1"), Widget(forwarded="203.0.113.2")
    await first.connect()
    await second.connect()
    if refused:
        assert (await second.closed())[1] == protocol.CLOSE_TOO_MANY
    else:
        assert await second.quiet()
    await first.leave()
    await second.leave()


async def test_a_hello_that_comes_too_soon_is_told_when_to_come_again(web: SimpleNamespace) -> None:
    web.limits = web.limits.model_copy(update={"conversations_per_minute_ip": 1})
    for _ in range(5):
        await (await Widget().open()).leave()
    widget = Widget()
    await widget.connect()
    await widget.send(type="hello", protocol=1, key="shop")
    [error], closed = await widget.closed()
    assert (error["code"], error["fatal"], closed) == ("too_fast", False, protocol.CLOSE_TOO_FAST)
    assert 0 < error["retry_after"] <= 60
    await widget.leave()


async def test_too_many_tabs_of_a_visitor_are_refused_and_leaving_makes_room(
    widget: Widget, web: SimpleNamespace
) -> None:
    tabs = [await Widget().open(token=widget.welcome["token"]) for _ in range(4)]
    sixth = Widget()
    await sixth.connect()
    await sixth.send(type="hello", protocol=1, key="shop", token=widget.welcome["token"])
    [error], closed = await sixth.closed()
    assert (error["code"], error["fatal"], closed) == ("too_many_sockets", True, protocol.CLOSE_TOO_MANY)
    await tabs.pop().leave()
    tabs.append(await Widget().open(token=widget.welcome["token"]))
    for tab in tabs:
        await tab.leave()


async def test_a_visitors_tabs_and_reconnections_share_one_allowance(web: SimpleNamespace, queue: FakeQueue) -> None:
    web.limits = web.limits.model_copy(update={"messages_per_minute": 1})
    token, passed, refused = "", 0, 0
    for _ in range(4):
        tab = await Widget().open(token=token)
        token = tab.welcome["token"]
        for _ in range(3):
            await tab.say("hello")
        await tab.send(type="ping")
        await tab.wait_for("pong")
        refused += sum(frame["type"] == "error" and frame["code"] == "too_fast" for frame in tab.frames)
        await tab.leave()
    passed = await in_thread(Message.objects.count)
    assert (passed, refused) == (5, 7)


async def test_a_busy_site_says_so(web: SimpleNamespace) -> None:
    web.limits = web.limits.model_copy(update={"messages_per_minute_site": 1})
    for n in range(6):
        widget = await Widget(peer=f"192.0.2.{n}").open()
        await widget.say("hello")
        if n < 5:
            await widget.message()
        else:
            error = await widget.wait_for("error")
            assert (error["code"], error["fatal"]) == ("busy", False)
        await widget.leave()


async def test_limits_hold_without_redis(widget: Widget, web: SimpleNamespace, redis_running: RedisServer) -> None:
    web.limits = web.limits.model_copy(update={"messages_per_minute": 1})
    limiter = wiring.limiter()
    redis_running.kill()
    for _ in range(5):
        limiter.take("message", visitor=widget.chat)
    with pytest.raises(TooMany, match="visitor"):
        limiter.take("message", visitor=widget.chat)
    redis_running.start()


# --- known users


async def test_a_signed_user_is_welcomed_and_a_replayed_one_is_sent_away(web: SimpleNamespace, site: Site) -> None:
    secret = await in_thread(lambda: sites.new_user_secret(site, master_key=MASTER_KEY))
    now = int(time.time())
    claims = {"sub": "7", "iat": now, "exp": now + 600, "jti": "j", "aud": "shop", "name": "Li Wei"}
    user = jwt.encode(claims, secret, algorithm="HS256")
    mine = await Widget().open(user=user, device="d" * 16)
    await mine.say("hello")
    await mine.message()
    for language, says in (("zh", "别处"), ("en", "elsewhere")):
        thief = Widget()
        await thief.connect()
        stolen = {"user": user, "device": "t" * 16, "token": mine.welcome["token"], "language": language}
        await thief.send(type="hello", protocol=1, key="shop", **stolen)
        [error], closed = await thief.closed()
        assert (error["code"], error["fatal"], closed) == ("user_replayed", True, protocol.CLOSE_REFUSED)
        assert says in error["message"]
    again = await Widget().open(user=user, device="d" * 16)
    assert (await again.message())["text"] == "hello"
    for widget in (mine, again):
        await widget.leave()


# --- tokens


async def test_a_token_leads_back_to_the_conversation(widget: Widget, web: SimpleNamespace) -> None:
    await widget.say("hello")
    message = await widget.message()
    again = await Widget().open(token=widget.welcome["token"])
    assert (again.welcome["conversation"], again.welcome["fresh"]) == (widget.welcome["conversation"], False)
    assert await again.message() == message
    await again.leave()


async def test_a_token_of_elsewhere_gives_a_fresh_conversation_and_never_anothers(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue
) -> None:
    await widget.say("a secret")
    await widget.message()
    other = await in_thread(
        lambda: Site.objects.create(key="other", name="Other", knowledge_base="x", allowed_origins=[ORIGIN])
    )
    mine = tokens.read(widget.welcome["token"], site="shop", origin=ORIGIN)
    assert mine is not None
    forged = [
        (Widget(), {"key": other.key, "token": widget.welcome["token"]}),
        (Widget(f"https://{HOST}"), {"token": widget.welcome["token"]}),
        (Widget(), {"token": widget.welcome["token"] + "x"}),
        (Widget(), {"token": "客"}),
        (Widget(), {"token": tokens.issue(tokens.Visitor(uuid.uuid4(), mine.conversation, "shop", ORIGIN))}),
        (Widget(), {"token": tokens.issue(tokens.Visitor(mine.id, uuid.uuid4(), "shop", ORIGIN))}),
    ]
    for stranger, hello in forged:
        await stranger.open(**hello, after=0)
        assert stranger.welcome["fresh"]
        assert stranger.chat != widget.chat
        await stranger.say("hello?")
        assert (await stranger.message())["text"] == "hello?"
        assert len(stranger.reader.messages) == 1
        await stranger.leave()
    assert await widget.quiet()


async def test_a_visitor_whose_conversation_was_erased_begins_a_new_one(
    widget: Widget, web: SimpleNamespace, log: EventLog
) -> None:
    await in_thread(lambda: services.erase_conversation(widget.chat, log=log))
    again = await Widget().open(token=widget.welcome["token"], after=9)
    assert again.welcome["fresh"]
    assert again.welcome["seq"] == 0
    await again.leave()


async def test_a_tab_that_was_open_during_the_erasure_is_told_and_keeps_nothing(
    widget: Widget, web: SimpleNamespace, log: EventLog
) -> None:
    await in_thread(lambda: services.erase_conversation(widget.chat, log=log))
    await widget.say("I am 13800138000")
    frames, closed = await widget.closed()
    assert (frames[-1]["code"], frames[-1]["fatal"], closed) == ("expired", True, protocol.CLOSE_GONE)
    assert not await in_thread(VaultEntry.objects.exists)


async def test_every_welcome_brings_a_fresh_token(
    widget: Widget, web: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time() + 29 * 24 * 3600
    monkeypatch.setattr(signing.time, "time", lambda: later)
    again = await Widget().open(token=widget.welcome["token"])
    assert again.welcome["token"] != widget.welcome["token"]
    later += 29 * 24 * 3600
    assert tokens.read(widget.welcome["token"], site="shop", origin=ORIGIN) is None
    last = await Widget().open(token=again.welcome["token"])
    assert last.chat == widget.chat
    for tab in (again, last):
        await tab.leave()


# --- messages in


async def test_a_message_comes_back_and_is_queued_once(widget: Widget, queue: FakeQueue) -> None:
    for _ in range(3):
        await widget.say("hello", "00000000-0000-4000-8000-000000000001")
    message = await widget.message()
    await widget.send(type="ping")
    await widget.wait_for("pong")
    assert (message["client_id"], message["role"], message["text"]) == (
        "00000000-0000-4000-8000-000000000001",
        "customer",
        "hello",
    )
    assert await widget.quiet()
    await queued(queue)
    assert queue.ids == [uuid.UUID(message["id"])]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a" * 10_000_000, "too_long"),
        (json.dumps({"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": "a" * 201}), "too_long"),
        (
            json.dumps({"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": "a" * 10_000_000}),
            "too_long",
        ),
        (
            json.dumps({"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": "\u200b" * 10_000}),
            "too_long",
        ),
        (json.dumps({"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": "\u200b" * 100}), "empty"),
        ("{", "invalid_json"),
        ('["say"]', "invalid_json"),
        ('{"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": "\\ud800"}', "invalid_json"),
        ('{"type": "eval"}', "unknown_type"),
        (b"\x00\xff", "binary"),
    ],
)
async def test_bad_input_gets_a_clear_error_and_the_socket_stays(text: str | bytes, code: str, widget: Widget) -> None:
    await widget.send_raw(text)
    error = await widget.wait_for("error")
    assert (error["code"], error["fatal"]) == (code, False)
    assert error["message"] == SENTENCES[code]["en"].format(limit=200, seconds=1)
    await widget.say("and now?")
    assert (await widget.message())["text"] == "and now?"


@pytest.mark.parametrize("text", ["a\0b", "<CN_MOBILE_1>", "<b>bold</b>", "{'a': 1}", "😀" * 200, "\u202eabc"])
async def test_odd_messages_are_messages(text: str, widget: Widget) -> None:
    await widget.say(text)
    shown = (await widget.message())["text"]
    assert shown == text.replace("\0", "").replace("<CN_MOBILE_1>", "‹CN-MOBILE-1›")


async def test_errors_are_said_in_the_language_of_the_page(web: SimpleNamespace) -> None:
    widget = await Widget().open(language="zh-CN")
    await widget.say(" ")
    assert (await widget.wait_for("error"))["message"] == SENTENCES["empty"]["zh"]
    await widget.leave()


async def test_who_writes_too_fast_is_told_how_long_to_wait(web: SimpleNamespace, queue: FakeQueue) -> None:
    web.limits = web.limits.model_copy(update={"messages_per_minute": 1})
    widget = await Widget().open()
    for n in range(6):
        await widget.say(f"message {n}", f"00000000-0000-4000-8000-{n:012d}")
    error = await widget.wait_for("error")
    assert (error["code"], error["id"], error["fatal"]) == ("too_fast", "00000000-0000-4000-8000-000000000005", False)
    assert 0 < error["retry_after"] <= 60
    await widget.leave()
    assert len(queue.ids) == 5


async def test_who_floods_is_sent_away(web: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "TokenBucket", partial(TokenBucket, clock=Clock()))
    widget = await Widget().open()
    for _ in range(80):
        await widget.send(type="ping")
    frames, closed = await widget.closed()
    assert closed == protocol.CLOSE_TOO_FAST
    assert (frames[-1]["code"], frames[-1]["fatal"]) == ("too_fast", True)
    assert sum(frame["type"] == "pong" for frame in frames) == 59  # and the hello
    await widget.leave()


@pytest.mark.parametrize(
    ("failure", "code"),
    [(MaskingUnavailable("full"), "masking_unavailable"), (RuntimeError("13800138000"), "internal")],
)
async def test_a_message_that_cannot_be_received_is_refused_by_name_and_can_be_sent_again(
    failure: Exception, code: str, widget: Widget, find: FakeFind
) -> None:
    find.failure = failure
    await widget.say("call 13800138000", "00000000-0000-4000-8000-000000000001")
    error = await widget.wait_for("error")
    assert (error["code"], error["id"], error["fatal"]) == (code, "00000000-0000-4000-8000-000000000001", False)
    assert error["retry_after"] > 0
    assert "138" not in json.dumps(error)
    assert not await in_thread(Message.objects.exists)
    find.failure = None
    await widget.say("call 13800138000", "00000000-0000-4000-8000-000000000001")
    assert (await widget.message())["client_id"] == "00000000-0000-4000-8000-000000000001"


async def test_the_real_master_key_is_loaded_off_the_event_loop(
    widget: Widget, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(wiring, "master_key", lambda: wiring.vault.load_master_key(tmp_path / "master.key"))
    await widget.say("call 13800138000")
    assert (await widget.message())["text"] == "call 13800138000"


# --- events out


async def test_an_answer_streams_and_ends_in_its_message(widget: Widget, queue: FakeQueue, log: EventLog) -> None:
    await widget.say("How long?")
    question = await widget.message()
    await answer(queue, log, "Seven days. ", "Or more. ")
    reply = await widget.message("bot")
    assert (reply["text"], reply["reply_to"], reply["outcome"]) == ("Seven days. Or more. ", question["id"], "answered")
    parts = [frame for frame in widget.frames if frame["type"] == "reply"]
    assert parts[0]["text"] == "Seven days. "
    assert {part["reply"] for part in parts} == {reply["id"]}


@pytest.mark.parametrize("shown", [True, False])
async def test_sources_are_sent_unless_the_site_shows_none(
    shown: bool, web: SimpleNamespace, site: Site, queue: FakeQueue, log: EventLog
) -> None:
    site.widget = {"show_sources": shown}
    await in_thread(site.save)
    widget = await Widget().open()
    await widget.say("How long?")
    source = Source(1, "internal-notes.md", "r1", "Returns", "Seven days, says the handbook.")
    await answer(queue, log, Conclusion("answered", "", tuple(released("Seven days [1].")), sources=(source,)))
    reply = await widget.message("bot")
    again = await Widget().open(token=widget.welcome["token"])
    for message in (reply, await again.message("bot")):
        assert [one["excerpt"] for one in message["sources"]] == [source.excerpt] * shown
    assert any("internal-notes" in json.dumps(frame) for frame in widget.frames) == shown
    for socket in (widget, again):
        await socket.leave()


async def test_all_tabs_of_a_visitor_see_the_same(widget: Widget, web: SimpleNamespace) -> None:
    other = await Widget().open(token=widget.welcome["token"])
    await widget.say("from one")
    await other.message()
    await other.say("from the other")
    assert (await other.message())["text"] == "from the other"
    await widget.message()
    assert (await widget.message())["text"] == "from the other"
    assert widget.reader.messages == other.reader.messages
    await other.leave()


async def test_who_returns_gets_what_was_missed_and_nothing_twice(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue, log: EventLog
) -> None:
    await widget.say("one")
    await widget.message()
    await widget.leave()
    await answer(queue, log, "First. ", "Second. ")
    again = await Widget().open(token=widget.welcome["token"], after=widget.reader.cursor)
    assert again.welcome["seq"] == log.read(widget.chat, 0)[1] >= widget.reader.cursor + 2
    assert (await again.message("bot"))["text"] == "First. Second. "
    assert [frame["type"] for frame in again.frames[1:]] == ["message"]  # what is finished comes whole
    assert len(again.reader.messages) == 1
    await again.leave()


async def test_who_reloads_the_page_gets_the_whole_conversation(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue, log: EventLog
) -> None:
    await widget.say("one")
    await widget.message()
    await answer(queue, log, "First. ")
    await widget.message("bot")
    again = await Widget().open(token=widget.welcome["token"])
    await again.message("bot")
    assert again.reader.messages == widget.reader.messages
    assert [frame["type"] for frame in again.frames] == ["welcome", "message", "message"]
    await again.leave()


async def test_who_names_a_number_that_was_never_given_out_gets_everything(
    widget: Widget, web: SimpleNamespace
) -> None:
    await widget.say("one")
    await widget.message()
    again = await Widget().open(token=widget.welcome["token"], after=2**53 - 1)
    assert (await again.message())["text"] == "one"
    await again.leave()


async def test_events_that_the_feed_left_out_are_read_from_the_log(widget: Widget, log: EventLog) -> None:
    feed = wiring.feed()
    watchers = feed._watchers.pop(widget.chat)
    for n in range(3):
        log.append(Writer(widget.chat), "status", {"reply": "r", "stage": f"{n}"})
    other = await Widget().open(token=widget.welcome["token"])
    await other.wait_for("status", stage="2")
    feed._watchers.setdefault(widget.chat, set()).update(watchers)
    log.append(Writer(widget.chat), "status", {"reply": "r", "stage": "3"})
    for n in range(4):
        assert (await widget.next())["stage"] == str(n)
    await other.leave()


async def test_more_events_than_a_socket_can_hold_all_arrive(
    web: SimpleNamespace, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "WAITING_EVENTS", 2)
    widget = await Widget().open()
    for n in range(60):
        log.append(Writer(widget.chat), "status", {"reply": "r", "stage": str(n)})
    assert [(await widget.next())["stage"] for _ in range(60)] == [str(n) for n in range(60)]
    await widget.leave()


async def test_an_unannounced_number_leaves_no_socket_behind(widget: Widget, log: EventLog) -> None:
    log._redis.flushall()
    await widget.say("after the flush")
    assert (await widget.message())["text"] == "after the flush"


async def test_stop_reaches_the_answer(widget: Widget, queue: FakeQueue, log: EventLog) -> None:
    await widget.say("How long?")
    await widget.message()
    await queued(queue)
    claimed = await in_thread(lambda: answering.claim(queue.ids[0], log=log))
    await widget.send(type="stop")
    await widget.send(type="ping")
    await widget.wait_for("pong")
    assert log.stops([widget.chat]) == [claimed.attempt]


# --- waiting for a person


async def request_person(widget: Widget, log: EventLog, reason: str = "requested") -> None:
    await in_thread(lambda: ownership.request_person(conversation_id=widget.chat, reason=reason, log=log))


async def waits(widget: Widget) -> tuple[str, int | None, int | None, bool | None]:
    frame = await widget.wait_for("waiting")
    assert set(frame) == {"type", "state", "place", "seconds", "opens", "people", "text"}, "an unnumbered frame"
    return frame["state"], frame["place"], frame["seconds"], frame["people"]


async def test_who_waits_is_told_their_place_and_every_change_of_it(
    web: SimpleNamespace, site: Site, log: EventLog, django_user_model: Any
) -> None:
    first, second = await Widget().open(), await Widget().open()
    mei = await in_thread(lambda: django_user_model.objects.create_user("mei", first_name="Mei"))
    await request_person(first, log)
    assert await waits(first) == ("waiting", 1, None, False)
    await request_person(second, log)
    assert await waits(second) == ("waiting", 2, None, False)
    web.presence.report(mei.pk, [site.pk], 30)
    await in_thread(lambda: ownership.take_over(conversation_id=first.chat, agent=mei, log=log))
    await first.wait_for("waiting", state="taken")  # perhaps it was seen before that somebody is there
    await second.wait_for("waiting", state="waiting", place=1)
    back = {"conversation_id": first.chat, "agent": mei, "log": log, "enqueue": FakeQueue()}
    await in_thread(lambda: ownership.hand_back(**back))
    await first.wait_for("waiting", state="none")
    for widget in (first, second):
        await widget.leave()


async def test_a_tab_that_comes_later_is_told_too_and_who_needs_nobody_hears_nothing(
    web: SimpleNamespace, widget: Widget, log: EventLog
) -> None:
    other = await Widget().open()
    await request_person(widget, log)
    assert (await waits(widget))[:2] == ("waiting", 1)
    again = await Widget().open(token=widget.welcome["token"])
    assert (await waits(again))[:2] == ("waiting", 1)
    await other.send(type="ping")
    await other.wait_for("pong")
    assert [frame["type"] for frame in other.frames] == ["welcome", "pong"]
    await again.leave()
    await other.leave()


async def test_who_asks_while_people_are_away_is_told_when_they_are_back(
    web: SimpleNamespace, site: Site, log: EventLog
) -> None:
    site.hours = {"zone": "Asia/Shanghai", "days": {"2199-01-01": [["09:00", "10:00"]]}}
    await in_thread(site.save)
    widget = await Widget().open()
    await request_person(widget, log)
    notice = await widget.message("system")
    assert (notice["role"], notice["reason"]) == ("system", "closed")
    assert "1 Jan, at 09:00 (UTC+8)" in notice["text"]
    frame = next((f for f in widget.frames if f["type"] == "waiting"), None) or await widget.wait_for("waiting")
    assert (frame["state"], frame["opens"]) == ("message", "2199-01-01T09:00:00+08:00")
    await widget.leave()


async def test_many_who_wait_are_told_by_one_look(web: SimpleNamespace, site: Site, log: EventLog) -> None:
    web.limits = Config(hellos_per_minute_ip=1000)
    widgets = [await Widget().open() for _ in range(20)]
    await asyncio.gather(*(request_person(widget, log) for widget in widgets))
    for widget in widgets:
        while not [f for f in widget.frames if f["type"] == "waiting" and f["place"]]:
            await widget.wait_for("waiting")
    log.nudge(widgets[0].chat, "typing", {"author": "Mei"})
    await widgets[0].wait_for("typing")  # so everything before it has come, too
    await come_true(lambda: wiring.waiting_room()._sites[site.pk].looking.done())
    web.looks.clear()
    await request_person(widgets[0], log, "anger")  # changes nothing
    await in_thread(lambda: log.nudge(widgets[0].chat, "queue", {"site": site.pk}))
    await come_true(lambda: web.looks)
    [(_, asked)] = web.looks
    assert set(asked) == {widget.chat for widget in widgets}
    for widget in widgets:
        await widget.leave()


async def test_an_agent_who_types_is_shown_by_name(widget: Widget, web: SimpleNamespace, log: EventLog) -> None:
    other = await Widget().open()
    await come_true(lambda: wiring.feed().up)
    log.nudge(widget.chat, "typing", {"author": "Mei"})
    assert await widget.wait_for("typing") == {"type": "typing", "author": "Mei"}
    await widget.say("hello")
    assert (await widget.message())["text"] == "hello"
    assert [frame["type"] for frame in other.frames] == ["welcome"]
    await other.leave()


async def test_who_has_an_erased_conversation_open_is_told(widget: Widget, log: EventLog) -> None:
    await come_true(lambda: wiring.feed().up)
    log.nudge(widget.chat, "gone")
    assert (await widget.wait_for("error"))["code"] == "expired"
    assert await widget.closed() == ([], protocol.CLOSE_GONE)


# --- leaving for long


@pytest.fixture
def two_webs(redis_running: RedisServer) -> Iterator[tuple[SharedSeats, SharedSeats]]:
    """The seats as two processes see them."""
    both = [SharedSeats(redis.Redis.from_url(redis_running.url, retry=None), 5) for _ in range(2)]
    yield both[0], both[1]
    for seats in both:
        seats.close()
        if seats._renewing is not None:
            seats._renewing.join()


async def slow_answer(queue: FakeQueue, log: EventLog, engine: FakeEngine) -> "asyncio.Future[Any]":
    """Start to answer with an engine that goes on until it is stopped."""
    await queued(queue)
    message_id = queue.ids.pop()

    def script(turn: Any, base: str, interrupted: Callable[[], Any]) -> Any:
        prompt = Prompt("", retrieved().question_vector, (), "en")
        for delta in engine.stream(prompt, lambda: bool(interrupted())):
            yield Part(released(delta)[0])
        yield conclusion("Stopped.", reason=interrupted())

    work = partial(answering.answer_turn, message_id, answer=script, log=log, pulse=Pulse(log), seconds=60)
    return asyncio.ensure_future(in_thread(lambda: work(enqueue=FakeQueue())))


def endless(pause: Callable[[], None]) -> FakeEngine:
    engine = FakeEngine()
    engine.deltas = cycle(["Word. ", pause])  # until its turn's time is over
    return engine


@pytest.mark.parametrize("stays", [False, True])
async def test_an_answer_is_stopped_when_the_last_socket_of_all_processes_has_gone(
    web: SimpleNamespace, two_webs: tuple[SharedSeats, SharedSeats], queue: FakeQueue, log: EventLog, stays: bool
) -> None:
    here, there = two_webs
    web.seats = here
    tabs = [await Widget().open()]
    tabs.append(await Widget().open(token=tabs[0].welcome["token"]))
    visitor = (await in_thread(Conversation.objects.get)).visitor
    if stays:
        assert there.take(admission.place_of(visitor), "a tab of another process")
    await tabs[0].say("How long?")
    engine = endless(partial(time.sleep, 0.005))
    running = await slow_answer(queue, log, engine)
    await come_true(lambda: engine.said)
    await tabs[0].leave()
    await come_true(lambda: web.left)
    assert web.left == [False], "the other tab is open"
    await tabs[1].leave()
    await come_true(lambda: len(web.left) == 2)
    assert web.left == [False, not stays]
    if stays:
        assert not running.done()
        there.leave(admission.place_of(visitor), "a tab of another process")
        await in_thread(lambda: services.request_stop(conversation_id=tabs[0].chat, log=log))
    reply, _ = await asyncio.wait_for(running, PATIENCE)
    assert (reply.outcome, reply.reason) == ("answered", "stopped")
    assert engine.closed


async def test_who_is_back_in_time_keeps_their_answer(
    web: SimpleNamespace, widget: Widget, queue: FakeQueue, log: EventLog
) -> None:
    wiring.leaving()._seconds = 2 * PATIENCE
    await widget.say("How long?")
    gate = threading.Event()
    engine = FakeEngine("One. ", lambda: gate.wait(PATIENCE), "Two. ")
    running = await slow_answer(queue, log, engine)
    await come_true(lambda: engine.said)
    tab = await Widget().open(token=widget.welcome["token"])
    await tab.leave()
    assert len(wiring.leaving()) == 1
    back = await Widget().open(token=widget.welcome["token"])
    assert (len(wiring.leaving()), web.left) == (0, [])
    gate.set()
    reply, _ = await asyncio.wait_for(running, PATIENCE)
    assert reply.reason == ""
    await back.leave()


async def test_leaving_where_nothing_is_written_asks_nobody_to_stop(web: SimpleNamespace, log: EventLog) -> None:
    widget = await Widget().open()
    await widget.leave()
    await come_true(lambda: web.left)
    assert web.left == [False]
    assert log.stops([widget.chat]) == [0]
    assert len(wiring.leaving()) == 0


# --- several sites


@pytest.mark.parametrize(("languages", "wanted", "spoken"), [(["zh"], "en", "zh"), (["en"], "zh", "en")])
async def test_a_site_speaks_its_own_languages_and_its_bot_has_a_name(
    web: SimpleNamespace, site: Site, queue: FakeQueue, languages: list[str], wanted: str, spoken: str
) -> None:
    site.languages, site.bot_name = languages, "小云"
    await in_thread(site.save)
    widget = await Widget().open(language=wanted)
    assert widget.welcome["language"] == spoken
    assert (widget.welcome["languages"], widget.welcome["bot"]) == (languages, "小云")
    await widget.say("How long?" if wanted == "en" else "请问多久？")
    await widget.message()
    stored = await in_thread(lambda: Message.objects.select_related("conversation").get())
    assert (stored.language, stored.conversation.language) == (spoken, spoken)
    await widget.leave()


# --- personal data and words


async def test_personal_data_comes_back_to_its_own_customer_alone(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue, log: EventLog
) -> None:
    other = await Widget().open()
    await widget.say("I am 13800138000")
    await other.say("I am 13900139000")
    assert (await widget.message())["text"] == "I am 13800138000"
    assert (await other.message())["text"] == "I am 13900139000"
    assert "<CN_MOBILE_1>" in (await in_thread(lambda: Message.objects.get(conversation=widget.chat))).text
    for _ in range(2):
        await answer(queue, log, "Is it <CN_MOBILE_1>? ", "Not <CN_MOBILE_2>, nor https://evil.example/<CN_MOBILE_1> .")
    own, others = (await widget.message("bot"))["text"], (await other.message("bot"))["text"]
    assert own == "Is it 13800138000? Not <CN_MOBILE_2>, nor https://evil.example/<CN_MOBILE_1> ."
    assert others == own.replace("13800138000", "13900139000")
    assert "13800138000" in "".join(f["text"] for f in widget.frames if f["type"] == "reply")
    assert "13800138000" not in json.dumps(other.frames)
    assert b"138001380" not in b"".join(event.payload for event in log.read(widget.chat, 0)[0])
    await other.leave()


async def test_a_stranger_without_data_sees_placeholders_as_they_are(
    widget: Widget, queue: FakeQueue, log: EventLog
) -> None:
    await widget.say("hello")
    await widget.message()
    await answer(queue, log, "Is it <CN_MOBILE_1>? ")
    assert (await widget.message("bot"))["text"] == "Is it <CN_MOBILE_1>? "


async def test_a_word_that_was_forbidden_later_is_withheld_and_the_customers_own_words_stay(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue, log: EventLog
) -> None:
    await widget.say("what is a frobnicator?")
    await widget.message()
    await answer(queue, log, "A frobnicator is blue. ")
    assert (await widget.message("bot"))["text"] == "A frobnicator is blue. "
    web.lexicon = Lexicon([Word("frobnicator", "block", "abuse")])
    for after in (0, 1):
        again = await Widget().open(token=widget.welcome["token"], after=after)
        reply = await again.message("bot")
        shown = [f["text"] for f in again.frames if f["type"] == "reply"]
        assert reply["text"] == SENTENCES["withheld"]["en"]
        assert all("frobnicator" not in text for text in shown)
        await again.leave()
    first = await Widget().open(token=widget.welcome["token"])
    assert (await first.message())["text"] == "what is a frobnicator?"
    await first.leave()


async def test_a_word_that_is_forbidden_in_mid_reply_is_withheld_once(
    widget: Widget, web: SimpleNamespace, log: EventLog
) -> None:
    await widget.say("what is a frobnicator?")
    await widget.message()
    web.lexicon = Lexicon([Word("frobnicator", "block", "abuse")])
    reply, writer = str(uuid.uuid4()), Writer(uuid.UUID(widget.welcome["conversation"]))
    for number, text in enumerate(["It is blue. ", "A frobnicator. ", "It is big. ", "It is new. "]):
        payload = {"reply": reply, "part": number, "text": text, "replace": False}
        await in_thread(lambda payload=payload: log.append(writer, "reply", payload))
    await widget.wait_for("reply", part=3)
    parts = [frame["text"] for frame in widget.frames if frame["type"] == "reply"]
    assert parts == ["It is blue. ", SENTENCES["withheld"]["en"], "", ""]


# --- outages


async def test_when_redis_dies_the_customer_is_told_and_nothing_is_lost_or_repeated(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue, log: EventLog, redis_running: RedisServer
) -> None:
    await widget.say("before")
    await widget.message()
    await kill(redis_running)
    assert await widget.wait_for("service") == {"type": "service", "state": "degraded"}
    await widget.say("meanwhile", "00000000-0000-4000-8000-000000000002")
    await widget.send(type="stop")
    assert (await widget.wait_for("error"))["code"] == "service_unavailable"
    redis_running.start()
    await widget.wait_for("service", state="ok")
    for message in await in_thread(lambda: list(Message.objects.filter(sequence=None))):
        await in_thread(lambda message=message: services.announce(message, log=log))
    assert (await widget.message())["client_id"] == "00000000-0000-4000-8000-000000000002"
    await answer(queue, log, "Yes. ")
    assert (await widget.message("bot"))["text"] == "Yes. "
    assert len(widget.reader.messages) == 3


async def test_who_comes_while_redis_is_down_is_served_as_soon_as_it_is_back(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue, log: EventLog, redis_running: RedisServer
) -> None:
    await widget.say("before")
    await widget.message()
    await kill(redis_running)
    again = await Widget().open(token=widget.welcome["token"])
    fresh = await Widget().open()
    assert (await again.message())["text"] == "before"
    for each in (again, fresh):
        await each.wait_for("service", state="degraded")
    redis_running.start()
    for each in (again, fresh):
        await each.wait_for("service", state="ok")
    await fresh.say("hello")
    assert (await fresh.message())["text"] == "hello"
    for each in (again, fresh):
        await each.leave()


async def test_redis_dies_in_mid_answer_and_the_customer_sees_it_whole_and_once(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue, log: EventLog, redis_running: RedisServer
) -> None:
    await widget.say("How long?")
    await widget.message()
    shown = threading.Event()

    def outage() -> None:
        assert shown.wait(PATIENCE)
        redis_running.kill()
        redis_running.start()

    running = asyncio.ensure_future(answer(queue, log, "One. ", outage, "Two. ", "Three. "))
    assert (await widget.wait_for("reply"))["text"] == "One. "
    shown.set()
    reply = await widget.message("bot")
    await running
    assert reply["text"] == "One. Two. Three. "
    assert widget.reader.messages[-1] == reply["id"]


async def test_a_writer_that_breaks_closes_the_socket_so_that_the_widget_comes_back(
    widget: Widget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a lexicon broke")

    monkeypatch.setattr(wiring, "lexicon", broken)
    chat = await in_thread(Conversation.objects.get)
    message = await in_thread(lambda: Message.objects.create(conversation=chat, role="bot", text="hello"))
    await in_thread(lambda: services.announce(message, log=wiring.event_log()))
    frames, closed = await widget.closed()
    assert closed == 1011
    assert frames == []


async def test_who_leaves_is_forgotten(web: SimpleNamespace) -> None:
    for _ in range(3):
        widget = await Widget().open()
        await widget.say("bye")
        await widget.leave()
    assert wiring.feed()._watchers == {}


# --- the customer changes what was said


async def test_a_message_is_edited_and_withdrawn_in_every_tab(
    widget: Widget, web: SimpleNamespace, queue: FakeQueue
) -> None:
    other = await Widget().open(token=widget.welcome["token"])
    identity = await widget.say("call 13800138000")
    await widget.message()
    await widget.send(type="edit", id=identity, text="call 13900139000")
    for screen in (widget, other):
        edited = await screen.wait_for("message")
        while not edited["message"]["edited"]:
            edited = await screen.wait_for("message")
        assert (edited["message"]["client_id"], edited["message"]["text"]) == (identity, "call 13900139000")
    await widget.send(type="delete", id=identity)
    for screen in (widget, other):
        deleted = (await screen.wait_for("message"))["message"]
        assert (deleted["client_id"], deleted["text"], deleted["deleted"]) == (identity, "", True)
    assert len(queue.ids) == 2  # to be answered, and answered anew
    await other.leave()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "edit", "text": "new"}, "too_late"),
        ({"type": "say", "text": "something else"}, "duplicate_id"),
        ({"type": "edit", "text": "new", "id": "00000000-0000-4000-8000-000000000001"}, "unknown_message"),
        ({"type": "delete", "id": "00000000-0000-4000-8000-000000000001"}, "unknown_message"),
    ],
)
async def test_what_cannot_be_changed_is_refused_with_its_reason(
    frame: Frame, code: str, widget: Widget, web: SimpleNamespace, log: EventLog, queue: FakeQueue
) -> None:
    identity = await widget.say("How long?")
    await answer(queue, log)
    await widget.message("bot")
    await widget.send(**{"id": identity, **frame})
    error = await widget.wait_for("error", code=code)
    assert (error["id"], error["fatal"]) == (frame.get("id", identity), False)


async def test_without_redis_nothing_can_be_changed(
    widget: Widget, web: SimpleNamespace, redis_running: RedisServer
) -> None:
    identity = await widget.say("How long?")
    await widget.message()
    await kill(redis_running)
    try:
        await widget.send(type="edit", id=identity, text="How short?")
        await widget.wait_for("error", code="service_unavailable", id=identity)
    finally:
        redis_running.start()
    assert (await in_thread(Message.objects.get)).text == "How long?"


# --- what is answered by `done`


async def done(widget: Widget, type_: str, **fields: Any) -> Frame:
    """Ask, and read until it is answered."""
    identity = str(uuid.uuid4())
    await widget.send(type=type_, id=identity, **fields)
    while True:
        frame = await widget.next()
        if frame["type"] in ("done", "error") and frame["id"] == identity:
            return frame


async def test_a_customer_judges_an_answer_and_the_conversation(
    widget: Widget, queue: FakeQueue, log: EventLog
) -> None:
    assert (await done(widget, "rate", score=5))["code"] == "not_there"
    await widget.say("How long?")
    await answer(queue, log, "Fifteen days.")
    message = await widget.message("bot")
    said = {"helpful": False, "reason": "incomplete", "comment": "My number is 13800138000"}
    assert (await done(widget, "feedback", message=message["id"], **said))["type"] == "done"
    assert (await done(widget, "feedback", message=str(uuid.uuid4()), helpful=True))["code"] == "not_there"
    assert (await done(widget, "rate", score=4, comment="fine"))["type"] == "done"
    kept = Message.objects.select_related("feedback", "conversation__rating").filter(pk=message["id"])
    reply = await in_thread(kept.get)
    assert (reply.feedback.comment, reply.conversation.rating.score) == ("My number is <CN_MOBILE_1>", 4)


async def test_a_form_before_the_chat_is_offered_until_it_is_filled_in(web: SimpleNamespace, site: Site) -> None:
    site.widget = {"pre_chat": [{"name": "name", "label": {"en": "Name"}, "required": True}], "csat": False}
    await in_thread(site.save)
    widget = await Widget().open()
    offered = widget.welcome["widget"]
    assert (offered["off"], offered["form"][0]["name"]) == (["csat"], "name")
    assert (await done(widget, "profile", values={}))["code"] == "form_incomplete"
    assert (await done(widget, "profile", values={"name": "小白"}))["type"] == "done"
    again = await Widget().open(token=widget.welcome["token"])
    assert again.welcome["widget"] == {"off": ["csat"]}
    chat = await in_thread(Conversation.objects.get)
    assert chat.profile == "name: <PERSON_1>"
    for socket in (widget, again):
        await socket.leave()


async def test_what_was_said_earlier_comes_with_the_customers_own_data(widget: Widget) -> None:
    await widget.say("My number is 13800138000")
    await widget.message()
    await widget.say("And now?")
    last = await widget.message()
    answered = await done(widget, "earlier", before=last["id"])
    assert [message["text"] for message in answered["messages"]] == ["My number is 13800138000"]
    assert answered["more"] is False
    assert (await done(widget, "earlier", before=str(uuid.uuid4())))["code"] == "not_there"


async def test_a_transcript_is_read_at_once_or_sent_to_a_sealed_address(
    widget: Widget, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queued: list[tuple[Any, ...]] = []
    monkeypatch.setattr("chatbot.acts.queue_transcript", lambda *sent: queued.append(sent))
    await widget.say("My number is 13800138000")
    await widget.message()
    assert "You: My number is 13800138000" in (await done(widget, "transcript"))["text"]
    assert widget.welcome["mail"] is False
    address = "li.wei@post.example"
    assert (await done(widget, "transcript", email=address))["code"] == "mail_unavailable"
    settings.MAIL_FROM = "help@shop.example"
    assert (await done(widget, "transcript", email="nowhere"))["code"] == "bad_email"
    letters = [address, address, "Li.Wei+1@POST.example", "li@post.example", "wei@post.example"]
    codes = [(await done(widget, "transcript", email=letter)).get("code") for letter in letters]
    assert codes == [None, None, "mail_often", None, "too_fast"]
    assert len(queued) == 3
    assert address not in str(queued) + caplog.text
    codes = [(await done(widget, "transcript")).get("code") for _ in range(3)]
    assert codes == [None, None, "too_fast"]


async def test_what_a_site_turns_off_is_refused_at_once(
    widget: Widget, site: Site, queue: FakeQueue, log: EventLog
) -> None:
    await widget.say("How long?")
    await answer(queue, log, "Fifteen days.")
    said = (await widget.message("bot"))["id"]
    site.widget = dict.fromkeys(SWITCHES, False)
    await in_thread(site.save)  # the socket is still open
    asked: list[tuple[str, Frame]] = [
        ("feedback", {"message": said, "helpful": False}),
        ("rate", {"score": 1}),
        ("passage", {"message": said, "number": 1}),
        ("related", {"message": said}),
        ("transcript", {}),
        ("say", {"text": "", "files": [str(uuid.uuid4())]}),
    ]
    assert {(await done(widget, kind, **fields))["code"] for kind, fields in asked} == {"not_offered"}
    assert not await in_thread(Rating.objects.exists)
    await widget.say("Still here")
    assert (await widget.message())["text"] == "Still here"


async def test_who_reads_traditional_characters_gets_them(web: SimpleNamespace, site: Site, log: EventLog) -> None:
    site.widget = {"greeting": {"zh": "欢迎咨询"}}
    await in_thread(site.save)
    widget = await Widget().open(language="zh-TW")
    assert (widget.welcome["language"], widget.welcome["widget"]["greeting"]) == ("zh", "歡迎諮詢")
    await widget.say("退货要多久？")
    assert (await widget.message())["text"] == "退货要多久？"  # as they wrote it

    def speak() -> None:
        chat = Conversation.objects.get()
        finding = Finding("PERSON", 0, 2, 1.0)
        masked = vault.mask(chat.id, "张伟您好", [finding], master_key=MASTER_KEY).text
        services.announce(Message.objects.create(conversation=chat, role="bot", text=f"{masked}，退货在内。"), log=log)

    await in_thread(speak)
    assert (await widget.message("bot"))["text"] == "张伟您好，退貨在內。"  # and the name as it is theirs
    await widget.leave()


async def test_a_hello_tells_when_people_are_back(web: SimpleNamespace, site: Site) -> None:
    widget = await Widget().open()
    assert widget.welcome["away"] == ""
    await widget.leave()
    site.hours = {"zone": "Asia/Shanghai", "week": {}}
    await in_thread(site.save)
    widget = await Widget().open()
    assert widget.welcome["away"] == "Our people are away. Leave a message here."
    await widget.leave()
