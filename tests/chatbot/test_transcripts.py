"""A conversation as a text and as a letter: to its customer whole, to nobody else, and no address lies about."""

import smtplib
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail

from chatbot import transcripts
from chatbot.models import Conversation, Message, Site
from tests.chatbot.conftest import MASTER_KEY, Say

ADDRESS = "li.wei@post.example"


def passes(text: str) -> bool:
    return "badword" not in text


@pytest.fixture
def talk(chat: Conversation, say: Say) -> Conversation:
    say("My number is 13800138000")
    Message.objects.create(conversation=chat, role="bot", text="Thank you, <CN_MOBILE_1>.", sequence=7)
    Message.objects.create(conversation=chat, role="bot", text="A badword.", sequence=8)
    Message.objects.create(conversation=chat, role="system", text="Mei has joined.", sequence=9)
    Message.objects.create(conversation=chat, role="agent", author="Mei", text="Hello!", sequence=10)
    Message.objects.create(conversation=chat, role="agent", author="Mei", text="Not announced")
    Message.objects.create(conversation=chat, role="customer", text="", deleted=datetime.now(UTC), sequence=11)
    files = [{"id": "f", "name": "bill.pdf", "type": "application/pdf", "size": 1}]
    Message.objects.create(conversation=chat, role="customer", text="", files=files, sequence=12)
    return chat


def test_a_transcript_says_all_with_the_customers_own_data(talk: Conversation) -> None:
    text = transcripts.transcript(talk, "en", passes=passes, values={"<CN_MOBILE_1>": "13800138000"})
    said = [line.split("] ", 1)[1] for line in text.strip().split("\n\n")]
    assert said == [
        "You: My number is 13800138000",
        "Assistant: Thank you, 13800138000.",
        "Assistant: (This text can no longer be shown.)",
        "— Mei has joined.",
        "Mei: Hello!",
        "You: (withdrawn)",
        "You: [bill.pdf]",
    ]


def test_times_are_the_shops(talk: Conversation, site: Site) -> None:
    site.hours = {"zone": "Asia/Shanghai", "week": {}}
    site.save()
    talk.refresh_from_db()
    assert " CST] " in transcripts.transcript(talk, "zh", passes=passes, values={})


def send(chat: Conversation, sealed: str) -> None:
    transcripts.send(chat.id, sealed, "en", passes=passes, master_key=MASTER_KEY)


def test_a_letter_goes_to_the_sealed_address(talk: Conversation, site: Site, settings: Any) -> None:
    settings.MAIL_FROM = "help@shop.example"
    site.name = "The\nShop"
    site.save()
    sealed = transcripts.seal_address(talk.id, ADDRESS, master_key=MASTER_KEY)
    assert ADDRESS not in str(bytes.fromhex(sealed))
    send(talk, sealed)
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == ([ADDRESS], "Your conversation with The Shop")
    assert "13800138000" in letter.body
    assert "ignore" in letter.body


def test_an_erased_conversation_sends_no_letter(talk: Conversation) -> None:
    sealed = transcripts.seal_address(talk.id, ADDRESS, master_key=MASTER_KEY)
    Conversation.objects.all().delete()
    send(talk, sealed)
    assert mail.outbox == []


@pytest.mark.parametrize(
    "failure",
    [smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such user")}), ValueError(f"{ADDRESS} is no address")],
)
def test_no_failure_tells_the_address(talk: Conversation, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def refuse(*_: object) -> None:
        raise failure

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    with pytest.raises(transcripts.NotSent) as caught:
        send(talk, transcripts.seal_address(talk.id, ADDRESS, master_key=MASTER_KEY))
    assert ADDRESS not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_address_sealed_for_one_conversation_opens_in_no_other(talk: Conversation, chat: Conversation) -> None:
    from guardrails.sealing import VaultError

    sealed = transcripts.seal_address(uuid.uuid4(), ADDRESS, master_key=MASTER_KEY)
    with pytest.raises(VaultError):
        send(chat, sealed)
