"""What an agent is told at first: what was asked and tried, in masked words, by two queries."""

import uuid
from dataclasses import FrozenInstanceError
from typing import Any

import orjson
import pytest
from django.utils import timezone

from chatbot import handoff, services
from chatbot.events import EventLog
from chatbot.models import Conversation, LedgerEntry, Message, Site
from chatbot.summary import Try, summary
from tests.chatbot.conftest import Say

pytestmark = pytest.mark.django_db


def turn(chat: Conversation, text: str, outcome: str, reason: str = "", *, question: str = "", **reply: Any) -> None:
    """A message of the customer's with the bot's reply and its ledger."""
    asked = Message.objects.create(conversation=chat, role="customer", text=text, outcome=outcome)
    said = Message.objects.create(
        conversation=chat, role="bot", text="…", outcome=outcome, reason=reason, reply_to=asked, **reply
    )
    LedgerEntry.objects.create(message=said, question=question)


def source(heading: str, document: str = "returns.md") -> dict[str, Any]:
    return {"number": 1, "document": document, "ref": "", "heading": heading, "excerpt": "…"}


def test_a_conversation_is_summed_up(chat: Conversation, log: EventLog) -> None:
    turn(chat, "How long do returns take?", "answered", sources=[source("Returns"), source("Returns"), source("")])
    turn(chat, "and on sale?", "handed_off", "no_answer", question="How long do returns on sale take?")
    turn(chat, "a person please", "handed_off", "requested", question="a person please")
    handoff.request(chat, "no_answer", topic="refund", log=log)
    Conversation.objects.update(profile="name: <PERSON_1>", draft="We take", language="zh")
    told = summary(chat)
    assert told.asked == ("How long do returns take?", "and on sale?", "a person please")
    assert told.tried == (
        Try("answered", "", ("Returns", "returns.md")),
        Try("handed_off", "no_answer", ()),
        Try("handed_off", "requested", ()),
    )
    assert told.unanswered == "How long do returns on sale take?"
    assert (told.reason, told.topic, told.language) == ("no_answer", "refund", "zh")
    assert (told.profile, told.draft, told.earlier) == ("name: <PERSON_1>", "We take", 0)
    assert told.since == chat.handoffs.get().created
    assert orjson.dumps(told), "consoles get it as JSON"
    with pytest.raises(FrozenInstanceError):
        told.reason = "x"  # type: ignore[misc]


def test_a_conversation_of_which_nothing_is_known_has_an_empty_summary(chat: Conversation) -> None:
    told = summary(chat)
    assert (told.reason, told.since, told.asked, told.tried, told.unanswered) == ("", None, (), (), "")


def test_a_question_that_nobody_has_looked_at_yet_is_unanswered(chat: Conversation, say: Say) -> None:
    turn(chat, "Is it waterproof?", "refused")
    say("And how heavy is it?")
    assert summary(chat).unanswered == "And how heavy is it?"


@pytest.mark.parametrize("outcome", ["answered", "faq", "chitchat", "agent"])
def test_what_was_answered_is_not_unanswered(chat: Conversation, outcome: str) -> None:
    turn(chat, "How long do returns take?", outcome)
    assert summary(chat).unanswered == ""


def test_only_the_last_messages_are_told_oldest_first(chat: Conversation) -> None:
    for number in range(9):
        turn(chat, f"question {number}", "answered")
    told = summary(chat)
    assert told.asked == tuple(f"question {number}" for number in range(4, 9))
    assert len(told.tried) == 5


def test_what_was_withdrawn_is_not_told(chat: Conversation) -> None:
    turn(chat, "a secret", "answered")
    Message.objects.filter(role="customer").update(deleted=timezone.now())
    assert summary(chat).asked == ()


def test_a_hand_off_that_has_ended_is_none(chat: Conversation, log: EventLog) -> None:
    handoff.request(chat, "requested", log=log)
    handoff.end(chat, "closed", log=log)
    assert (summary(chat).reason, summary(chat).since) == ("", None)
    handoff.request(chat, "upset", log=log)
    assert summary(chat).reason == "upset"


def test_earlier_conversations_are_those_of_the_visitor_with_this_site(site: Site, log: EventLog) -> None:
    other = Site.objects.create(key="other", name="Other", knowledge_base="other")
    visitor = uuid.uuid4()
    chats = [
        services.start_conversation(site=where, visitor=who, language="en", log=log)
        for where, who in [(site, visitor), (other, visitor), (site, uuid.uuid4()), (site, visitor), (site, visitor)]
    ]
    assert [summary(chat).earlier for chat in chats] == [0, 0, 0, 1, 2]


def test_personal_data_stays_masked(chat: Conversation, say: Say) -> None:
    say("my number is 13812345678")
    assert summary(chat).asked == ("my number is <CN_MOBILE_1>",)


def test_two_queries_do(chat: Conversation, log: EventLog, django_assert_num_queries: Any) -> None:
    for number in range(9):
        turn(chat, f"question {number}", "answered")
    handoff.request(chat, "requested", log=log)
    with django_assert_num_queries(2):
        summary(chat)


def test_an_erased_conversation_has_no_summary(chat: Conversation) -> None:
    Conversation.objects.all().delete()
    with pytest.raises(Conversation.DoesNotExist):
        summary(chat)
