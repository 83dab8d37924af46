"""How many sockets somebody may have open, in one process and in several."""

import time
from collections.abc import Callable, Iterator

import pytest
import redis

from chatbot import seats as seats_module
from chatbot.events import LogUnavailable
from chatbot.seats import Seats, SharedSeats
from tests.fakes import until
from tests.patience import PATIENCE

AWAY = "/nowhere/redis.sock"


@pytest.fixture(params=["one process", "redis is there", "redis is away"])
def seats(request: pytest.FixtureRequest) -> Seats:
    if request.param == "one process":
        return Seats(2)
    if request.param == "redis is away":
        return SharedSeats(redis.Redis(unix_socket_path=AWAY, retry=None), 2)
    return SharedSeats(request.getfixturevalue("redis_client"), 2)


@pytest.fixture
def process(redis_client: redis.Redis) -> Iterator[Callable[[int], SharedSeats]]:
    """Makes the seats of one more process; its thread ends with the test, lest it renew them in the next one."""
    made: list[SharedSeats] = []

    def make(most: int) -> SharedSeats:
        made.append(SharedSeats(redis_client, most))
        return made[-1]

    yield make
    for seats in made:
        seats.close()
        if seats._renewing is not None:
            seats._renewing.join()


@pytest.fixture
def both(process: Callable[[int], SharedSeats]) -> tuple[SharedSeats, SharedSeats]:
    """The seats of two processes."""
    return process(5), process(5)


def test_there_are_so_many_seats_and_no_more(seats: Seats) -> None:
    assert [seats.take("a", holder) for holder in "1232"] == [True, True, False, True]
    assert seats.take("b", "3")
    seats.leave("a", "1")
    assert seats.take("a", "3")


def test_leaving_twice_or_without_a_seat_frees_nobody_elses(seats: Seats) -> None:
    assert seats.take("a", "1")
    assert seats.take("a", "2")
    seats.leave("a", "3")
    seats.leave("b", "1")
    assert not seats.take("a", "3")
    seats.leave("a", "1")
    seats.leave("a", "1")
    assert seats.take("a", "3")
    assert not seats.take("a", "4")


def test_an_empty_place_costs_no_memory(seats: Seats) -> None:
    for n in range(10):
        seats.take(str(n), "1")
        seats.leave(str(n), "1")
    assert not seats._holders


def test_all_processes_share_the_seats(process: Callable[[int], SharedSeats]) -> None:
    one, other = process(2), process(2)
    assert one.take("a", "1")
    assert other.take("a", "2")
    assert not one.take("a", "3")
    assert not other.take("a", "3")
    other.leave("a", "2")
    assert one.take("a", "3")
    assert one.taken() == [("a", "1"), ("a", "3")] or one.taken() == [("a", "3"), ("a", "1")]


def test_the_seats_of_a_dead_process_are_free_after_a_while(
    process: Callable[[int], SharedSeats], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats_module, "HOLD_SECONDS", PATIENCE)
    monkeypatch.setattr(seats_module, "RENEW_SECONDS", 60)
    dead, alive = process(1), process(1)
    assert dead.take("a", "1")
    assert not alive.take("a", "2")
    monkeypatch.setattr(seats_module, "HOLD_SECONDS", 1)
    dead.renew()  # for the last time
    until(lambda: alive.take("a", "2"))


def test_who_stays_keeps_the_seat_even_when_redis_forgets(
    process: Callable[[int], SharedSeats], redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats_module, "RENEW_SECONDS", 0.01)
    one, other = process(1), process(1)
    assert one.take("a", "1")
    redis_client.flushall()
    until(lambda: redis_client.exists("kefu:seats:a"))
    assert not other.take("a", "2")


def test_seats_of_all_processes_are_counted(both: tuple[SharedSeats, SharedSeats]) -> None:
    one, two = both
    assert one.holders("a") == 0
    one.take("a", "x")
    two.take("a", "y")
    two.take("b", "z")
    assert (one.holders("a"), two.holders("a"), one.holders("b"), one.holders("c")) == (2, 2, 1, 0)
    assert one.occupied(["a", "c", "b"]) == [True, False, True]
    assert one.occupied([]) == []
    two.leave("a", "y")
    one.leave("a", "x")
    assert one.holders("a") == 0


def test_seats_that_ran_out_are_free(both: tuple[SharedSeats, SharedSeats], redis_client: redis.Redis) -> None:
    redis_client.zadd("kefu:seats:a", {"dead": time.time() - 1})
    assert both[0].holders("a") == 0
    assert both[0].occupied(["a"]) == [False]


def test_while_redis_is_away_only_the_seats_here_are_known() -> None:
    away = SharedSeats(redis.Redis(unix_socket_path=AWAY, retry=None), 5)
    away.take("a", "x")
    assert (away.holders("a"), away.holders("b")) == (1, 0)
    with pytest.raises(LogUnavailable):
        away.occupied(["a"])
