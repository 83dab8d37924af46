"""The token bucket."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.limits import TokenBucket
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
