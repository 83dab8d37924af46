"""The feed of one web process, with a real redis."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable

import pytest

from chatbot import feed as feed_module
from chatbot.events import FEED, Event, EventLog, Writer
from chatbot.feed import Feed
from tests.conftest import RedisServer
from tests.fakes import until


class FakeWatcher:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.states: list[bool] = []

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def on_feed(self, up: bool) -> None:
        self.states.append(up)


async def soon(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(until, condition)


@pytest.fixture
async def feed(redis_running: RedisServer, log: EventLog, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Feed]:
    monkeypatch.setattr(feed_module, "RETRY_SECONDS", 0.01)
    feed = Feed(redis_running.url)
    yield feed
    if feed._task is not None:
        feed._task.cancel()


async def watching(feed: Feed, chat: uuid.UUID) -> FakeWatcher:
    watcher = FakeWatcher()
    feed.watch(chat, watcher)
    await soon(lambda: feed.up)
    return watcher


def begin(log: EventLog) -> uuid.UUID:
    chat = uuid.uuid4()
    log.restore(chat, fence=1, attempt=0, after=0, ceiling=1000)
    return chat


async def test_every_watcher_gets_the_events_of_its_conversation_in_order(feed: Feed, log: EventLog) -> None:
    one, other = begin(log), begin(log)
    first, second, third = await watching(feed, one), await watching(feed, one), await watching(feed, other)
    for n in range(30):
        log.append(Writer(one), "status", {"n": n})
        log.append(Writer(other), "reply", {})
    await soon(lambda: len(third.events) == 30)
    assert [e.data()["n"] for e in first.events] == list(range(30))
    assert first.events == second.events
    assert {e.type for e in third.events} == {"reply"}


async def test_what_was_before_the_feed_began_is_not_told(feed: Feed, log: EventLog) -> None:
    chat = begin(log)
    log.append(Writer(chat), "status", {"n": 0})
    watcher = await watching(feed, chat)
    log.append(Writer(chat), "status", {"n": 1})
    await soon(lambda: watcher.events)
    assert [e.seq for e in watcher.events] == [2]


async def test_who_leaves_is_told_nothing_more_and_the_others_are(feed: Feed, log: EventLog) -> None:
    chat = begin(log)
    leaver, stayer = await watching(feed, chat), await watching(feed, chat)
    feed.unwatch(chat, leaver)
    feed.unwatch(chat, leaver)
    feed.unwatch(uuid.uuid4(), leaver)
    log.append(Writer(chat), "status", {})
    await soon(lambda: stayer.events)
    assert leaver.events == []
    feed.unwatch(chat, stayer)
    assert feed._watchers == {}


async def test_everybody_learns_that_redis_went_and_came_back(
    feed: Feed, log: EventLog, redis_running: RedisServer
) -> None:
    one, other = await watching(feed, begin(log)), await watching(feed, chat := begin(log))
    redis_running.kill()
    await soon(lambda: one.states and not one.states[-1])
    redis_running.start()
    await soon(lambda: one.states[-1] and other.states[-1])
    log.restore(chat, fence=1, attempt=0, after=1000, ceiling=2000)
    log.append(Writer(chat), "status", {})
    await soon(lambda: other.events)
    assert [e.seq for e in other.events] == [1001]


async def test_a_redis_that_forgot_everything_goes_on(feed: Feed, log: EventLog) -> None:
    chat = begin(log)
    watcher = await watching(feed, chat)
    log.append(Writer(chat), "status", {})
    await soon(lambda: watcher.events)
    log._redis.flushall()
    flushed = log._redis.time()
    await soon(lambda: log._redis.time()[1] // 1000 != flushed[1] // 1000)  # the feed's entries are named by the clock
    log.restore(chat, fence=1, attempt=0, after=1000, ceiling=2000)
    log.append(Writer(chat), "status", {})
    await soon(lambda: len(watcher.events) == 2)


async def test_an_idle_feed_stays_up(feed: Feed, log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "BLOCK_MILLISECONDS", 20)
    chat = begin(log)
    watcher = await watching(feed, chat)
    log._redis.config_resetstat()
    await soon(lambda: log._redis.info("commandstats").get("cmdstat_xread", {}).get("calls", 0) > 5)
    log.append(Writer(chat), "status", {})
    await soon(lambda: watcher.events)
    assert watcher.states == [True]


async def test_a_feed_that_cannot_be_read_recovers(feed: Feed, log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "BLOCK_MILLISECONDS", 20)
    chat = begin(log)
    watcher = await watching(feed, chat)
    log._redis.delete(FEED)
    log._redis.set(FEED, "not a stream")
    await soon(lambda: watcher.states[-1] is False)
    log._redis.delete(FEED)
    await soon(lambda: watcher.states[-1] is True)
    log.append(Writer(chat), "status", {})
    await soon(lambda: watcher.events)


async def test_an_observer_that_breaks_takes_nothing_from_the_others(feed: Feed, log: EventLog) -> None:
    class Broken:
        def on_entry(self, entry: object) -> None:
            raise RuntimeError("an observer broke")

        def on_feed(self, up: bool) -> None: ...

    chat = begin(log)
    watcher = await watching(feed, chat)
    feed.observe(Broken())
    log.append(Writer(chat), "status", {})
    await soon(lambda: len(watcher.events) == 1)
    assert feed.up
