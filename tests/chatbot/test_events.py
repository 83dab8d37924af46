"""The event log against a real redis: numbers, stale writers, lost memory, leases."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot import events
from chatbot.events import FEED, Event, EventLog, LogUnavailable, Stale, StateLost, Writer, feed_entries

Redis = redis.Redis


@pytest.fixture
def log(redis_client: Redis) -> EventLog:
    return EventLog(redis_client)


@pytest.fixture
def chat(log: EventLog) -> uuid.UUID:
    """A conversation with fence 1, attempt 0 and a thousand numbers."""
    return begin(log)


def begin(log: EventLog, ceiling: int = 1000) -> uuid.UUID:
    chat = uuid.uuid4()
    log.restore(chat, fence=1, attempt=0, after=0, ceiling=ceiling)
    return chat


def test_numbers_start_at_one_and_have_no_gap(log: EventLog, chat: uuid.UUID) -> None:
    assert [log.append(Writer(chat), "status", {"n": n}) for n in range(20)] == list(range(1, 21))
    found, last = log.read(chat, 0)
    assert [(e.seq, e.type, e.data()) for e in found] == [(n + 1, "status", {"n": n}) for n in range(20)]
    assert last == 20


@pytest.mark.parametrize("after", [0, 1, 4, 5, 6, 2**53])
def test_reading_starts_above_the_given_number(after: int, log: EventLog, chat: uuid.UUID) -> None:
    for n in range(5):
        log.append(Writer(chat), "status", {"n": n})
    found, last = log.read(chat, after)
    assert [e.seq for e in found] == [n for n in range(1, 6) if n > after]
    assert last == 5


def test_an_unknown_conversation_has_no_events_and_no_number(log: EventLog) -> None:
    assert log.read(uuid.uuid4(), 0) == ([], 0)
    assert log.attempt_of(uuid.uuid4()) == 0


def test_conversations_do_not_mix(log: EventLog) -> None:
    one, other = begin(log), begin(log)
    assert [log.append(Writer(c), "status", {}) for c in (one, other, one, other)] == [1, 1, 2, 2]
    assert len(log.read(one, 0)[0]) == 2


def test_many_threads_get_numbers_without_gap_or_double(log: EventLog, chat: uuid.UUID) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: log.append(Writer(chat), "status", {"n": n}), range(200)))
    assert sorted(numbers) == list(range(1, 201))
    found, _ = log.read(chat, 0)
    assert {(e.seq, e.data()["n"]) for e in found} == set(zip(numbers, range(200), strict=True))


def test_an_event_under_the_same_id_is_appended_once(log: EventLog, chat: uuid.UUID) -> None:
    first = log.append(Writer(chat), "message", {"a": 1}, once="m1")
    log.append(Writer(chat), "status", {})
    assert log.append(Writer(chat), "message", {"a": 2}, once="m1") == first
    assert [e.type for e in log.read(chat, 0)[0]] == ["message", "status"]
    assert log.append(Writer(chat), "message", {"a": 3}, once="m2") == 3


def test_a_higher_version_takes_the_place_of_a_lower_one_which_then_comes_too_late(
    log: EventLog, chat: uuid.UUID
) -> None:
    assert log.append(Writer(chat), "message", {"v": 0}, once="m") == 1
    assert log.append(Writer(chat), "status", {}) == 2
    assert log.append(Writer(chat), "message", {"v": 2}, once="m", version=2) == 3
    for version in (0, 1, 2):
        assert log.append(Writer(chat), "message", {"v": version}, once="m", version=version) == 3
    assert [(event.seq, event.data()) for event in log.read(chat, 0)[0]] == [(2, {}), (3, {"v": 2})]


def test_what_is_buried_takes_no_event_and_is_not_restored(log: EventLog, chat: uuid.UUID) -> None:
    log.append(Writer(chat), "message", {}, once="m")
    log.bury(chat)
    log.restore(chat, fence=9, attempt=9, after=0, ceiling=1000)
    for writer in (Writer(chat), Writer(chat, 1, 0), Writer(chat, 9, 9)):
        with pytest.raises(Stale):
            log.append(writer, "message", {})
    assert log.read(chat, 0) == ([], 0)


def test_threads_that_announce_the_same_message_announce_it_once(log: EventLog, chat: uuid.UUID) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(lambda _: log.append(Writer(chat), "message", {}, once="m"), range(40)))
    assert numbers == {1}
    assert len(log.read(chat, 0)[0]) == 1


def test_an_event_that_follows_one_that_redis_has_forgotten_is_not_appended(log: EventLog, chat: uuid.UUID) -> None:
    log.append(Writer(chat), "reply", {"part": 0}, once="begin")
    assert log.append(Writer(chat), "reply", {"part": 1}, follows="begin") == 2
    with pytest.raises(StateLost):
        log.append(Writer(chat), "reply", {}, follows="never")
    log._redis.flushall()
    log.restore(chat, fence=1, attempt=0, after=1000, ceiling=2000)
    with pytest.raises(StateLost):
        log.append(Writer(chat), "reply", {"part": 2}, follows="begin")
    assert log.read(chat, 0) == ([], 1000)


@pytest.mark.parametrize(
    ("fence", "attempt", "accepted"),
    [
        (2, 3, True),
        (2, None, True),
        (None, 3, True),
        (None, None, True),
        (1, 3, False),
        (3, 3, False),
        (2, 2, False),
        (2, 4, False),
        (1, None, False),
        (None, 2, False),
        (2, 0, False),
        (0, 3, False),
    ],
)
def test_only_who_holds_the_current_numbers_may_write(
    fence: int | None, attempt: int | None, accepted: bool, log: EventLog, chat: uuid.UUID
) -> None:
    log.restore(chat, fence=2, attempt=3, after=0, ceiling=1000)
    if accepted:
        assert log.append(Writer(chat, fence, attempt), "reply", {}) == 1
    else:
        with pytest.raises(Stale):
            log.append(Writer(chat, fence, attempt), "reply", {})
        assert log.read(chat, 0) == ([], 0)


def test_a_stale_writer_learns_nothing_from_what_was_announced_before(log: EventLog, chat: uuid.UUID) -> None:
    log.append(Writer(chat, 1, 0), "message", {}, once="m")
    log.restore(chat, fence=1, attempt=1, after=0, ceiling=1000)
    with pytest.raises(Stale):
        log.append(Writer(chat, 1, 0), "message", {}, once="m")


def test_a_conversation_that_redis_does_not_know_is_lost(log: EventLog) -> None:
    with pytest.raises(StateLost):
        log.append(Writer(uuid.uuid4()), "status", {})


def test_numbers_above_the_ceiling_wait_until_it_is_raised(log: EventLog) -> None:
    chat = begin(log, ceiling=2)
    assert [log.append(Writer(chat), "status", {}) for _ in range(2)] == [1, 2]
    with pytest.raises(StateLost):
        log.append(Writer(chat), "status", {})
    assert not log.restore(chat, fence=1, attempt=0, after=500, ceiling=3)
    assert log.append(Writer(chat), "status", {}) == 3
    with pytest.raises(StateLost):
        log.append(Writer(chat), "status", {})


def test_restoring_lowers_nothing(log: EventLog, chat: uuid.UUID) -> None:
    log.restore(chat, fence=5, attempt=7, after=0, ceiling=2000)
    log.append(Writer(chat), "status", {})
    assert not log.restore(chat, fence=2, attempt=3, after=0, ceiling=10)
    assert log.attempt_of(chat) == 7
    assert log.append(Writer(chat, 5, 7), "status", {}) == 2
    assert log.restore(uuid.uuid4(), fence=1, attempt=0, after=0, ceiling=1)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(["append", "append", "append", "flush", "raise"]), max_size=25))
def test_numbers_grow_strictly_whatever_redis_forgets(log: EventLog, steps: list[str]) -> None:
    chat, ceiling, block = begin(log, ceiling=3), 3, 3
    given_out: list[int] = []
    for step in steps:
        if step == "flush":
            log._redis.flushall()
        elif step == "raise":
            ceiling += block
            log.restore(chat, fence=1, attempt=0, after=ceiling - block, ceiling=ceiling)
        else:
            try:
                given_out.append(log.append(Writer(chat, 1, 0), "status", {}))
            except StateLost:
                ceiling += block
                log.restore(chat, fence=1, attempt=0, after=ceiling - block, ceiling=ceiling)
                given_out.append(log.append(Writer(chat, 1, 0), "status", {}))
    assert given_out == sorted(set(given_out))
    assert given_out == [] or given_out[-1] <= ceiling


def test_the_log_is_bounded_and_keeps_the_newest(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOG_LENGTH", 100)
    chat = begin(log)
    for n in range(400):
        log.append(Writer(chat), "status", {"n": n})
    found, last = log.read(chat, 0)
    assert 100 <= len(found) < 300
    assert found[-1].seq == last == 400
    assert [e.seq for e in found] == list(range(found[0].seq, 401))


def test_everything_expires(log: EventLog, chat: uuid.UUID) -> None:
    log.append(Writer(chat), "message", {}, once="m")
    log.take_lease(chat, "a")
    log.request_stop(chat, 1)
    log.first_call("x", 10)
    keys = [key for key in log._redis.scan_iter() if key != FEED.encode()]
    assert len(keys) == 5
    assert all(log._redis.ttl(key) > 0 for key in keys)


@pytest.mark.parametrize("payload", [{}, {"text": '"}\n\0中😀\u2028'}, {"a": {"b": [1, None]}}, {"type": "x"}])
def test_a_frame_is_the_payload_with_type_and_number(payload: dict[str, Any], log: EventLog, chat: uuid.UUID) -> None:
    log.append(Writer(chat), "reply", payload)
    [event], _ = log.read(chat, 0)
    assert event.data() == payload
    assert json.loads(event.frame()) == {"type": "reply", "seq": 1, **payload}


def test_the_feed_carries_the_events_of_all_conversations_in_order(log: EventLog) -> None:
    one, other = begin(log), begin(log)
    for chat in (one, other, one):
        log.append(Writer(chat), "status", {"chat": str(chat)})
    entries = list(feed_entries(log._redis.xrange(FEED)))
    assert [(e.conversation, e.event.seq) for e in entries] == [(one, 1), (other, 1), (one, 2)]
    assert [e.event.data()["chat"] for e in entries] == [str(e.conversation) for e in entries]


def test_a_feed_row_that_cannot_be_read_is_left_out() -> None:
    chat = uuid.uuid4()
    good = {b"conversation": str(chat).encode(), b"seq": b"1", b"type": b"status", b"payload": b"{}"}
    rows = [(b"1-0", {}), (b"2-0", {**good, b"seq": b"x"}), (b"3-0", {**good, b"conversation": b"?"}), (b"4-0", good)]
    assert [(e.id, e.event) for e in feed_entries(rows)] == [("4-0", Event(1, "status", b"{}"))]


def test_a_lease_has_one_holder(log: EventLog, chat: uuid.UUID) -> None:
    assert log.take_lease(chat, "a")
    assert not log.take_lease(chat, "a")
    assert not log.take_lease(chat, "b")
    log.drop_lease(chat, "b")
    assert log.leased([chat, uuid.uuid4()]) == [True, False]
    log.drop_lease(chat, "a")
    assert log.leased([chat]) == [False]
    assert log.take_lease(chat, "b")


def test_of_many_threads_one_gets_the_lease(log: EventLog, chat: uuid.UUID) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: log.take_lease(chat, str(n)), range(40))) == 1


def test_renewing_prolongs_a_lease_and_never_takes_somebody_elses(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, foreign, flushed = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    monkeypatch.setattr(events, "LEASE_MILLISECONDS", 30_000)
    log.take_lease(mine, "a")
    log.take_lease(foreign, "b")
    monkeypatch.setattr(events, "LEASE_MILLISECONDS", 60_000)
    log.renew_leases({mine: "a", foreign: "a", flushed: "a"})
    remaining = [log._redis.pttl(f"kefu:lease:{chat}") for chat in (mine, foreign, flushed)]
    assert remaining[0] > 30_000
    assert remaining[1] <= 30_000
    assert remaining[2] > 30_000  # redis had forgotten it: the turn still runs
    log.drop_lease(foreign, "b")
    assert log.leased([foreign, flushed]) == [False, True]


def test_nothing_to_renew_is_no_error(log: EventLog) -> None:
    log.renew_leases({})
    assert log.leased([]) == []


def test_stop_requests_are_read_together(log: EventLog) -> None:
    one, other = uuid.uuid4(), uuid.uuid4()
    log.request_stop(other, 3)
    assert log.stops([one, other]) == [0, 3]


def test_the_first_caller_is_told_so(log: EventLog) -> None:
    assert [log.first_call("a", 10), log.first_call("a", 10), log.first_call("b", 10)] == [True, False, True]


def test_workers_count_while_their_report_is_fresh(log: EventLog) -> None:
    assert log.workers_alive() == 0
    log.report_worker("a", seconds=30)
    log.report_worker("a", seconds=30)
    log.report_worker("b", seconds=-1)
    assert log.workers_alive() == 1


def test_queues_are_measured(log: EventLog) -> None:
    log._redis.rpush("turns", "x", "y")
    assert log.queue_lengths(("turns", "desk")) == {"turns": 2, "desk": 0}


def test_without_redis_every_call_says_so() -> None:
    log = EventLog(redis.Redis.from_url("unix:///nonexistent/redis.sock", retry=None))
    for call in (
        lambda: log.append(Writer(uuid.uuid4()), "x", {}),
        lambda: log.read(uuid.uuid4(), 0),
        lambda: log.take_lease(uuid.uuid4(), "a"),
        lambda: log.renew_leases({uuid.uuid4(): "a"}),
        lambda: log.queue_lengths(["a"]),
        lambda: log.bury(uuid.uuid4()),
        lambda: log.nudge(uuid.uuid4(), "x"),
        log.check,
    ):
        with pytest.raises(LogUnavailable, match=r"^ConnectionError$"):
            call()
