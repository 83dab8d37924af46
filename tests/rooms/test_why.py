"""The ledger's pages over a real database: everything on record is shown, and what is gone is shown as gone."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatbot.models import Conversation, Feedback, LedgerEntry, Message, Review, Site
from chatbot.prompts import PROMPT_VERSION
from console.models import WrongAnswer
from desk import asking
from desk.asking import Unanswered
from knowledge.models import Chunk, Document, DocumentVersion, KnowledgeBase, Release, ReleaseItem
from rooms.why import selectors
from tests.console.conftest import staff

pytestmark = pytest.mark.django_db

TEXT = "Refunds take five working days."


@pytest.fixture
def base(site: Site) -> KnowledgeBase:
    return KnowledgeBase.objects.create(slug=site.knowledge_base, name="Shop")


@pytest.fixture
def rui(site: Site) -> Client:
    return signed_in(staff("rui", "reviewer"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def publish(base: KnowledgeBase, *versions: DocumentVersion) -> Release:
    base.releases_made += 1
    release = Release.objects.create(
        base=base, number=base.releases_made, state="published", published_at=timezone.now(), parent=base.published
    )
    for version in versions:
        ReleaseItem.objects.create(release=release, document=version.document, version=version)
    base.published = release
    base.save()
    return release


def document(base: KnowledgeBase, *texts: str, name: str = "returns.md", **more: Any) -> DocumentVersion:
    """Make the next version of a document, with a chunk a text."""
    found, _ = Document.objects.get_or_create(base=base, name=name)
    found.versions_made += 1
    found.save()
    version = DocumentVersion.objects.create(
        document=found, number=found.versions_made, stage="ready", content_hash=uuid.uuid4().hex
    )
    for position, text in enumerate(texts):
        Chunk.objects.create(
            version=version, position=position, ref=f"{name}#{position}", heading="Returns", text=text, language="en",
            guard_version="1", sentences=[{"start": 0, "end": len(text), "verdict": {"action": "pass"}}],
            origin=f"o{position}", **more,
        )  # fmt: skip
    return version


def answer(site: Site, text: str = f"{TEXT}[1]", *, outcome: str = "answered", **entry: Any) -> Message:
    """Make a conversation with one answer that is in the ledger."""
    chat = Conversation.objects.create(site=site, visitor=uuid.uuid4(), language="en")
    Message.objects.create(conversation=chat, role="customer", text="Hello", outcome="chitchat", language="en")
    Message.objects.create(conversation=chat, role="bot", text="Hello!", outcome="chitchat", language="en")
    Message.objects.create(conversation=chat, role="customer", text="I sent it back.", outcome=outcome, language="en")
    asked = Message.objects.create(
        conversation=chat, role="customer", text="And when do I get my money?", outcome=outcome, language="en"
    )
    reply = Message.objects.create(
        conversation=chat, role="bot", text=text, outcome=outcome, language="en", reply_to=asked,
        sources=[{"number": 1, "document": "returns.md", "ref": "returns.md#0", "heading": "Returns", "excerpt": TEXT}],
    )  # fmt: skip
    values = {
        "intent": "return_refund", "sentiment": "neutral", "question": "When is the money of a return paid?",
        "engine": "openai:qwen3", "prompt_version": PROMPT_VERSION, "prompt_tokens": 812, "reply_tokens": 33,
        "confidence": 0.82, "milliseconds": {"screen": 4.0, "search": 9.0, "write": 120.5, "first_text": 61.0},
        "verdicts": [
            {"action": "pass", "tier": None, "categories": [], "score": 0.0},
            {"action": "review", "tier": "grounding", "categories": ["unsupported"], "score": 0.63},
        ],
    }  # fmt: skip
    LedgerEntry.objects.create(message=reply, **(values | entry))
    return reply


def page(client: Client, message: Message) -> Any:
    return client.get(f"/staff/why/{message.pk}/")


# --- one answer


def test_everything_on_record_is_on_the_page(rui: Client, site: Site, base: KnowledgeBase) -> None:
    version = document(base, TEXT)
    release = publish(base, version)
    chunk = version.chunks.get()
    reply = answer(site, knowledge_version=release.number, passages=[[chunk.pk, 3.21]], degraded=True)
    Feedback.objects.create(message=reply, helpful=False, reason="incomplete", comment="which bank?")
    WrongAnswer.objects.create(message=reply, reason="outdated", reporter=User.objects.get(username="rui"))
    found = page(rui, reply)
    text = found.content.decode()
    for part in (
        "I sent it back.", "And when do I get my money?", TEXT, "When is the money of a return paid?", "openai:qwen3",
        "812 of prompt, 33 of reply", "82%", "release 1", "still what answers", "returns.md", "unchanged", "cited",
        "Not borne out by the documents", "63%", "120 ms", "61 ms", "a better engine was down", "which bank?",
        "Customer: not helpful", "rui reported it as wrong", "outdated", "neutral",
    ):  # fmt: skip
        assert part in text, part
    assert "Hello!" not in [one.text for one in found.context["why"].asked]
    assert "style=" not in text


def test_the_prompt_is_made_again_without_its_secrets(rui: Client, site: Site, base: KnowledgeBase) -> None:
    version = document(base, TEXT)
    publish(base, version)
    reply = answer(site, knowledge_version=1, passages=[[version.chunks.get().pk, 1.0], [99_999, 0.5]])
    found = page(rui, reply)
    prompt = "\n".join(content for _, content in found.context["prompt"])
    assert TEXT in prompt
    assert "When is the money of a return paid?" in prompt
    assert "Hello" in prompt, "what was said before"
    assert "Never write this word: ······" in prompt
    assert "Prompts are not stored" in found.content.decode()
    assert "missing below" in found.content.decode()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"prompt_version": "0123456789ab"}, "cannot be made again"),
        ({"engine": "extractive:", "prompt_version": "2"}, "takes no prompt"),
        ({"engine": "", "prompt_version": ""}, "No prompt was made"),
        ({"engine": "cache-exact:openai:qwen3"}, "a kept answer, first written by openai:qwen3"),
    ],
)
def test_where_there_is_no_prompt_the_page_says_why(
    rui: Client,
    site: Site,
    entry: dict[str, str],
    told: str,
) -> None:
    assert told in page(rui, answer(site, **entry)).content.decode().replace("\n", " ")


def test_what_became_of_each_passage_is_marked(rui: Client, site: Site, base: KnowledgeBase) -> None:
    old = document(base, TEXT, "Parcels go out daily.", "Gifts are wrapped.")
    other = document(base, "Stores open at nine.", name="stores.md")
    off = document(base, "Off by hand.", name="off.md", enabled=False)
    release = publish(base, old, other, off)
    kept = [*old.chunks.all(), other.chunks.get(), off.chunks.get()]
    passages = [[chunk.pk, 1.0] for chunk in kept] + [[99_999, 0.1]]
    reply = answer(site, knowledge_version=release.number, passages=passages)
    new = document(base, "Parcels go out daily.", "Refunds take three working days.", "New.")
    Chunk.objects.filter(version=new, position=0).update(origin="o1")
    Chunk.objects.filter(version=new, position=1).update(origin="o0")
    Chunk.objects.filter(version=new, position=2).update(origin="x", ref="x")
    publish(base, new, off)
    found = page(rui, reply)
    used = found.context["why"].used
    assert [one.state for one in used] == ["changed", "same", "withdrawn", "withdrawn", "off", "gone"]
    assert ("-", "five") in used[0].difference
    assert ("+", "three") in used[0].difference
    text = found.content.decode()
    assert "The text of this passage is gone." in text
    assert "<del>five</del><ins>three</ins>" in text
    assert "today release 2 answers" in text


def test_an_answer_whose_knowledge_is_gone_is_shown_all_the_same(rui: Client, site: Site) -> None:
    reply = answer(site, knowledge_version=7, passages=[[5, 0.4]])
    text = page(rui, reply).content.decode()
    assert "removed for good" in text
    assert "the release is not there any more" in text
    bare = answer(
        site, outcome="chitchat", knowledge_version=0, passages=[], verdicts=[], milliseconds={}, engine="", question=""
    )
    Message.objects.filter(conversation=bare.conversation, role="customer").delete()
    text = page(rui, bare).content.decode()
    assert "Nothing was searched" in text
    assert "No check is on record" in text


def test_what_went_out_after_a_review_leads_to_the_ledger_of_what_was_held(rui: Client, site: Site) -> None:
    reply = answer(site, "One moment.", outcome="review")
    review = Review.objects.create(
        conversation=reply.conversation, reply=reply, direction="out", held="Held words.", final="Final words.",
        deadline=timezone.now(), decision="edited", decided=timezone.now(),
        decided_by=User.objects.get(username="rui"),
    )  # fmt: skip
    final = Message.objects.create(
        conversation=reply.conversation, role="bot", text="Final words.", outcome="answered", reply_to=reply.reply_to
    )
    for message in (reply, final):
        text = page(rui, message).content.decode()
        assert "rui edited it" in text
        assert "Held words." in text
        assert "openai:qwen3" in text
    review.delete()
    assert "nothing on record" in page(rui, final).content.decode()


def test_a_message_of_an_agent_has_nothing_on_record_and_is_no_error(rui: Client, site: Site) -> None:
    chat = Conversation.objects.create(site=site, visitor=uuid.uuid4())
    message = Message.objects.create(conversation=chat, role="agent", text="I look into it.")
    assert "nothing on record" in page(rui, message).content.decode()


def test_another_sites_answers_are_not_there(rui: Client, other_site: Site) -> None:
    reply = answer(other_site)
    assert page(rui, reply).status_code == 404
    assert rui.post(f"/staff/why/{reply.pk}/again/").status_code == 404
    assert page(rui, Message(pk=uuid.uuid4())).status_code == 404
    assert rui.get("/staff/why/").context["rows"] == []
    assert page(signed_in(staff("boss", "administrator", sites=())), reply).status_code == 200


# --- asking again


def told(*passages: tuple[str, str], answerable: bool = True) -> dict[str, Any]:
    return {
        "question": "?", "release": 9, "answerable": answerable, "confidence": 0.9, "exact": False,
        "answer": "Refunds take three working days." if answerable else "",
        "passages": [
            {"document": name, "ref": "r", "heading": "Returns", "question": "", "text": text, "score": 2.0,
             "dense": 0.8, "bm25": 3.1, "rerank": None}
            for name, text in passages
        ],
    }  # fmt: skip


def test_the_same_question_is_asked_today_and_compared(
    rui: Client,
    site: Site,
    base: KnowledgeBase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = document(base, TEXT, "Parcels go out daily.")
    publish(base, version)
    reply = answer(site, TEXT, knowledge_version=1, passages=[[chunk.pk, 1.0] for chunk in version.chunks.all()])
    asked: list[Any] = []

    def why(*arguments: Any) -> dict[str, Any]:
        asked.append(arguments)
        return told(("returns.md", "Refunds take three working days."), ("returns.md", "Parcels go out daily."))

    monkeypatch.setattr(asking, "why", why)
    found = rui.post(f"/staff/why/{reply.pk}/again/")
    assert asked == [("shop", "When is the money of a return paid?", [], 5)]
    text = found.content.decode()
    assert "<del>five</del><ins>three</ins>" in text
    assert [row["new"] for row in found.context["passages"]] == [True, False]
    assert [used.chunk.text for used in found.context["lost"]] == [TEXT]
    assert "would be answered" in text
    monkeypatch.setattr(asking, "why", lambda *_: told(answerable=False))
    assert "a person is called" in rui.post(f"/staff/why/{reply.pk}/again/").content.decode()


@pytest.mark.parametrize(
    ("why", "because"), [("late", "No worker answered"), ("busy", "No worker"), ("failed", "cannot be searched")]
)
def test_when_nobody_can_be_asked_the_page_says_so(
    rui: Client,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    why: str,
    because: str,
) -> None:
    def fail(*_: Any) -> Any:
        raise Unanswered(why)

    monkeypatch.setattr(asking, "why", fail)
    assert because in rui.post(f"/staff/why/{answer(site).pk}/again/").content.decode()


def test_without_a_question_nothing_is_asked(rui: Client, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "why", None)
    reply = answer(site, question="")
    Message.objects.filter(conversation=reply.conversation, role="customer").update(text="")
    assert "no question to ask again" in rui.post(f"/staff/why/{reply.pk}/again/").content.decode()


# --- the list


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"sure", "unsure", "none", "down", "small"}),
        ({"outcome": "handed_off"}, {"none"}),
        ({"band": "low"}, {"none"}),
        ({"band": "middle"}, {"unsure"}),
        ({"band": "high"}, {"sure", "down"}),
        ({"band": "nonsense"}, {"sure", "unsure", "none", "down", "small"}),
        ({"down": "1"}, {"down"}),
        ({"degraded": "1"}, {"unsure"}),
        ({"site": "shop"}, {"sure", "unsure", "none", "down", "small"}),
        ({"site": "other"}, set()),
        ({"outcome": "nothing"}, set()),
    ],
)
def test_recent_answers_are_filtered(rui: Client, site: Site, query: dict[str, str], expected: set[str]) -> None:
    some: dict[str, Any] = {"passages": [[1, 1.0]]}
    answer(site, "sure", confidence=0.9, **some)
    answer(site, "unsure", confidence=0.5, degraded=True, **some)
    answer(site, "none", outcome="handed_off", confidence=0.1, **some)
    answer(site, "small", outcome="chitchat", confidence=0.0)
    Feedback.objects.create(message=answer(site, "down", **some), helpful=False)
    found = rui.get("/staff/why/", query)
    assert {row["entry"].message.text for row in found.context["rows"]} == expected
    if not expected:
        assert "No answer fits" in found.content.decode()


def test_pages_turn_and_the_first_one_without_answers_says_what_comes(
    rui: Client,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "No answers yet" in rui.get("/staff/why/").content.decode()
    monkeypatch.setattr(selectors, "PAGE", 2)
    for number in range(5):
        answer(site, str(number))
    seen = [row["entry"].message.text for n in "123" for row in rui.get("/staff/why/", {"page": n}).context["rows"]]
    assert seen == ["4", "3", "2", "1", "0"]
    for odd in ("x", "-1", "²", "9" * 5000, "\0"):
        for field in ("page", "site", "outcome", "band"):
            assert rui.get("/staff/why/", {field: odd}).status_code == 200


def test_a_longer_list_and_more_passages_cost_no_more_queries(rui: Client, site: Site, base: KnowledgeBase) -> None:
    def measured(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert rui.get(address).status_code == 200
        return len(queries)

    version = document(base, *(f"Text {n}." for n in range(20)))
    publish(base, version)
    ids = [chunk.pk for chunk in version.chunks.all()]
    few, many = (answer(site, knowledge_version=1, passages=[[key, 1.0] for key in ids[:count]]) for count in (2, 20))
    one = measured("/staff/why/")
    assert measured(f"/staff/why/{few.pk}/") == measured(f"/staff/why/{many.pk}/")
    for _ in range(27):
        answer(site)
    assert measured("/staff/why/") == one


@pytest.mark.parametrize(
    ("code", "title"), [("en", "Why did it say this?"), ("zh-hans", "为什么这样回答"), ("zh-hant", "為什麼這樣回答")]
)
def test_the_pages_speak_three_languages(rui: Client, site: Site, code: str, title: str) -> None:
    reply = answer(site)
    rui.post("/staff/language/", {"language": code, "next": "/"})
    assert title in page(rui, reply).content.decode()
    assert rui.get("/staff/why/").status_code == 200


@pytest.mark.parametrize("role", ["agent", "reviewer", "knowledge_manager", "supervisor"])
def test_everybody_who_works_for_the_site_may_ask_why(site: Site, role: str) -> None:
    client = signed_in(staff(role, role))
    text = page(client, answer(site)).content.decode()
    assert ("Open the conversation" in text) == (role in ("agent", "supervisor"))
