"""Idle conversations rest, and wake up with the customer's next message."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from chatbot import answering, expiry, handoff, ownership, selectors, services
from chatbot.events import EventLog, LogUnavailable, StateLost
from chatbot.models import Conversation, Handoff, Message, Site
from chatbot.pulse import Pulse
from tests.chatbot.conftest import Say
from tests.conftest import RedisServer
from tests.fakes import FakeAnswer, FakeQueue, Reader, conclusion

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600


@pytest.fixture
def mei(db: None) -> User:
    return User.objects.create(username="mei")


@pytest.fixture
def idle(log: EventLog) -> Callable[..., int]:
    """Let time pass and put to rest what is idle then."""

    def expire(seconds: float = HOUR + 1, log: EventLog = log) -> int:
        Conversation.objects.update(updated=timezone.now() - timedelta(seconds=seconds))
        return expiry.expire_idle(idle_seconds=HOUR, log=log)

    return expire


def answer(message: Message | uuid.UUID, log: EventLog) -> Message | None:
    identity = message if isinstance(message, uuid.UUID) else message.id
    heart, queue = Pulse(log), FakeQueue()
    answered = answering.answer_turn(identity, answer=FakeAnswer(), log=log, pulse=heart, enqueue=queue, seconds=60)
    return answered[0] if answered else None


def seen(chat: Conversation, log: EventLog) -> Reader:
    reader = Reader()
    for event in selectors.events_after(chat.id, 0, log=log).events:
        reader.apply(event)
    return reader


@pytest.mark.parametrize(("seconds", "rests"), [(HOUR - 60, False), (HOUR + 1, True)])
def test_a_conversation_rests_when_nothing_has_happened_for_an_hour(
    seconds: float, rests: bool, chat: Conversation, idle: Callable[..., int]
) -> None:
    assert idle(seconds) == rests
    assert (Conversation.objects.get().closed is not None) == rests
    assert idle(seconds) == 0  # it rests already


def test_what_it_held_in_redis_is_free_and_its_history_is_still_there(
    say: Say, chat: Conversation, log: EventLog, idle: Callable[..., int]
) -> None:
    answer(say(), log)
    idle()
    assert log._redis.keys(f"*{chat.id}*") == []
    assert [text for _, text, _ in seen(chat, log).history] == ["How long do returns take?", "Hello."]


def test_the_next_message_opens_it_and_the_bot_answers(
    say: Say, chat: Conversation, log: EventLog, mei: User, idle: Callable[..., int]
) -> None:
    ownership.take_over(conversation_id=chat.id, agent=mei, log=log)
    idle()
    waiting = selectors.events_after(chat.id, 0, log=log)  # a tab that was open all the time
    message = say()
    assert Conversation.objects.get().closed is None
    assert answer(message, log).text == "Hello."
    live = selectors.events_after(chat.id, waiting.seq, log=log)
    assert [e.type for e in live.events if e.type == "message"] == ["message"] * 2
    assert min(e.seq for e in live.events) > waiting.seq


def test_an_agents_ownership_ends_and_the_customer_is_told(
    chat: Conversation, log: EventLog, mei: User, idle: Callable[..., int]
) -> None:
    ownership.take_over(conversation_id=chat.id, agent=mei, log=log)
    Conversation.objects.update(draft="half an answer")
    idle()
    rested = Conversation.objects.get()
    assert (rested.owner, rested.agent, rested.draft, rested.fence) == ("bot", None, "", 3)
    assert Message.objects.get(reason="expired").sequence is not None
    ended = Handoff.objects.get()
    assert (ended.state, ended.result) == ("ended", "expired")


def test_what_an_agent_never_answered_is_left_as_a_message_for_staff(
    say: Say, chat: Conversation, log: EventLog, mei: User, idle: Callable[..., int]
) -> None:
    ownership.take_over(conversation_id=chat.id, agent=mei, log=log)
    message = say()
    idle()
    message.refresh_from_db()
    assert (message.outcome, message.reason) == ("handed_off", "nobody_came")
    assert Handoff.objects.get().state == "message"


@pytest.mark.parametrize("offered", [False, True])
def test_who_waited_in_vain_has_left_a_message(
    offered: bool, chat: Conversation, log: EventLog, mei: User, idle: Callable[..., int]
) -> None:
    ownership.request_person(conversation_id=chat.id, reason="requested", log=log)
    if offered:
        Handoff.objects.update(offered_to=mei, offered=timezone.now())
    idle()
    left = Handoff.objects.get()
    assert (left.state, left.offered_to, left.offered, left.result) == ("message", None, None, "")
    ownership.take_over(conversation_id=chat.id, agent=mei, log=log)  # and can be taken up
    assert Conversation.objects.get().closed is None
    assert handoff.of(chat).state == "taken"


def test_what_the_bot_never_answered_is_handed_over(
    say: Say, chat: Conversation, log: EventLog, idle: Callable[..., int]
) -> None:
    say()
    idle()
    assert Message.objects.get().outcome == "handed_off"
    assert (Handoff.objects.get().state, Handoff.objects.get().reason) == ("message", "failed")


def test_a_turn_that_hung_all_the_time_answers_nothing(
    say: Say, chat: Conversation, log: EventLog, idle: Callable[..., int]
) -> None:
    claimed = answering.claim(say().id, log=log)
    assert claimed is not None
    idle()
    with pytest.raises(StateLost):
        log.append(claimed.writer, "reply", {})
    assert answering.conclude(claimed, conclusion("Late."), log=log) is None
    assert not Message.objects.filter(role="bot").exists()


def test_a_message_that_arrives_at_the_same_moment_keeps_it_awake(
    say: Say, chat: Conversation, log: EventLog, idle: Callable[..., int]
) -> None:
    Conversation.objects.update(updated=timezone.now() - timedelta(days=1))
    chosen = Conversation.objects.get()
    say()
    assert expiry._rest(chosen.id, timezone.now() - timedelta(seconds=HOUR), log=log) is False
    assert Message.objects.get().outcome == ""
    assert Conversation.objects.get().closed is None


@pytest.mark.parametrize("what", ["say", "answer", "reply", "take over"])
def test_whatever_is_said_keeps_it_awake(
    what: str, say: Say, chat: Conversation, log: EventLog, mei: User, idle: Callable[..., int]
) -> None:
    message = say()
    if what == "reply":
        ownership.take_over(conversation_id=chat.id, agent=mei, log=log)
    Conversation.objects.update(updated="2020-01-01T00:00Z")
    match what:
        case "say":
            say("again")
        case "answer":
            answer(message, log)
        case "reply":
            services.store_message(
                conversation=chat, role=Message.Role.AGENT, client_id="1:a", text="Yes.", language="en",
                find=lambda _: [], master_key=None,  # type: ignore[arg-type]
            )  # fmt: skip
        case "take over":
            ownership.take_over(conversation_id=chat.id, agent=mei, log=log)
    assert expiry.expire_idle(idle_seconds=HOUR, log=log) == 0


def test_without_redis_nothing_rests(
    chat: Conversation, log: EventLog, mei: User, idle: Callable[..., int], redis_running: RedisServer
) -> None:
    ownership.take_over(conversation_id=chat.id, agent=mei, log=log)
    redis_running.kill()
    try:
        with pytest.raises(LogUnavailable):
            idle()
    finally:
        redis_running.start()
    assert Conversation.objects.get().closed is None
    assert idle() == 1


def test_many_rest_in_batches_the_longest_idle_first(
    site: Site, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "BATCH", 2)
    now = timezone.now()
    chats = [services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log) for _ in range(5)]
    for days, chat in enumerate(chats, 1):
        Conversation.objects.filter(pk=chat.pk).update(updated=now - timedelta(days=days))

    def rest() -> Any:
        return expiry.expire_idle(idle_seconds=HOUR, log=log)

    assert rest() == 2
    assert set(Conversation.objects.exclude(closed=None)) == {chats[4], chats[3]}
    assert [rest(), rest(), rest()] == [2, 1, 0]
