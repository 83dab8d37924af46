"""chatbot.following: what a reader is shown when more comes than it takes."""

from chatbot.events import Event
from chatbot.following import WAITING_EVENTS, Follower
from chatbot.selectors import CaughtUp


async def test_that_the_conversation_is_gone_is_told_even_to_who_has_fallen_behind() -> None:
    shown: list[Event] = []

    async def read(after: int) -> CaughtUp:
        raise AssertionError("nothing is read before it is shown")

    async def show(event: Event) -> None:
        shown.append(event)

    async def live(up: bool) -> None: ...

    follower = Follower(0, read=read, show=show, live=live)
    for number in range(1, WAITING_EVENTS + 50):
        follower.on_event(Event(number, "message", b"{}"))
    follower.on_event(Event(0, "gone", b"{}"))
    waiting = [follower._inbox.get_nowait() for _ in range(follower._inbox.qsize())]
    assert len(waiting) == WAITING_EVENTS
    assert waiting[-1] == Event(0, "gone", b"{}")
    assert not shown
