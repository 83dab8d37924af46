"""Customers edit and withdraw what they said; what the bot was saying to it is no answer any more."""

import dataclasses
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from chatbot import answering, editing, ownership, publishing, selectors, services, sweeping
from chatbot.editing import WITHDRAW_SECONDS, TooLate, UnknownMessage
from chatbot.events import EventLog, LogUnavailable, Stale
from chatbot.models import Conversation, LedgerEntry, Message, Site
from chatbot.pulse import Pulse
from chatbot.services import ConversationGone
from chatbot.turn import Record
from guardrails import vault
from guardrails.personal_data.pool import MaskingUnavailable
from tests.chatbot.conftest import MASTER_KEY, Say
from tests.conftest import RedisServer
from tests.fakes import FakeAnswer, FakeFind, FakeQueue, Reader, conclusion

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[..., Message]


@pytest.fixture(autouse=True)
def no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "INTERVAL_SECONDS", 0.0)


@pytest.fixture
def edit(chat: Conversation, log: EventLog, queue: FakeQueue) -> Act:
    def act(message: Message, text: str = "Another question?", **options: Any) -> Message:
        arguments: dict[str, Any] = {"conversation": chat, "find": FakeFind(), "log": log, "enqueue": queue, **options}
        return editing.edit_message(
            client_id=str(message.client_id), text=text, language="en", master_key=MASTER_KEY, **arguments
        )

    return act


@pytest.fixture
def withdraw(chat: Conversation, log: EventLog, queue: FakeQueue) -> Act:
    def act(message: Message, **options: Any) -> Message:
        arguments: dict[str, Any] = {"conversation": chat, "log": log, "enqueue": queue, **options}
        return editing.withdraw_message(client_id=str(message.client_id), **arguments)

    return act


@pytest.fixture(params=["edit", "withdraw"])
def change(request: pytest.FixtureRequest, edit: Act, withdraw: Act) -> Act:
    """Either of the two."""
    return edit if request.param == "edit" else withdraw


def answer(message: Message, log: EventLog, *script: Any) -> tuple[Message | None, FakeQueue, FakeAnswer]:
    """Answer as a worker would."""
    queue, fake = FakeQueue(), FakeAnswer(script or ["Yes. "])
    answered = answering.answer_turn(message.id, answer=fake, log=log, pulse=Pulse(log), enqueue=queue, seconds=60)
    return answered[0] if answered else None, queue, fake


def reader(chat: Conversation, log: EventLog, after: int = 0) -> Reader:
    read = Reader()
    for event in selectors.events_after(chat.id, after, log=log).events:
        read.apply(event)
    return read


def everything() -> str:
    """All texts of the database that are not sealed."""
    rows = [Message.objects.values(), LedgerEntry.objects.values(), Conversation.objects.values()]
    return str([list(values) for values in rows])


def test_an_edited_message_is_shown_in_its_place_and_answered_anew(
    say: Say, chat: Conversation, log: EventLog, queue: FakeQueue, edit: Act
) -> None:
    first, second = say("Fisrt?"), say("Second?")
    queue.ids.clear()
    edited = edit(first, "First?")
    assert (edited.text, edited.version, edited.sequence) == ("First?", 1, 3)
    assert queue.ids == [first.id]
    assert reader(chat, log).history == [(str(first.id), "First?", False), (str(second.id), "Second?", False)]
    payload = Message.objects.get(pk=first.pk).payload()["message"]
    assert (payload["edited"], payload["deleted"]) == (True, False)
    assert answer(first, log)[2].turns[0].text == "First?\nSecond?"


def test_an_edit_in_mid_answer_ends_the_answer_and_the_new_text_is_answered_at_once(
    say: Say, chat: Conversation, log: EventLog, edit: Act
) -> None:
    message, live = say("Fisrt?"), Reader()
    reply, queued, fake = answer(message, log, "Old. ", lambda: edit(message, "First?"), "Older. ", "Oldest. ")
    assert reply is None
    assert len(fake.interruptions) == 2  # the part that was refused was the last one asked for
    assert queued.ids == [message.id]  # not only by the sweeper
    for event in selectors.events_after(chat.id, 0, log=log).events:
        live.apply(event)
    assert live.replies == {}  # what was shown is no answer to the new text
    assert "Old" not in selectors.running_reply(chat.id, log=log)
    reply, queued, fake = answer(message, log, "New. ")
    assert (reply.text, queued.ids, fake.turns[0].text) == ("New. ", [], "First?")
    assert Message.objects.filter(role="bot").count() == 1


def test_what_a_stale_attempt_still_writes_is_refused(say: Say, log: EventLog, change: Act) -> None:
    message = say()
    say("and another")
    claimed = answering.claim(message.id, log=log)
    assert claimed is not None
    change(message)
    with pytest.raises(Stale):
        log.append(claimed.writer, "reply", {"reply": str(claimed.reply_id), "part": 0, "text": "x", "replace": True})
    assert answering.conclude(claimed, conclusion("Old."), log=log) is None
    assert log.stops([message.conversation_id]) == [claimed.attempt]


def test_the_same_text_again_changes_nothing(say: Say, log: EventLog, queue: FakeQueue, edit: Act) -> None:
    message = say("call 13800138000")
    queue.ids.clear()
    edit(message, "call 13800138000")
    edit(message, "call 13900139000")
    edit(message, "call 13900139000")
    assert Message.objects.get().version == 1
    assert len(queue.ids) == 1


def test_an_edit_is_masked_and_what_was_sealed_for_the_old_text_alone_is_forgotten(say: Say, edit: Act) -> None:
    say("also 13700137000")
    message = say("call 13800138000 or 13700137000")
    assert edit(message, "call 13900139000").text == "call <CN_MOBILE_3>"
    kept = vault.values(message.conversation_id, master_key=MASTER_KEY)
    assert kept == {"<CN_MOBILE_1>": "13700137000", "<CN_MOBILE_3>": "13900139000"}
    assert edit(message, "call 13800138000").text == "call <CN_MOBILE_4>"  # no number is given twice


def test_without_masking_nothing_is_edited(say: Say, edit: Act) -> None:
    message = say("before")
    with pytest.raises(MaskingUnavailable):
        edit(message, "after", find=FakeFind(MaskingUnavailable("full")))
    assert Message.objects.get().text == "before"


def test_what_was_answered_cannot_be_edited(say: Say, log: EventLog, edit: Act, withdraw: Act) -> None:
    answered, withdrawn = say("one"), say("two")
    withdraw(withdrawn)
    answer(answered, log)
    for message in (answered, withdrawn):
        with pytest.raises(TooLate):
            edit(message)
    assert [m.text for m in Message.objects.filter(role="customer")] == ["one", ""]


def test_an_edit_gives_the_bot_all_its_attempts_and_its_time_again(say: Say, log: EventLog, edit: Act) -> None:
    message = say()
    Message.objects.update(attempts=answering.MOST_ATTEMPTS, created=timezone.now() - timedelta(seconds=60))
    edit(message)
    enqueued = FakeQueue()
    swept = sweeping.sweep(log=log, enqueue=enqueued, apologise=lambda _: conclusion("Sorry."), seconds=25)
    assert (swept.apologised, enqueued.ids) == (0, [message.id])


def test_a_withdrawn_message_is_gone_everywhere_and_not_answered(
    say: Say, chat: Conversation, log: EventLog, queue: FakeQueue, withdraw: Act
) -> None:
    message, other = say("my secret 13800138000"), say("What else?")
    queue.ids.clear()
    withdrawn = withdraw(message)
    assert (withdrawn.outcome, withdrawn.deleted is not None, withdrawn.text) == ("withdrawn", True, "")
    assert queue.ids == [other.id]
    assert reader(chat, log).history == [(str(message.id), "", True), (str(other.id), "What else?", False)]
    assert "secret" not in everything()
    assert "secret" not in str(log.read(chat.id, 0))
    assert vault.values(chat.id, master_key=MASTER_KEY) == {}
    assert answer(other, log)[2].turns[0].text == "What else?"
    assert Message.objects.get(pk=message.pk).outcome == "withdrawn"


def test_what_is_withdrawn_after_its_answer_is_in_no_later_prompt_and_no_ledger(
    say: Say, chat: Conversation, log: EventLog, withdraw: Act
) -> None:
    message = say("my secret")
    claimed = answering.claim(message.id, log=log)
    assert claimed is not None
    answered = dataclasses.replace(conclusion("Yes."), record=Record(question="my secret"))
    answering.conclude(claimed, answered, log=log)
    log.drop_lease(chat.id, claimed.holder)
    assert withdraw(message).outcome == "answered"
    assert "secret" not in everything()
    fake = answer(say("And?"), log)[2]
    assert [said.text for said in fake.turns[0].history] == ["Yes."]


def test_a_withdrawal_with_nothing_left_open_queues_nothing(say: Say, queue: FakeQueue, withdraw: Act) -> None:
    message = say()
    queue.ids.clear()
    withdraw(message)
    withdraw(message)
    assert queue.ids == []
    assert Message.objects.get().version == 1


def test_withdrawing_is_allowed_for_a_quarter_of_an_hour(say: Say, log: EventLog, withdraw: Act) -> None:
    late, early = say("late"), say("early")
    now = timezone.now()
    Message.objects.filter(pk=late.pk).update(created=now - timedelta(seconds=WITHDRAW_SECONDS + 1))
    Message.objects.filter(pk=early.pk).update(created=now - timedelta(seconds=WITHDRAW_SECONDS - 60))
    with pytest.raises(TooLate):
        withdraw(late)
    withdraw(early)
    assert [m.text for m in Message.objects.order_by("created")] == ["late", ""]


def test_only_ones_own_messages_can_be_changed(
    say: Say, site: Site, chat: Conversation, log: EventLog, change: Act
) -> None:
    stranger = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
    theirs = say("theirs", conversation=stranger)
    bot = answer(say("mine"), log)[0]
    agent = Message.objects.create(conversation=chat, role="agent", client_id="1:x", text="agent's")
    for message in (theirs, bot, agent, Message(client_id=str(uuid.uuid4()))):
        with pytest.raises(UnknownMessage):
            change(message)
    assert not Message.objects.filter(version__gt=0).exists()


def test_without_redis_nothing_changes(say: Say, change: Act, redis_running: RedisServer) -> None:
    message = say("before")
    before = everything()
    redis_running.kill()
    try:
        with pytest.raises(LogUnavailable):
            change(message)
    finally:
        redis_running.start()
    assert everything() == before
    change(message)
    assert Message.objects.get().version == 1


def test_a_change_that_failed_after_redis_knew_of_it_does_not_silence_the_bot(
    say: Say, log: EventLog, change: Act
) -> None:
    class Slow(EventLog):
        def restore(self, *arguments: Any, **options: Any) -> bool:
            super().restore(*arguments, **options)
            raise LogUnavailable("it took too long")

    message = say("before")

    def fails() -> None:
        with pytest.raises(LogUnavailable):
            change(message, log=Slow(log._redis))

    reply, queued, _ = answer(message, log, "One. ", fails, "Two. ", "Three. ")
    assert (reply, queued.ids) == (None, [message.id])
    assert answer(message, log, "Whole. ")[0].text == "Whole. "


def test_an_erased_conversation_has_nothing_to_change(say: Say, chat: Conversation, log: EventLog, change: Act) -> None:
    message = say()
    services.erase_conversation(chat.id, log=log)
    with pytest.raises(ConversationGone):
        change(message)


def test_while_an_agent_owns_it_a_change_reaches_them_and_the_bot_stays_silent(
    say: Say, chat: Conversation, log: EventLog, queue: FakeQueue, change: Act
) -> None:
    message = say()
    ownership.take_over(conversation_id=chat.id, agent=User.objects.create(username="mei"), log=log)
    queue.ids.clear()
    change(message)
    assert queue.ids == []
    assert reader(chat, log).seen[str(message.id)]["at"] == message.created.isoformat()


def test_an_announcement_that_comes_late_does_not_bring_the_old_text_back(
    say: Say, chat: Conversation, log: EventLog, edit: Act
) -> None:
    message = say("before")
    hung = Message.objects.get(pk=message.pk)
    edit(message, "after")
    seq = services._append_message(hung, log=log)  # it read the row before the edit
    assert seq == 2
    assert reader(chat, log).history == [(str(message.id), "after", False)]


def test_an_announcement_that_comes_late_after_redis_forgot_the_edit_is_put_right(
    say: Say, chat: Conversation, log: EventLog, edit: Act
) -> None:
    message, live = say("before"), Reader()
    Message.objects.update(sequence=None)

    class Hangs(EventLog):
        hung = False

        def append(self, *arguments: Any, **options: Any) -> int:
            if not self.hung:
                self.hung = True
                edit(message, "after")
                log._redis.flushall()
            return super().append(*arguments, **options)

    log._redis.flushall()
    services.announce(Message.objects.get(), log=Hangs(log._redis))
    for event in selectors.events_after(chat.id, 1, log=log).events:
        live.apply(event)
    assert live.history == [(str(message.id), "after", False)]
