"""The one door of messages, announcing, restoring and erasing."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot import events, services
from chatbot.events import BLOCK, EventLog, Writer
from chatbot.models import Conversation, Message, Site
from chatbot.services import DuplicateId
from guardrails import vault
from guardrails.models import VaultEntry
from guardrails.personal_data.pool import MaskingUnavailable
from tests.chatbot.conftest import MASTER_KEY, Say
from tests.conftest import RedisServer
from tests.fakes import FakeFind, FakeQueue

pytestmark = pytest.mark.django_db


def types(log: EventLog, conversation: uuid.UUID) -> list[str]:
    return [event.type for event in log.read(conversation, 0)[0]]


def test_a_conversation_starts_with_the_bot_and_numbers_of_its_own(chat: Conversation, log: EventLog) -> None:
    assert (chat.owner, chat.fence, chat.attempt, chat.sequence_ceiling) == ("bot", 1, 0, BLOCK)
    assert log.append(Writer(chat.id, 1, 0), "status", {}) == 1


def test_a_message_is_stored_announced_and_queued(
    say: Say, chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    message = say("hello", client_id="c1", language="zh")
    [event], last = log.read(chat.id, 0)
    assert event.data() == message.payload()
    assert message.payload()["message"]["text"] == "hello"
    assert Message.objects.get().sequence == message.sequence == last == 1
    assert (message.role, message.client_id, message.language, message.outcome) == ("customer", "c1", "zh", "")
    assert queue.ids == [message.id]


def test_nothing_is_stored_announced_or_queued_unmasked(say: Say, chat: Conversation, log: EventLog) -> None:
    message = say("call 13800138000 or 13900139000, again 13800138000")
    assert message.text == "call <CN_MOBILE_1> or <CN_MOBILE_2>, again <CN_MOBILE_1>"
    assert b"138001380" not in b"".join(e.payload for e in log.read(chat.id, 0)[0])
    assert vault.values(chat.id, master_key=MASTER_KEY) == {
        "<CN_MOBILE_1>": "13800138000",
        "<CN_MOBILE_2>": "13900139000",
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT ciphertext FROM guardrails_vaultentry")
        assert all(b"13800" not in bytes(row[0]) for row in cursor.fetchall())


def test_what_looks_like_a_placeholder_never_becomes_one(say: Say, chat: Conversation) -> None:
    say("my number is 13800138000")
    message = say("what is <CN_MOBILE_1>, < cn_mobile_1 > or CN_MOBILE_1?")
    assert "CN_MOBILE_1" not in message.text.upper()


def test_the_masker_sees_what_is_stored(say: Say) -> None:
    find = FakeFind()
    message = say("<PHONE_1> 13800138000", find=find)
    assert find.asked == [message.text.replace("<CN_MOBILE_1>", "13800138000")]


def test_the_same_client_id_is_received_once(say: Say, chat: Conversation, log: EventLog, queue: FakeQueue) -> None:
    first = say("one 13800138000", client_id="c1")
    again = say("one 13800138000", client_id="c1")
    assert again.id == first.id
    assert again.text == "one <CN_MOBILE_1>"
    assert Message.objects.count() == len(queue.ids) == len(types(log, chat.id)) == 1
    assert VaultEntry.objects.count() == 1


@pytest.mark.parametrize("text", ["two", "one 13900139000", "one"])
def test_another_text_under_a_used_client_id_is_refused_and_leaves_nothing(text: str, say: Say) -> None:
    first = say("one 13800138000", client_id="c1")
    with pytest.raises(DuplicateId):
        say(text, client_id="c1")
    assert Message.objects.get() == first
    assert VaultEntry.objects.count() == 1


def test_a_message_that_was_changed_since_may_be_sent_again(say: Say) -> None:
    first = say("one", client_id="c1")
    Message.objects.update(text="", version=1)
    assert say("one", client_id="c1").id == first.id


def test_the_same_client_id_in_another_conversation_is_another_message(say: Say, site: Site, log: EventLog) -> None:
    other = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
    assert say("a", client_id="c1").id != say("b", client_id="c1", conversation=other).id


def test_without_masking_nothing_is_kept(say: Say, chat: Conversation, log: EventLog, queue: FakeQueue) -> None:
    with pytest.raises(MaskingUnavailable):
        say("my number is 13800138000", find=FakeFind(MaskingUnavailable("full")))
    assert not Message.objects.exists()
    assert queue.ids == types(log, chat.id) == []


def test_a_message_that_cannot_be_stored_leaves_no_value_in_the_vault(say: Say, chat: Conversation) -> None:
    with pytest.raises(UnicodeEncodeError):
        say("13800138000 \ud800")
    assert not VaultEntry.objects.exists()
    assert not Message.objects.exists()


def test_without_redis_a_message_is_kept_and_queued(
    say: Say, queue: FakeQueue, redis_running: RedisServer, log: EventLog, chat: Conversation
) -> None:
    redis_running.kill()
    try:
        message = say("hello")
        assert Message.objects.get().sequence is None
        assert queue.ids == [message.id]
    finally:
        redis_running.start()
    services.announce(message, log=log)
    assert Message.objects.get().sequence == BLOCK + 1
    assert types(log, chat.id) == ["message"]


def test_a_conversation_that_starts_without_redis_works_when_it_is_back(
    site: Site, say: Say, log: EventLog, redis_running: RedisServer
) -> None:
    redis_running.kill()
    try:
        chat = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
    finally:
        redis_running.start()
    assert say("hi", conversation=chat).sequence == BLOCK + 1


def test_a_message_is_announced_once(say: Say, chat: Conversation, log: EventLog) -> None:
    message = say("hello")
    Message.objects.update(sequence=None)  # its announcer died before it could write down the number
    services.announce(message, log=log)
    assert types(log, chat.id) == ["message"]
    assert Message.objects.get().sequence == 1


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(["say", "say", "append", "append", "flush", "restore"]), max_size=20))
def test_numbers_never_go_back_whatever_redis_forgets(site: Site, log: EventLog, say: Say, steps: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "BLOCK", 3)
        chat = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
        given_out: list[int] = []
        for step in steps:
            match step:
                case "say":
                    given_out.append(say("hi", conversation=chat).sequence or 0)
                case "append":
                    try:
                        given_out.append(log.append(Writer(chat.id, 1, 0), "status", {}))
                    except events.StateLost:
                        services.restore_state(chat.id, log=log)
                        given_out.append(log.append(Writer(chat.id, 1, 0), "status", {}))
                case "flush":
                    log._redis.flushall()
                case "restore":
                    services.restore_state(chat.id, log=log)
        assert given_out == sorted(set(given_out))


def test_restoring_brings_back_who_may_write(chat: Conversation, log: EventLog, redis_client: redis.Redis) -> None:
    Conversation.objects.update(fence=4, attempt=9)
    redis_client.flushall()
    services.restore_state(chat.id, log=log)
    assert log.append(Writer(chat.id, 4, 9), "status", {}) == BLOCK + 1
    for stale in (Writer(chat.id, 3, 9), Writer(chat.id, 4, 8)):
        with pytest.raises(events.Stale):
            log.append(stale, "status", {})


@pytest.mark.django_db(transaction=True)
def test_threads_that_restore_at_once_hand_out_no_number_twice(
    chat: Conversation, log: EventLog, redis_client: redis.Redis
) -> None:
    log.append(Writer(chat.id), "status", {})
    redis_client.flushall()

    def append(_: int) -> int:
        try:
            try:
                return log.append(Writer(chat.id), "status", {})
            except events.StateLost:
                services.restore_state(chat.id, log=log)
                return log.append(Writer(chat.id), "status", {})
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(append, range(40)))
    assert len(set(numbers)) == 40
    assert min(numbers) > BLOCK


@pytest.mark.django_db(transaction=True)
def test_the_same_message_sent_on_many_sockets_at_once_is_received_once(
    say: Say, chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    def send(_: int) -> uuid.UUID:
        try:
            return say("call 13800138000", client_id="c1").id
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(12)))) == 1
    assert len(queue.ids) == len(types(log, chat.id)) == Message.objects.count() == VaultEntry.objects.count() == 1


def test_a_stop_names_the_running_attempt(chat: Conversation, log: EventLog) -> None:
    log.restore(chat.id, fence=1, attempt=3, after=0, ceiling=BLOCK)
    services.request_stop(conversation_id=chat.id, log=log)
    assert log.stops([chat.id]) == [3]


def test_erasing_leaves_nothing_of_a_conversation_and_all_of_the_others(say: Say, site: Site, log: EventLog) -> None:
    other = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
    erased = say("13800138000").conversation_id
    say("13900139000", conversation=other)
    services.erase_conversation(erased, log=log)
    assert [m.conversation_id for m in Message.objects.all()] == [other.id]
    assert vault.values(erased, master_key=MASTER_KEY) == {}
    assert list(vault.values(other.id, master_key=MASTER_KEY).values()) == ["13900139000"]
    assert log.read(erased, 0) == ([], 0)
    assert len(log.read(other.id, 0)[0]) == 1


def test_every_message_moves_its_conversation_and_wakes_it(say: Say) -> None:
    Conversation.objects.update(updated="2020-01-01T00:00Z", closed="2020-01-01T00:00Z")
    message = say()
    assert Conversation.objects.get().updated > message.created - timedelta(seconds=1)
    assert Conversation.objects.get().closed is None


def test_what_else_hangs_on_it_is_erased_with_it_or_nothing_is(say: Say, chat: Conversation, log: EventLog) -> None:
    say()

    def fails(conversation: uuid.UUID) -> None:
        raise OSError("the disk is away")

    with pytest.raises(OSError, match="disk"):
        services.erase_conversation(chat.id, log=log, also=[fails])
    assert Message.objects.count() == len(log.read(chat.id, 0)[0]) == 1
    erased: list[uuid.UUID] = []
    for _ in range(2):  # harmless when called again
        assert services.erase_conversation(chat.id, log=log, also=[erased.append])
    assert erased == [chat.id] * 2
    assert not Conversation.objects.exists()
