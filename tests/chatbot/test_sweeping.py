"""What the sweeper finds after a crash: every message gets one outcome, and everybody is told once."""

import contextlib
import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db.models import F

from chatbot import answering, services, sweeping
from chatbot.events import BLOCK, EventLog, LogUnavailable, StateLost
from chatbot.models import Conversation, Handoff, LedgerEntry, Message, Site
from chatbot.pulse import Pulse
from chatbot.selectors import events_after
from chatbot.sweeping import Swept
from chatbot.turn import Conclusion, Language
from tests.chatbot.conftest import Say
from tests.conftest import RedisServer
from tests.fakes import FakeAnswer, FakeQueue, Reader, conclusion

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 25


def apology(language: Language) -> Conclusion:
    return conclusion(f"Sorry ({language}).", outcome="handed_off", reason="failed")


@pytest.fixture
def sweep(log: EventLog, queue: FakeQueue) -> Callable[..., Swept]:
    """Sweep after `seconds` more have passed."""

    def run(seconds: float = 0) -> Swept:
        age(seconds)
        return sweeping.sweep(log=log, enqueue=queue, apologise=apology, seconds=SECONDS)

    return run


def age(seconds: float) -> None:
    Message.objects.update(created=F("created") - timedelta(seconds=seconds))


def outcomes() -> list[str]:
    return [m.outcome for m in Message.objects.filter(role="customer")]


def replies() -> list[str]:
    return [m.text for m in Message.objects.filter(role="bot")]


def answer(message_id: uuid.UUID, log: EventLog, *script: Any) -> bool:
    answered = answering.answer_turn(
        message_id, answer=FakeAnswer(script or ["Yes. "]), log=log, pulse=Pulse(log), enqueue=FakeQueue(), seconds=9
    )
    return answered is not None


def test_without_anything_to_do_nothing_is_done(say: Say, log: EventLog, sweep: Callable[..., Swept]) -> None:
    assert sweep() == Swept()
    answer(say().id, log)
    assert sweep(100) == Swept()


def test_a_message_whose_task_was_lost_is_queued_again_and_not_at_every_sweep(
    say: Say, log: EventLog, queue: FakeQueue, sweep: Callable[..., Swept], redis_client: redis.Redis
) -> None:
    message = say()
    queue.ids.clear()
    assert sweep() == Swept()  # it may still be on its way
    assert sweep(sweeping.GRACE_SECONDS + 1) == Swept(enqueued=1)
    assert sweep(1) == Swept()
    assert queue.ids == [message.id]
    redis_client.delete(f"kefu:first:enqueue:{message.conversation_id}")
    assert sweep() == Swept(enqueued=1)
    assert answer(message.id, log)
    assert sweep(100) == Swept()
    assert replies() == ["Yes. "]


def test_a_message_that_somebody_answers_is_left_to_them(
    say: Say, log: EventLog, queue: FakeQueue, sweep: Callable[..., Swept]
) -> None:
    message = say()
    claimed = answering.claim(message.id, log=log)
    assert claimed is not None
    assert sweep(SECONDS + 1) == Swept()
    log.drop_lease(claimed.conversation.id, claimed.holder)
    assert sweep() == Swept(apologised=1)


def test_of_a_burst_one_task_is_queued(say: Say, queue: FakeQueue, sweep: Callable[..., Swept]) -> None:
    first = say("one")
    say("two")
    queue.ids.clear()
    assert sweep(5) == Swept(enqueued=1)
    assert queue.ids == [first.id]


def test_after_two_failed_attempts_there_is_one_apology(
    say: Say, log: EventLog, chat: Conversation, sweep: Callable[..., Swept]
) -> None:
    message = say(language="zh")
    for _ in range(answering.MOST_ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            answer(message.id, log, "Half. ", ZeroDivisionError())
    assert sweep(5) == Swept(apologised=1)
    assert sweep(100) == Swept()
    assert replies() == ["Sorry (zh)."]
    assert outcomes() == ["handed_off"]
    assert [(h.state, h.reason) for h in Handoff.objects.all()] == [("waiting", "failed")]
    assert LedgerEntry.objects.count() == 1
    assert not answer(message.id, log)
    reader = Reader()
    for event in events_after(chat.id, 0, log=log).events:
        reader.apply(event)
    assert reader.messages == [str(message.id), str(Message.objects.get(role="bot").id)]


def test_after_one_failed_attempt_there_is_another(
    say: Say, log: EventLog, queue: FakeQueue, sweep: Callable[..., Swept]
) -> None:
    message = say()
    with pytest.raises(ZeroDivisionError):
        answer(message.id, log, ZeroDivisionError())
    queue.ids.clear()
    assert sweep(5) == Swept(enqueued=1)
    assert answer(queue.ids[0], log)
    assert replies() == ["Yes. "]


def test_a_message_that_waited_too_long_gets_an_apology(
    say: Say, log: EventLog, queue: FakeQueue, sweep: Callable[..., Swept]
) -> None:
    message = say()
    assert sweep(SECONDS + 1) == Swept(apologised=1)
    assert replies() == ["Sorry (en)."]
    assert not answer(message.id, log)  # its task comes at last
    assert replies() == ["Sorry (en)."]


def test_a_long_burst_that_waited_too_long_gets_one_apology(say: Say, sweep: Callable[..., Swept]) -> None:
    for n in range(answering.PROMPT_MESSAGES + 5):
        say(str(n))
    assert sweep(SECONDS + 1) == Swept(apologised=1)
    assert sweep(100) == Swept()
    assert set(outcomes()) == {"handed_off"}
    assert replies() == ["Sorry (en)."]


def test_what_an_agent_owns_is_left_alone(
    say: Say, log: EventLog, queue: FakeQueue, sweep: Callable[..., Swept]
) -> None:
    say()
    queue.ids.clear()
    Conversation.objects.update(owner="agent", fence=2)
    assert sweep(100) == Swept()
    assert (replies(), outcomes(), queue.ids) == ([], [""], [])


def test_an_agent_who_takes_over_during_the_sweep_is_not_interrupted(
    say: Say, log: EventLog, sweep: Callable[..., Swept], queue: FakeQueue
) -> None:
    say()
    age(100)

    def take_over(language: Language) -> Conclusion:
        Conversation.objects.update(owner="agent", fence=2)
        return apology(language)

    assert sweeping.sweep(log=log, enqueue=queue, apologise=take_over, seconds=SECONDS) == Swept()
    assert replies() == []


def test_what_nobody_was_told_is_announced_once(
    say: Say, log: EventLog, chat: Conversation, sweep: Callable[..., Swept], redis_running: RedisServer
) -> None:
    redis_running.kill()
    try:
        say("one")
        say("two")
    finally:
        redis_running.start()
    assert sweep() == Swept()
    assert sweep(5).announced == 2
    assert sweep(5).announced == 0
    events, last = log.read(chat.id, 0)
    assert [event.data()["message"]["text"] for event in events] == ["one", "two"]
    assert last == BLOCK + 2


def test_an_answer_that_nobody_was_told_of_is_announced(
    say: Say, log: EventLog, chat: Conversation, sweep: Callable[..., Swept], redis_running: RedisServer
) -> None:
    message = say()
    try:
        answer(message.id, log, "Yes. ", redis_running.kill)
    finally:
        redis_running.start()
    assert sweep(5) == Swept(announced=1)
    assert [event.type for event in log.read(chat.id, 0)[0]] == ["message"]
    assert events_after(chat.id, 0, log=log).events[-1].data()["message"]["text"] == "Yes. "


def test_a_message_that_was_announced_by_somebody_who_died_at_once_is_not_announced_again(
    say: Say, log: EventLog, chat: Conversation, sweep: Callable[..., Swept]
) -> None:
    say()
    Message.objects.update(sequence=None)
    assert sweep(5).announced == 1
    assert len(log.read(chat.id, 0)[0]) == 1
    assert Message.objects.get().sequence == 1


def test_without_redis_the_sweep_says_so_and_does_nothing(
    say: Say, queue: FakeQueue, sweep: Callable[..., Swept], redis_running: RedisServer
) -> None:
    say()
    queue.ids.clear()
    redis_running.kill()
    try:
        with pytest.raises(LogUnavailable):
            sweep(100)
    finally:
        redis_running.start()
    assert (queue.ids, replies()) == ([], [])
    assert Message.objects.get().attempts == 0


@pytest.mark.parametrize("seed", range(12))
def test_in_any_chaos_every_message_gets_one_outcome_and_every_reader_sees_it_once(
    seed: int, site: Site, say: Say, log: EventLog, queue: FakeQueue, sweep: Callable[..., Swept]
) -> None:
    chance = random.Random(seed)
    chats = [services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log) for _ in range(2)]
    early = {chat.id: Reader() for chat in chats}

    def read(chat: Conversation, reader: Reader) -> None:
        caught = events_after(chat.id, reader.cursor, log=log)
        for event in caught.events:
            reader.apply(event)
        reader.cursor = max(reader.cursor, caught.seq)

    def crash() -> None:
        """A worker is killed after showing something."""
        if queue.ids and (claimed := answering.claim(chance.choice(queue.ids), log=log)):
            text = {"reply": str(claimed.reply_id), "part": 0, "text": "Half", "replace": True}
            with contextlib.suppress(StateLost):
                log.append(claimed.writer, "reply", text)
            log._redis.delete(f"kefu:lease:{claimed.conversation.id}")

    def deliver() -> None:
        if queue.ids:
            answer(queue.ids.pop(chance.randrange(len(queue.ids))), log)

    def lose_a_task() -> None:
        queue.ids[:] = queue.ids[1:]

    for _ in range(25):
        chance.choice(
            [
                lambda: say("hi", conversation=chance.choice(chats)),
                crash,
                deliver,
                lose_a_task,
                log._redis.flushall,
                lambda: sweep(5),
                lambda: read(chat := chance.choice(chats), early[chat.id]),
            ]
        )()
    for _ in range(20):
        log._redis.delete(*(f"kefu:first:enqueue:{chat.id}" for chat in chats))
        sweep(5)
        while queue.ids:
            deliver()
    assert "" not in outcomes()
    assert not Message.objects.filter(sequence=None).exists()
    for chat in chats:
        told = [str(m.id) for m in Message.objects.filter(conversation=chat).order_by("sequence")]
        read(chat, early[chat.id])
        read(chat, late := Reader())
        assert early[chat.id].messages == late.messages == told
        answered = Message.objects.filter(conversation=chat, role="customer")
        firsts = Message.objects.filter(conversation=chat, role="bot")
        assert {m.reply_to_id for m in firsts} <= {m.pk for m in answered}
        assert LedgerEntry.objects.filter(message__conversation=chat).count() == firsts.count() <= answered.count()


def test_a_message_that_cannot_be_concluded_keeps_no_other_waiting(
    say: Say, site: Site, log: EventLog, queue: FakeQueue
) -> None:
    say("first")
    other = services.start_conversation(site=site, visitor=uuid.uuid4(), language="zh", log=log)
    say("second", conversation=other, language="zh")
    age(SECONDS + 1)

    def sometimes(language: Language) -> Conclusion:
        if language == "en":
            raise RuntimeError("a word of mine is forbidden")
        return apology(language)

    assert sweeping.sweep(log=log, enqueue=queue, apologise=sometimes, seconds=SECONDS) == Swept(apologised=1)
    assert replies() == ["Sorry (zh)."]
