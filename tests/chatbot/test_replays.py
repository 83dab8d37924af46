"""A signed token is let in once, or again from where it came first."""

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot import replays as replays_module
from chatbot.replays import Replays
from tests.fakes import Clock
from tests.patience import PATIENCE


def away() -> redis.Redis:
    return redis.Redis(unix_socket_path="/nowhere/redis.sock", retry=None)


@pytest.fixture(params=["redis is there", "redis is away"])
def client(request: pytest.FixtureRequest) -> redis.Redis:
    if request.param == "redis is away":
        return away()
    found: redis.Redis = request.getfixturevalue("redis_client")
    return found


def test_a_token_belongs_to_who_brings_it_first(client: redis.Redis) -> None:
    replays = Replays(client, Clock(1000))
    seen = [replays.claim("t", holder, until=2000) for holder in ("me", "me", "thief", "me", "thief")]
    assert seen == ["new", "again", "replayed", "again", "replayed"]
    assert replays.claim("another", "thief", until=2000) == "new"


def test_no_process_lets_in_what_another_has_seen(redis_client: redis.Redis) -> None:
    one, other = Replays(redis_client, Clock(1000)), Replays(redis_client, Clock(1000))
    assert one.claim("t", "me", until=2000) == "new"
    assert other.claim("t", "thief", until=2000) == "replayed"
    assert other.claim("t", "me", until=2000) in ("new", "again")


def test_a_process_remembers_what_redis_has_forgotten(redis_client: redis.Redis) -> None:
    replays = Replays(redis_client, Clock(1000))
    replays.claim("t", "me", until=2000)
    redis_client.flushall()
    assert replays.claim("t", "thief", until=2000) == "replayed"


def test_nothing_is_kept_longer_than_the_token_lives(redis_client: redis.Redis) -> None:
    clock = Clock(1000)
    replays = Replays(redis_client, clock)
    replays.claim("t", "me", until=1600)
    [key] = redis_client.keys("*")
    assert 600 - PATIENCE <= redis_client.ttl(key) <= 601
    assert b"me" not in (redis_client.get(key) or b"")


def test_a_process_remembers_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays_module, "OWN_TOKENS", 10)
    replays = Replays(away(), Clock(1000))
    for n in range(50):
        replays.claim(str(n), "me", until=2000)
    assert len(replays._own) == 10
    assert replays.claim("49", "thief", until=2000) == "replayed"


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from("tu"), st.sampled_from("abc"), st.integers(0, 1)), max_size=20))
def test_one_holder_a_token_whatever_the_order_and_the_process(
    redis_client: redis.Redis, claims: list[tuple[str, str, int]]
) -> None:
    redis_client.flushall()
    processes = [Replays(redis_client, Clock(1000)), Replays(redis_client, Clock(1000))]
    first: dict[str, str] = {}
    for token, holder, process in claims:
        seen = processes[process].claim(token, holder, until=2000)
        assert (seen != "replayed") == (first.setdefault(token, holder) == holder)
