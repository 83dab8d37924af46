"""What a reader has missed: in order, nothing twice, nothing left out, whatever redis forgets."""

import uuid
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot import publishing, selectors, services
from chatbot.events import BLOCK, EventLog, Writer
from chatbot.models import Conversation, Message, Site
from chatbot.publishing import ReplyPublisher
from chatbot.selectors import CaughtUp, events_after, newest_seq
from tests.chatbot.conftest import Say
from tests.conftest import RedisServer
from tests.fakes import Reader, released

pytestmark = pytest.mark.django_db
Redis = redis.Redis


@pytest.fixture(autouse=True)
def no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "INTERVAL_SECONDS", 0.0)


class Bot:
    """Writes replies to a conversation, one at a time."""

    def __init__(self, chat: Conversation, log: EventLog) -> None:
        self.chat, self.log = chat, log
        self.begin()

    def begin(self) -> None:
        self.reply, self.added = uuid.uuid4(), ""
        self.publisher = ReplyPublisher(
            log=self.log,
            writer=Writer(self.chat.id, 1, 0),
            reply=self.reply,
            restore=lambda: services.restore_state(self.chat.id, log=self.log),
        )

    def add(self, text: str = "One. ") -> None:
        for unit in released(text):
            self.publisher.add(unit)
        self.added += text

    def finish(self, *, announced: bool = True) -> Message:
        message = Message.objects.create(
            id=self.reply, conversation=self.chat, role=Message.Role.BOT, text=self.added, outcome="answered"
        )
        if announced:
            services.announce(message, log=self.log)
        self.begin()
        return message


@pytest.fixture
def bot(chat: Conversation, log: EventLog) -> Bot:
    return Bot(chat, log)


def kinds(caught: CaughtUp) -> list[tuple[int, str]]:
    return [(event.seq, event.type) for event in caught.events]


def test_a_new_conversation_has_nothing(chat: Conversation, log: EventLog) -> None:
    assert events_after(chat.id, 0, log=log) == CaughtUp((), 0, live=True)


def test_a_reader_who_starts_gets_finished_messages_whole_and_the_running_reply(
    say: Say, chat: Conversation, log: EventLog, bot: Bot
) -> None:
    say("a")
    bot.add("One. ")
    bot.add("Two. ")
    bot.finish()
    say("b")
    bot.publisher.stage("searching")
    bot.add("Three. ")
    caught = events_after(chat.id, 0, log=log)
    assert kinds(caught) == [(1, "message"), (4, "message"), (5, "message"), (6, "status"), (7, "reply")]
    assert (caught.seq, caught.live) == (7, True)


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5, 6])
def test_a_reader_who_returns_gets_every_event_that_was_missed_and_what_is_finished_whole(
    after: int, say: Say, chat: Conversation, log: EventLog, bot: Bot
) -> None:
    say("a")
    bot.add("One. ")
    bot.add("Two. ")
    bot.finish()
    bot.add("Three. ")
    bot.add("Four. ")
    caught = events_after(chat.id, after, log=log)
    assert kinds(caught) == [e for e in [(4, "message"), (5, "reply"), (6, "reply")] if e[0] > after]
    assert caught.seq == 6


def test_after_redis_forgot_everything_finished_messages_come_from_the_database(
    say: Say, chat: Conversation, log: EventLog, bot: Bot, redis_client: Redis
) -> None:
    say("a")
    bot.add()
    bot.finish()
    redis_client.flushall()
    assert kinds(events_after(chat.id, 0, log=log)) == [(1, "message"), (3, "message")]
    assert kinds(events_after(chat.id, 1, log=log)) == [(3, "message")]
    assert events_after(chat.id, 3, log=log) == CaughtUp((), 3, live=True)
    say("b")
    caught = events_after(chat.id, 1, log=log)
    assert kinds(caught) == [(3, "message"), (BLOCK + 1, "message")]
    assert caught.seq == BLOCK + 1


def test_a_running_reply_is_whole_for_a_new_reader_after_redis_forgot_it_and_somebody_else_wrote(
    say: Say, chat: Conversation, log: EventLog, bot: Bot, redis_client: Redis
) -> None:
    bot.add("One. ")
    redis_client.flushall()
    say("meanwhile")  # brings the numbers back, but not the parts
    bot.add("Two. ")
    reader, reply = Reader(), bot.reply
    for event in events_after(chat.id, 0, log=log).events:
        reader.apply(event)
    assert reader.shown(reply) == "One. Two. "


def test_without_redis_finished_messages_are_there_and_the_reader_is_told(
    say: Say, chat: Conversation, log: EventLog, bot: Bot, redis_running: RedisServer
) -> None:
    say("a")
    bot.add()
    redis_running.kill()
    try:
        caught = events_after(chat.id, 0, log=log)
    finally:
        redis_running.start()
    assert kinds(caught) == [(1, "message")]
    assert (caught.seq, caught.live) == (1, False)


@pytest.mark.parametrize(
    ("open_first", "shown"), [(True, [(1, "message")]), (False, [(1, "message"), (4, "message"), (5, "message")])]
)
def test_without_redis_a_reader_is_not_led_past_a_running_reply(
    open_first: bool, shown: list[tuple[int, str]], say: Say, chat: Conversation, log: EventLog, bot: Bot,
    redis_running: RedisServer,
) -> None:  # fmt: skip
    say("a")
    bot.add("One. ")
    bot.add("Two. ")
    say("b")
    say("c")
    if not open_first:  # then no reply can be running
        Message.objects.update(outcome="answered")
    reader, reply = Reader(), bot.reply
    redis_running.kill()
    try:
        caught = events_after(chat.id, 0, log=log)
        assert kinds(caught) == shown
        assert caught.seq == shown[-1][0]
    finally:
        redis_running.start()
    if open_first:
        log.restore(chat.id, fence=1, attempt=0, after=2 * BLOCK, ceiling=3 * BLOCK)
        for event in caught.events:
            reader.apply(event)
        bot.add("Three. ")
        for event in events_after(chat.id, reader.cursor, log=log).events:
            reader.apply(event)
        assert (len(reader.messages), reader.shown(reply)) == (3, "One. Two. Three. ")


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_without_redis_what_dropped_the_reply_leads_past_its_parts(
    after: int, say: Say, chat: Conversation, log: EventLog, bot: Bot, redis_running: RedisServer
) -> None:
    say("a")
    bot.add("One. ")
    bot.add("Two. ")
    notice = Message.objects.create(conversation=chat, role="system", reason="left", text="Left.")
    services.announce(notice, log=log)
    say("b")
    bot.add("New. ")
    say("c")
    redis_running.kill()
    try:
        caught = events_after(chat.id, after, log=log)
    finally:
        redis_running.start()
    assert kinds(caught) == [(4, "message"), (5, "message")][max(0, after - 3) :]


def test_parts_whose_beginning_the_log_has_dropped_wait_for_the_whole_reply(
    say: Say, chat: Conversation, log: EventLog, bot: Bot, redis_client: Redis
) -> None:
    say("a")
    bot.add("One. ")
    bot.add("Two. ")
    redis_client.xdel(f"kefu:log:{chat.id}", "1-0", "2-0")
    assert kinds(events_after(chat.id, 0, log=log)) == [(1, "message")]


@pytest.mark.parametrize(
    ("message", "drops"),
    [
        ({"role": "system", "reason": "joined"}, True),
        ({"role": "system", "reason": "expired"}, True),
        ({"role": "system", "reason": "closed"}, False),
        ({"role": "customer"}, False),
        ({"role": "customer", "edited": True}, True),
        ({"role": "customer", "deleted": True}, True),
        ({"role": "agent"}, False),
        ({"role": "bot", "edited": True}, False),
    ],
)
def test_what_the_bot_was_saying_is_dropped_when_owner_or_question_changed(
    message: dict[str, Any], drops: bool, chat: Conversation, log: EventLog, bot: Bot
) -> None:
    bot.add("One. ")
    told = {"id": "m", "edited": False, "deleted": False, **message}
    log.append(Writer(chat.id), "message", {"message": told})
    assert selectors.running_reply(chat.id, log=log) == ("" if drops else "One. ")


def test_a_message_whose_number_is_not_in_the_database_yet_is_not_lost(
    say: Say, chat: Conversation, log: EventLog, redis_client: Redis
) -> None:
    say("a")
    redis_client.flushall()
    say("b")
    Message.objects.filter(sequence=BLOCK + 1).update(sequence=None)  # its announcer has not come so far
    assert kinds(events_after(chat.id, 1, log=log)) == [(BLOCK + 1, "message")]
    assert kinds(events_after(chat.id, 0, log=log)) == [(1, "message"), (BLOCK + 1, "message")]


def test_parts_of_a_reply_whose_end_is_not_in_the_database_yet_do_not_come_after_it(
    chat: Conversation, log: EventLog, bot: Bot
) -> None:
    bot.add()
    bot.finish()
    Message.objects.update(sequence=None)
    assert kinds(events_after(chat.id, 0, log=log)) == [(2, "message")]


def test_what_is_written_while_a_reader_reads_is_left_for_the_next_time(
    say: Say, chat: Conversation, log: EventLog, bot: Bot
) -> None:
    class Interleaved(EventLog):
        def read(self, conversation: uuid.UUID, after: int) -> Any:
            found = super().read(conversation, after)
            bot.add("One. ")
            say("b")
            return found

    say("a")
    caught = events_after(chat.id, 0, log=Interleaved(log._redis))
    assert (kinds(caught), caught.seq) == ([(1, "message")], 1)
    assert kinds(events_after(chat.id, caught.seq, log=log)) == [(2, "reply"), (3, "message")]


def test_a_trimmed_log_is_completed_from_the_database(
    say: Say, chat: Conversation, log: EventLog, bot: Bot, redis_client: Redis
) -> None:
    say("a")
    say("b")
    bot.add()
    redis_client.xtrim(f"kefu:log:{chat.id}", maxlen=1, approximate=False)
    assert kinds(events_after(chat.id, 0, log=log)) == [(1, "message"), (2, "message"), (3, "reply")]
    assert kinds(events_after(chat.id, 1, log=log)) == [(2, "message"), (3, "reply")]
    assert kinds(events_after(chat.id, 2, log=log)) == [(3, "reply")]


def test_a_reader_ahead_of_everything_gets_nothing(say: Say, chat: Conversation, log: EventLog) -> None:
    say("a")
    assert events_after(chat.id, 2**53 - 1, log=log) == CaughtUp((), 2**53 - 1, live=True)


def test_of_a_long_history_the_newest_messages_come(
    say: Say, chat: Conversation, log: EventLog, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "SHOWN_MESSAGES", 3)
    for n in range(5):
        say(str(n))
    redis_client.flushall()
    caught = events_after(chat.id, 0, log=log)
    assert [event.data()["message"]["text"] for event in caught.events] == ["2", "3", "4"]


def test_nobody_reads_another_conversation(say: Say, site: Site, chat: Conversation, log: EventLog) -> None:
    other = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
    say("a")
    assert events_after(other.id, 0, log=log).events == ()


def test_the_newest_number_is_never_below_one_that_was_given_out(
    say: Say, chat: Conversation, log: EventLog, redis_client: Redis, redis_running: RedisServer
) -> None:
    assert newest_seq(chat.id, log=log) >= 0
    say("a")
    assert newest_seq(chat.id, log=log) == 1
    redis_client.flushall()
    assert newest_seq(chat.id, log=log) == BLOCK
    say("b")
    assert newest_seq(chat.id, log=log) == BLOCK + 1
    redis_running.kill()
    try:
        assert newest_seq(chat.id, log=log) == 2 * BLOCK
    finally:
        redis_running.start()


STEPS = [
    "say",
    "add",
    "add",
    "finish",
    "finish unannounced",
    "flush",
    "read 0",
    "read 1",
    "read 2",
    "new reader",
    "sweep",
]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_every_reader_sees_each_message_once_and_in_order_whatever_happens(
    site: Site, log: EventLog, say: Say, steps: list[str]
) -> None:
    chat = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
    bot, readers = Bot(chat, log), [Reader(), Reader(), Reader()]

    def read(reader: Reader) -> None:
        caught = events_after(chat.id, reader.cursor, log=log)
        for event in caught.events:
            reader.apply(event)
        reader.cursor = max(reader.cursor, caught.seq)

    def sweep() -> None:
        for message in Message.objects.filter(conversation=chat, sequence=None):
            services.announce(message, log=log)

    for step in steps:
        match step.split():
            case ["say"]:
                say("hi", conversation=chat)
            case ["add"]:
                bot.add()
            case ["finish"]:
                bot.finish()
            case ["finish", "unannounced"]:
                bot.finish(announced=False)
            case ["flush"]:
                log._redis.flushall()
            case ["sweep"]:
                sweep()
            case ["new", "reader"]:
                readers.append(Reader())
            case ["read", n]:
                read(readers[int(n)])
    sweep()
    if bot.added:
        bot.add()
    expected = [str(m.id) for m in Message.objects.filter(conversation=chat).order_by("sequence")]
    for reader in readers:
        read(reader)
        assert reader.messages == expected
        assert reader.shown(bot.reply) == bot.added
