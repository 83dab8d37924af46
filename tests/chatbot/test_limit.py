"""The breaker, and the limit that follows the load."""

import pytest

from chatbot.engines.breaker import Breaker
from chatbot.engines.limit import Limit
from tests.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def broken(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, rest=2, longest=5, clock=clock)
    for _ in range(3):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_three_failures_in_a_row_open_it_and_a_success_between_does_not(clock: Clock) -> None:
    breaker = Breaker(failures=3, clock=clock)
    for step in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed):
        step()
    assert (breaker.state, breaker.admits()) == ("closed", True)
    breaker.failed()
    assert (breaker.state, breaker.admits()) == ("open", False)


def test_one_caller_probes_after_the_rest_and_success_closes_it(clock: Clock) -> None:
    breaker = broken(clock)
    clock.now = 1.9
    assert not breaker.admits()
    clock.now = 2.0
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    assert breaker.state == "half-open"
    breaker.succeeded()
    assert (breaker.state, breaker.admits()) == ("closed", True)


def test_a_failed_probe_doubles_the_rest_up_to_a_limit(clock: Clock) -> None:
    breaker = broken(clock)
    for rest in (2, 4, 5, 5):
        clock.now += rest - 0.1
        assert not breaker.admits()
        clock.now += 0.1
        assert breaker.admits()
        breaker.failed()
        assert breaker.state == "open"


def test_who_failed_late_does_not_prolong_the_rest(clock: Clock) -> None:
    breaker = broken(clock)
    clock.now = 1.5
    breaker.failed()
    clock.now = 2.0
    assert breaker.admits()


def test_an_undecided_probe_leaves_the_next_one_to_another(clock: Clock) -> None:
    breaker = broken(clock)
    clock.now = 2.0
    assert breaker.admits()
    breaker.undecided()
    assert (breaker.state, breaker.admits()) == ("open", True)


def test_no_more_enter_than_the_limit_says(clock: Clock) -> None:
    limit = Limit(2, clock=clock)
    assert [limit.enter() for _ in range(3)] == [True, True, False]
    limit.leave()
    assert limit.enter()


def test_late_first_tokens_lower_it_once_a_crowd_and_never_below_the_least(clock: Clock) -> None:
    limit = Limit(10, least=2, target=1, clock=clock)
    for _ in range(5):
        limit.began(3.0)
    assert limit.now == 7
    for _ in range(20):
        clock.now += 1
        limit.overloaded()
    assert limit.now == 2


def test_one_at_a_time_stays_one_at_a_time(clock: Clock) -> None:
    limit = Limit(1, clock=clock)
    limit.overloaded()
    assert limit.now == 1
    assert [limit.enter() for _ in range(2)] == [True, False]


def test_it_grows_by_one_a_round_only_while_it_is_used_up(clock: Clock) -> None:
    limit = Limit(10, least=2, target=1, clock=clock)
    for _ in range(4):
        clock.now += 1
        limit.overloaded()
    assert limit.now == 2
    limit.began(0.1)
    assert limit.now == 2
    for _ in range(2):
        limit.enter()
    for _ in range(3):
        limit.began(0.1)
    assert limit.now == 3
    for _ in range(200):
        limit.enter()
        limit.began(0.1)
    assert limit.now == 10
