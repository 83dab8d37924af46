"""Customers who have left: timers of the event loop, and an answer that is stopped for nobody else; real redis."""

import asyncio
import uuid

import pytest

from chatbot.events import EventLog
from chatbot.leaving import Leaving, stop_if_left
from chatbot.models import Conversation
from chatbot.seats import Seats
from tests.fakes import until

CHAT, OTHER = uuid.uuid4(), uuid.uuid4()


class Left:
    """Remembers who left."""

    def __init__(self) -> None:
        self.calls: list[tuple[uuid.UUID, str]] = []

    async def __call__(self, conversation: uuid.UUID, place: str) -> None:
        self.calls.append((conversation, place))


async def test_who_has_left_for_long_is_told_of_once() -> None:
    left = Left()
    leaving = Leaving(left, seconds=0.02)
    leaving.leave(CHAT, "a")
    leaving.leave(OTHER, "b")
    leaving.leave(CHAT, "a")  # another tab
    assert len(leaving) == 2
    await asyncio.to_thread(until, lambda: len(left.calls) == 2)
    assert set(left.calls) == {(CHAT, "a"), (OTHER, "b")}
    await asyncio.sleep(0.05)
    assert (len(left.calls), len(leaving)) == (2, 0)


async def test_who_is_back_in_time_has_not_left() -> None:
    left = Left()
    leaving = Leaving(left, seconds=0.02)
    leaving.leave(CHAT, "a")
    leaving.back(CHAT)
    leaving.back(OTHER)
    await asyncio.sleep(0.05)
    assert left.calls == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sits", "answers", "stopped"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_only_an_answer_that_nobody_reads_is_stopped(
    chat: Conversation, log: EventLog, sits: bool, answers: bool, stopped: bool
) -> None:
    log.restore(chat.id, fence=1, attempt=3, after=0, ceiling=1000)
    seats = Seats(5)
    if sits:
        seats.take("a", "tab")
    if answers:
        log.take_lease(chat.id, "worker")
    assert stop_if_left(chat.id, "a", seats=seats, log=log) is stopped
    assert log.stops([chat.id]) == [3 if stopped else 0]
