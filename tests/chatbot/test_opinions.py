"""Thumbs and ratings: of one's own conversation only, the last word counts, and no comment is stored as it was said."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User

from chatbot import opinions, services
from chatbot.events import EventLog
from chatbot.models import Conversation, Feedback, Handoff, Message, Rating, Site
from guardrails import vault
from guardrails.personal_data.pool import MaskingUnavailable
from tests.chatbot.conftest import MASTER_KEY
from tests.fakes import FakeFind

MASKING: dict[str, Any] = {"find": FakeFind(), "master_key": MASTER_KEY}


@pytest.fixture
def answer(chat: Conversation) -> Message:
    return Message.objects.create(conversation=chat, role="bot", text="Within 15 days.", outcome="answered")


def thumb(chat: Conversation, message: uuid.UUID, helpful: bool, reason: str = "", comment: str = "") -> Feedback:
    said: dict[str, Any] = {"helpful": helpful, "reason": reason, "comment": comment}
    return opinions.give_feedback(chat, message, **said, **MASKING)


def test_the_last_thumb_counts(chat: Conversation, answer: Message) -> None:
    thumb(chat, answer.id, True)
    thumb(chat, answer.id, False, "outdated", "Call me: 13800138000")
    kept = Feedback.objects.get()
    assert (kept.helpful, kept.reason, kept.comment) == (False, "outdated", "Call me: <CN_MOBILE_1>")
    thumb(chat, answer.id, True, "outdated", "left over")
    kept.refresh_from_db()
    assert (kept.helpful, kept.reason, kept.comment) == (True, "", "")


@pytest.mark.parametrize("role", ["customer", "agent", "system"])
def test_only_the_bots_answers_have_thumbs(role: str, chat: Conversation) -> None:
    message = Message.objects.create(conversation=chat, role=role, text="Hello.")
    with pytest.raises(opinions.NothingToRate):
        thumb(chat, message.id, True)


def test_nobody_elses_answer_can_be_judged(site: Site, log: EventLog, answer: Message) -> None:
    other = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
    for message in (answer.id, uuid.uuid4()):
        with pytest.raises(opinions.NothingToRate):
            thumb(other, message, True)
    assert not Feedback.objects.exists()


def test_a_rating_needs_something_to_rate(chat: Conversation, answer: Message) -> None:
    opinions.rate(chat, score=2, comment="slow", **MASKING)
    opinions.rate(chat, score=5, comment="13800138000", **MASKING)
    kept = Rating.objects.get()
    assert (kept.score, kept.comment, kept.agent) == (5, "<CN_MOBILE_1>", None)
    answer.delete()
    with pytest.raises(opinions.NothingToRate):
        opinions.rate(chat, score=5, comment="", **MASKING)


def test_a_rating_goes_to_the_last_agent(chat: Conversation, answer: Message) -> None:
    mei = User.objects.create_user("mei")
    Handoff.objects.create(conversation=chat, reason="requested", state="ended", agent=mei)
    Handoff.objects.create(conversation=chat, reason="requested", state="waiting")
    assert opinions.rate(chat, score=4, comment="", **MASKING).agent == mei


def test_what_cannot_be_masked_is_not_stored(chat: Conversation, answer: Message) -> None:
    failing: dict[str, Any] = {**MASKING, "find": FakeFind(failure=MaskingUnavailable("full"))}
    with pytest.raises(MaskingUnavailable):
        opinions.rate(chat, score=5, comment="x", **failing)
    assert not Rating.objects.exists()


def test_an_erased_conversation_takes_them_along_and_gets_no_more(
    chat: Conversation, answer: Message, log: EventLog
) -> None:
    thumb(chat, answer.id, False, "other", "13800138000")
    opinions.rate(chat, score=1, comment="", **MASKING)
    services.erase_conversation(chat.id, log=log)
    assert not Feedback.objects.exists()
    assert not Rating.objects.exists()
    with pytest.raises(services.ConversationGone):
        opinions.rate(chat, score=1, comment="13800138000", **MASKING)
    assert vault.values(chat.id, master_key=MASTER_KEY) == {}
