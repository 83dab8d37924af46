"""Nobody waits for an agent who has gone."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from chatbot import absence, ownership
from chatbot.events import EventLog
from chatbot.models import Conversation, Handoff, Message
from tests.chatbot.conftest import Say
from tests.fakes import FakeQueue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mei(db: None) -> User:
    return User.objects.create_user("mei")


@pytest.fixture
def waiting(chat: Conversation, mei: User, log: EventLog, say: Say, queue: FakeQueue) -> Message:
    """A customer has written to an agent, ten minutes ago."""
    ownership.take_over(conversation_id=chat.id, agent=mei, log=log)
    message = say("Hello?")
    queue.ids.clear()
    Message.objects.update(created=timezone.now() - timedelta(minutes=10))
    return message


def release(log: EventLog, queue: FakeQueue, there: Any = frozenset()) -> int:
    return absence.release_absent(lambda: there, log=log, enqueue=queue)


def test_who_has_gone_loses_the_conversation_and_the_customer_waits_for_another(
    waiting: Message, log: EventLog, queue: FakeQueue
) -> None:
    assert release(log, queue) == 1
    stored = Conversation.objects.get()
    assert (stored.owner, stored.agent) == ("bot", None)
    states = [(h.state, h.reason, h.result) for h in Handoff.objects.order_by("id")]
    assert states == [("ended", "agent", "absent"), ("waiting", "absent", "")]
    assert queue.ids == [waiting.id]
    assert release(log, queue) == 0


@pytest.mark.parametrize("there", ["mei", "unknown"])
def test_who_is_there_or_may_be_keeps_it(
    there: str, waiting: Message, mei: User, log: EventLog, queue: FakeQueue
) -> None:
    assert release(log, queue, frozenset({mei.pk}) if there == "mei" else None) == 0
    assert Conversation.objects.get().agent == mei


def test_an_account_out_of_use_is_not_there_whatever_redis_says(
    waiting: Message, mei: User, log: EventLog, queue: FakeQueue
) -> None:
    User.objects.update(is_active=False)
    assert release(log, queue, None) == 1


def test_nothing_is_taken_from_who_has_just_come_or_owes_no_answer(
    waiting: Message, mei: User, log: EventLog, queue: FakeQueue
) -> None:
    Message.objects.filter(role="system").update(created=timezone.now())
    assert release(log, queue) == 0
    Message.objects.filter(role="system").update(created=timezone.now() - timedelta(minutes=10))
    Message.objects.filter(role="customer").update(outcome="agent")
    assert release(log, queue) == 0
