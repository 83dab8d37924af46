"""What a reader sees of a reply while it grows."""

import threading
import uuid
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot import publishing
from chatbot.events import Stale, StateLost, Writer
from chatbot.publishing import INTERVAL_SECONDS, MOST_PARTS, ReplyPublisher
from tests.fakes import DOWN, Clock, FakeLog, LandsAndFails, released, shown_text

START = 1000.0
TICK = INTERVAL_SECONDS + 1e-6


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(START)
    monkeypatch.setattr(publishing, "time", SimpleNamespace(monotonic=clock, time=clock))
    return clock


def publisher(log: FakeLog, *, restores: list[int] | None = None) -> ReplyPublisher:
    def restore() -> None:
        if restores is not None:
            restores.append(1)

    reply = uuid.uuid4()
    return ReplyPublisher(log=log, writer=Writer(uuid.uuid4(), 1, 1), reply=reply, restore=restore)  # type: ignore[arg-type]


def add(to: ReplyPublisher, text: str) -> None:
    for unit in released(text):
        to.add(unit)


def test_units_that_come_fast_travel_together(clock: Clock) -> None:
    reply = publisher(log := FakeLog())
    for text in ("One. ", "Two. ", "Three. "):
        add(reply, text)
    assert [e["text"] for _, e in log.events] == ["One. "]
    clock.now += TICK
    reply.flush()
    assert [(e["part"], e["text"], e["replace"]) for _, e in log.events] == [
        (0, "One. ", True),
        (1, "Two. Three. ", False),
    ]
    clock.now += TICK
    reply.flush()
    assert len(log.events) == 2


def test_a_stage_is_shown_until_there_is_text(clock: Clock) -> None:
    reply = publisher(log := FakeLog())
    reply.stage("searching")
    clock.now += 1
    reply.stage("writing")
    clock.now += 1
    add(reply, "Hi. ")
    clock.now += 1
    reply.stage("checking")
    clock.now += 1
    reply.flush()
    assert [(type_, e.get("stage") or e.get("text")) for type_, e in log.events] == [
        ("status", "searching"),
        ("status", "writing"),
        ("reply", "Hi. "),
    ]


def test_of_stages_that_come_fast_the_last_is_shown(clock: Clock) -> None:
    reply = publisher(log := FakeLog())
    reply.stage("searching")
    reply.stage("checking")
    reply.stage("writing")
    clock.now += 1
    reply.flush()
    assert [e["stage"] for _, e in log.events] == ["searching", "writing"]


def test_text_overtakes_a_stage_that_still_waits(clock: Clock) -> None:
    reply = publisher(log := FakeLog())
    reply.stage("searching")
    reply.stage("writing")
    add(reply, "Hi. ")
    clock.now += 1
    reply.flush()
    reply.flush()
    assert [type_ for type_, _ in log.events] == ["status", "reply"]


def test_the_time_of_the_first_text_is_kept(clock: Clock) -> None:
    reply = publisher(FakeLog())
    reply.stage("searching")
    assert reply.first_text is None
    clock.now += 1
    add(reply, "Hi. ")
    clock.now += 1
    add(reply, "There. ")
    assert reply.first_text == START + 1


def test_a_later_attempt_replaces_what_the_first_has_shown(clock: Clock) -> None:
    reply = publisher(log := FakeLog())
    reply.stage("searching")
    clock.now += 1
    add(reply, "Again. ")
    clock.now += 1
    add(reply, "And on. ")
    assert [(type_, e.get("replace")) for type_, e in log.events] == [
        ("status", None),
        ("reply", True),
        ("reply", False),
    ]


@pytest.mark.parametrize("failure", [DOWN, StateLost()])
def test_a_later_attempt_that_begins_in_an_outage_still_replaces(failure: Exception, clock: Clock) -> None:
    reply = publisher(log := FakeLog([failure]))
    reply.stage("searching")
    clock.now += 1
    add(reply, "Again. ")
    assert [e["replace"] for type_, e in log.events if type_ == "reply"] == [True]


def test_after_lost_memory_the_whole_reply_is_sent_again(clock: Clock) -> None:
    restores: list[int] = []
    reply = publisher(log := FakeLog([None, StateLost()]), restores=restores)
    add(reply, "One. ")
    clock.now += 1
    add(reply, "Two. ")
    clock.now += 1
    add(reply, "Three. ")
    assert restores == [1]
    assert [(e["part"], e["text"], e["replace"]) for _, e in log.events] == [
        (0, "One. ", True),
        (0, "One. Two. ", True),
        (1, "Three. ", False),
    ]


def test_after_an_outage_the_whole_reply_is_sent_again(clock: Clock) -> None:
    reply = publisher(log := FakeLog([None, DOWN, DOWN]))
    add(reply, "One. ")
    clock.now += 1
    add(reply, "Two. ")
    clock.now += 1
    reply.flush()
    clock.now += 1
    reply.flush()
    assert [(e["part"], e["text"], e["replace"]) for _, e in log.events] == [
        (0, "One. ", True),
        (0, "One. Two. ", True),
    ]


def test_a_publisher_whose_turn_was_taken_says_so_and_sends_no_more(clock: Clock) -> None:
    reply = publisher(log := FakeLog([None, Stale()]))
    add(reply, "One. ")
    assert not reply.lost
    clock.now += 1
    add(reply, "Two. ")
    assert reply.lost
    clock.now += 1
    add(reply, "Three. ")
    reply.flush()
    assert [e["text"] for _, e in log.events] == ["One. "]


def test_a_closed_publisher_sends_nothing(clock: Clock) -> None:
    reply = publisher(log := FakeLog())
    add(reply, "One. ")
    add(reply, "Two. ")
    reply.close()
    clock.now += 1
    reply.flush()
    assert len(log.events) == 1


TEXT = st.text("abc。. ", min_size=1, max_size=4).filter(str.strip)
STEP = st.one_of(
    TEXT,
    st.sampled_from(["searching", "writing"]).map(lambda stage: ("stage", stage)),
    st.sampled_from([0.0, 0.01, 0.03, 0.05, 0.2]),
    st.just(None),
)
FAILURE = st.sampled_from([None, None, None, DOWN, LandsAndFails(), StateLost()])


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=30), st.lists(FAILURE, max_size=15), st.booleans())
def test_nothing_is_lost_or_doubled_and_events_keep_their_distance(
    steps: list[object], failures: list[Exception | None], attempted: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(START)
        patch.setattr(publishing, "time", SimpleNamespace(monotonic=clock, time=clock))
        log = FakeLog(failures, clock)
        reply = publisher(log)
        before = [("reply", {"part": 0, "text": "an earlier attempt", "replace": False})] if attempted else []
        added = ""
        for step in steps:
            match step:
                case str():
                    add(reply, step)
                    added += step
                case float():
                    clock.now += step
                case (_, stage):
                    reply.stage(stage)  # type: ignore[arg-type]
                case None:
                    reply.flush()
            shown = shown_text([*before, *log.events])
            assert added.startswith(shown) or (not log.replies and shown == "an earlier attempt")
        for _ in range(len(failures) + 2):
            clock.now += TICK
            reply.flush()
        assert shown_text([*before, *log.events]) == (added or shown_text(before))
        assert all(b - a >= INTERVAL_SECONDS - 1e-9 for a, b in zip(log.times, log.times[1:], strict=False))


def test_a_long_reply_is_sent_whole_again_before_the_log_drops_its_beginning(clock: Clock) -> None:
    reply = publisher(log := FakeLog())
    for n in range(2 * MOST_PARTS + 5):
        add(reply, f"{n}. ")
        clock.now += 1
    whole = [place for place, event in enumerate(log.replies) if event["replace"]]
    assert whole == [0, MOST_PARTS, 2 * MOST_PARTS]
    assert shown_text(log.events) == "".join(f"{n}. " for n in range(2 * MOST_PARTS + 5))


def test_a_turn_and_its_pulse_may_send_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "INTERVAL_SECONDS", 0.0)
    reply = publisher(log := FakeLog())
    ended = threading.Event()

    def pulse() -> None:
        while not ended.is_set():
            reply.flush()

    thread = threading.Thread(target=pulse)
    thread.start()
    for n in range(300):
        add(reply, f"{n}. ")
    ended.set()
    thread.join()
    reply.flush()
    assert shown_text(log.events) == "".join(f"{n}. " for n in range(300))
