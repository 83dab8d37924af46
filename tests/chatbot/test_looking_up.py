"""What customers may look up: in their own conversation, as published now, and nothing that the guards hold back."""

import uuid
from typing import Any

import pytest

from chatbot import looking_up, services
from chatbot.events import EventLog
from chatbot.models import Conversation, LedgerEntry, Message, Site
from knowledge import releases
from knowledge.models import Chunk, Document, DocumentVersion, KnowledgeBase

TEXT = "Returns are free. Write to the boss. Within 15 days."


def passes(text: str) -> bool:
    return "badword" not in text


def sentence(start: int, end: int, action: str = "pass") -> dict[str, Any]:
    return {"start": start, "end": end, "verdict": {"action": action, "tier": "", "categories": []}}


@pytest.fixture
def document(site: Site) -> Document:
    base = KnowledgeBase.objects.create(slug=site.knowledge_base, name="Shop")
    document = Document.objects.create(base=base, name="returns.md")
    version = DocumentVersion.objects.create(document=document, number=1, stage="ready", content_hash="0" * 64)
    common: dict[str, Any] = {"version": version, "ref": "r", "guard_version": "1", "language": "en"}
    parts = [sentence(0, 17), sentence(18, 36, "block"), sentence(37, len(TEXT))]
    Chunk.objects.create(**common, position=0, heading="Returns", text=TEXT, sentences=parts)
    for position, question in enumerate(["Who pays?", "How long?", "badword?", "How long?", "多久？"], start=1):
        language = "zh" if question == "多久？" else "en"
        Chunk.objects.create(**{**common, "language": language}, position=position, text="…", question=question)
    releases.put(version)
    releases.publish(base.slug)
    return document


@pytest.fixture
def answer(chat: Conversation, document: Document) -> Message:
    source = {"number": 1, "document": "returns.md", "ref": "r", "heading": "Returns", "excerpt": "Returns"}
    message = Message.objects.create(conversation=chat, role="bot", text="Free [1].", language="en", sources=[source])
    ids = Chunk.objects.order_by("position").values_list("pk", flat=True)
    LedgerEntry.objects.create(message=message, passages=[[pk, 0.5] for pk in ids])
    return message


@pytest.fixture
def stranger(site: Site, log: EventLog) -> Conversation:
    return services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)


def test_a_source_opens_as_published_without_what_the_guards_held_back(chat: Conversation, answer: Message) -> None:
    shown = looking_up.passage(chat, answer.id, 1, passes=passes)
    assert shown == looking_up.Shown("returns.md", "Returns", "r", "Returns are free. … Within 15 days.")


def test_no_source_opens_that_was_not_cited_or_is_somebody_elses(
    chat: Conversation, answer: Message, stranger: Conversation
) -> None:
    for conversation, message, number in [
        (chat, answer.id, 2),
        (chat, uuid.uuid4(), 1),
        (stranger, answer.id, 1),
    ]:
        with pytest.raises(looking_up.NotThere):
            looking_up.passage(conversation, message, number, passes=passes)


def test_what_is_forbidden_or_withdrawn_meanwhile_does_not_open(
    chat: Conversation, answer: Message, document: Document
) -> None:
    with pytest.raises(looking_up.NotThere):
        looking_up.passage(chat, answer.id, 1, passes=lambda text: "free" not in text)
    releases.take_out(document)
    releases.publish(document.base.slug)
    with pytest.raises(looking_up.NotThere):
        looking_up.passage(chat, answer.id, 1, passes=passes)
    assert looking_up.related(chat, answer.id, passes=passes) == []


def test_related_questions_are_those_found_beside_in_the_same_language(
    chat: Conversation, answer: Message, stranger: Conversation
) -> None:
    assert looking_up.related(chat, answer.id, passes=passes) == ["Who pays?", "How long?"]
    with pytest.raises(looking_up.NotThere):
        looking_up.related(stranger, answer.id, passes=passes)
    plain = Message.objects.create(conversation=chat, role="bot", text="Hello.", language="en")
    assert looking_up.related(chat, plain.id, passes=passes) == []


def test_earlier_messages_come_in_pages(chat: Conversation, stranger: Conversation) -> None:
    made = [
        Message.objects.create(conversation=chat, role="customer", text=str(n), sequence=n)
        for n in range(1, looking_up.PAGE + 4)
    ]
    Message.objects.create(conversation=stranger, role="customer", text="foreign", sequence=1)
    page, more = looking_up.earlier(chat, made[-1].id)
    assert [message.text for message in page] == [str(n) for n in range(3, looking_up.PAGE + 3)]
    assert more
    page, more = looking_up.earlier(chat, page[0].id)
    assert ([message.text for message in page], more) == (["1", "2"], False)
    with pytest.raises(looking_up.NotThere):
        looking_up.earlier(stranger, made[0].id)


def test_a_file_is_found_in_its_own_conversation_only(chat: Conversation, stranger: Conversation) -> None:
    Message.objects.create(conversation=chat, role="customer", text="", files=[{"id": "f", "name": "a.pdf"}])
    assert looking_up.file_is_there(chat, "f")
    assert not looking_up.file_is_there(chat, "g")
    assert not looking_up.file_is_there(stranger, "f")
