"""Who is at the console: real redis, ids only."""

import threading

import pytest
import redis

from chatbot import presence as presence_module
from chatbot.presence import Presence
from tests.conftest import RedisServer
from tests.fakes import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_000_000.0)
    monkeypatch.setattr(presence_module.time, "time", clock)
    return clock


@pytest.fixture
def presence(redis_client: redis.Redis, clock: Clock) -> Presence:
    return Presence(redis_client)


def test_nobody_is_there_at_first(presence: Presence) -> None:
    assert presence.agents(1) == frozenset()
    assert presence.agents() == frozenset()


def test_an_agent_is_there_for_their_sites_alone(presence: Presence) -> None:
    presence.report(7, [1, 2], 30)
    presence.report(8, [2], 30)
    presence.report(9, None, 30)  # works for all
    assert presence.agents(1) == {7, 9}
    assert presence.agents(2) == {7, 8, 9}
    assert presence.agents(3) == {9}
    assert presence.agents() == {7, 8, 9}


def test_the_last_report_counts(presence: Presence) -> None:
    presence.report(7, [1, 2], 30)
    presence.report(17, [1], 30)  # ends in the same digit
    presence.report(7, [2], 30)
    assert (presence.agents(1), presence.agents(2)) == ({17}, {7})
    presence.report(7, [], 30)
    assert presence.agents() == {17}


def test_who_does_not_report_again_is_gone(presence: Presence, clock: Clock) -> None:
    presence.report(7, [1], 30)
    presence.report(8, [1], 60)
    clock.now += 30
    assert presence.agents(1) == {8}
    clock.now += 30
    assert presence.agents(1) == frozenset()


def test_who_leaves_is_gone_at_once(presence: Presence) -> None:
    presence.report(7, [1, 2], 30)
    presence.report(8, [1], 30)
    presence.leave(7)
    presence.leave(99)
    assert presence.agents() == {8}


def test_what_has_run_out_takes_no_room(presence: Presence, redis_client: redis.Redis, clock: Clock) -> None:
    for agent in range(1, 20):
        presence.report(agent, [1], 5)
    clock.now += 10
    presence.report(50, [1], 5)
    assert redis_client.zcard("kefu:agents") == 1


def test_the_set_is_bounded(presence: Presence, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "MOST_PLACES", 3)
    for agent in range(1, 9):
        presence.report(agent, [1], 30 + agent)
    assert presence.agents() == {6, 7, 8}


def test_while_redis_is_away_it_is_unknown_who_is_there(redis_client: redis.Redis, redis_running: RedisServer) -> None:
    presence = Presence(redis.Redis.from_url(redis_running.url, socket_timeout=5, retry=None))
    presence.report(7, [1], 30)
    redis_running.kill()
    try:
        assert presence.agents(1) is None
        presence.report(7, [1], 30)
        presence.leave(7)
    finally:
        redis_running.start()
    assert presence.agents(1) == frozenset()
    presence.report(7, [1], 30)
    assert presence.agents(1) == {7}


def test_agents_who_come_at_once_are_all_there(redis_client: redis.Redis) -> None:
    presence = Presence(redis_client)
    threads = [threading.Thread(target=presence.report, args=(agent, [1, 2], 30)) for agent in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert presence.agents(2) == set(range(1, 9))
