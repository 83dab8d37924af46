"""Hand-offs: states, hours, what the customer is told, and that everybody hears of it; real redis and database."""

import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.utils import timezone

from chatbot import answering, handoff, ownership
from chatbot.events import FEED, EventLog, feed_entries
from chatbot.models import Conversation, Handoff, Message, Site
from chatbot.pulse import Pulse
from chatbot.wording import moment
from tests.chatbot.conftest import Say
from tests.conftest import RedisServer
from tests.fakes import FakeAnswer, FakeQueue, conclusion
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

WEEK = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE: dict[str, Any] = {"zone": "Asia/Shanghai", "week": WEEK}
SATURDAY = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # noon in Shanghai
MONDAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
EVERYBODY: Callable[[Sequence[uuid.UUID]], list[bool]] = lambda visitors: [True] * len(visitors)  # noqa: E731


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the clock; it goes on from there."""
    real = timezone.now

    def put(now: datetime) -> None:
        start = real()
        monkeypatch.setattr(timezone, "now", lambda: now + (real() - start))

    return put


@pytest.fixture
def office(site: Site) -> Site:
    site.hours = OFFICE
    site.save()
    return site


@pytest.fixture
def mei(db: None) -> User:
    return User.objects.create_user("mei", first_name="Mei")


def ask(chat: Conversation, log: EventLog, reason: str = "requested") -> None:
    ownership.request_person(conversation_id=chat.id, reason=reason, log=log)


def states() -> list[tuple[str, str]]:
    return [(h.state, h.reason) for h in Handoff.objects.order_by("id")]


def nudges(log: EventLog) -> list[tuple[uuid.UUID, Any]]:
    entries = feed_entries(log._redis.xrange(FEED))  # type: ignore[arg-type]
    return [(e.conversation, e.event.data()["site"]) for e in entries if e.event.type == "queue" and e.event.seq == 0]


def told(log: EventLog, chat: Conversation) -> list[tuple[str, str]]:
    messages = [event.data()["message"] for event in log.read(chat.id, 0)[0] if event.type == "message"]
    return [(message["role"], message["reason"]) for message in messages]


def test_a_site_without_hours_is_always_open(chat: Conversation, log: EventLog) -> None:
    ask(chat, log)
    assert states() == [("waiting", "requested")]
    assert not Message.objects.exists()


def test_within_the_hours_the_customer_waits(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(MONDAY)
    ask(chat, log)
    assert states() == [("waiting", "requested")]
    assert told(log, chat) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "en",
            "Our people are away now. They are back on Monday at 09:00 (UTC+8). You can leave a message here; they will"
            " read it then.",
        ),
        ("zh", "人工客服现在不在，周一 09:00（UTC+8）起恢复服务。您可以在这里留言，他们回来后会看到。"),
    ],
)
def test_outside_the_hours_the_customer_leaves_a_message_and_learns_when_people_are_back(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None], language: str, text: str
) -> None:
    Conversation.objects.update(language=language)
    at(SATURDAY)
    ask(chat, log)
    assert states() == [("message", "requested")]
    [notice] = Message.objects.all()
    assert (notice.role, notice.reason, notice.language, notice.text) == ("system", "closed", language, text)
    assert told(log, chat) == [("system", "closed")]


def test_where_nobody_knows_when_people_are_back_no_time_is_invented(
    site: Site, chat: Conversation, log: EventLog
) -> None:
    site.hours = {"zone": "Asia/Shanghai"}
    site.save()
    ask(chat, log)
    assert Message.objects.get().text.startswith("Our people are away now. You can leave a message")


def test_who_asks_again_while_people_are_away_is_not_told_again(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(SATURDAY)
    ask(chat, log)
    ask(chat, log, "anger")
    assert states() == [("message", "requested")]
    assert Message.objects.count() == 1


def test_who_asks_again_when_people_are_back_waits(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(SATURDAY)
    ask(chat, log)
    at(MONDAY)
    ask(chat, log)
    assert states() == [("waiting", "requested")]


@pytest.mark.parametrize("outcome", ["handed_off", "review"])
def test_the_notice_comes_after_the_bots_reply(
    office: Site, chat: Conversation, log: EventLog, say: Say, at: Callable[..., None], outcome: Any
) -> None:
    at(SATURDAY)
    script = [conclusion("I pass you on.", outcome=outcome, reason="no_answer")]
    answering.answer_turn(
        say("请问多久？", language="zh").id,
        answer=FakeAnswer(script),
        log=log,
        pulse=Pulse(log),
        enqueue=FakeQueue(),
        seconds=60,
    )
    assert told(log, chat) == [("customer", ""), ("bot", "no_answer"), ("system", "closed")]
    assert Message.objects.get(role="system").language == "zh", "the language of the turn, not that of the hello"
    assert states() == [("message", "no_answer")]


def test_a_notice_that_redis_did_not_take_is_announced_later(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None], redis_running: RedisServer
) -> None:
    at(SATURDAY)
    redis_running.kill()
    try:
        ask(chat, log)
    finally:
        redis_running.start()
    assert Message.objects.get().sequence is None
    assert states() == [("message", "requested")]


def test_a_change_that_is_undone_leaves_neither_state_nor_notice_nor_nudge(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(SATURDAY)
    with transaction.atomic():
        handoff.request(chat, "requested", log=log)
        transaction.set_rollback(True)
    assert (states(), Message.objects.count(), nudges(log)) == ([], 0, [])


def test_every_change_is_told_once(chat: Conversation, log: EventLog, mei: User) -> None:
    ask(chat, log)
    ask(chat, log)
    assert len(nudges(log)) == 1
    ownership.take_over(conversation_id=chat.id, agent=mei, log=log)
    assert len(nudges(log)) == 2
    ownership.hand_back(conversation_id=chat.id, agent=mei, log=log, enqueue=FakeQueue())
    assert nudges(log) == [(chat.id, chat.site_id)] * 3
    handoff.end(chat, "expired", log=log)  # there is none
    assert len(nudges(log)) == 3


def test_redis_that_is_away_keeps_nobody_from_waiting(
    chat: Conversation, log: EventLog, redis_running: RedisServer
) -> None:
    redis_running.kill()
    try:
        ask(chat, log)
    finally:
        redis_running.start()
    assert states() == [("waiting", "requested")]


# --- when people are back


def test_messages_become_waiting_when_people_are_back(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(SATURDAY)
    ask(chat, log)
    before = len(nudges(log))
    assert handoff.reopen_messages(SATURDAY, are_there=EVERYBODY, log=log) == 0
    assert handoff.reopen_messages(MONDAY, are_there=EVERYBODY, log=log) == 1
    assert states() == [("waiting", "requested")]
    assert len(nudges(log)) == before + 1
    assert handoff.reopen_messages(MONDAY, are_there=EVERYBODY, log=log) == 0


def test_the_message_of_a_customer_who_has_gone_stays_a_message(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(SATURDAY)
    ask(chat, log)
    asked: list[Sequence[uuid.UUID]] = []

    def nobody(visitors: Sequence[uuid.UUID]) -> list[bool]:
        asked.append(visitors)
        return [False]

    assert handoff.reopen_messages(MONDAY, are_there=nobody, log=log) == 0
    assert asked == [[chat.visitor]]
    assert states() == [("message", "requested")]


def test_a_conversation_that_rests_is_left_alone(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(SATURDAY)
    ask(chat, log)
    Conversation.objects.update(closed=SATURDAY)
    assert handoff.reopen_messages(MONDAY, are_there=EVERYBODY, log=log) == 0


def test_a_site_that_is_still_closed_keeps_its_messages(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(SATURDAY)
    ask(chat, log)
    other = Site.objects.create(key="other", name="Other", knowledge_base="x", hours={"zone": "UTC"})
    stays = Conversation.objects.create(site=other, visitor=uuid.uuid4())
    ask(stays, log)
    assert handoff.reopen_messages(MONDAY, are_there=EVERYBODY, log=log) == 1
    assert Handoff.objects.get(conversation=stays).state == "message"


# --- two at once


def at_once(*acts: Callable[[], object]) -> None:
    barrier = threading.Barrier(len(acts), timeout=PATIENCE)

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(run, act) for act in acts]:
            done.result(PATIENCE)


def test_two_who_ask_at_once_make_one_hand_off_and_one_notice(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None]
) -> None:
    at(SATURDAY)
    at_once(lambda: ask(chat, log), lambda: ask(chat, log, "anger"))
    assert len(states()) == 1
    assert Message.objects.count() == 1
    assert told(log, chat) == [("system", "closed")]


@pytest.mark.parametrize("_", range(5))
def test_an_agent_who_takes_it_while_people_come_back_has_it(
    office: Site, chat: Conversation, log: EventLog, at: Callable[..., None], mei: User, _: int
) -> None:
    at(SATURDAY)
    ask(chat, log)
    at_once(
        lambda: ownership.take_over(conversation_id=chat.id, agent=mei, log=log),
        lambda: handoff.reopen_messages(MONDAY, are_there=EVERYBODY, log=log),
        lambda: handoff.reopen_messages(MONDAY, are_there=EVERYBODY, log=log),
    )
    row = Handoff.objects.get()
    assert (row.state, row.agent) == ("taken", mei)
    assert nudges(log).count((chat.id, chat.site_id)) in (2, 3)  # asked, taken, and perhaps waiting in between


# --- the moment in words


@pytest.mark.parametrize(
    ("opening", "english", "chinese"),
    [
        ("2026-11-23T09:00+08:00", "on Monday at 09:00 (UTC+8)", "周一 09:00（UTC+8）"),
        ("2026-11-27T23:30-03:30", "on Friday at 23:30 (UTC-3:30)", "周五 23:30（UTC-3:30）"),
        ("2026-11-28T08:00+08:00", "on Saturday, 28 Nov, at 08:00 (UTC+8)", "11月28日 08:00（UTC+8）"),
        ("2027-01-04T10:05+00:00", "on Monday, 4 Jan, at 10:05 (UTC+0)", "1月4日 10:05（UTC+0）"),
    ],
)
def test_a_moment_is_told_by_the_sites_own_clock(opening: str, english: str, chinese: str) -> None:
    at = datetime.fromisoformat(opening)
    assert moment(at, SATURDAY, "en") == english
    assert moment(at, SATURDAY, "zh") == chinese
