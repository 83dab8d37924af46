"""The waiting room of a web process: who is told, and how seldom it looks."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from chatbot import waiting_room
from chatbot.events import Event, FeedEntry
from chatbot.waiting import NONE, Standing
from chatbot.waiting_room import WaitingRoom
from tests import fakes

SHOP = 1


class FakeLook:
    """Answers from `standings`; remembers what was asked."""

    def __init__(self) -> None:
        self.standings: dict[uuid.UUID, Standing] = {}
        self.asked: list[tuple[int, set[uuid.UUID]]] = []
        self.failures = 0

    async def __call__(self, site: int, conversations: list[uuid.UUID]) -> dict[uuid.UUID, Standing]:
        self.asked.append((site, set(conversations)))
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the database is away")
        return {c: self.standings[c] for c in conversations if c in self.standings}


class Socket:
    def __init__(self) -> None:
        self.told: list[Standing] = []

    def on_waiting(self, standing: Standing) -> None:
        self.told.append(standing)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> FakeLook:
    monkeypatch.setattr(waiting_room, "PAUSE_SECONDS", 0.02)
    return FakeLook()


def moved(room: WaitingRoom, conversation: uuid.UUID, site: int = SHOP) -> None:
    room.on_entry(FeedEntry("1-0", conversation, Event(0, "queue", orjson.dumps({"site": site}))))


async def until(condition: Callable[[], Any]) -> None:
    await asyncio.to_thread(fakes.until, condition)


async def test_who_enters_is_told_where_they_stand(look: FakeLook) -> None:
    room, chat = WaitingRoom(look), uuid.uuid4()
    look.standings[chat] = Standing("waiting", place=2)
    tabs = [Socket(), Socket()]
    for tab in tabs:
        room.enter(SHOP, chat, tab)
    await until(lambda: all(tab.told for tab in tabs))
    assert tabs[0].told[-1] == tabs[1].told[-1] == Standing("waiting", place=2)


async def test_who_waits_is_told_when_the_queue_moves_and_nobody_else_is_looked_up(look: FakeLook) -> None:
    room, waiting, idle, mover = WaitingRoom(look), uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    look.standings[waiting] = Standing("waiting", place=2)
    sockets = {chat: Socket() for chat in (waiting, idle)}
    for chat, socket in sockets.items():
        room.enter(SHOP, chat, socket)
    await until(lambda: all(socket.told for socket in sockets.values()))
    look.standings[waiting] = Standing("waiting", place=1)
    moved(room, mover)
    await until(lambda: sockets[waiting].told[-1].place == 1)
    assert look.asked[-1] == (SHOP, {waiting})
    assert sockets[idle].told == [NONE]


async def test_who_begins_to_wait_and_who_is_taken_hears_of_it(look: FakeLook) -> None:
    room, chat, socket = WaitingRoom(look), uuid.uuid4(), Socket()
    room.enter(SHOP, chat, socket)
    await until(lambda: socket.told == [NONE])
    for standing in (Standing("waiting", place=1), Standing("taken")):
        look.standings[chat] = standing
        moved(room, chat)
        await until(lambda: socket.told[-1] == look.standings[chat])
    del look.standings[chat]
    moved(room, chat)
    await until(lambda: socket.told[-1] == NONE)


async def test_many_moves_are_one_look(look: FakeLook) -> None:
    room, chat, socket = WaitingRoom(look), uuid.uuid4(), Socket()
    look.standings[chat] = Standing("waiting", place=9)
    room.enter(SHOP, chat, socket)
    await until(lambda: socket.told)
    for number in range(50):
        look.standings[chat] = Standing("waiting", place=number + 10)
        moved(room, uuid.uuid4())
    await until(lambda: socket.told[-1].place == 59)
    assert len(look.asked) == 2


async def test_looks_keep_their_distance(look: FakeLook) -> None:
    room, chat, socket = WaitingRoom(look), uuid.uuid4(), Socket()
    look.standings[chat] = Standing("waiting", place=1)
    room.enter(SHOP, chat, socket)
    loop = asyncio.get_running_loop()
    start = loop.time()
    while len(look.asked) < 5:
        moved(room, chat)
        await asyncio.sleep(0.001)
    assert loop.time() - start > 0.079  # four pauses, but for the clock's grain


async def test_another_sites_queue_and_what_is_no_nudge_moves_nothing(look: FakeLook) -> None:
    room, chat, socket = WaitingRoom(look), uuid.uuid4(), Socket()
    look.standings[chat] = Standing("waiting", place=1)
    room.enter(SHOP, chat, socket)
    await until(lambda: socket.told)
    moved(room, chat, site=2)
    room.on_entry(FeedEntry("1-0", chat, Event(0, "typing", b"{}")))
    room.on_entry(FeedEntry("1-0", chat, Event(7, "message", b"{}")))
    await asyncio.sleep(0.05)
    assert len(look.asked) == 1


async def test_who_has_left_is_not_told(look: FakeLook) -> None:
    room, chat, tabs = WaitingRoom(look), uuid.uuid4(), [Socket(), Socket()]
    look.standings[chat] = Standing("waiting", place=1)
    for tab in tabs:
        room.enter(SHOP, chat, tab)
    await until(lambda: tabs[1].told)
    room.leave(SHOP, chat, tabs[0])
    room.leave(SHOP, chat, tabs[0])
    before = len(tabs[0].told)
    look.standings[chat] = Standing("waiting", place=5)
    moved(room, chat)
    await until(lambda: tabs[1].told[-1].place == 5)
    assert len(tabs[0].told) == before
    room.leave(SHOP, chat, tabs[1])
    asked = len(look.asked)
    moved(room, chat)
    await asyncio.sleep(0.05)
    assert len(look.asked) == asked


async def test_when_redis_is_back_all_are_looked_up(look: FakeLook) -> None:
    room, chat, socket = WaitingRoom(look), uuid.uuid4(), Socket()
    room.enter(SHOP, chat, socket)
    await until(lambda: socket.told == [NONE])
    look.standings[chat] = Standing("waiting", place=1)
    room.on_feed(False)
    room.on_feed(True)
    await until(lambda: socket.told[-1].place == 1)


async def test_a_look_that_fails_is_repeated(look: FakeLook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_room, "REFRESH_SECONDS", 0.02)
    look.failures = 2
    room, chat, socket = WaitingRoom(look), uuid.uuid4(), Socket()
    look.standings[chat] = Standing("waiting", place=1)
    room.enter(SHOP, chat, socket)
    await until(lambda: socket.told)
    assert len(look.asked) >= 3


async def test_who_waits_is_looked_up_again_after_a_while_though_nobody_moved(
    look: FakeLook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_room, "REFRESH_SECONDS", 0.02)
    room, chat, socket = WaitingRoom(look), uuid.uuid4(), Socket()
    look.standings[chat] = Standing("waiting", place=1, people=False)
    room.enter(SHOP, chat, socket)
    await until(lambda: socket.told)
    look.standings[chat] = Standing("waiting", place=1, people=True)
    await until(lambda: socket.told[-1].people)
