"""Token buckets: one, and all of an installation in redis."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot import limits as limits_module
from chatbot.limits import REST_SECONDS, Limiter, Rate, TokenBucket, TooMany
from tests.fakes import Clock


def test_a_burst_passes_and_the_next_one_waits() -> None:
    clock = Clock()
    bucket = TokenBucket(per_minute=60, burst=3, clock=clock)
    assert [bucket.take() for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]
    clock.now += 0.25
    assert bucket.take() == 0.75


def test_who_waits_as_long_as_told_passes_once() -> None:
    clock = Clock()
    bucket = TokenBucket(per_minute=7, burst=1, clock=clock)
    assert bucket.take() == 0.0
    clock.now += bucket.take() + 1e-9
    assert bucket.take() == 0.0
    assert bucket.take() > 8


def test_a_long_pause_gives_no_more_than_the_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(per_minute=60, burst=3, clock=clock)
    clock.now += 1e6
    assert [bucket.take() > 0 for _ in range(5)] == [False, False, False, True, True]


@settings(max_examples=100)
@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 300), st.integers(1, 20))
def test_never_more_pass_than_the_burst_and_the_rate_allow(pauses: list[float], per_minute: int, burst: int) -> None:
    clock = Clock()
    bucket = TokenBucket(per_minute, burst, clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += bucket.take() == 0.0
    assert passed <= burst + clock.now * per_minute / 60 + 1e-6


def test_asking_how_long_to_wait_takes_nothing() -> None:
    bucket = TokenBucket(per_minute=60, burst=1, clock=Clock())
    assert [bucket.wait(), bucket.wait(), bucket.take(), bucket.wait()] == [0.0, 0.0, 0.0, 1.0]


# --- shared through redis

SLOW = 1e-3  # a minute: nothing grows back while a test runs


def limiter(client: redis.Redis, clock: Clock | None = None, **bursts: float) -> Limiter:
    rates = {("message", scope): Rate(SLOW, burst) for scope, burst in bursts.items()}
    return Limiter(client, rates, secret=b"secret", clock=clock or Clock())  # type: ignore[arg-type]


def passes(limits: Limiter, **who: object) -> str:
    """Return "" when a message passes, else whose allowance is used up."""
    try:
        limits.take("message", **who)  # type: ignore[arg-type]
    except TooMany as many:
        return many.scope if many.seconds > 0 else "no wait"
    return ""


@pytest.fixture(params=["redis is there", "redis is away"])
def client(request: pytest.FixtureRequest) -> redis.Redis:
    if request.param == "redis is away":
        return redis.Redis(unix_socket_path="/nowhere/redis.sock", retry=None)
    found: redis.Redis = request.getfixturevalue("redis_client")
    return found


CASES = {
    "a visitor": ({"visitor": 2}, [{"visitor": "a"}] * 3, ["", "", "visitor"]),
    "each visitor for itself": ({"visitor": 1}, [{"visitor": "a"}, {"visitor": "b"}], ["", ""]),
    "all visitors of an address": (
        {"visitor": 1, "ip": 2},
        [{"visitor": v, "network": "192.0.2.1"} for v in "abc"],
        ["", "", "ip"],
    ),
    "each address for itself": ({"ip": 1}, [{"network": "192.0.2.1"}, {"network": "192.0.2.2"}], ["", ""]),
    "all addresses of a site": (
        {"ip": 5, "site": 2},
        [{"network": f"192.0.2.{n}", "site": 1} for n in range(3)],
        ["", "", "site"],
    ),
    "each site for itself": ({"site": 1}, [{"site": 1}, {"site": 2}, {"site": 1}], ["", "", "site"]),
    "a recipient, whoever asks": (
        {"visitor": 1, "address": 2},
        [{"visitor": v, "address": "li@post.example"} for v in "abc"]
        + [{"visitor": "d", "address": "wei@post.example"}],
        ["", "", "address", ""],
    ),
    "one that is refused uses up nobody else's": (
        {"visitor": 1, "site": 2},
        [{"visitor": "a", "site": 1}] * 5 + [{"visitor": "b", "site": 1}],
        ["", *["visitor"] * 4, ""],
    ),
    "what has no rate": ({"visitor": 1}, [{"network": "192.0.2.1", "site": 1}] * 3, [""] * 3),
    "who is nobody": ({"visitor": 1, "ip": 1, "site": 1}, [{}] * 3, [""] * 3),
}


@pytest.mark.parametrize(("bursts", "takers", "expected"), CASES.values(), ids=CASES)
def test_a_limit_holds_for(
    bursts: dict[str, float], takers: list[dict[str, object]], expected: list[str], client: redis.Redis
) -> None:
    limits = limiter(client, **bursts)
    assert [passes(limits, **who) for who in takers] == expected


def test_an_action_counts_in_its_own_bucket_and_several_at_once(client: redis.Redis) -> None:
    rates = {("hello", "ip"): Rate(SLOW, 3), ("conversation", "ip"): Rate(SLOW, 1)}
    limits = Limiter(client, rates, secret=b"", clock=Clock())  # type: ignore[arg-type]
    limits.take("hello", "conversation", network="192.0.2.1")
    with pytest.raises(TooMany):
        limits.take("hello", "conversation", network="192.0.2.1")
    limits.take("hello", network="192.0.2.1")
    limits.take("hello", network="192.0.2.1")
    with pytest.raises(TooMany):
        limits.take("hello", network="192.0.2.1")


_WHO = st.fixed_dictionaries(
    {"visitor": st.sampled_from("ab"), "network": st.sampled_from(["192.0.2.1", "192.0.2.2"]), "site": st.just(1)}
)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.lists(_WHO, max_size=30), st.integers(1, 6), st.integers(1, 8), st.integers(1, 12))
def test_redis_and_a_process_alone_decide_alike(
    redis_client: redis.Redis, takers: list[dict[str, object]], visitor: int, ip: int, site: int
) -> None:
    redis_client.flushall()
    away = redis.Redis(unix_socket_path="/nowhere/redis.sock", retry=None)
    shared = limiter(redis_client, visitor=visitor, ip=ip, site=site)
    alone = limiter(away, visitor=visitor, ip=ip, site=site)
    decisions = [(bool(passes(shared, **who)), bool(passes(alone, **who))) for who in takers]
    assert all(one == other for one, other in decisions)
    for name, most in (("visitor", visitor), ("network", ip), ("site", site)):
        for value in {who[name] for who in takers}:
            passed = sum(not a for who, (a, _) in zip(takers, decisions, strict=True) if who[name] == value)
            assert passed <= most


def test_all_processes_share_one_allowance_to_the_last_token(redis_client: redis.Redis) -> None:
    processes = [limiter(redis_client, visitor=25) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        refused = list(threads.map(lambda n: passes(processes[n % 4], visitor="a"), range(100)))
    assert refused.count("") == 25


def test_who_waits_as_long_as_redis_says_passes(redis_client: redis.Redis) -> None:
    limits = Limiter(redis_client, {("message", "visitor"): Rate(per_minute=1200, burst=1)}, secret=b"")
    limits.take("message", visitor="a")
    with pytest.raises(TooMany) as caught:
        limits.take("message", visitor="a")
    assert 0 < caught.value.seconds <= 0.05
    time.sleep(caught.value.seconds + 0.001)
    limits.take("message", visitor="a")


def test_no_address_reaches_redis_and_nothing_stays_for_ever(redis_client: redis.Redis) -> None:
    who = {"visitor": "a", "network": "192.0.2.1", "address": "li@post.example"}
    limiter(redis_client, visitor=5, ip=5, address=5).take("message", **who)  # type: ignore[arg-type]
    other = Limiter(redis_client, {("message", "ip"): Rate(60, 5)}, secret=b"another installation")
    other.take("message", network="192.0.2.1")
    keys = redis_client.keys("*")
    assert len(keys) == 4
    assert b"192.0.2.1" not in b"".join(keys)
    assert b"post" not in b"".join(keys)
    assert all(redis_client.ttl(key) > 0 for key in keys)


def test_redis_that_is_away_is_asked_again_after_a_second_and_decides_again(redis_client: redis.Redis) -> None:
    clock = Clock()
    limits = limiter(redis_client, clock, visitor=3)
    for _ in range(3):
        assert passes(limits, visitor="a") == ""
    assert passes(limits, visitor="a") == "visitor"
    real, limits._script = limits._script, broken  # type: ignore[assignment]
    assert passes(limits, visitor="a") == ""  # a process alone knows nothing of the past
    limits._script = real
    assert passes(limits, visitor="a") == ""
    clock.now += REST_SECONDS
    assert passes(limits, visitor="a") == "visitor"


def broken(**_: object) -> None:
    raise redis.ResponseError("OOM command not allowed")


def test_a_process_alone_remembers_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "OWN_BUCKETS", 10)
    limits = limiter(redis.Redis(unix_socket_path="/nowhere/redis.sock", retry=None), visitor=1)
    for n in range(50):
        assert passes(limits, visitor=n) == ""
    assert len(limits._own) == 10
    assert passes(limits, visitor=49) == "visitor"
