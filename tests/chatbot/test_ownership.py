"""Who speaks for the shop: one at a time, told to everybody, whatever the bot, another agent or redis is doing."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from chatbot import answering, ownership, publishing, services, sweeping
from chatbot.events import EventLog, LogUnavailable, Stale
from chatbot.judging import GuardsUnavailable
from chatbot.models import Conversation, Handoff, Message, Site
from chatbot.ownership import NotOwner, Sent
from chatbot.pulse import Pulse
from chatbot.selectors import events_after
from guardrails import vault
from guardrails.personal_data.pool import MaskingUnavailable
from guardrails.screening import screen
from tests.chatbot.conftest import MASTER_KEY, Say
from tests.conftest import RedisServer
from tests.fakes import FakeAnswer, FakeFind, FakeQueue, Reader, conclusion, lexicon
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[..., Any]
MOBILE = "13812345678"


@pytest.fixture(autouse=True)
def no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "INTERVAL_SECONDS", 0.0)


@pytest.fixture
def mei(db: None) -> User:
    return User.objects.create(username="mei.w", first_name="Mei")


@pytest.fixture
def tom(db: None) -> User:
    return User.objects.create(username="tom")


@pytest.fixture
def take_over(chat: Conversation, log: EventLog) -> Act:
    return lambda agent: ownership.take_over(conversation_id=chat.id, agent=agent, log=log)


@pytest.fixture
def transfer(chat: Conversation, log: EventLog) -> Act:
    return lambda agent, to: ownership.transfer(conversation_id=chat.id, agent=agent, to=to, log=log)


@pytest.fixture
def hand_back(chat: Conversation, log: EventLog, queue: FakeQueue) -> Act:
    return lambda agent: ownership.hand_back(conversation_id=chat.id, agent=agent, log=log, enqueue=queue)


@pytest.fixture
def reply(chat: Conversation, log: EventLog) -> Callable[..., Sent]:
    def send(agent: User, text: str = "I will look into it.", **options: Any) -> Sent:
        arguments: dict[str, Any] = {
            "conversation_id": chat.id,
            "client_id": uuid.uuid4().hex,
            "screen": partial(screen, direction="in", lexicon=lexicon()),
            "find": FakeFind(),
            "master_key": MASTER_KEY,
            "log": log,
        }
        return ownership.send_reply(agent=agent, text=text, **{**arguments, **options})

    return send


def answer(message: Message | uuid.UUID, log: EventLog, *script: Any) -> Message | None:
    """Answer as a worker would."""
    identity = message if isinstance(message, uuid.UUID) else message.id
    answered = answering.answer_turn(
        identity, answer=FakeAnswer(script or ["Yes. "]), log=log, pulse=Pulse(log), enqueue=FakeQueue(), seconds=60
    )
    return answered[0] if answered else None


def told(chat: Conversation, log: EventLog) -> list[tuple[str, str]]:
    """(role, text) of the finished messages as a new reader sees them."""
    reader = Reader()
    for event in events_after(chat.id, 0, log=log).events:
        reader.apply(event)
    texts = {str(m.id): (m.role, m.text) for m in Message.objects.all()}
    return [texts[identity] for identity in reader.messages]


def roles(chat: Conversation, log: EventLog) -> list[str]:
    return [role for role, _ in told(chat, log)]


def outcomes() -> list[str]:
    return [m.outcome for m in Message.objects.filter(role="customer")]


def handoffs() -> list[tuple[str, str, str]]:
    return [(h.state, h.reason, h.result) for h in Handoff.objects.order_by("id")]


def state(chat: Conversation) -> tuple[Any, ...]:
    chat = Conversation.objects.get(pk=chat.pk)
    return chat.owner, chat.agent_id, chat.fence, chat.draft, handoffs(), Message.objects.count()


def test_an_agent_takes_over_and_the_customer_is_told(
    chat: Conversation, log: EventLog, mei: User, take_over: Act
) -> None:
    ownership.request_person(conversation_id=chat.id, reason="requested", log=log)
    taken = take_over(mei)
    stored = Conversation.objects.get()
    assert (stored.owner, stored.agent, stored.fence) == ("agent", mei, chat.fence + 1)
    assert handoffs() == [("taken", "requested", "")]
    assert (taken.owner, taken.agent) == (stored.owner, stored.agent)
    [notice] = Message.objects.all()
    assert (notice.role, notice.author, notice.reason) == ("system", "Mei", "joined")
    assert told(chat, log) == [("system", "Mei has joined; you are now talking to a person.")]
    assert "mei.w" not in str(notice.payload())


def test_the_notice_is_in_the_language_of_the_conversation(chat: Conversation, mei: User, take_over: Act) -> None:
    Conversation.objects.update(language="zh")
    take_over(mei)
    assert Message.objects.get().text == "Mei 已加入对话，由人工为您服务。"


def test_taking_over_what_is_ones_own_changes_nothing(chat: Conversation, mei: User, take_over: Act) -> None:
    take_over(mei)
    before = state(chat)
    take_over(mei)
    assert state(chat) == before


def test_of_two_agents_at_once_one_wins_and_the_other_is_told_who(
    chat: Conversation, log: EventLog, mei: User, tom: User, take_over: Act
) -> None:
    barrier = threading.Barrier(2, timeout=PATIENCE)

    def at_once(agent: User) -> str:
        try:
            barrier.wait()
            take_over(agent)
            return ""
        except NotOwner as refused:
            return refused.owner
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        told_mei, told_tom = pool.map(at_once, [mei, tom])
    winner = Conversation.objects.get().agent
    assert (told_mei, told_tom) == (("", "mei.w") if winner == mei else ("tom", ""))
    assert Conversation.objects.get().fence == chat.fence + 1
    assert roles(chat, log) == ["system"]


def test_a_conversation_whose_agent_was_deleted_can_be_taken_over(mei: User, tom: User, take_over: Act) -> None:
    take_over(mei)
    mei.delete()
    take_over(tom)
    assert Conversation.objects.get().agent == tom


def test_a_take_over_in_mid_stream_makes_the_running_answer_the_draft_and_ends_it(
    say: Say, chat: Conversation, log: EventLog, mei: User, take_over: Act
) -> None:
    script = FakeAnswer(["One. ", "Two. ", lambda: take_over(mei), "Three. ", "Four. "])
    assert (
        answering.answer_turn(say().id, answer=script, log=log, pulse=Pulse(log), enqueue=FakeQueue(), seconds=60)
        is None
    )
    assert Conversation.objects.get().draft == "One. Two. "
    assert script.interruptions == ["", "", ""]  # the part that was refused was the last one asked for
    assert "Three" not in str(log.read(chat.id, 0)[0])
    assert roles(chat, log) == ["customer", "system"]
    assert outcomes() == [""]
    assert log.leased([chat.id]) == [False]


def test_after_a_take_over_every_writing_of_the_bot_is_refused(
    say: Say, chat: Conversation, log: EventLog, mei: User, take_over: Act
) -> None:
    message = say()
    claimed = answering.claim(message.id, log=log)
    assert claimed is not None
    part = {"reply": str(claimed.reply_id), "part": 0, "text": "One. ", "replace": False}
    log.append(claimed.writer, "reply", part)
    take_over(mei)
    with pytest.raises(Stale):
        log.append(claimed.writer, "reply", part)
    assert answering.conclude(claimed, conclusion("One."), log=log) is None
    log.drop_lease(chat.id, claimed.holder)
    assert answering.claim(message.id, log=log) is None
    answering.enqueue_open(chat.id, queue := FakeQueue())
    assert queue.ids == []
    assert not Message.objects.filter(role="bot").exists()


def test_after_redis_forgot_the_take_over_the_bot_is_refused_all_the_same(
    say: Say, chat: Conversation, log: EventLog, mei: User, take_over: Act
) -> None:
    script = FakeAnswer(["One. ", lambda: take_over(mei), log._redis.flushall, "Two. "])
    assert (
        answering.answer_turn(say().id, answer=script, log=log, pulse=Pulse(log), enqueue=FakeQueue(), seconds=60)
        is None
    )
    assert "Two" not in str(log.read(chat.id, 0)[0])


def test_what_the_bot_had_finished_and_not_announced_comes_before_the_change(
    say: Say, chat: Conversation, log: EventLog, mei: User, take_over: Act, redis_running: RedisServer
) -> None:
    try:
        assert answer(say(), log, "Yes. ", redis_running.kill)
    finally:
        redis_running.start()
    assert Message.objects.get(role="bot").sequence is None
    take_over(mei)
    assert roles(chat, log) == ["customer", "bot", "system"]
    assert not Message.objects.filter(sequence=None).exists()


def test_an_announcement_that_comes_late_tells_nothing_twice(
    say: Say, chat: Conversation, log: EventLog, mei: User, take_over: Act
) -> None:
    claimed = answering.claim(say().id, log=log)
    assert claimed is not None
    recorded, _ = answering.conclude(claimed, conclusion("Yes."), log=log) or (None, None)
    assert recorded is not None
    take_over(mei)
    log._redis.flushall()
    recorded.sequence = None  # as a worker has it that hangs between its record and its announcement
    ownership.services.announce(recorded, log=log)
    assert log.read(chat.id, 0) == ([], 0)
    assert roles(chat, log) == ["customer", "bot", "system"]


def test_without_redis_a_take_over_changes_nothing(
    say: Say, chat: Conversation, mei: User, take_over: Act, redis_running: RedisServer
) -> None:
    say()
    before = state(chat)
    redis_running.kill()
    try:
        with pytest.raises(LogUnavailable):
            take_over(mei)
        assert state(chat) == before
    finally:
        redis_running.start()
    take_over(mei)
    assert Conversation.objects.get().agent == mei


def test_a_take_over_that_failed_after_redis_knew_of_it_does_not_silence_the_bot(
    say: Say, chat: Conversation, log: EventLog, mei: User
) -> None:
    class Slow(EventLog):
        def restore(self, *arguments: Any, **options: Any) -> bool:
            super().restore(*arguments, **options)
            raise LogUnavailable("it took too long")

    before = state(chat)
    with pytest.raises(LogUnavailable):
        ownership.take_over(conversation_id=chat.id, agent=mei, log=Slow(log._redis))
    assert state(chat) == before
    assert answer(say(), log, "One. ", "Two. ").text == "One. Two. "
    assert [e.data()["text"] for e in log.read(chat.id, 0)[0] if e.type == "reply"] == ["One. ", "Two. "]


def test_an_unknown_conversation_has_no_owner(
    log: EventLog, queue: FakeQueue, mei: User, tom: User, reply: Act
) -> None:
    unknown = {"conversation_id": uuid.uuid4(), "agent": mei, "log": log}
    for act in (
        lambda: ownership.take_over(**unknown),
        lambda: ownership.transfer(**unknown, to=tom),
        lambda: ownership.hand_back(**unknown, enqueue=queue),
        lambda: reply(**unknown),
        lambda: ownership.request_person(conversation_id=uuid.uuid4(), reason="requested", log=log),
    ):
        with pytest.raises(Conversation.DoesNotExist):
            act()
    assert not Message.objects.exists()


def test_an_agent_hands_back_and_the_bot_answers_what_is_open_once(
    say: Say, chat: Conversation, log: EventLog, queue: FakeQueue, mei: User, take_over: Act, hand_back: Act
) -> None:
    take_over(mei)
    say("one")
    say("two")
    assert [answer(identity, log) for identity in queue.ids] == [None, None]
    queue.ids.clear()
    hand_back(mei)
    stored = Conversation.objects.get()
    assert (stored.owner, stored.agent, stored.draft) == ("bot", None, "")
    [waiting] = queue.ids
    script = FakeAnswer(["Both. "])
    answering.answer_turn(waiting, answer=script, log=log, pulse=Pulse(log), enqueue=FakeQueue(), seconds=60)
    assert [turn.text for turn in script.turns] == ["one\ntwo"]
    assert answer(waiting, log) is None
    assert outcomes() == ["answered", "answered"]
    assert roles(chat, log) == ["system", "customer", "customer", "system", "bot"]


def test_an_answer_that_a_take_over_cut_off_is_shown_anew_after_the_hand_back(
    say: Say, chat: Conversation, log: EventLog, queue: FakeQueue, mei: User, take_over: Act, hand_back: Act
) -> None:
    message, reader = say(), Reader()
    assert answer(message, log, "Old. ", lambda: take_over(mei), "Older. ") is None
    hand_back(mei)
    claimed = answering.claim(queue.ids[-1], log=log)
    assert claimed is not None
    part = {"reply": str(claimed.reply_id), "part": 0, "text": "New. ", "replace": True}
    log.append(claimed.writer, "reply", part)
    for event in events_after(chat.id, 0, log=log).events:
        reader.apply(event)
    assert reader.shown(claimed.reply_id) == "New. "


def test_with_nothing_open_a_hand_back_queues_nothing(
    queue: FakeQueue, mei: User, take_over: Act, hand_back: Act
) -> None:
    take_over(mei)
    hand_back(mei)
    assert queue.ids == []


def test_what_waited_long_for_an_agent_is_not_apologised_for_at_once_after_the_hand_back(
    say: Say, log: EventLog, queue: FakeQueue, mei: User, take_over: Act, hand_back: Act
) -> None:
    take_over(mei)
    message = say()
    Message.objects.filter(pk=message.pk).update(created="2020-01-01T00:00Z")
    hand_back(mei)

    def sweep() -> sweeping.Swept:
        return sweeping.sweep(log=log, enqueue=queue, apologise=lambda _: conclusion("Sorry."), seconds=25)

    assert sweep().apologised == 0  # the bot has had no time
    assert outcomes() == [""]
    Message.objects.update(created="2020-01-02T00:00Z")
    assert sweep().apologised == 1


def test_the_left_notice_that_failed_is_told_before_the_bot_speaks_again(
    say: Say, chat: Conversation, log: EventLog, mei: User, take_over: Act, hand_back: Act, queue: FakeQueue
) -> None:
    take_over(mei)
    say()

    class Gone(EventLog):
        def append(self, *arguments: Any, **options: Any) -> int:
            raise LogUnavailable("gone")

    ownership.hand_back(conversation_id=chat.id, agent=mei, log=Gone(log._redis), enqueue=queue)
    assert Message.objects.get(reason="left").sequence is None
    assert answer(queue.ids[-1], log) is not None
    assert roles(chat, log) == ["system", "customer", "system", "bot"]


def test_an_agent_transfers_and_the_other_one_speaks(
    chat: Conversation, log: EventLog, mei: User, tom: User, take_over: Act, transfer: Act, reply: Act
) -> None:
    take_over(mei)
    transfer(mei, tom)
    assert Conversation.objects.get().fence == chat.fence + 2
    with pytest.raises(NotOwner, match=r"^tom$"):
        reply(mei)
    assert reply(tom).message.author == "tom"
    assert [m.reason for m in Message.objects.filter(role="system")] == ["joined", "transferred"]
    assert roles(chat, log) == ["system", "system", "agent"]


def test_a_transfer_to_oneself_changes_nothing(chat: Conversation, mei: User, take_over: Act, transfer: Act) -> None:
    take_over(mei)
    before = state(chat)
    transfer(mei, mei)
    assert state(chat) == before


@pytest.mark.parametrize("owner", ["bot", "tom"])
def test_only_the_owner_may_transfer_hand_back_and_reply(
    owner: str, chat: Conversation, mei: User, tom: User, take_over: Act, transfer: Act, hand_back: Act, reply: Act
) -> None:
    if owner == "tom":
        take_over(tom)
    before = state(chat)
    for act in (lambda: transfer(mei, tom), lambda: hand_back(mei), lambda: reply(mei)):
        with pytest.raises(NotOwner) as refused:
            act()
        assert refused.value.owner == owner
    assert state(chat) == before


@pytest.mark.parametrize("change", ["transfer", "hand back"])
def test_who_loses_the_conversation_while_a_reply_is_checked_does_not_send_it(
    change: str, chat: Conversation, log: EventLog, mei: User, tom: User, take_over: Act, transfer: Act,
    hand_back: Act, reply: Act,
) -> None:  # fmt: skip
    take_over(mei)

    def slow(text: str) -> Any:
        transfer(mei, tom) if change == "transfer" else hand_back(mei)
        return screen(text, "in", lexicon=lexicon())

    with pytest.raises(NotOwner) as refused:
        reply(mei, screen=slow)
    assert refused.value.owner == ("tom" if change == "transfer" else "bot")
    assert roles(chat, log) == ["system", "system"]


def test_a_reply_answers_what_is_open_and_drops_the_draft(
    say: Say, chat: Conversation, log: EventLog, mei: User, take_over: Act, reply: Act, queue: FakeQueue
) -> None:
    say("one")
    answer(say("two"), log, "Half. ", lambda: take_over(mei), "Whole. ")
    say("three")
    assert Conversation.objects.get().draft == "Half. "
    sent = reply(mei, "Here you are.")
    assert (sent.screened.verdict, sent.message.role, sent.message.author) == ("pass", "agent", "Mei")
    assert outcomes() == ["agent"] * 3
    assert Conversation.objects.get().draft == ""
    assert told(chat, log)[-1] == ("agent", "Here you are.")
    assert sent.message.payload()["message"]["outcome"] == ""


def test_a_reply_leaves_earlier_outcomes_as_they_are(
    say: Say, log: EventLog, mei: User, take_over: Act, reply: Act
) -> None:
    answer(say(), log)
    take_over(mei)
    reply(mei)
    assert outcomes() == ["answered"]


def test_a_message_that_arrives_after_the_reply_stays_open_until_the_hand_back(
    say: Say, log: EventLog, queue: FakeQueue, mei: User, take_over: Act, reply: Act, hand_back: Act
) -> None:
    take_over(mei)
    say("before")
    reply(mei)
    late = say("after")
    assert outcomes() == ["agent", ""]
    hand_back(mei)
    assert queue.ids[-1] == late.id
    assert answer(late, log) is not None
    assert outcomes() == ["agent", "answered"]


def test_a_reply_and_the_outcomes_are_stored_together_or_not_at_all(
    say: Say, mei: User, take_over: Act, reply: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over(mei)
    say()

    def crash(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(ownership.services, "announce", crash)
        with pytest.raises(ZeroDivisionError):
            reply(mei)
        assert outcomes() == ["agent"]
        patch.setattr("django.db.models.query.QuerySet.update", crash)
        with pytest.raises(ZeroDivisionError):
            reply(mei, "again")
    assert Message.objects.filter(role="agent").count() == 1


def test_the_same_reply_sent_twice_is_sent_once(
    chat: Conversation, log: EventLog, say: Say, mei: User, take_over: Act, reply: Act
) -> None:
    take_over(mei)
    first = reply(mei, client_id="a")
    say("in between")
    again = reply(mei, client_id="a")
    assert again.message == first.message
    assert roles(chat, log) == ["system", "agent", "customer"]
    assert outcomes() == [""]


def test_two_agents_may_use_the_same_client_id(
    chat: Conversation, log: EventLog, mei: User, tom: User, take_over: Act, transfer: Act, reply: Act
) -> None:
    take_over(mei)
    reply(mei, "From Mei.", client_id="a")
    transfer(mei, tom)
    reply(tom, "From Tom.", client_id="a")
    assert [text for role, text in told(chat, log) if role == "agent"] == ["From Mei.", "From Tom."]


@pytest.mark.parametrize(
    ("text", "confirmed", "verdict", "sent"),
    [
        ("All fine.", False, "pass", True),
        ("A riskword.", False, "review", False),
        ("A riskword.", True, "review", True),
        ("A badword.", False, "block", False),
        ("A badword.", True, "block", False),
    ],
)
def test_the_guards_warn_of_a_review_and_never_let_a_block_through(
    text: str, confirmed: bool, verdict: str, sent: bool, say: Say, mei: User, take_over: Act, reply: Act
) -> None:
    take_over(mei)
    say()
    result = reply(mei, text, confirmed=confirmed)
    assert (result.screened.verdict, result.message is not None) == (verdict, sent)
    assert Message.objects.filter(role="agent").exists() == sent
    assert outcomes() == (["agent"] if sent else [""])


def test_what_an_agent_writes_is_masked_but_for_the_contacts_of_the_shop(
    site: Site, chat: Conversation, mei: User, take_over: Act, reply: Act
) -> None:
    Site.objects.update(contacts=["139 0000 0000"])
    take_over(mei)
    sent = reply(mei, f"We call {MOBILE}; call us: 13900000000. <CN_MOBILE_7>")
    assert sent.message.text == "We call <CN_MOBILE_1>; call us: 13900000000. ‹CN-MOBILE-7›"
    assert vault.values(chat.id, master_key=MASTER_KEY) == {"<CN_MOBILE_1>": MOBILE}


def test_without_masking_nothing_is_sent(say: Say, mei: User, take_over: Act, reply: Act) -> None:
    take_over(mei)
    say()
    with pytest.raises(MaskingUnavailable):
        reply(mei, find=FakeFind(MaskingUnavailable("no processes")))
    assert outcomes() == [""]
    assert not Message.objects.filter(role="agent").exists()


def test_without_redis_a_reply_is_kept_and_announced_later(
    say: Say, chat: Conversation, log: EventLog, mei: User, take_over: Act, reply: Act, redis_running: RedisServer
) -> None:
    take_over(mei)
    redis_running.kill()
    try:
        sent = reply(mei)
    finally:
        redis_running.start()
    assert sent.message.sequence is None
    Message.objects.filter(sequence=None).update(created="2020-01-01T00:00Z")
    swept = sweeping.sweep(log=log, enqueue=FakeQueue(), apologise=lambda _: conclusion("Sorry."), seconds=25)
    assert swept.announced == 1
    assert roles(chat, log) == ["system", "agent"]


def test_who_asks_for_a_person_waits_since_the_first_time(chat: Conversation, log: EventLog) -> None:
    ownership.request_person(conversation_id=chat.id, reason="requested", log=log)
    first = Handoff.objects.get().created
    ownership.request_person(conversation_id=chat.id, reason="upset", log=log)
    assert Handoff.objects.get().created == first
    assert handoffs() == [("waiting", "requested", "")]


def test_who_has_an_agent_waits_for_nobody(mei: User, chat: Conversation, log: EventLog, take_over: Act) -> None:
    take_over(mei)
    ownership.request_person(conversation_id=chat.id, reason="requested", log=log)
    assert handoffs() == [("taken", "agent", "")]


def test_a_reply_sent_again_after_a_transfer_is_the_one_that_was_sent(
    mei: User, tom: User, take_over: Act, transfer: Act, reply: Act
) -> None:
    take_over(mei)
    sent = reply(mei, client_id="r1").message
    transfer(mei, tom)
    assert reply(mei, client_id="r1").message == sent
    with pytest.raises(NotOwner):
        reply(mei, client_id="r2")
    assert Message.objects.filter(role="agent").count() == 1


def test_a_reply_sent_again_needs_no_guard(mei: User, take_over: Act, reply: Act) -> None:
    take_over(mei)
    sent = reply(mei, client_id="r1").message

    def dead(text: str) -> Any:
        raise GuardsUnavailable("late")

    assert reply(mei, client_id="r1", screen=dead).message == sent
    with pytest.raises(GuardsUnavailable):
        reply(mei, client_id="r2", screen=dead)
    assert Message.objects.filter(role="agent").count() == 1


def test_a_client_id_that_does_not_fit_is_refused(mei: User, take_over: Act, reply: Act) -> None:
    take_over(mei)
    longest = 64 - len(f"{mei.pk}:")
    assert reply(mei, client_id="r" * longest).message is not None
    with pytest.raises(ValueError, match="too long"):
        reply(mei, client_id="r" * (longest + 1))


def test_a_conversation_that_rests_is_awake_when_it_is_taken(mei: User, take_over: Act) -> None:
    Conversation.objects.update(closed="2020-01-01T00:00Z")
    take_over(mei)
    assert Conversation.objects.get().closed is None


def test_a_take_over_that_cannot_tell_what_the_bot_had_finished_changes_nothing(
    chat: Conversation, take_over: Act, mei: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Message.objects.create(conversation=chat, role="bot", text="Done.", outcome="answered")
    calls = iter([None, LogUnavailable("ConnectionError")])  # it was finished after the first look

    def announce_rest(*_: Any, **__: Any) -> None:
        if failure := next(calls):
            raise failure

    monkeypatch.setattr(services, "announce_rest", announce_rest)
    with pytest.raises(LogUnavailable):
        take_over(mei)
    assert handoffs() == []
    assert Conversation.objects.get().agent is None
