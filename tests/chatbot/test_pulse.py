"""The pulse with a real redis: leases, stop requests, flushes."""

import threading
import time
import uuid
from typing import Any

import pytest
import redis

from chatbot import events, pulse
from chatbot.events import EventLog
from chatbot.pulse import Pulse, RunningTurn
from tests.conftest import RedisServer
from tests.fakes import DOWN, until
from tests.patience import PATIENCE


class FakePublisher:
    """Counts flushes; raises `failure` when there is one."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure, self.flushes, self.lost = failure, 0, False

    def flush(self) -> None:
        self.flushes += 1
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def log(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> EventLog:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.002)
    monkeypatch.setattr(pulse, "STOP_SECONDS", 0.004)
    monkeypatch.setattr(pulse, "LEASE_SECONDS", 0.02)
    return EventLog(redis_client)


def turn(
    *, attempt: int = 1, seconds: float = 60, chat: uuid.UUID | None = None, failure: Exception | None = None
) -> RunningTurn:
    publisher: Any = FakePublisher(failure)
    return RunningTurn(chat or uuid.uuid4(), attempt, uuid.uuid4().hex, time.monotonic() + seconds, publisher)


def flushed_again(running: RunningTurn, times: int = 3) -> bool:
    """Wait until the pulse has beaten this often from now on."""
    publisher: Any = running.publisher
    goal = publisher.flushes + times
    until(lambda: publisher.flushes >= goal)
    return True


def test_a_stop_request_reaches_the_attempt_that_it_names(log: EventLog) -> None:
    heart, running, other = Pulse(log), turn(attempt=2), turn(attempt=2)
    heart.add(running)
    heart.add(other)
    log.request_stop(running.conversation, 1)
    assert flushed_again(running, 10)
    assert running.interrupted() == ""
    log.request_stop(running.conversation, 2)
    until(running.stopped.is_set)
    assert running.interrupted() == "stopped"
    assert other.interrupted() == ""
    heart.remove(running)
    heart.remove(other)


def test_a_lease_lives_as_long_as_its_turn(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LEASE_MILLISECONDS", 1000 * PATIENCE)
    heart, running = Pulse(log), turn()
    chat = running.conversation
    assert log.take_lease(chat, running.holder)
    lease, half = f"kefu:lease:{chat}", 500 * PATIENCE
    heart.add(running)
    for _ in range(3):
        assert log._redis.pexpire(lease, half)  # as if time had passed
        until(lambda: log._redis.pttl(lease) > half)
    heart.remove(running)
    assert log._redis.pexpire(lease, 20)
    until(lambda: log.leased([chat]) == [False])


def test_a_lease_that_is_dropped_stays_dropped(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "LEASE_SECONDS", 0.0)
    heart, other = Pulse(log), turn()
    heart.add(other)
    for _ in range(100):
        running = turn()
        log.take_lease(running.conversation, running.holder)
        heart.add(running)
        heart.remove(running)
        log.drop_lease(running.conversation, running.holder)
        assert log.leased([running.conversation]) == [False]
    heart.remove(other)


def test_an_earlier_attempt_that_ends_leaves_the_later_one_its_pulse(log: EventLog) -> None:
    heart, chat = Pulse(log), uuid.uuid4()
    first, second = turn(chat=chat), turn(chat=chat, attempt=2)
    heart.add(first)
    heart.add(second)
    heart.remove(first)
    assert len(heart) == 1
    assert flushed_again(second)
    heart.remove(second)
    assert len(heart) == 0


def test_nothing_beats_while_nothing_runs(log: EventLog) -> None:
    heart, running = Pulse(log), turn()
    heart.add(running)
    assert flushed_again(running)
    heart.remove(running)
    publisher: Any = running.publisher
    other = turn()
    heart.add(other)
    assert flushed_again(other)
    before = publisher.flushes
    assert flushed_again(other)
    assert publisher.flushes == before
    heart.remove(other)


@pytest.mark.parametrize("failure", [RuntimeError("boom"), DOWN])
def test_a_reply_that_cannot_be_flushed_leaves_the_others_their_pulse(failure: Exception, log: EventLog) -> None:
    heart, broken, running = Pulse(log), turn(failure=failure), turn()
    heart.add(broken)
    heart.add(running)
    log.request_stop(running.conversation, running.attempt)
    until(running.stopped.is_set)
    assert flushed_again(running)
    heart.remove(broken)
    heart.remove(running)


def test_the_pulse_outlives_redis(log: EventLog, redis_running: RedisServer) -> None:
    heart, running = Pulse(log), turn()
    log.take_lease(running.conversation, running.holder)
    heart.add(running)
    redis_running.kill()
    assert flushed_again(running, 20)
    assert running.interrupted() == ""
    redis_running.start()
    until(lambda: log.leased([running.conversation]) == [True])
    log.request_stop(running.conversation, 1)
    until(running.stopped.is_set)
    heart.remove(running)


def test_many_turns_come_and_go(log: EventLog) -> None:
    heart = Pulse(log)

    def live() -> None:
        for _ in range(20):
            running = turn()
            heart.add(running)
            log.request_stop(running.conversation, 1)
            assert running.stopped.wait(PATIENCE)
            heart.remove(running)

    threads = [threading.Thread(target=live) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heart) == 0


@pytest.mark.parametrize(
    ("seconds", "stopped", "lost", "expected"),
    [
        (60, False, False, ""),
        (-1, False, False, "timeout"),
        (60, True, False, "stopped"),
        (-1, True, False, "stopped"),
        (-1, True, True, "lost"),
        (60, False, True, "lost"),
    ],
)
def test_why_an_answer_should_end(seconds: float, stopped: bool, lost: bool, expected: str) -> None:
    running = turn(seconds=seconds)
    running.publisher.lost = lost
    if stopped:
        running.stopped.set()
    assert running.interrupted() == expected
