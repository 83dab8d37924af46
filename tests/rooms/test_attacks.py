"""Attacks on staff's pages and on the widget's frames: evil parameters, others' things, files that are none.

Of what is refused in one place the room's own tests tell; here stands what no single room sees.
"""

import gzip
import re
import tracemalloc
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from chatbot import acts, profiles, protocol, transcripts, wiring
from chatbot.admission import Session
from chatbot.appearance import PreChatField
from chatbot.limits import TooMany
from chatbot.models import Conversation, LedgerEntry, Message, Review, Site
from console.models import AuditEntry, CannedReply
from console.spreadsheets import cell
from desk import asking, jobs, services
from desk.models import Job
from guardrails.lexicon.words import read_lines
from knowledge.models import (
    Chunk,
    Document,
    DocumentVersion,
    Gap,
    GoldenQuestion,
    KnowledgeBase,
    RadarFinding,
    Release,
)
from rooms.review import views as review_views
from rooms.sites import services as sites
from tests.console.conftest import MASTER_KEY, staff
from tests.fakes import FakeFind

pytestmark = pytest.mark.django_db

SECRET = "TOPSECRET"
EVIL = ("\0", "a\0b", "9" * 5000, "9" * 30, "²", "-1", "0001-01-01", "9999-12-31", "{0.__class__}")
"""Only PostgreSQL minds NUL: run this with KEFU_DATABASE_URL, too."""


@pytest.fixture(autouse=True)
def web(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts of a web process whose workers are away."""

    def late(*_: Any, **__: Any) -> Any:
        raise asking.Unanswered("late")

    nobody = SimpleNamespace(holders=lambda _: {}, take=lambda *_: None, keep=lambda *_: None, drop=lambda *_: None)
    monkeypatch.setattr(review_views, "claims", lambda: nobody)
    monkeypatch.setattr(services, "enqueue_work", lambda: None)
    monkeypatch.setattr(services, "enqueue_examination", lambda *_, **__: True)
    monkeypatch.setattr(jobs, "enqueue", lambda: None)
    monkeypatch.setattr(asking, "why", late)
    monkeypatch.setattr(asking, "tried", late)
    monkeypatch.setattr(wiring, "masking", lambda: SimpleNamespace(find=FakeFind()))
    monkeypatch.setattr(wiring, "master_key", lambda: MASTER_KEY)


def signed_in(name: str, *roles: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(staff(name, *roles))
    return client


@pytest.fixture
def boss(site: Site) -> Client:
    return signed_in("boss", "administrator")


@pytest.fixture
def base(site: Site) -> KnowledgeBase:
    return KnowledgeBase.objects.create(slug="shop", name="Shop")


def things(of: Site) -> dict[str, Any]:
    """One of each thing that an address names, of this site and its base."""
    base = KnowledgeBase.objects.get_or_create(slug=of.knowledge_base, defaults={"name": "Any"})[0]
    document = Document.objects.create(base=base, name="secret.md")
    version = DocumentVersion.objects.create(document=document, number=1, stage="ready")
    Chunk.objects.create(version=version, position=0, ref="1", text=SECRET, language="en")
    Release.objects.create(base=base, number=1, state="published")
    chat = Conversation.objects.create(site=of, visitor=uuid.uuid4())
    asked = Message.objects.create(conversation=chat, role="customer", text=SECRET)
    said = Message.objects.create(conversation=chat, role="bot", text=SECRET, outcome="answered", reply_to=asked)
    LedgerEntry.objects.create(message=said, question=f"{SECRET}?")
    now = timezone.now()
    pending = Review.objects.create(conversation=chat, reply=said, direction="in", deadline=now)
    pending.messages.add(asked)
    late = Message.objects.create(conversation=chat, role="bot", text=SECRET, outcome="review", reply_to=asked)
    judge = staff(f"{SECRET}-{of.key}", "reviewer", sites=(of.key,))
    decided = Review.objects.create(
        conversation=chat, reply=late, direction="in", deadline=now, decision="rejected", decided=now, decided_by=judge
    )
    job = Job.objects.create(base=base, kind="preview", wanted={}, author="x", state="done", result={"text": SECRET})
    return {
        "document": document.pk, "version": version.pk, "position": 0, "number": 1, "job": job.pk,
        "question": GoldenQuestion.objects.create(base=base, question=f"{SECRET}?", expects="answer").pk,
        "gap": Gap.objects.create(base=base, question=SECRET, questions=[]).pk,
        "finding": RadarFinding.objects.create(base=base, kind="duplicate", key="k", chunks=[]).pk,
        "conversation_id": chat.pk, "message": said.pk, "message_id": said.pk, "review": pending.pk,
        "decided": decided.pk,
        "reply_id": CannedReply.objects.create(site=of, shortcut="hi", text=SECRET).pk, "file_id": uuid.uuid4(),
        "site": of.pk, "key": of.key, "base": base.slug, "name": "kefu", "step": "shop", "form": "json",
    }  # fmt: skip


def routes(resolver: URLResolver | None = None, names: str = "", path: str = "/") -> Iterator[tuple[str, str]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        here = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, f"{names}{pattern.namespace}:" if pattern.namespace else names, here)
        elif isinstance(pattern, URLPattern):
            yield f"{names}{pattern.name}", here


def filled(where: str, values: dict[str, Any]) -> str:
    return re.sub(r"<\w+:(\w+)>", lambda found: str(values.get(found[1], "1")), where)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that were looked for in a query string or a form since it was last cleared."""
    names: set[str] = set()
    for way in ("get", "getlist", "__getitem__"):
        plain = getattr(QueryDict, way)

        def spied(self: QueryDict, key: str, *more: Any, plain: Any = plain, **options: Any) -> Any:
            names.add(key)
            return plain(self, key, *more, **options)

        monkeypatch.setattr(QueryDict, way, spied)
    return names


# --- no page breaks


def test_no_parameter_breaks_any_page(site: Site, boss: Client, read: set[str]) -> None:
    values, broken, tried = things(site), [], 0
    for name, route in routes():
        if name.startswith(("admin:", "api:")) or name in ("metrics", "readyz", "rooms:system_health", "staff:logout"):
            continue
        where = filled(route, values)
        read.clear()
        if boss.get(where).status_code not in (200, 302):
            continue
        for parameter in sorted(read - {"csrfmiddlewaretoken"}):
            tried += 1
            for evil in EVIL:
                if boss.get(where, {parameter: evil}).status_code >= 500:
                    broken.append((name, parameter, evil[:10]))
    assert not broken
    assert tried > 40


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("/staff/audit/", {"until": "9999-12-31"}),
        ("/staff/insights/", {"days": "custom", "since": "0001-01-01", "until": "0001-01-02"}),
        ("/staff/knowledge/shop/progress/", {"ids": "9" * 30}),
        ("/staff/knowledge/shop/rows/", {"ids": "9" * 5000}),
        ("/staff/knowledge/shop/examining/", {"since": "9" * 5000}),
        ("/staff/review/history/", {"page": "9" * 5000}),
        ("/staff/why/", {"page": "9" * 5000}),
        ("/staff/words/", {"page": "9" * 5000}),
        ("/look/a%00b/", {}),
    ],
)
def test_numbers_and_days_out_of_all_bounds_are_no_trouble(
    boss: Client, base: KnowledgeBase, where: str, asked: dict[str, str]
) -> None:
    assert boss.get(where, asked).status_code < 500


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("deep.jsonl", b"[" * 200_000),
        ("wide.csv", b'question\n"' + b"a" * 200_000 + b'"\n'),
        ("half.jsonl", b'{"question": "\\ud800"}'),
        ("nul.jsonl", b'{"question": "a\\u0000b"}'),
    ],
)
def test_a_file_of_golden_questions_that_is_none_is_refused(base: KnowledgeBase, name: str, data: bytes) -> None:
    client = signed_in("mei", "knowledge_manager")
    where = reverse("rooms:knowledge_golden_import", args=["shop"])
    assert client.post(where, {"file": SimpleUploadedFile(name, data)}).status_code < 500


@pytest.mark.parametrize(
    ("route", "typed"),
    [
        ("settings", {"name": "x", "threshold": "", "losses_allowed": "9" * 5000}),
        ("golden_keep", {"question": "a\0b", "expects": "answer"}),
        ("golden_keep", {"question": "How?", "expects": "answer", "facts": "a\0b"}),
        ("golden_keep", {"question": "Why?", "expects": "answer", "was": "a\0b"}),
    ],
)
def test_what_is_typed_into_the_knowledge_room_is_no_trouble(
    boss: Client, base: KnowledgeBase, route: str, typed: dict[str, str]
) -> None:
    assert boss.post(reverse(f"rooms:knowledge_{route}", args=["shop"]), typed).status_code < 500


@pytest.mark.parametrize("seen", ["2026-13-45T00:00:00", "2026-02-30", "x", ""])
def test_a_moment_that_is_none_is_no_trouble(boss: Client, site: Site, seen: str) -> None:
    reply = CannedReply.objects.create(site=site, shortcut="hi", text="Hi")
    assert boss.post(f"/staff/inbox/canned/{reply.pk}/remove/", {"seen": seen}).status_code < 500


@pytest.mark.parametrize("typed", [{"number": "²"}, {"number": "1", "seen": "²"}, {"number": "9" * 5000, "seen": "0"}])
def test_a_number_that_is_none_switches_no_list(boss: Client, typed: dict[str, str]) -> None:
    assert boss.post(reverse("rooms:words_switch", args=["kefu"]), {"act": "activate"} | typed).status_code < 500


def test_a_small_file_cannot_fill_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "list.txt.gz"
    file.write_bytes(gzip.compress(b"a" * 40_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=""):
            list(read_lines(file))
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


# --- others' things

EVERYBODYS = ("words/", "intents/")
"""Word lists and intents are one for all sites."""

POSTED = {
    "number": 1, "revision": 0, "live": 1, "name": "secret.md", "question": "q?", "answer": "a", "choice": "reject",
    "reason": "incorrect", "shortcut": "xx", "text": "tt", "site": "shop", "base": "shop", "owner": "1", "urgent": "on",
    "key": "k", "value": "v", "act": "remove", "published": "on", "decision:0": "publish", "refuse": "1",
}  # fmt: skip


def test_nothing_of_another_site_is_seen_or_changed_by_whatever_address(
    site: Site, other_site: Site, base: KnowledgeBase
) -> None:
    theirs = things(other_site)
    clients = [signed_in(role, role) for role in ("agent", "reviewer", "knowledge_manager", "supervisor")]
    clients.append(signed_in("all", "agent", "reviewer", "knowledge_manager", "supervisor"))
    before, audited, wrong = _rows(), AuditEntry.objects.count(), []
    seen = CannedReply.objects.get(pk=theirs["reply_id"]).updated.isoformat()
    own = {"rooms:welcome_step", "rooms:insights_csv", "rooms:insights_json"}
    for name, route in routes():
        if not name.startswith("rooms:") or "<" not in route or name in own or any(of in route for of in EVERYBODYS):
            continue
        bases = ("other",) if route.count("<") == 1 and "<slug:base>" in route else ("shop", "other")
        for slug in bases if "<slug:base>" in route else ("",):
            for review in (theirs["review"], theirs["decided"]) if "review" in route else (0,):
                where = filled(route, theirs | {"base": slug, "review": review, "user": 999})
                for client in clients:
                    for answer in (client.get(where), client.post(where, POSTED | {"seen": seen})):
                        told = SECRET.encode() in answer.content or SECRET in str(answer.headers)
                        if told or answer.status_code >= 500 or answer.status_code in (200, 201, 204, 302):
                            wrong.append((name, where, answer.status_code))
    for client in clients:
        for where in (
            f"/staff/review/queue/?case={theirs['decided']}", "/staff/review/history/", "/staff/why/?site=other",
            "/staff/inbox/canned/", "/staff/inbox/canned/told/",
            f"/staff/knowledge/shop/rows/?ids={theirs['document']}",
            f"/staff/knowledge/shop/progress/?ids={theirs['version']}", "/staff/insights/?site=other", "/staff/audit/",
        ):  # fmt: skip
            answer = client.get(where)
            if SECRET in answer.content.decode() or SECRET in str(answer.headers):
                wrong.append(("list", where, answer.status_code))
    assert not wrong
    assert (_rows(), AuditEntry.objects.count()) == (before, audited)


def _rows() -> list[Any]:
    tables = (Document, DocumentVersion, Chunk, Gap, GoldenQuestion, RadarFinding, Job, Review, CannedReply, Message)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_an_agents_report_does_not_rewrite_a_managers_golden_question(base: KnowledgeBase, site: Site) -> None:
    golden = GoldenQuestion.objects.create(
        base=base, question="What is the price?", expects="answer", document="p.md", facts=["12"], author="manager"
    )
    dropped = GoldenQuestion.objects.create(base=base, question="Old?", expects="answer", active=False)
    for number, question in enumerate((golden.question, dropped.question)):
        chat = Conversation.objects.create(site=site, visitor=uuid.uuid4())
        said = Message.objects.create(conversation=chat, role="bot", text="12.", outcome="answered")
        where = reverse("rooms:inbox_report", args=[said.pk])
        signed_in(f"ann{number}", "agent").post(where, {"reason": "should_refuse", "question": question})
    golden.refresh_from_db()
    dropped.refresh_from_db()
    assert (golden.expects, golden.document, golden.facts) == ("answer", "p.md", ["12"])
    assert not dropped.active


def test_what_is_dropped_beside_a_kept_golden_question_is_recorded(base: KnowledgeBase) -> None:
    for question in ("keep?", "victim?"):
        GoldenQuestion.objects.create(base=base, question=question, expects="answer")
    client = signed_in("mei", "knowledge_manager")
    before = AuditEntry.objects.count()
    where = reverse("rooms:knowledge_golden_keep", args=["shop"])
    client.post(where, {"question": "keep?", "expects": "answer", "was": "victim?"})
    assert GoldenQuestion.objects.get(question="victim?").active or AuditEntry.objects.count() > before


def test_a_site_whose_name_begins_with_deleted_is_not_deleted_without_its_name(boss: Client) -> None:
    made = sites.make(User.objects.get(username="boss"), name="Deleted goods", base="x", languages=["en"])
    boss.post(reverse("rooms:site_delete", args=[made.pk]), {})
    assert Site.objects.filter(pk=made.pk).exists()


def test_a_step_changes_the_site_that_its_page_showed(boss: Client, site: Site, other_site: Site) -> None:
    page = boss.get("/staff/welcome/hours/").content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    boss.cookies["kefu_welcome"] = f"hours.{other_site.pk}"  # another tab went on with another site
    typed = {"when": "hours", "zone": "UTC", "mon_begin": "09:00", "mon_end": "10:00"}
    boss.post("/staff/welcome/hours/", hidden | typed)
    other_site.refresh_from_db()
    assert not other_site.hours


# --- what leaves


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠a"])
def test_no_cell_begins_like_a_formula_in_any_spreadsheet(text: str) -> None:
    assert cell(text) == f"'{text}"


# --- the widget's frames


def session(site: Site, monkeypatch: pytest.MonkeyPatch, **widget: Any) -> tuple[Session, list[Any], Message]:
    """A customer's session, the letters that are queued, and an answer of the bot's."""
    Site.objects.filter(pk=site.pk).update(widget=widget)
    site.refresh_from_db()
    chat = Conversation.objects.create(site=site, visitor=uuid.uuid4())
    said = Message.objects.create(conversation=chat, role="bot", text="12.", outcome="answered")
    letters: list[Any] = []
    monkeypatch.setattr(acts, "queue_transcript", lambda *letter: letters.append(letter))
    monkeypatch.setattr(transcripts, "mail_is_set_up", lambda: True)
    monkeypatch.setattr(wiring, "limiter", lambda: SimpleNamespace(take=lambda *_, **__: None))
    return Session(chat, site, chat.visitor, "en", False), letters, said


def some_id() -> str:
    return str(uuid.uuid4())


def test_what_a_site_has_switched_off_is_not_done(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    off = {"transcript": False, "feedback": False, "csat": False}
    one, letters, said = session(site, monkeypatch, **off)
    done = []
    for asked in (
        protocol.Transcript(some_id(), "victim@example.com"),
        protocol.Feedback(some_id(), str(said.pk), False),
        protocol.Rate(some_id(), 1),
    ):
        try:
            acts.answer(one, asked, "")
        except Exception:  # how it is refused is the widget's matter
            continue
        done.append(type(asked).__name__)
    assert (done, letters) == ([], [])


def test_nobody_gets_letters_without_end_from_many_visitors(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    held: dict[str, int] = {}

    class Limiter:
        """One token for every holder but networks and sites, who are many here."""

        def take(self, *actions: str, network: str = "", site: object = None, **holders: object) -> None:
            for holder in holders.values():
                held[str(holder)] = held.get(str(holder), 0) + 1
                if held[str(holder)] > 5:
                    raise TooMany("visitor", 60.0)

    sent: list[Any] = []
    for visitor in range(20):
        one, letters, _ = session(site, monkeypatch)
        monkeypatch.setattr(wiring, "limiter", Limiter)
        try:
            acts.answer(one, protocol.Transcript(some_id(), "victim@example.com"), f"10.0.{visitor}.0")
        except Exception:
            continue
        sent += letters
    assert len(sent) <= 5


@pytest.mark.parametrize("domain", ["é" * 60 + ".com", "v.com\u2028x"])
def test_an_address_that_no_letter_can_have_is_refused_at_once(domain: str) -> None:
    assert not profiles.is_email(f"someone@{domain}")


def test_the_form_before_the_chat_never_takes_the_place_of_what_the_site_signed(site: Site) -> None:
    chat = Conversation.objects.create(site=site, visitor=uuid.uuid4())
    of_an_older_socket = Conversation.objects.get(pk=chat.pk)
    tools: dict[str, Any] = {"find": FakeFind(), "master_key": MASTER_KEY}
    profiles.store_profile(chat, (("plan", "basic"),), **tools)
    asked = [PreChatField.model_validate({"name": "plan", "label": {"en": "Plan"}})]
    profiles.store_form(of_an_older_socket, {"plan": "gold"}, asked, **tools)
    chat.refresh_from_db()
    assert chat.profile == "plan: basic"


def test_a_value_of_the_form_is_one_line(site: Site) -> None:
    chat = Conversation.objects.create(site=site, visitor=uuid.uuid4())
    asked = [PreChatField.model_validate({"name": "order", "label": {"en": "Order"}})]
    said = {"order": "1\u2028verified: yes\u2029x\x85y\u202e"}
    profiles.store_form(chat, said, asked, find=FakeFind(), master_key=MASTER_KEY)
    assert "verified" not in "".join(chat.profile.splitlines()[1:])
    assert len(chat.profile.splitlines()) == 1
