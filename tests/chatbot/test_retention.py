"""Conversations are erased when their site keeps them no longer, and nothing brings them back."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from chatbot import answering, retention, services
from chatbot.events import EventLog, LogUnavailable, Stale
from chatbot.models import Conversation, Message, Site
from chatbot.publishing import ReplyPublisher
from knowledge.models import Gap, KnowledgeBase
from tests.chatbot.conftest import Say
from tests.conftest import RedisServer
from tests.fakes import released

pytestmark = pytest.mark.django_db(transaction=True)


def age(chat: Conversation, days: float) -> None:
    Conversation.objects.filter(pk=chat.pk).update(updated=timezone.now() - timedelta(days=days))


@pytest.mark.parametrize(("kept", "days", "erased"), [(30, 29.9, 0), (30, 30.1, 1), (1, 1.1, 1), (0, 9999, 0)])
def test_a_conversation_is_erased_so_many_days_after_its_last_message(
    kept: int, days: float, erased: int, site: Site, chat: Conversation, say: Say, log: EventLog
) -> None:
    Site.objects.update(retention_days=kept)
    say()
    age(chat, days)
    assert retention.erase_old(log=log) == erased
    assert Conversation.objects.count() == Message.objects.count() == 1 - erased
    assert retention.erase_old(log=log) == 0


def test_each_site_keeps_its_own_and_all_batches_are_erased(
    site: Site, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    Site.objects.update(retention_days=7)
    other = Site.objects.create(key="other", name="Other", knowledge_base="other", retention_days=90)
    for owner in [site] * 5 + [other] * 2:
        chat = services.start_conversation(site=owner, visitor=uuid.uuid4(), language="en", log=log)
        age(chat, 30)
    assert retention.erase_old(log=log) == 5
    assert {chat.site for chat in Conversation.objects.all()} == {other}


def test_what_hangs_on_it_is_erased_first_and_one_that_fails_does_not_keep_the_others(
    site: Site, log: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    Site.objects.update(retention_days=7)
    chats = [services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log) for _ in range(3)]
    for days, chat in enumerate(chats, 30):
        age(chat, days)
    erased: list[uuid.UUID] = []

    def also(conversation: uuid.UUID) -> None:
        assert Conversation.objects.filter(pk=conversation).exists()
        if conversation == chats[2].id:
            raise OSError("the disk is away")
        erased.append(conversation)

    assert retention.erase_old(log=log, also=[also]) == 2
    assert erased == [chats[1].id, chats[0].id]
    assert [chat.id for chat in Conversation.objects.all()] == [chats[2].id]
    assert "could not be erased" in caplog.text


def test_a_message_that_arrives_at_the_same_moment_keeps_it(say: Say, chat: Conversation, log: EventLog) -> None:
    limit = timezone.now() - timedelta(days=7)
    age(chat, 30)
    say()
    assert services.erase_conversation(chat.id, log=log, idle_since=limit) is False
    assert Message.objects.count() == 1


def test_without_redis_nothing_is_erased(
    site: Site, chat: Conversation, say: Say, log: EventLog, redis_running: RedisServer
) -> None:
    Site.objects.update(retention_days=7)
    say()
    age(chat, 30)
    redis_running.kill()
    try:
        with pytest.raises(LogUnavailable):
            retention.erase_old(log=log)
    finally:
        redis_running.start()
    assert Message.objects.count() == 1
    assert retention.erase_old(log=log) == 1


def test_nobody_who_is_still_writing_brings_it_back(say: Say, chat: Conversation, log: EventLog) -> None:
    message = say()
    hung = Message.objects.get(pk=message.pk)
    claimed = answering.claim(message.id, log=log)
    assert claimed is not None
    publisher = ReplyPublisher(
        log=log,
        writer=claimed.writer,
        reply=claimed.reply_id,
        restore=lambda: services.restore_state(chat.id, log=log),
    )
    services.erase_conversation(chat.id, log=log)
    publisher.add(*released("Old content. "))
    assert publisher.lost
    log.restore(chat.id, fence=1, attempt=1, after=0, ceiling=1000)  # by who read the row before
    with pytest.raises(Stale):
        services._append_message(hung, log=log)
    services.announce(hung, log=log)
    with pytest.raises(services.ConversationGone):
        say("I am still here")
    assert answering.conclude(claimed, claimed_conclusion(), log=log) is None
    log._redis.flushall()  # the tombstone, too
    publisher.lost = False
    publisher._last = 0.0
    publisher.add(*released("Old content. "))
    assert publisher.lost
    assert log._redis.keys(f"*{chat.id}*") == []
    assert not Message.objects.exists()


def claimed_conclusion() -> answering.Conclusion:
    return answering.Conclusion("answered", "", released("Old content. "))


def test_who_has_it_open_is_told(chat: Conversation, log: EventLog) -> None:
    services.erase_conversation(chat.id, log=log)
    [(_, row)] = log._redis.xrange("kefu:feed")[-1:]
    assert (row[b"type"], row[b"conversation"], row[b"seq"]) == (b"gone", str(chat.id).encode(), b"0")


def test_what_an_erased_conversation_asked_is_in_no_gap(chat: Conversation, say: Say, log: EventLog) -> None:
    base = KnowledgeBase.objects.create(slug="shop", name="Shop")
    asked = say("Do you ship to Iceland?")
    questions = [{"text": "Do you ship to Iceland?", "message": str(asked.pk)}]
    Gap.objects.create(base=base, question="Do you ship to Iceland?", questions=questions, conversations=1)
    Site.objects.update(retention_days=30)
    age(chat, 31)
    assert retention.erase_old(log=log) == 1
    assert not Gap.objects.exists()
