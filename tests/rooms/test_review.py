"""The reviewers' room over a real database and redis: who decides, who is told, and who sees what."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatbot import services, wiring
from chatbot.events import EventLog
from chatbot.models import Conversation, Message, Review, Site
from console import audit
from console import wiring as console_wiring
from console.models import AuditEntry
from guardrails.lexicon import Lexicon, Word
from rooms.review import selectors, views
from rooms.review.claims import ALIVE_SECONDS, HELD_SECONDS, Claims
from tests.console.conftest import MASTER_KEY, staff
from tests.fakes import DOWN, FakeFind, FakeJudging, FakeQueue

pytestmark = pytest.mark.django_db(transaction=True)

MakeCase = Callable[..., Review]


@pytest.fixture
def claims(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Claims:
    made = Claims(redis_client)
    monkeypatch.setattr(views, "claims", lambda: made)
    return made


@pytest.fixture(autouse=True)
def web(claims: Claims, log: EventLog, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The parts of a web process."""
    words = Lexicon([Word("badword", "block", "abuse"), Word("riskword", "review", "politics")])
    parts = SimpleNamespace(judging=FakeJudging(), find=FakeFind())
    monkeypatch.setattr(wiring, "event_log", lambda: log)
    monkeypatch.setattr(wiring, "masking", lambda: parts)
    monkeypatch.setattr(wiring, "master_key", lambda: MASTER_KEY)
    monkeypatch.setattr(wiring, "lexicon", lambda: words)
    monkeypatch.setattr(wiring, "judging", lambda: parts.judging)
    monkeypatch.setattr(console_wiring, "enqueue_turn", queue)
    return parts


@pytest.fixture
def rui(site: Site) -> Client:
    return signed_in(staff("rui", "reviewer"))


@pytest.fixture
def ana(site: Site) -> Client:
    return signed_in(staff("ana", "reviewer"))


@pytest.fixture
def make(site: Site, log: EventLog) -> MakeCase:
    """Make a case: a reply of which something was held, or a message."""

    def call(direction: str = "out", *, seconds: float = 180, held: str = "The held rest.", **more: Any) -> Review:
        at = more.pop("site", site)
        chat = services.start_conversation(site=at, visitor=uuid.uuid4(), language="en", log=log)
        asked = Message.objects.create(
            conversation=chat, role="customer", text="Is riskword sold?", language="en", outcome="review"
        )
        reply = Message.objects.create(
            conversation=chat, role="bot", text="One moment.", language="en", outcome="review", reply_to=asked
        )
        review = Review.objects.create(
            conversation=chat,
            reply=reply,
            direction=direction,
            held=held if direction == "out" else "",
            tier="lexicon",
            categories=["politics"],
            score=0.5,
            deadline=timezone.now() + timedelta(seconds=seconds),
            **more,
        )
        review.messages.add(asked)
        return review

    return call


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def opened(answer: Any) -> str:
    """Return the id of the case that a page shows, "" for none."""
    at = answer.context["at"]
    return str(at) if at else ""


def decide(client: Client, review: Review, choice: str, text: str = "") -> Any:
    return client.post(f"/staff/review/{review.pk}/decide/", {"choice": choice, "text": text}, HTTP_HX_REQUEST="true")


def toast(answer: Any) -> str:
    return str(json.loads(answer["HX-Trigger-After-Swap"]).get("toast", {}).get("text", ""))


# --- the queue


def test_the_most_urgent_case_opens_by_itself_with_its_why_and_what_the_deadline_does(
    rui: Client, make: MakeCase
) -> None:
    make(seconds=300)
    urgent = make(seconds=60)
    answer = rui.get("/staff/review/")
    assert opened(answer) == str(urgent.pk)
    text = answer.content.decode()
    assert "a safe sentence goes out and a person is called" in text
    assert "A word of the lists" in text
    assert "politics" in text
    assert "Is riskword sold?" in text
    assert "The held rest." in text


def test_two_reviewers_are_dealt_different_cases_and_see_who_is_on_which(
    rui: Client, ana: Client, make: MakeCase
) -> None:
    first, second = make(seconds=60), make(seconds=120)
    assert opened(rui.get("/staff/review/")) == str(first.pk)
    answer = ana.get("/staff/review/")
    assert opened(answer) == str(second.pk)
    assert "\u2068rui\u2069 is on it" in answer.content.decode()
    third = staff("li", "reviewer")
    answer = signed_in(third).get("/staff/review/")
    assert opened(answer) == ""
    assert "Other reviewers are looking at everything that waits" in answer.content.decode()


def test_a_claim_lasts_while_its_page_is_open_but_not_for_ever(
    claims: Claims, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = uuid.uuid4()
    assert claims.take(case, 1) == 1
    assert claims.take(case, 2) == 1
    key = f"kefu:reviewing:{case}"
    redis_client.expire(key, 4)
    claims.keep(case, 2)
    assert redis_client.ttl(key) <= 4, "another's page keeps nothing"
    claims.keep(case, 1)
    assert redis_client.ttl(key) > ALIVE_SECONDS / 2
    old = int(redis_client.get(key).split()[1]) - 2 * int(HELD_SECONDS)  # type: ignore[union-attr]
    redis_client.set(key, f"1 {old}", ex=4)
    claims.keep(case, 1)
    assert redis_client.ttl(key) <= 4, "whoever has looked for so long must let others have it"
    redis_client.delete(key)
    assert claims.take(case, 2) == 2
    claims.drop(case, 1)
    assert claims.holders([case]) == {case: 2}
    claims.drop(case, 2)
    assert claims.holders([case]) == {}


def test_without_redis_nobody_holds_anything_and_the_queue_still_works(rui: Client, make: MakeCase) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            def fail(*_: Any, **__: Any) -> Any:
                raise redis.ConnectionError

            return fail

    case = make()
    claims = Claims(Away())  # type: ignore[arg-type]
    user = User.objects.get(username="rui")
    dealt = selectors.deal(user, claims)
    assert dealt is not None
    assert dealt.pk == case.pk
    assert selectors.queue(user, claims).count == 1
    claims.keep(case.pk, 1)
    claims.drop(case.pk, 1)


def test_the_list_says_when_the_open_case_was_decided_by_somebody_else(
    rui: Client, ana: Client, make: MakeCase, other_site: Site
) -> None:
    case = make()
    rui.get("/staff/review/")
    assert "HX-Trigger" not in rui.get("/staff/review/queue/", {"case": str(case.pk)})
    decide(ana, case, "approve")
    told = json.loads(rui.get("/staff/review/queue/", {"case": str(case.pk)})["HX-Trigger"])
    assert told == {"decided": {"case": str(case.pk), "text": "\u2068ana\u2069 approved it first."}}
    abroad = make(site=other_site, decision="approved", decided=timezone.now())
    text = rui.get("/staff/review/queue/", {"case": str(abroad.pk)})["HX-Trigger"]
    assert "Nothing is left to decide" in text, "not who decided elsewhere"
    for odd in ("", "nonsense", str(uuid.uuid4())):
        assert rui.get("/staff/review/queue/", {"case": odd}).status_code == 200


# --- deciding


@pytest.mark.parametrize(
    ("choice", "text", "decision", "said"),
    [
        ("approve", "", "approved", "The held rest."),
        ("edit", "A better rest.", "edited", "A better rest."),
        ("reject", "", "rejected", "Sorry"),
    ],
)
def test_a_choice_is_carried_out_and_the_next_case_opens(
    rui: Client, make: MakeCase, choice: str, text: str, decision: str, said: str
) -> None:
    case, following = make(seconds=60), make(seconds=120)
    answer = decide(rui, case, choice, text)
    case.refresh_from_db()
    assert case.decision == decision
    assert said in case.final
    assert opened(answer) == str(following.pk)
    assert answer["HX-Replace-Url"] == f"/staff/review/{following.pk}/"
    assert toast(answer)
    entry = AuditEntry.objects.get(action="review")
    assert entry.details == {"review": str(case.pk), "decision": choice}
    assert audit.verify() is None


def test_whoever_is_first_decides_and_the_other_is_told(rui: Client, ana: Client, make: MakeCase) -> None:
    case = make()
    decide(rui, case, "reject")
    answer = decide(ana, case, "approve")
    assert "\u2068rui\u2069 rejected it first." in toast(answer)
    case.refresh_from_db()
    assert case.decision == "rejected"
    late = decide(ana, case, "edit", "What I typed for minutes.")
    assert "\u2068rui\u2069 rejected it first." in late.content.decode()
    assert late["HX-Retarget"] == "#refusal", "what was typed stays on the page"


@pytest.mark.parametrize(
    ("choice", "text", "because"),
    [
        ("edit", "badword", "abuse"),
        ("edit", "rudeword", "offensive language"),
        ("edit", "   ", "Write what is to be sent"),
        ("edit", "x" * 4001, "too long"),
    ],
)
def test_what_the_guards_refuse_is_said_beside_the_text_and_nothing_is_sent(
    rui: Client, make: MakeCase, choice: str, text: str, because: str
) -> None:
    case = make()
    answer = decide(rui, case, choice, text)
    assert because in answer.content.decode()
    assert answer["HX-Retarget"] == "#refusal"
    case.refresh_from_db()
    assert case.decision == ""


def test_a_customers_message_is_approved_or_rejected_but_not_edited(
    rui: Client,
    make: MakeCase,
    queue: FakeQueue,
) -> None:
    case = make("in")
    page = rui.get(f"/staff/review/{case.pk}/").content.decode()
    assert "data-edit" not in page
    assert "cannot be edited" in decide(rui, case, "edit", "x").content.decode() or case.direction == "in"
    decide(rui, case, "approve")
    case.refresh_from_db()
    assert case.decision == "approved"
    assert queue.ids == [case.messages.get().pk]


def test_what_cannot_be_kept_is_said_and_can_be_tried_again(
    rui: Client,
    make: MakeCase,
    log: EventLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = make()

    def down(*_: Any, **__: Any) -> None:
        raise DOWN

    with monkeypatch.context() as patch:
        patch.setattr(log, "make_stale", down, raising=False)
        patch.setattr(services, "make_stale", down)
        answer = decide(rui, case, "approve")
    assert "could not be kept" in answer.content.decode()
    case.refresh_from_db()
    assert case.decision == ""
    decide(rui, case, "approve")
    case.refresh_from_db()
    assert case.decision == "approved"


def test_cases_of_other_sites_are_not_there(
    rui: Client,
    make: MakeCase,
    other_site: Site,
) -> None:
    case = make(site=other_site)
    assert opened(rui.get("/staff/review/")) == ""
    for path in ("", "decide/", "undo/"):
        method = rui.post if path else rui.get
        assert method(f"/staff/review/{case.pk}/{path}", {"choice": "approve"}).status_code == 404
    decided = make(site=other_site, decision="rejected", decided=timezone.now())
    assert str(decided.reply_id) not in rui.get("/staff/review/history/").content.decode()
    boss = signed_in(staff("boss", "administrator", sites=()))
    assert opened(boss.get("/staff/review/")) == str(case.pk)


def test_a_case_that_was_decided_leads_to_the_room(rui: Client, make: MakeCase) -> None:
    case = make(decision="approved", decided=timezone.now())
    assert rui.get(f"/staff/review/{case.pk}/").status_code == 302
    assert opened(rui.get(f"/staff/review/{case.pk}/", HTTP_HX_REQUEST="true")) == ""
    assert rui.post(f"/staff/review/{case.pk}/decide/", {"choice": "eat"}).status_code == 400


# --- taking back


def decided(make: MakeCase, decision: str, direction: str = "out", **more: Any) -> Review:
    review = make(direction, **more)
    Review.objects.filter(pk=review.pk).update(decision=decision, decided=timezone.now())
    review.refresh_from_db()
    return review


@pytest.mark.parametrize("decision", ["rejected", "expired"])
def test_what_was_rejected_or_ran_out_of_time_can_be_let_through_after_all(
    rui: Client, make: MakeCase, decision: str
) -> None:
    case = decided(make, decision)
    assert "Let it through after all" in rui.get("/staff/review/history/").content.decode()
    assert rui.post(f"/staff/review/{case.pk}/undo/").status_code == 200
    case.refresh_from_db()
    assert (case.decision, case.final) == ("approved", "The held rest.")
    assert case.decided_by == User.objects.get(username="rui")
    said = Message.objects.filter(conversation=case.conversation, role="bot", outcome="answered")
    assert [message.text for message in said] == ["The held rest."]
    assert rui.post(f"/staff/review/{case.pk}/undo/").status_code == 409, "once"
    assert AuditEntry.objects.get(action="review").details["decision"] == "reconsider"


def test_a_message_that_was_rejected_is_answered_after_all(
    rui: Client,
    make: MakeCase,
    queue: FakeQueue,
) -> None:
    case = decided(make, "rejected", "in")
    rui.post(f"/staff/review/{case.pk}/undo/")
    asked = case.messages.get()
    assert (asked.outcome, queue.ids) == ("", [asked.pk])


@pytest.mark.parametrize("why", ["approved", "moot", "customer wrote", "agent owns", "overtaken", "blocked word"])
def test_what_cannot_be_taken_back_is_refused_and_said(rui: Client, make: MakeCase, why: str) -> None:
    held = "badword" if why == "blocked word" else "The held rest."
    case = decided(make, why if why in ("approved", "moot") else "rejected", held=held, overtaken=why == "overtaken")
    if why == "customer wrote":
        Message.objects.create(conversation=case.conversation, role="customer", text="Hello?")
    if why == "agent owns":
        Conversation.objects.filter(pk=case.conversation_id).update(owner="agent")
    page = rui.get("/staff/review/history/").content.decode()
    assert ("cannot be taken back" in page) == (why == "approved")
    assert ("has moved on" in page) == (why in ("customer wrote", "agent owns", "overtaken"))
    answer = rui.post(f"/staff/review/{case.pk}/undo/")
    assert answer.status_code == 409
    case.refresh_from_db()
    assert case.decision == (why if why in ("approved", "moot") else "rejected")


# --- what it costs, and how it reads


@pytest.mark.parametrize("address", ["/staff/review/", "/staff/review/queue/", "/staff/review/history/"])
def test_a_longer_list_costs_no_more_queries(rui: Client, make: MakeCase, address: str) -> None:
    def measured() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert rui.get(address).status_code == 200
        return len(queries)

    for state in ({}, {"decision": "rejected", "decided": timezone.now()}):
        for _ in range(3):
            make(**state)
    measured()
    few = measured()
    for state in ({}, {"decision": "rejected", "decided": timezone.now()}):
        for _ in range(27):
            make(**state)
    assert measured() == few


@pytest.mark.parametrize(("code", "title"), [("en", "Review"), ("zh-hans", "审核"), ("zh-hant", "稽核")])
def test_the_pages_speak_three_languages(rui: Client, make: MakeCase, code: str, title: str) -> None:
    make()
    make(decision="rejected", decided=timezone.now())
    rui.post("/staff/language/", {"language": code, "next": "/"})
    for address in ("/staff/review/", "/staff/review/history/"):
        text = rui.get(address).content.decode()
        assert title in text or "審核" in text
        assert "style=" not in text


def test_the_last_days_numbers_are_each_reviewers_own(rui: Client, ana: Client, make: MakeCase) -> None:
    for client, choice in ((rui, "approve"), (rui, "reject"), (ana, "approve")):
        decide(client, make(), choice)
    decided(make, "expired")
    make(decision="approved", decided=timezone.now() - timedelta(days=2))
    rows = selectors.numbers(User.objects.get(username="rui"))
    assert [(row["name"], row["count"], row["approved"], row["rejected"], row["expired"]) for row in rows] == [
        ("\u2068rui\u2069", 2, 1, 1, 0),
        ("\u2068ana\u2069", 1, 1, 0, 0),
        ("", 1, 0, 0, 1),
    ]


def test_history_is_filtered_and_paged(rui: Client, make: MakeCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE", 2)
    for _ in range(3):
        decided(make, "rejected")
    decided(make, "expired")
    assert len(rui.get("/staff/review/history/").context["rows"]) == 2
    assert len(rui.get("/staff/review/history/", {"page": "2", "decision": "rejected"}).context["rows"]) == 1
    assert rui.get("/staff/review/history/", {"reviewer": "nobody"}).context["rows"] == []
    for odd in ("-1", "²", "9" * 5000, "\0"):
        for field in ("page", "decision", "reviewer"):
            assert rui.get("/staff/review/history/", {field: odd}).status_code == 200
