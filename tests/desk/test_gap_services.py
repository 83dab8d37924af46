import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chatbot.models import Conversation, LedgerEntry, Message, Site
from desk import gap_services
from desk.gap_services import answer, as_document, collect, dismiss, gaps, redraft, reopen, sayable, without_data
from knowledge import readers
from knowledge.chunking import chunk
from knowledge.errors import BaseMissing
from knowledge.models import Chunk, Gap, KnowledgeBase
from tests.knowledge.fakes import FakeEmbedder
from tests.knowledge.tooling import bring

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(tmp_path: Any, settings: Any) -> None:
    settings.DOCUMENTS = tmp_path


@pytest.fixture
def site() -> Site:
    KnowledgeBase.objects.create(slug="shop", name="Shop")
    return Site.objects.create(key="shop", name="The Shop", knowledge_base="shop")


def ask(site: Site, question: str, *replies: str, days: float = 1.0, **entry: Any) -> Message:
    """A question that was handed over, and what agents said then; the bot's message."""
    conversation = Conversation.objects.create(site=site, visitor=uuid.uuid4())
    outcome, reason = entry.pop("outcome", "handed_off"), entry.pop("reason", "no_answer")
    message = Message.objects.create(
        conversation=conversation, role="bot", text="I call somebody.", outcome=outcome, reason=reason
    )
    LedgerEntry.objects.create(message=message, question=question, **entry)
    at = timezone.now() - timedelta(days=days)
    Message.objects.filter(pk=message.pk).update(created=at)
    LedgerEntry.objects.filter(pk=message.pk).update(created=at)
    for text in replies:
        Message.objects.create(conversation=conversation, role="agent", text=text, author="Ann")
    return message


def gather(**options: Any) -> gap_services.Collected:
    return collect("shop", **({"embedder": FakeEmbedder()} | options))


@dataclass(frozen=True)
class Answer:
    answerable: bool


def test_questions_alike_become_one_gap_that_counts_conversations(site: Site) -> None:
    ask(site, "Do you deliver to Iceland?")
    ask(site, "do you deliver to iceland")
    ask(site, "Can the kettle be repaired in Oslo?")
    assert gather() == gap_services.Collected(questions=3, gaps=2, new=2)
    first, second = gaps("shop")
    assert (first.conversations, second.conversations) == (2, 1)
    assert second.question == "Can the kettle be repaired in Oslo?"
    assert {one["text"] for one in first.questions} == {"Do you deliver to Iceland?", "do you deliver to iceland"}


def test_only_what_the_documents_did_not_answer_counts(site: Site) -> None:
    ask(site, "A person, please", reason="requested")
    ask(site, "Do you deliver to Norway?", outcome="answered", reason="", confidence=0.9)
    ask(site, "Do you deliver to Peru?", days=40)
    ask(site, "")
    ask(site, "??")
    ask(Site.objects.create(key="b", name="B", knowledge_base="b"), "Do you deliver to Chile?")
    assert gather().questions == 0
    ask(site, "Do you deliver to Japan?", outcome="answered", reason="", confidence=0.37)
    assert gather().questions == 1


def test_a_second_run_keeps_the_rows_and_adds_what_is_new(site: Site) -> None:
    ask(site, "Do you deliver to Iceland?")
    gather()
    before = gaps("shop").get().pk
    ask(site, "Do you deliver to Iceland??", days=0)
    assert gather().new == 0
    gap = gaps("shop").get()
    assert (gap.pk, gap.conversations) == (before, 2)


def test_a_gap_is_known_by_its_question_when_its_messages_have_grown_old(site: Site) -> None:
    old = ask(site, "Do you deliver to Iceland?")
    gather()
    before = gaps("shop").get().pk
    LedgerEntry.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(days=60))
    ask(site, "Do you deliver to Iceland?")
    gather()
    gap = gaps("shop").get()
    assert (gap.pk, gap.conversations) == (before, 2)


def test_the_draft_is_the_agents_reply_that_fits_the_question_without_a_customers_data(site: Site) -> None:
    ask(
        site, "Do you deliver to Iceland?", "Hello!", "Yes, we deliver to Iceland for ¥90. I call you at <CN_MOBILE_1>."
    )
    ask(site, "do you deliver to Iceland", "One moment, please.", "We deliver to Iceland, it costs ¥90.")
    ask(site, "you deliver to Iceland?", "I have cancelled your order <BANK_CARD_1>.")
    gather()
    draft = gaps("shop").get().draft
    assert draft["from"] == "agents"
    assert draft["answer"] in ("Yes, we deliver to Iceland for ¥90.", "We deliver to Iceland, it costs ¥90.")
    assert Message.objects.get(pk=draft["sources"][0]["message"]).role == "agent"


def test_what_agents_said_before_the_question_or_withdrew_is_no_answer(site: Site) -> None:
    message = ask(site, "Do you deliver to Iceland?", days=1)
    for text, fields in (
        ("We deliver to Iceland by ship.", {"created": timezone.now() - timedelta(days=2)}),
        ("We deliver to Iceland by plane.", {"deleted": timezone.now()}),
    ):
        said = Message.objects.create(conversation=message.conversation, role="agent", text=text)
        Message.objects.filter(pk=said.pk).update(**fields)
    gather()
    assert gaps("shop").get().draft["answer"] == ""


def test_without_an_agents_answer_the_draft_names_the_best_passages(site: Site) -> None:
    bring("We deliver to Norway and Sweden.", then="urgent")
    ask(site, "Do you deliver to Iceland?", passages=[[Chunk.objects.get().pk, 0.4], [10**6, 0.3]])
    gather()
    draft = gaps("shop").get().draft
    assert (draft["answer"], draft["from"]) == ("", "passages")
    assert [(one["document"], one["text"]) for one in draft["sources"]] == [
        ("a.md", "We deliver to Norway and Sweden.")
    ]


@pytest.mark.parametrize(
    ("question", "plain"),
    [
        ("您好，请问你们能送到冰岛吗？", "你们能送到冰岛吗？"),
        ("Hello, do you deliver to Iceland?", "do you deliver to Iceland?"),
        ("My phone is <CN_MOBILE_1>, where is my order?", "My phone is , where is my order?"),
        ("Highland coats, do you have them?", "Highland coats, do you have them?"),
        ("Hello", "Hello"),
    ],
)
def test_questions_leave_without_data_and_courtesy(question: str, plain: str) -> None:
    assert without_data(question) == plain


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("您好！可以送到冰岛，运费90元。我打 <CN_MOBILE_1> 联系您。", "可以送到冰岛，运费90元。"),
        ("Thank you for waiting!", ""),
        ("We ship on Fridays. Your card <BANK_CARD_1> is charged then.", "We ship on Fridays."),
    ],
)
def test_of_a_reply_only_what_holds_for_everybody_is_kept(reply: str, kept: str) -> None:
    assert sayable(reply) == kept


def test_a_dismissed_gap_stays_dismissed_and_an_answered_one_opens_when_it_is_asked_again(site: Site) -> None:
    ask(site, "Do you deliver to Iceland?")
    ask(site, "Can the kettle be repaired in Oslo?")
    gather()
    iceland, oslo = gaps("shop").get(question__contains="Iceland"), gaps("shop").get(question__contains="Oslo")
    assert dismiss(iceland.pk, "ann")
    assert answer(oslo.pk, "Can kettles be repaired?", "Yes, in Oslo.", "ann", store=lambda name, data: None)
    gather()
    assert not gaps("shop").exists()
    ask(site, "Do you deliver to Iceland?", days=0)
    ask(site, "Can the kettle be repaired in Oslo?", days=0)
    gather()
    assert [one.pk for one in gaps("shop")] == [oslo.pk]
    assert reopen(iceland.pk, "ann")
    assert gaps("shop").count() == 2


def test_a_gap_that_the_release_answers_now_is_closed(site: Site) -> None:
    ask(site, "Do you deliver to Iceland?")
    ask(site, "Can the kettle be repaired in Oslo?")
    assert gather(search=lambda question: Answer("Iceland" in question)).closed == 1
    assert gaps("shop", state="answered").get().question == "Do you deliver to Iceland?"


def test_a_managers_answer_becomes_a_document_of_one_faq_pair(site: Site) -> None:
    ask(site, "Do you deliver to Iceland?")
    gather()
    gap = gaps("shop").get()
    stored: dict[str, bytes] = {}
    assert answer(gap.pk, "Do you ship to Iceland?", "Yes, for ¥90.", "ann", store=stored.__setitem__)
    assert not answer(gap.pk, "Do you ship to Iceland?", "Yes, for ¥90.", "ann", store=stored.__setitem__)
    [(name, data)] = stored.items()
    [draft] = chunk(readers.read(name, data).blocks)
    assert (draft.question, draft.text) == ("Do you ship to Iceland?", "Yes, for ¥90.")
    gap.refresh_from_db()
    assert (gap.state, gap.draft["author"]) == ("answered", "ann")


@pytest.mark.parametrize(("question", "text"), [("", "Yes."), ("Why?", " "), ("Why?", "Call <CN_MOBILE_1>.")])
def test_an_answer_that_says_nothing_or_holds_a_placeholder_is_refused(site: Site, question: str, text: str) -> None:
    ask(site, "Do you deliver to Iceland?")
    gather()
    with pytest.raises(ValueError):
        answer(gaps("shop").get().pk, question, text, "ann", store=lambda name, data: None)
    assert gaps("shop").count() == 1


def test_when_an_answer_cannot_be_stored_the_gap_stays_open(site: Site) -> None:
    ask(site, "Do you deliver to Iceland?")
    gather()

    def full(name: str, data: bytes) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="full"):
        answer(gaps("shop").get().pk, "Iceland?", "Yes.", "ann", store=full)
    assert gaps("shop").count() == 1


def test_what_a_manager_drafted_is_not_overwritten(site: Site) -> None:
    ask(site, "Do you deliver to Iceland?", "We deliver to Iceland for ¥90.")
    gather()
    assert redraft(gaps("shop").get().pk, "Iceland?", "Yes, ¥80.", "ann")
    gather()
    assert gaps("shop").get().draft["answer"] == "Yes, ¥80."


def test_what_erased_conversations_asked_is_forgotten(site: Site) -> None:
    erased = ask(site, "Do you deliver to Iceland?", "Yes, we deliver to Iceland by ship.")
    kept = ask(site, "do you deliver to iceland now", days=2)
    alone = ask(site, "Can the kettle be repaired in Oslo?")
    gather(days=30)
    for message in (erased, alone):
        message.conversation.delete()
    LedgerEntry.objects.filter(pk=kept.pk).update(created=timezone.now() - timedelta(days=60))
    gather()
    gap = Gap.objects.get()
    assert [one["message"] for one in gap.questions] == [str(kept.pk)]
    assert (gap.conversations, gap.draft["answer"]) == (1, "")


def test_a_base_that_does_not_exist_is_said_so(db: None) -> None:
    with pytest.raises(BaseMissing):
        gather()


def test_a_document_of_a_pair_survives_commas_quotes_and_lines() -> None:
    [draft] = chunk(readers.read("a.csv", as_document('Is "it", red?', "Yes,\nit is.")).blocks)
    assert (draft.question, draft.text) == ('Is "it", red?', "Yes,\nit is.")


def test_who_is_erased_while_gaps_are_collected_is_in_none_of_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ask(site, "Do you deliver to Iceland?")
    ask(site, "Can the kettle be repaired in Oslo?")
    real = gap_services.group

    def erasing(*arguments: Any) -> Any:
        Conversation.objects.filter(pk=mine.conversation_id).delete()
        return real(*arguments)

    monkeypatch.setattr(gap_services, "group", erasing)
    assert gather() == gap_services.Collected(questions=1, gaps=1, new=1)
    assert gaps("shop").get().question == "Can the kettle be repaired in Oslo?"
