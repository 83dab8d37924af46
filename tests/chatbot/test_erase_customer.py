import uuid

import orjson
import pytest
from django.core.management import CommandError, call_command

from chatbot import services, users, wiring
from chatbot.answer_cache import Answer, written
from chatbot.answer_store import AnswerStore
from chatbot.events import EventLog
from chatbot.management.commands.erase_customer import BACKUPS
from chatbot.models import Conversation, LedgerEntry, Message, Site
from guardrails.models import VaultEntry, VaultKey
from guardrails.personal_data.finding import Finding
from guardrails.sealing import MasterKey
from guardrails.vault import mask
from knowledge.models import Gap, GoldenQuestion, KnowledgeBase
from tests.fakes import passage, retrieved

pytestmark = pytest.mark.django_db

MASTER = MasterKey(b"k" * 32)


@pytest.fixture(autouse=True)
def _own_log(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "event_log", lambda: log)
    monkeypatch.setattr(wiring, "answer_store", lambda: AnswerStore(log._redis))


def started(site: Site, visitor: uuid.UUID, log: EventLog) -> Conversation:
    chat = services.start_conversation(site=site, visitor=visitor, language="en", log=log)
    masked = mask(chat.id, "a@b.cn", [Finding("EMAIL", 0, 6, 1.0)], master_key=MASTER)
    Message.objects.create(conversation=chat, role="customer", text=masked.text)
    return chat


def erase(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    call_command("erase_customer", *arguments)
    return [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("by", ["visitor", "conversation", "user"])
def test_a_customer_is_erased_with_all_conversations_and_nobody_else(
    by: str, site: Site, log: EventLog, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = users.visitor_id(site.pk, "u-17", secret=wiring.secret("users"))
    mine = [started(site, visitor, log) for _ in range(2)]
    other = started(site, uuid.uuid4(), log)
    arguments = {
        "visitor": ["--visitor", str(visitor)],
        "conversation": ["--conversation", str(mine[0].id)],
        "user": ["--user", "u-17", "--site", site.key],
    }[by]
    *lines, last = erase(capsys, *arguments)
    assert {line["conversation"] for line in lines} == {str(chat.id) for chat in mine}
    assert last == {"erased": 2, "failed": 0, "backups": BACKUPS}
    assert list(Conversation.objects.values_list("pk", flat=True)) == [other.pk]
    for model in (VaultKey, VaultEntry):
        assert {row.conversation_id for row in model.objects.all()} == {other.pk}
    assert Message.objects.get().conversation_id == other.pk


def test_answers_that_were_kept_for_others_go_with_the_conversation(
    site: Site, log: EventLog, capsys: pytest.CaptureFixture[str]
) -> None:
    store = wiring.answer_store()
    mine, other = (started(site, uuid.uuid4(), log) for _ in range(2))
    for chat in (mine, other):
        found = retrieved(passage("Seven days."))
        kept = Answer("Seven days.", found, "other", "extractive:", "2", 0.1, conversation=str(chat.id))
        store.put(f"kefu:answers:key:{chat.id}", written(kept), epoch=0, conversation=str(chat.id))
    erase(capsys, "--conversation", str(mine.id))
    assert store.get(f"kefu:answers:key:{mine.id}") is None
    assert store.get(f"kefu:answers:key:{other.id}") is not None


def test_nobody_found_is_said_so(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert erase(capsys, "--visitor", str(uuid.uuid4()))[-1]["erased"] == 0


def test_a_user_needs_a_site_that_exists() -> None:
    with pytest.raises(CommandError, match="--site"):
        call_command("erase_customer", "--user", "u-17", "--site", "nowhere")


def test_while_redis_is_away_it_fails_and_can_be_called_again(
    site: Site, log: EventLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from chatbot.events import LogUnavailable

    chat = started(site, uuid.uuid4(), log)

    def away(*_: object) -> None:
        raise LogUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(log, "bury", away)
        with pytest.raises(SystemExit):
            call_command("erase_customer", "--conversation", str(chat.id))
    lines = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "redis" in str(lines[0]["error"])
    assert lines[-1]["failed"] == 1
    assert erase(capsys, "--conversation", str(chat.id))[-1]["erased"] == 1
    assert not VaultEntry.objects.exists()


def asked(site: Site, base: KnowledgeBase, log: EventLog, *questions: str) -> tuple[Conversation, list[Message]]:
    """A conversation that asked, and the bot's messages that did not answer."""
    chat = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)
    said = []
    for question in questions:
        Message.objects.create(conversation=chat, role="customer", text=question)
        said.append(Message.objects.create(conversation=chat, role="bot", text="I call somebody."))
        LedgerEntry.objects.create(message=said[-1], question=question)
    return chat, said


def test_what_was_asked_leaves_the_gaps_at_once(site: Site, log: EventLog, capsys: pytest.CaptureFixture[str]) -> None:
    base = KnowledgeBase.objects.create(slug="shop", name="Shop")
    mine, (iceland, norway) = asked(site, base, log, "Do you ship to Iceland, to my aunt?", "And to Norway, for her?")
    _, (other,) = asked(site, base, log, "Do you ship to Iceland?")
    reply = Message.objects.create(conversation=mine, role="agent", text="We ship to your aunt for 90 yuan.")
    questions = [{"text": one.ledger.question, "message": str(one.pk)} for one in (iceland, other)]
    shared = Gap.objects.create(
        base=base,
        question="Do you ship to Iceland, to my aunt?",
        questions=questions,
        conversations=2,
        draft={
            "question": "Do you ship to Iceland, to my aunt?",
            "answer": "We ship to your aunt for 90 yuan.",
            "sources": [{"message": str(reply.pk)}],
            "from": "agents",
        },
    )
    Gap.objects.create(
        base=base, question="And to Norway, for her?", questions=[{"text": "…", "message": str(norway.pk)}]
    )
    erase(capsys, "--conversation", str(mine.pk))
    left = Gap.objects.get()
    assert (left.pk, left.question, left.questions, left.conversations) == (
        shared.pk,
        "Do you ship to Iceland?",
        questions[1:],
        1,
    )
    assert left.draft == {"question": "Do you ship to Iceland?", "answer": "", "sources": [], "from": "agents"}


def test_what_a_manager_wrote_stays_and_the_report_lists_what_is_kept_of_the_customers_words(
    site: Site, log: EventLog, capsys: pytest.CaptureFixture[str]
) -> None:
    base = KnowledgeBase.objects.create(slug="shop", name="Shop")
    mine, (one, _) = asked(site, base, log, "Do you ship to Iceland?", "Mail <EMAIL_1>. Can you repair a blue kettle?")
    _, (other,) = asked(site, base, log, "Iceland?")
    Gap.objects.create(
        base=base,
        question="Iceland?",
        questions=[
            {"text": text, "message": str(m.pk)} for text, m in (("Do you ship to Iceland?", one), ("Iceland?", other))
        ],
        conversations=2,
        draft={"question": "Do you ship to Iceland?", "answer": "Yes.", "sources": [], "author": "li"},
    )
    for question in ("Can you repair a blue kettle?", "do you ship to  Iceland?", "Do you ship to Norway?"):
        GoldenQuestion.objects.create(base=base, question=question, origin="thumbs_down")
    line, _ = erase(capsys, "--conversation", str(mine.pk))
    assert [(row["kind"], row["question"]) for row in line["kept"]] == [  # type: ignore[attr-defined]
        ("golden question", "Can you repair a blue kettle?"),
        ("golden question", "do you ship to  Iceland?"),
    ]
    assert Gap.objects.get().draft == {"question": "Iceland?", "answer": "Yes.", "sources": [], "author": "li"}
    assert GoldenQuestion.objects.count() == 3
