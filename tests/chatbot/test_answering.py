"""Turns against a real redis and database: one answer for each message, whoever dies or comes too late."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.db import connection

from chatbot import answering, publishing, services
from chatbot import pulse as pulse_module
from chatbot.events import BLOCK, EventLog, LogUnavailable, Writer
from chatbot.models import Conversation, Handoff, LedgerEntry, Message, Site
from chatbot.pulse import Pulse
from chatbot.selectors import events_after
from chatbot.turn import Conclusion, Progress, Record, Source, Utterance
from guardrails.verdict import PASS, Verdict
from tests.chatbot.conftest import Say
from tests.conftest import RedisServer
from tests.fakes import FakeAnswer, FakeQueue, Reader, conclusion, released, until
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

Answerer = Callable[..., Message | None]


@pytest.fixture
def heart(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> Pulse:
    monkeypatch.setattr(pulse_module, "BEAT_SECONDS", 0.005)
    return Pulse(log)


@pytest.fixture
def work(log: EventLog, heart: Pulse, queue: FakeQueue) -> Answerer:
    """Answer a message as a worker would; return the reply."""

    def answer(message: Message | uuid.UUID, script: FakeAnswer | None = None, seconds: float = 60) -> Message | None:
        answered = answering.answer_turn(
            message if isinstance(message, uuid.UUID) else message.id,
            answer=script or FakeAnswer(),
            log=log,
            pulse=heart,
            enqueue=queue,
            seconds=seconds,
            guard_version="g1",
        )
        return answered[0] if answered else None

    return answer


@pytest.fixture
def other_worker(work: Answerer) -> Iterator[Callable[..., Any]]:
    """Run something in a thread of its own, with its own database connection."""
    with ThreadPoolExecutor(4) as pool:

        def run(call: Callable[..., Any], *arguments: Any) -> Any:
            def closing() -> Any:
                try:
                    return call(*arguments)
                finally:
                    connection.close()

            return pool.submit(closing)

        yield run


def seen(chat: Conversation, log: EventLog) -> Reader:
    """A reader that has followed the conversation from its first event."""
    reader = Reader()
    for event in log.read(chat.id, 0)[0]:
        reader.apply(event)
    return reader


def outcomes() -> list[str]:
    return [m.outcome for m in Message.objects.filter(role="customer")]


def replies() -> list[Message]:
    return list(Message.objects.filter(role="bot"))


def test_a_message_is_answered_shown_and_recorded(say: Say, work: Answerer, chat: Conversation, log: EventLog) -> None:
    message = say("How long?", language="zh")
    script = FakeAnswer([Progress("searching"), "Seven days. "])
    reply = work(message, script)
    assert reply is not None
    assert (reply.role, reply.text, reply.outcome, reply.language) == ("bot", "Seven days. ", "answered", "zh")
    assert reply.reply_to == message
    assert reply.sequence == Message.objects.get(pk=reply.pk).sequence
    assert [event.type for event in log.read(chat.id, 0)[0]][:2] == ["message", "status"]
    assert seen(chat, log).messages == [str(message.id), str(reply.id)]
    assert (script.turns[0].text, script.turns[0].language, script.bases) == ("How long?", "zh", ["shop"])
    assert outcomes() == ["answered"]
    assert log.leased([chat.id]) == [False]


def test_the_ledger_keeps_why(say: Say, work: Answerer) -> None:
    record = Record(
        intent="other",
        question="How long?",
        engine="fake:none",
        prompt_version="p",
        knowledge_version=3,
        confidence=0.5,
        passages=((7, 0.9),),
        verdicts=(PASS, Verdict("block", "lexicon", ("abuse",), 1.0)),
        milliseconds={"search": 2.5},
    )
    source = Source(1, "a.md", "r1", "Returns", "Seven days.")
    end = Conclusion("answered", "", released("Seven days."), sources=(source,), record=record)
    reply = work(say(), FakeAnswer([end]))
    entry = LedgerEntry.objects.get()
    assert entry.message == reply
    assert (entry.intent, entry.question, entry.engine, entry.prompt_version) == (
        "other",
        "How long?",
        "fake:none",
        "p",
    )
    assert (entry.guard_version, entry.knowledge_version, entry.confidence) == ("g1", 3, 0.5)
    assert entry.passages == [[7, 0.9]]
    assert entry.verdicts[1] == {"action": "block", "tier": "lexicon", "categories": ["abuse"], "score": 1.0}
    assert entry.milliseconds.keys() == {"search", "first_text"}
    assert entry.milliseconds["first_text"] >= 0
    [shown] = Message.objects.get(role="bot").sources
    assert shown == {"number": 1, "document": "a.md", "ref": "r1", "heading": "Returns", "excerpt": "Seven days."}


def test_a_burst_is_answered_once(say: Say, work: Answerer, chat: Conversation, queue: FakeQueue) -> None:
    for text in ("Hi", "I have a question", "How long do returns take?"):
        say(text)
    script = FakeAnswer()
    assert [work(message, script) is not None for message in queue.ids] == [True, False, False]
    assert script.turns[0].text == "Hi\nI have a question\nHow long do returns take?"
    assert outcomes() == ["answered"] * 3
    [reply] = replies()
    assert reply.reply_to.text == "How long do returns take?"


def test_a_burst_longer_than_the_history_is_answered_whole(say: Say, work: Answerer) -> None:
    first, *_ = [say(f"part {n}") for n in range(answering.PROMPT_MESSAGES + 8)]
    script = FakeAnswer()
    work(first, script)
    assert script.turns[0].text.splitlines() == [f"part {n}" for n in range(answering.PROMPT_MESSAGES + 8)]
    assert set(outcomes()) == {"answered"}


def test_a_message_that_comes_during_an_answer_is_answered_next(say: Say, work: Answerer, queue: FakeQueue) -> None:
    late: list[Message] = []
    first = say("one")
    queue.ids.clear()
    work(first, FakeAnswer(["First. ", lambda: late.append(say("two")), "Done. "]))
    assert outcomes() == ["answered", ""]
    assert queue.ids == [late[0].id, late[0].id]  # by the door, and by the turn that could not answer it
    script = FakeAnswer(["Second. "])
    work(late[0], script)
    assert script.turns[0].text == "two"
    assert len(queue.ids) == 2
    assert [reply.text for reply in replies()] == ["First. Done. ", "Second. "]


def test_history_is_what_was_said_before_oldest_first_and_bounded(say: Say, work: Answerer) -> None:
    for n in range(10):
        work(say(f"question {n}"), FakeAnswer([f"answer {n}. "]))
    script = FakeAnswer()
    work(say("and now?"), script)
    history = script.turns[0].history
    assert len(history) == answering.PROMPT_MESSAGES
    assert history[-2:] == (Utterance("customer", "question 9"), Utterance("bot", "answer 9. ", "answered"))
    assert history[0] == Utterance("customer", "question 4")


def test_a_redelivery_after_the_answer_does_nothing(
    say: Say, work: Answerer, chat: Conversation, log: EventLog
) -> None:
    message = say()
    work(message)
    before = log.read(chat.id, 0), Conversation.objects.get().attempt
    script = FakeAnswer()
    assert work(message, script) is None
    assert script.turns == []
    assert (log.read(chat.id, 0), Conversation.objects.get().attempt) == before
    assert log.leased([chat.id]) == [False]


def test_a_message_that_does_not_exist_is_no_error(work: Answerer) -> None:
    assert work(uuid.uuid4()) is None


def test_of_many_workers_that_claim_a_message_one_answers(
    say: Say, work: Answerer, other_worker: Callable[..., Any]
) -> None:
    message, script = say(), FakeAnswer()
    answered = [f.result() for f in [other_worker(work, message, script) for _ in range(12)]]
    assert len([reply for reply in answered if reply]) == len(script.turns) == len(replies()) == 1
    assert Message.objects.get(role="customer").attempts == 1


def test_the_conversations_of_many_customers_are_answered_at_once(
    site: Site, say: Say, work: Answerer, log: EventLog, other_worker: Callable[..., Any]
) -> None:
    chats = [services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log) for _ in range(8)]
    messages = [say(f"hello {n}", conversation=chat) for n, chat in enumerate(chats)]
    barrier = threading.Barrier(4, timeout=PATIENCE)
    running = [other_worker(work, m, FakeAnswer(["One. ", barrier.wait, "Two. "])) for m in messages]
    assert all(future.result().text == "One. Two. " for future in running)
    for chat, message in zip(chats, messages, strict=True):
        assert seen(chat, log).messages[0] == str(message.id)


def test_a_worker_that_is_busy_keeps_others_away(say: Say, work: Answerer, log: EventLog, chat: Conversation) -> None:
    message = say()
    first = answering.claim(message.id, log=log)
    assert first is not None
    assert answering.claim(message.id, log=log) is None
    assert work(message) is None
    log.drop_lease(chat.id, first.holder)
    assert work(message) is not None


def die(message: Message, log: EventLog, *shown: str) -> answering.Claim:
    """Claim, show something, and be killed: the lease runs out."""
    claimed = answering.claim(message.id, log=log)
    assert claimed is not None
    for part, text in enumerate(shown):
        reply = {
            "reply": str(claimed.reply_id),
            "part": part,
            "text": text,
            "replace": part == 0,
        }
        log.append(claimed.writer, "reply", reply)
    log.drop_lease(claimed.conversation.id, claimed.holder)
    return claimed


def test_after_a_death_the_second_attempt_replaces_the_text_under_the_same_reply(
    say: Say, work: Answerer, chat: Conversation, log: EventLog
) -> None:
    message = say()
    dead = die(message, log, "Half an ")
    shown: list[str] = []

    def look() -> None:
        shown.append(seen(chat, log).shown(dead.reply_id))

    reply = work(message, FakeAnswer([look, "Whole. ", look]))
    assert reply.id == dead.reply_id
    assert shown == ["Half an ", "Whole. "]
    assert seen(chat, log).messages == [str(message.id), str(reply.id)]
    assert Message.objects.get(role="customer").attempts == 2


def test_a_worker_believed_dead_that_wakes_up_writes_nothing_more(
    say: Say, work: Answerer, chat: Conversation, log: EventLog, heart: Pulse, other_worker: Callable[..., Any]
) -> None:
    message, asleep, wake = say(), threading.Event(), threading.Event()
    zombie = FakeAnswer(["Old. ", asleep.set, lambda: wake.wait(PATIENCE), "Older. ", "Oldest. "])
    first = other_worker(work, message, zombie)
    assert asleep.wait(PATIENCE)
    with heart._changed:  # its process hangs: no lease is renewed
        heart._turns.clear()
    log._redis.delete(f"kefu:lease:{chat.id}")
    reply = work(message, FakeAnswer(["New. "]))
    wake.set()
    assert first.result(PATIENCE) is None
    assert [m.text for m in replies()] == ["New. "]
    assert seen(chat, log).messages == [str(message.id), str(reply.id)]
    assert "Older" not in str(log.read(chat.id, 0)[0])
    assert len(LedgerEntry.objects.all()) == 1


def test_a_stale_attempt_concludes_nothing(say: Say, chat: Conversation, log: EventLog) -> None:
    stale = die(say(), log)
    current = answering.claim(stale.open_messages[0].id, log=log)
    assert answering.conclude(stale, conclusion("Old."), log=log) is None
    assert replies() == []
    assert outcomes() == [""]
    assert answering.conclude(current, conclusion("New."), log=log) is not None
    assert answering.conclude(stale, conclusion("Old."), log=log) is None
    assert [m.text for m in replies()] == ["New."]


def test_an_agent_who_took_over_is_not_interrupted(
    say: Say, chat: Conversation, log: EventLog, work: Answerer, queue: FakeQueue
) -> None:
    message = say()
    queue.ids.clear()

    def take_over() -> None:
        Conversation.objects.update(owner="agent", fence=2)
        services.restore_state(chat.id, log=log)

    script = FakeAnswer(["One. ", take_over, "Two. "])
    assert work(message, script) is None
    assert replies() == []
    assert outcomes() == [""]
    assert work(message, script) is None
    assert len(script.turns) == 1
    assert queue.ids == []
    assert "Two" not in str(log.read(chat.id, 0)[0])


def test_an_answer_that_breaks_leaves_the_message_open_and_the_lease_free(
    say: Say, work: Answerer, chat: Conversation, log: EventLog, heart: Pulse
) -> None:
    message = say()
    with pytest.raises(ZeroDivisionError):
        work(message, FakeAnswer(["Half. ", ZeroDivisionError()]))
    assert outcomes() == [""]
    assert log.leased([chat.id]) == [False]
    assert len(heart) == 0
    assert work(message, FakeAnswer(["Whole. "])).text == "Whole. "
    assert seen(chat, log).messages[0] == str(message.id)


def test_a_pipeline_without_conclusion_is_an_error(say: Say, log: EventLog, heart: Pulse) -> None:
    with pytest.raises(RuntimeError, match="conclusion"):
        answering.answer_turn(
            say().id,
            answer=lambda *_: (x for x in ()),
            log=log,
            pulse=heart,
            enqueue=FakeQueue(),
            seconds=9,  # type: ignore[arg-type,return-value]
        )


def test_a_stop_reaches_the_answer(say: Say, work: Answerer, chat: Conversation, log: EventLog) -> None:
    def stop() -> None:
        services.request_stop(conversation_id=chat.id, log=log)
        until(lambda: script.interrupted() == "stopped")

    script = FakeAnswer(["One. ", stop])
    work(say(), script)
    assert script.interruptions == ["", "stopped"]


def test_a_stop_for_an_earlier_answer_does_not_stop_the_next_one(say: Say, chat: Conversation, log: EventLog) -> None:
    looks: list[int] = []

    class Watched(EventLog):
        def stops(self, conversations: Any) -> list[int]:
            looks.append(1)
            return super().stops(conversations)

    def answer(script: FakeAnswer) -> None:
        heart, queue = Pulse(Watched(log._redis)), FakeQueue()
        answering.answer_turn(say().id, answer=script, log=log, pulse=heart, enqueue=queue, seconds=60)

    answer(FakeAnswer())
    services.request_stop(conversation_id=chat.id, log=log)
    looks.clear()
    script = FakeAnswer(["One. ", lambda: until(lambda: len(looks) > 1), "Two. "])
    answer(script)
    assert set(script.interruptions) == {""}


def test_the_deadline_reaches_the_answer(say: Say, work: Answerer) -> None:
    script = FakeAnswer(["One. "])
    work(say(), script, seconds=-1)
    assert script.interruptions == ["timeout"]


@pytest.mark.parametrize(("outcome", "reason"), [("handed_off", "no_answer"), ("review", "reply_review")])
def test_who_needs_a_person_is_marked(outcome: Any, reason: str, say: Say, work: Answerer) -> None:
    work(say(), FakeAnswer([conclusion("Sorry.", outcome=outcome, reason=reason)]))
    assert [(h.state, h.reason) for h in Handoff.objects.all()] == [("waiting", reason)]
    assert outcomes() == [outcome]


def test_an_answered_message_needs_no_person(say: Say, work: Answerer) -> None:
    work(say())
    assert not Handoff.objects.exists()


def test_redis_that_forgets_in_mid_answer_costs_nothing_shown(
    say: Say, work: Answerer, chat: Conversation, log: EventLog, redis_client: redis.Redis
) -> None:
    message, reader, shown = say(), Reader(), []

    def read() -> None:
        caught = events_after(chat.id, reader.cursor, log=log)
        for event in caught.events:
            reader.apply(event)
        reader.cursor = max(reader.cursor, caught.seq)
        shown.extend("".join(parts) for parts in reader.replies.values())

    reply = work(message, FakeAnswer(["One. ", read, redis_client.flushall, "Two. ", read, "Three. "]))
    read()
    assert reply.text == "One. Two. Three. "
    assert shown[0] == "One. "
    assert reader.messages == [str(message.id), str(reply.id)]


def test_redis_that_dies_in_mid_answer_leaves_one_recorded_answer(
    say: Say, work: Answerer, chat: Conversation, log: EventLog, redis_running: RedisServer
) -> None:
    message = say()
    reply = None
    try:
        reply = work(message, FakeAnswer(["One. ", redis_running.kill, "Two. "]))
    finally:
        redis_running.start()
    assert reply.text == "One. Two. "
    assert replies()[0].sequence is None  # the sweeper will announce it
    assert outcomes() == ["answered"]
    services.announce(replies()[0], log=log)
    assert log.append(Writer(chat.id, 1, 1), "status", {}) > 0


def test_without_redis_nothing_is_claimed(say: Say, redis_running: RedisServer, log: EventLog) -> None:
    message = say()
    redis_running.kill()
    try:
        with pytest.raises(LogUnavailable):
            answering.claim(message.id, log=log)
    finally:
        redis_running.start()
    assert Message.objects.get().attempts == 0
    assert answering.claim(message.id, log=log) is not None


def test_what_is_said_is_what_release_has_passed(say: Say, work: Answerer) -> None:
    reply = work(say(), FakeAnswer(["Shown. ", conclusion("Sorry, ", "no.", outcome="refused", reason="reply_block")]))
    assert reply.text == "Sorry, no."


def test_a_turn_that_lost_its_right_queues_what_is_open_but_not_for_ever(
    say: Say, chat: Conversation, log: EventLog, work: Answerer, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "INTERVAL_SECONDS", 0.0)
    message = say()
    queue.ids.clear()

    def lose() -> None:
        log.restore(chat.id, fence=1, attempt=log.attempt_of(chat.id) + 7, after=0, ceiling=BLOCK)

    assert work(message, FakeAnswer(["One. ", lose, "Two. "])) is None
    assert queue.ids == [message.id]
    assert work(message, FakeAnswer(["One. ", lose, "Two. "])) is None
    assert queue.ids == [message.id]  # the rest is for the sweeper


def test_a_redis_that_knows_a_later_attempt_than_the_database_does_not_silence_the_bot(
    say: Say, chat: Conversation, log: EventLog, work: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "INTERVAL_SECONDS", 0.0)
    log.restore(chat.id, fence=1, attempt=40, after=0, ceiling=BLOCK)  # the database is an older copy
    assert work(say(), FakeAnswer(["One. ", "Two. "])).text == "One. Two. "
    assert Conversation.objects.get().attempt == 41
