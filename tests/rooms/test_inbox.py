"""The agents' page without a browser: what it begins with, suggestions, reports, files, canned replies."""

import re
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import rooms
from attachments.models import Attachment
from chatbot import wiring
from chatbot.handoff import REASONS
from chatbot.models import Conversation, LedgerEntry, Message, Site
from console.models import AuditEntry, CannedReply, Tag, WrongAnswer
from desk import asking
from desk.asking import Unanswered
from guardrails.personal_data.finding import ENTITIES
from knowledge.models import GoldenQuestion, KnowledgeBase
from rooms.inbox.wording import WORDS
from tests.console.conftest import staff
from tests.fakes import FakeFind

pytestmark = pytest.mark.django_db

ROOM = Path(rooms.__file__).parent
SCRIPTS = ROOM / "static" / "rooms" / "inbox"


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> FakeFind:
    find = FakeFind()
    monkeypatch.setattr(wiring, "masking", lambda: SimpleNamespace(find=find))
    return find


@pytest.fixture
def base(site: Site) -> KnowledgeBase:
    return KnowledgeBase.objects.create(slug=site.knowledge_base, name="Shop")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def mei(site: Site) -> Client:
    return client_of(staff("mei", "agent"))


@pytest.fixture
def stranger(other_site: Site) -> Client:
    return client_of(staff("abroad", "agent", sites=("other",)))


@pytest.fixture
def answer(site: Site) -> Message:
    """The bot's answer to a question that names a phone."""
    chat = Conversation.objects.create(site=site, visitor=uuid.uuid4())
    asked = Message.objects.create(conversation=chat, role="customer", text="How long? Call <CN_MOBILE_1>.")
    said = Message.objects.create(conversation=chat, role="bot", text="Nine days.", outcome="answered", reply_to=asked)
    LedgerEntry.objects.create(message=said, question="How long does a refund take? Call <CN_MOBILE_1>.")
    return said


# --- the page


@pytest.mark.parametrize(
    ("language", "title"), [("zh-hans", "会话列表"), ("zh-hant", "會話列表"), ("en", "Conversations")]
)
def test_the_page_speaks_three_languages(mei: Client, language: str, title: str) -> None:
    mei.cookies["django_language"] = language
    page = mei.get("/staff/inbox/").content.decode()
    assert title in page
    assert 'id="words"' in page
    assert not re.search(r"\sstyle=|<script(?![^>]*(src=|application/json))", page)


def test_every_word_that_a_script_or_a_page_asks_for_is_there() -> None:
    scripts = "".join(file.read_text() for file in SCRIPTS.glob("*.js"))
    pages = "".join(file.read_text() for file in (ROOM / "templates" / "rooms" / "inbox").glob("*.html"))
    asked = {*re.findall(r"words\.(\w+)", scripts), *re.findall(r"\bt\.(\w+)", pages)}
    asked |= set(re.findall(r'\], "(\w+)"\],', scripts)) | set(re.findall(r', "(key_\w+|\w+)"\],$', scripts, re.M))
    assert asked - WORDS.texts.keys() == set()
    for prefix, codes in {
        "reason_": WrongAnswer.Reason.values,
        "view_": ("waiting", "mine", "taken", "message", "bot", "closed", "all"),
        "mood_": ("positive", "neutral", "negative"),
    }.items():
        assert {prefix + code for code in codes} <= WORDS.texts.keys()


def test_every_reason_of_a_hand_off_and_every_kind_of_personal_data_has_a_name() -> None:
    assert {f"handoff_{reason}" for reason in REASONS} <= WORDS.texts.keys()
    assert {f"entity_{entity}" for entity in ENTITIES} <= WORDS.texts.keys()


def test_tags_of_other_sites_are_not_told(mei: Client, answer: Message, other_site: Site) -> None:
    Tag.objects.create(name="ours").conversations.add(answer.conversation)
    abroad = Conversation.objects.create(site=other_site, visitor=uuid.uuid4())
    Tag.objects.create(name="theirs").conversations.add(abroad)
    page = mei.get("/staff/inbox/").content.decode()
    assert '"ours"' in page
    assert "theirs" not in page


# --- suggestions


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the worker was asked; it finds two passages, and knows an answer."""
    calls: list[tuple[Any, ...]] = []
    passage = {"ref": "", "heading": "", "question": "", "document": "returns.md"}

    def why(base: str, question: str, history: list[str], top: int) -> dict[str, Any]:
        calls.append((base, question, history))
        passages = [passage | {"text": "Three days."}, passage | {"text": "By card."}]
        return {"question": question, "answer": "Three days. [1]", "passages": passages}

    monkeypatch.setattr(asking, "why", why)
    return calls


def test_suggestions_are_asked_without_placeholders_and_come_once_each_with_their_source(
    mei: Client, answer: Message, asked: list[tuple[Any, ...]]
) -> None:
    told = mei.post(f"/staff/inbox/suggest/{answer.conversation_id}/").json()
    assert asked == [("shop", "How long does a refund take? Call .", [])]
    assert [(one["text"], one["sure"]) for one in told["suggestions"]] == [("Three days.", True), ("By card.", False)]
    assert told["suggestions"][0]["sources"][0]["document"] == "returns.md"


def test_what_an_agent_types_is_asked_instead(mei: Client, answer: Message, asked: list[tuple[Any, ...]]) -> None:
    mei.post(f"/staff/inbox/suggest/{answer.conversation_id}/", {"question": "And by card?"})
    assert asked == [("shop", "And by card?", ["How long? Call ."])]


def test_without_a_question_nobody_is_asked(mei: Client, site: Site, asked: list[tuple[Any, ...]]) -> None:
    chat = Conversation.objects.create(site=site, visitor=uuid.uuid4())
    assert mei.post(f"/staff/inbox/suggest/{chat.pk}/").json() == {"question": "", "suggestions": []}
    assert asked == []


def test_a_worker_that_does_not_answer_is_told_in_words(
    mei: Client, answer: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def why(*_: Any) -> None:
        raise Unanswered("late")

    monkeypatch.setattr(asking, "why", why)
    told = mei.post(f"/staff/inbox/suggest/{answer.conversation_id}/")
    assert (told.status_code, told["Content-Type"]) == (503, "text/plain; charset=utf-8")


def test_another_sites_conversation_message_and_file_are_not_there(
    stranger: Client, answer: Message, find: FakeFind
) -> None:
    chat = answer.conversation_id
    assert stranger.post(f"/staff/inbox/suggest/{chat}/").status_code == 404
    assert stranger.get(f"/staff/inbox/report/{answer.pk}/").status_code == 404
    assert stranger.post(f"/staff/inbox/report/{answer.pk}/", {"reason": "other", "question": "x"}).status_code == 404
    assert stranger.get(f"/staff/inbox/file/{chat}/{uuid.uuid4()}/").status_code == 404
    assert WrongAnswer.objects.count() == 0


def test_a_customers_file_is_opened_by_agents_alone_and_that_is_recorded(mei: Client, answer: Message) -> None:
    chat = answer.conversation
    kept = Attachment.objects.create(
        conversation_id=chat.pk, visitor=chat.visitor, name="a.png", media_type="image/png", size=1, sent=True
    )
    where = f"/staff/inbox/file/{chat.pk}/{kept.pk}/"
    assert client_of(staff("rev", "reviewer")).get(where).status_code == 403
    assert mei.get(f"/staff/inbox/file/{chat.pk}/{uuid.uuid4()}/").status_code == 404
    assert not AuditEntry.objects.filter(action="file_opened").exists()
    assert mei.get(where).url.startswith("/files/")
    entry = AuditEntry.objects.get(action="file_opened")
    assert (entry.actor_name, entry.site, entry.object_id) == ("mei", chat.site_id, str(chat.pk))
    assert entry.details == {"file": str(kept.pk)}


def test_a_reviewer_who_is_an_agent_elsewhere_opens_no_file(answer: Message, other_site: Site) -> None:
    both = client_of(staff("both", "reviewer", "agent", sites=("other",)))
    assert both.get(f"/staff/inbox/file/{answer.conversation_id}/{uuid.uuid4()}/").status_code == 404


# --- reports


def report(client: Client, answer: Message, **fields: str) -> Any:
    given = {"reason": "outdated", "question": "How long does a refund take?", **fields}
    return client.post(f"/staff/inbox/report/{answer.pk}/", given)


def test_a_report_begins_with_the_question_without_personal_data(mei: Client, answer: Message) -> None:
    told = mei.get(f"/staff/inbox/report/{answer.pk}/").json()
    assert told == {"question": "How long does a refund take? Call .", "answer": "Nine days.", "report": None}


@pytest.mark.parametrize(("reason", "expects"), [("outdated", "answer"), ("should_refuse", "refusal")])
def test_a_report_becomes_a_golden_question(
    mei: Client, answer: Message, base: KnowledgeBase, find: FakeFind, reason: str, expects: str
) -> None:
    kept = report(mei, answer, reason=reason, facts="three days\n\n card ", comment="Ring 13812345678")
    assert kept.status_code == 201
    [golden] = GoldenQuestion.objects.all()
    assert (golden.base, golden.expects, golden.facts) == (base, expects, ["three days", "card"])
    assert (golden.origin, golden.author, golden.question) == ("correction", "mei", "How long does a refund take?")
    made = WrongAnswer.objects.get()
    assert (made.reason, made.comment, made.golden) == (reason, "Ring <CN_MOBILE>", golden)
    entry = AuditEntry.objects.get(action="report_wrong")
    assert (entry.actor_name, entry.object_id) == ("mei", str(answer.pk))


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "ugly"},
        {"reason": ""},
        {"question": " "},
        {"question": "Who is 13812345678?"},
        {"question": "Who is <CN_MOBILE_1>?"},
        {"facts": "<CN_MOBILE_1>"},
        {"facts": "\n".join("x" * 11)},
    ],
)
def test_what_cannot_be_a_golden_question_is_refused_in_words(
    mei: Client, answer: Message, base: KnowledgeBase, find: FakeFind, fields: dict[str, str]
) -> None:
    refused = report(mei, answer, **fields)
    assert (refused.status_code, refused["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert (WrongAnswer.objects.count(), GoldenQuestion.objects.count()) == (0, 0)


def test_an_answer_is_reported_once_and_the_second_sees_who_was_first(
    mei: Client, answer: Message, base: KnowledgeBase, find: FakeFind
) -> None:
    report(mei, answer)
    second = report(client_of(staff("tom", "agent")), answer, reason="incorrect")
    assert second.status_code == 409
    assert (second.json()["report"]["by"], second.json()["report"]["reason"]) == ("mei", "outdated")
    assert WrongAnswer.objects.get().reason == "outdated"


def test_a_site_without_a_base_keeps_the_report_alone(mei: Client, answer: Message, find: FakeFind) -> None:
    assert report(mei, answer).json()["report"]["golden"] is False
    assert WrongAnswer.objects.get().golden is None


def test_only_answers_of_the_bot_can_be_reported(mei: Client, answer: Message, find: FakeFind) -> None:
    asked = answer.reply_to
    assert asked is not None
    assert report(mei, asked).status_code == 404


# --- canned replies


def add(client: Client, **fields: str) -> Any:
    given = {"shortcut": "hi", "text": "Hello {customer}", "site": "shop", "language": "", **fields}
    return client.post("/staff/inbox/canned/add/", given)


def test_a_canned_reply_is_added_told_changed_and_removed(mei: Client) -> None:
    assert add(mei).status_code == 200
    told = mei.get("/staff/inbox/canned.json").json()["canned"]
    assert told == [{"shortcut": "hi", "text": "Hello {customer}", "language": "", "site": "shop"}]
    kept = CannedReply.objects.get()
    fields = {"shortcut": "你好", "text": "您好", "site": "shop", "language": "zh", "seen": kept.updated.isoformat()}
    assert mei.post(f"/staff/inbox/canned/{kept.pk}/", fields).status_code == 200
    kept.refresh_from_db()
    assert (kept.shortcut, kept.text, kept.language, kept.author) == ("你好", "您好", "zh", "mei")
    gone = mei.post(f"/staff/inbox/canned/{kept.pk}/remove/", {"seen": kept.updated.isoformat()})
    assert "您好" in gone.content.decode(), "to be taken back"
    assert CannedReply.objects.count() == 0
    acts = list(AuditEntry.objects.filter(action__startswith="canned").values_list("action", flat=True))
    assert acts == ["canned_added", "canned_changed", "canned_removed"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"shortcut": ""}, 400),
        ({"shortcut": "two words"}, 400),
        ({"text": " "}, 400),
        ({"text": "x" * 4001}, 400),
        ({"language": "fr"}, 400),
        ({"site": ""}, 403),
        ({"site": "other"}, 403),
    ],
)
def test_a_canned_reply_that_cannot_be_keeps_what_was_typed(
    mei: Client, other_site: Site, fields: dict[str, str], status: int
) -> None:
    refused = add(mei, **fields)
    assert refused.status_code == status
    assert CannedReply.objects.count() == 0
    assert 'role="alert"' in refused.content.decode()


def test_a_shortcut_stands_for_one_reply_a_site_and_language(mei: Client) -> None:
    add(mei)
    assert add(mei, text="Other words").status_code == 409
    assert add(mei, language="zh").status_code == 200
    root = client_of(staff("root", "administrator"))
    assert [add(root, site="").status_code for _ in range(2)] == [200, 409]


def test_who_saw_an_older_reply_is_shown_the_newer_one_and_overwrites_nothing(mei: Client) -> None:
    add(mei)
    kept = CannedReply.objects.get()
    seen = kept.updated.isoformat()
    fields = {"shortcut": "hi", "site": "shop", "language": "", "seen": seen}
    tom = client_of(staff("tom", "agent"))
    assert tom.post(f"/staff/inbox/canned/{kept.pk}/", fields | {"text": "Tom's words"}).status_code == 200
    late = mei.post(f"/staff/inbox/canned/{kept.pk}/", fields | {"text": "Mei's words"})
    assert late.status_code == 409
    assert "Tom&#x27;s words" in late.content.decode()
    assert "Mei&#x27;s words" in late.content.decode()
    assert CannedReply.objects.get().text == "Tom's words"
    assert mei.post(f"/staff/inbox/canned/{kept.pk}/remove/", {"seen": seen}).status_code == 409
    assert CannedReply.objects.count() == 1


def test_replies_of_all_sites_are_administrators_to_change_and_everybodys_to_use(
    mei: Client, stranger: Client, site: Site
) -> None:
    boss = client_of(staff("root", "administrator"))
    assert add(boss, site="").status_code == 200
    add(mei, shortcut="ours")
    for client, expected in ((mei, {"hi", "ours"}), (stranger, {"hi"}), (boss, {"hi", "ours"})):
        assert {one["shortcut"] for one in client.get("/staff/inbox/canned.json").json()["canned"]} == expected
    everywhere, ours = CannedReply.objects.get(site=None), CannedReply.objects.get(site=site)
    for client, reply in ((mei, everywhere), (stranger, everywhere), (stranger, ours)):
        refused = client.post(f"/staff/inbox/canned/{reply.pk}/remove/", {"seen": reply.updated.isoformat()})
        assert refused.status_code == 403
    assert CannedReply.objects.count() == 2


def test_the_list_of_canned_replies_costs_the_same_queries_whatever_its_length(mei: Client, site: Site) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            mei.get("/staff/inbox/canned/")
        return len(queries)

    def keep(number: int) -> None:
        CannedReply.objects.bulk_create(
            CannedReply(site=site, shortcut=f"s{number}-{one}", text="x") for one in range(number)
        )

    keep(3)
    few = count()
    keep(30)
    assert count() == few


def test_what_is_searched_among_canned_replies(mei: Client) -> None:
    add(mei)
    add(mei, shortcut="bye", text="See you")
    page = mei.get("/staff/inbox/canned/?q=see").content.decode()
    assert "/bye" in page
    assert "/hi" not in page
    assert WORDS.texts["canned_none_found"][1] in mei.get("/staff/inbox/canned/?q=zzz").content.decode()
