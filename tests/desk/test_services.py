"""The desk's services, tasks and wiring, with tools that need no model."""

from typing import Any

import pytest

from chatbot import services as chat
from chatbot.models import Conversation, Site
from desk import making, services, tasks, wiring
from guardrails.personal_data.finding import ENTITIES, Finding
from knowledge import importing, stages
from knowledge.models import Document, DocumentVersion
from tests.knowledge.tooling import OWN, answers, bring, expire_leases, tools

pytestmark = pytest.mark.django_db
PAGE = b"# Fees\n\nA parcel costs 12 yuan.\n"


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was handed to the broker; the tools are those of tests."""
    sent: list[str] = []
    monkeypatch.setattr(services.current_app, "send_task", lambda name, **_: sent.append(name))
    monkeypatch.setattr(services.transaction, "on_commit", lambda tell: tell())
    monkeypatch.setattr(wiring, "tools", lambda base: tools())
    return sent


def test_an_upload_is_stored_and_made_by_the_desk_worker(queued: list[str]) -> None:
    [taken] = services.upload("shop", "a.md", PAGE, then="urgent", author="li")
    assert (taken.state, queued) == ("stored", [services.WORK])
    tasks.work()
    assert answers(Document.objects.get()) == ["A parcel costs 12 yuan."]


def test_what_the_broker_lost_the_sweeper_finds(queued: list[str]) -> None:
    importing.take_in("shop", "a.md", PAGE)
    tasks.sweep()
    assert queued == [services.WORK]
    tasks.work()
    tasks.sweep()
    assert queued == [services.WORK]


def test_what_a_dead_worker_left_ready_is_published_by_the_sweeper(queued: list[str]) -> None:
    taken = importing.take_in("shop", "a.md", PAGE, then="urgent")
    assert taken.version is not None
    claimed = stages.claim(taken.version.pk)
    assert claimed is not None
    stages.make(claimed, tools())  # and then it was killed
    assert answers(Document.objects.get()) == []
    tasks.sweep()
    assert answers(Document.objects.get()) == ["A parcel costs 12 yuan."]


def test_no_more_documents_are_made_at_once_than_there_are_places(
    queued: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def work_off() -> int:
        calls.append(1)
        tasks.work()
        return 0

    monkeypatch.setattr(making, "work_off", work_off)
    tasks.work()
    assert len(calls) == tasks.PARALLEL


def test_a_document_that_fails_does_not_keep_the_others(queued: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(sentences: list[str]) -> Any:
        if any("bad" in one for one in sentences):
            raise RuntimeError("no guard")
        return tools().judge(sentences)

    monkeypatch.setattr(wiring, "tools", lambda base: tools(judge=judge))
    importing.take_in("shop", "bad.md", b"# A\n\nA bad one.\n")
    importing.take_in("shop", "good.md", PAGE)
    for _ in range(2):
        tasks.work()
        expire_leases()
    stages_ = dict(DocumentVersion.objects.values_list("document__name", "stage"))
    assert stages_ == {"bad.md": "refused", "good.md": "ready"}


def test_every_entity_has_words_to_stand_in_for_it() -> None:
    assert set(wiring.STAND_INS) == set(ENTITIES)
    assert wiring.stand_in("CN_MOBILE", "zh") == "［手机号］"
    assert wiring.stand_in("CN_MOBILE", "en") == "[phone number]"


def test_all_spellings_of_a_value_have_one_key() -> None:
    assert wiring.value_key("CN_MOBILE", "139 0000 0000") == wiring.value_key("CN_MOBILE", "13900000000")
    assert wiring.value_key("CN_MOBILE", "13900000000") != wiring.value_key("CN_MOBILE", "13900000001")


def test_what_documents_publish_is_not_masked_in_customers_messages(chat_with_shop: Conversation) -> None:
    bring(f"# Contact\n\nCall {OWN}, not 13811112222.\n", then="urgent")
    text = f"Is it {OWN} or 13811112222?"

    def find(_: str) -> list[Finding]:
        return [Finding("CN_MOBILE", 6, 17, 1.0), Finding("CN_MOBILE", 21, 32, 1.0)]

    _, findings = chat.personal_data(chat_with_shop, text, find=find)
    assert [text[one.start : one.end] for one in findings] == ["13811112222"]


@pytest.fixture
def chat_with_shop(chat: Conversation, site: Site) -> Conversation:
    assert site.knowledge_base == "shop"
    return chat
