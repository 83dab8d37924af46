"""One query for all consoles of a process, whatever happens at once."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from chatbot.events import Event, FeedEntry
from console import hub as hub_module
from console.hub import Hub, Rows
from tests.patience import PATIENCE


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  what is waited for is no event
            await asyncio.sleep(0.002)


class FakeDesk:
    user_id: int | None = 7

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.nudges: list[str] = []
        self.feed: list[bool] = []
        self.reloads = 0

    def on_rows(self, rows: Rows) -> None:
        self.rows += [row for _, row in rows]

    def on_nudge(self, conversation: uuid.UUID, type_: str) -> None:
        self.nudges.append(type_)

    def on_feed(self, up: bool) -> None:
        self.feed.append(up)

    def on_reload(self) -> None:
        self.reloads += 1


class FakeRows:
    def __init__(self) -> None:
        self.asked: list[set[uuid.UUID]] = []
        self.moved = 0
        self.fails = False

    async def load(self, conversations: list[uuid.UUID]) -> Rows:
        self.asked.append(set(conversations))
        if self.fails:
            raise OSError("no database")
        return [(1, {"conversation": str(c)}) for c in conversations]

    def move(self) -> None:
        self.moved += 1


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> FakeRows:
    monkeypatch.setattr(hub_module, "FLUSH_SECONDS", 0.01)
    return FakeRows()


@pytest.fixture
def hub(rows: FakeRows) -> Hub:
    return Hub(rows.load, rows.move)


def entry(conversation: uuid.UUID, type_: str = "message", seq: int = 1) -> FeedEntry:
    return FeedEntry("1-0", conversation, Event(seq, type_, b"{}"))


async def test_many_changes_are_one_query_for_all_desks(hub: Hub, rows: FakeRows) -> None:
    desks = [FakeDesk(), FakeDesk()]
    for desk in desks:
        hub.join(desk)
    changed = {uuid.uuid4() for _ in range(30)}
    for conversation in changed:
        hub.on_entry(entry(conversation))
        hub.on_entry(entry(conversation))
    await until(lambda: all(len(desk.rows) == 30 for desk in desks))
    assert rows.asked == [changed]


async def test_a_reply_being_written_asks_for_nothing(hub: Hub, rows: FakeRows) -> None:
    hub.join(FakeDesk())
    for type_ in ("reply", "status", "typing"):
        hub.on_entry(entry(uuid.uuid4(), type_))
    await asyncio.sleep(0.03)
    assert rows.asked == []


async def test_without_desks_nothing_is_asked(hub: Hub, rows: FakeRows) -> None:
    desk = FakeDesk()
    hub.join(desk)
    hub.leave(desk)
    hub.on_entry(entry(uuid.uuid4()))
    await asyncio.sleep(0.03)
    assert (rows.asked, desk.rows) == ([], [])


async def test_a_queue_that_moved_is_told_once(hub: Hub, rows: FakeRows) -> None:
    desk = FakeDesk()
    hub.join(desk)
    for _ in range(5):
        hub.on_entry(entry(uuid.uuid4(), "queue", 0))
    await until(lambda: len(desk.rows) == 5)
    assert (rows.moved, desk.nudges) == (1, ["queue"] * 5)


async def test_a_database_that_fails_is_no_end(hub: Hub, rows: FakeRows) -> None:
    desk = FakeDesk()
    hub.join(desk)
    rows.fails = True
    hub.on_entry(entry(uuid.uuid4()))
    await until(lambda: desk.reloads == 1)
    rows.fails = False
    hub.on_entry(entry(uuid.uuid4()))
    await until(lambda: len(desk.rows) == 1)


async def test_too_many_changes_make_consoles_load_again(
    hub: Hub, rows: FakeRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MOST_CHANGED", 3)
    desk = FakeDesk()
    hub.join(desk)
    for _ in range(4):
        hub.on_entry(entry(uuid.uuid4()))
    await until(lambda: desk.reloads == 1)
    assert rows.asked == []
