"""The lists of the inbox: views, filters, orders, search; what stands beside a conversation; who works here."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatbot.events import EventLog
from chatbot.models import Conversation, Feedback, Handoff, LedgerEntry, Message, Rating, Site
from console import selectors, services
from console.customers import customer
from console.models import AuditEntry, StaffMember, Tag, WrongAnswer
from console.protocol import Sort, View
from console.selectors import Filters
from console.services import Actor, Tools
from console.team import team
from guardrails.screening import Screened
from tests.console.conftest import MASTER_KEY, staff
from tests.fakes import FakeFind, FakeQueue

pytestmark = pytest.mark.django_db


def talk(
    site: Site,
    *texts: str,
    ago: float = 0,
    agent: User | None = None,
    handoff: str = "",
    waited: float = 0,
    intent: str = "",
    mood: str = "",
    tags: tuple[str, ...] = (),
    **fields: Any,
) -> Conversation:
    """Make a conversation in which customer and bot took turns."""
    owner = "agent" if agent else "bot"
    made = Conversation.objects.create(
        site=site, **{"visitor": uuid.uuid4(), "owner": owner, "agent": agent, "language": "en", **fields}
    )
    said = None
    for number, text in enumerate(texts):
        role = "bot" if number % 2 else "customer"
        said = Message.objects.create(conversation=made, role=role, text=text, reply_to=said if number % 2 else None)
        if role == "bot":
            LedgerEntry.objects.create(message=said, intent=intent, sentiment=mood)
    if handoff:
        row = Handoff.objects.create(conversation=made, state=handoff, reason="requested", topic=intent)
        Handoff.objects.filter(pk=row.pk).update(created=timezone.now() - timedelta(seconds=waited))
    for name in tags:
        Tag.objects.get_or_create(name=name)[0].conversations.add(made)
    Conversation.objects.filter(pk=made.pk).update(updated=timezone.now() - timedelta(seconds=ago))
    return made


def found(user: User, view: View = "all", sort: Sort = "newest", **filters: Any) -> list[str]:
    page = selectors.inbox(user, None, view, filters=Filters(**filters), sort=sort)
    return [row["conversation"] for row in page.rows]


def ids(*conversations: Conversation) -> list[str]:
    return [str(one.pk) for one in conversations]


def test_counts_are_those_of_the_lists(site: Site, other_site: Site, mei: User, tom: User) -> None:
    for _ in range(3):
        talk(site, handoff="waiting")
    talk(site, handoff="message")
    talk(site, handoff="message", closed=timezone.now())
    talk(site, agent=mei, handoff="taken")
    talk(site, agent=tom, handoff="taken")
    talk(site, "Hello", "Hi")
    talk(site, closed=timezone.now())
    ended = talk(site, handoff="taken", closed=timezone.now())
    Handoff.objects.filter(conversation=ended).update(state="ended")
    talk(other_site, handoff="waiting")
    views: tuple[View, ...] = ("waiting", "mine", "taken", "message", "bot", "closed", "all")
    for sites, key in (([site.pk], ""), (None, "other"), (None, "")):
        counted = selectors.counts(mei, sites, site=key)
        lists = {v: len(selectors.inbox(mei, sites, v, filters=Filters(site=key)).rows) for v in views}
        assert counted == lists
    assert selectors.counts(mei, [site.pk])["waiting"] == 3


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({"language": "zh"}, "chinese"),
        ({"topic": "invoice"}, "invoice"),
        ({"topic": "shipping"}, "waits"),
        ({"sentiment": "negative"}, "angry"),
        ({"tag": "vip"}, "tagged"),
        ({"agent": "tom"}, "toms"),
        ({"wait": 300}, "waits"),
        ({"late": True}, "waits"),
        ({"query": "ZIPPER"}, "angry"),
        ({"query": "zipper money"}, "angry"),
        ({"query": "拉链"}, "chinese"),
        ({"query": "vip"}, "tagged"),
        ({"site": "nowhere"}, ""),
        ({"query": "zipper nothing"}, ""),
        ({"query": "100%"}, ""),
        ({"wait": 3600}, ""),
        ({"tag": "vi"}, ""),
    ],
)
def test_each_filter_lets_through_what_fits(
    site: Site, mei: User, tom: User, filters: dict[str, Any], fits: str
) -> None:
    made = {
        "chinese": talk(site, "拉链坏了", language="zh"),
        "invoice": talk(site, "An invoice?", "Here.", intent="invoice"),
        "angry": talk(site, "The zipper broke", "Sorry.", "I want my money back", "No.", mood="negative"),
        "tagged": talk(site, "Hello", tags=("vip",)),
        "toms": talk(site, agent=tom, handoff="taken"),
        "waits": talk(site, "Anybody?", handoff="waiting", waited=400, intent="shipping"),
        "just came": talk(site, handoff="waiting", waited=10),
    }
    assert found(mei, **filters) == (ids(made[fits]) if fits else [])


def test_the_mood_of_a_conversation_is_its_last(site: Site, mei: User) -> None:
    made = talk(site, "Grr", "Sorry.", mood="negative")
    said = Message.objects.create(conversation=made, role="bot", text="Better?")
    LedgerEntry.objects.create(message=said, sentiment="positive")
    assert found(mei, sentiment="negative") == []
    [(_, row)] = selectors.rows([made.pk])
    assert row["sentiment"] == "positive"


def test_lists_are_ordered_as_asked_and_pages_follow_each_other(site: Site, mei: User) -> None:
    made = [talk(site, ago=10 * n, handoff="waiting", waited=1000 - 10 * n) for n in range(60)]
    plain = talk(site, ago=5)
    newest = [made[0], plain, *made[1:]]
    for sort, expected in (("newest", newest), ("oldest", newest[::-1]), ("wait", [*made, plain])):
        seen: list[str] = []
        before = ""
        while True:
            page = selectors.inbox(mei, None, "all", sort=sort, before=before)  # type: ignore[arg-type]
            seen += [row["conversation"] for row in page.rows]
            if page.more is None:
                break
            before = page.more
        assert seen == ids(*expected), sort


def test_a_row_says_what_an_agent_needs_to_choose(site: Site, mei: User) -> None:
    made = talk(
        site, "Where is it?", "A person comes.", handoff="waiting", intent="shipping", mood="negative", tags=("b", "a")
    )
    [(_, row)] = selectors.rows([made.pk])
    assert (row["preview"], row["role"], row["asked"]) == ("Where is it?", "customer", None)
    assert (row["intent"], row["sentiment"], row["tags"], row["within"]) == ("shipping", "negative", ["a", "b"], 120)
    assert row["visitor"] == made.visitor.hex[:4]
    Message.objects.create(conversation=made, role="customer", text="Hello?")
    [(_, row)] = selectors.rows([made.pk])
    assert row["asked"] is not None
    assert "match" not in row


def test_a_search_shows_where_it_was_found(site: Site, mei: User) -> None:
    talk(site, "x" * 300 + " the Zipper is stuck " + "y" * 300, "Oh.")
    [row] = selectors.inbox(mei, None, "all", filters=Filters(query="zipper stuck")).rows
    assert "Zipper is stuck" in row["match"]
    assert len(row["match"]) <= selectors.PREVIEW + 1


def test_a_list_costs_the_same_queries_whatever_its_length_and_filters(site: Site, mei: User) -> None:
    filters = Filters(language="en", sentiment="negative", tag="vip", query="Hello")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert selectors.inbox(mei, [site.pk], "all", filters=filters).rows
        return len(queries)

    talk(site, "Hello", "Hi", mood="negative", tags=("vip",))
    few = count()
    for _ in range(20):
        talk(site, "Hello", "Hi", mood="negative", tags=("vip", "new"))
    assert count() == few == 3


# --- beside the conversation


def test_what_stands_beside_a_conversation(site: Site, other_site: Site, mei: User) -> None:
    visitor = uuid.uuid4()
    before = talk(site, "Earlier", visitor=visitor, ago=100)
    talk(other_site, "At another shop", visitor=visitor)
    now = talk(
        site,
        "Hi",
        "Hello.",
        "Bad!",
        "Sorry.",
        visitor=visitor,
        mood="negative",
        profile="name: <PERSON_1>",
        tags=("vip",),
    )
    said = Message.objects.filter(conversation=now, role="bot").first()
    assert said is not None
    Feedback.objects.create(message=said, helpful=False, reason="outdated")
    WrongAnswer.objects.create(message=said, reason="incorrect", reporter=mei)
    Rating.objects.create(conversation=now, score=2, comment="slow")
    told = customer(now)
    assert [row["conversation"] for row in told["earlier"]] == ids(before)
    assert (told["profile"], told["vouched"], told["tags"], told["rating"]) == (
        "name: <PERSON_1>",
        False,
        ["vip"],
        {"score": 2, "comment": "slow"},
    )
    assert [mood["sentiment"] for mood in told["moods"]] == ["negative", "negative"]
    mark = {"helpful": False, "why": "outdated", "comment": "", "wrong": "incorrect", "by": "mei"}
    assert told["messages"] == {str(said.pk): mark}


# --- tags


@pytest.fixture
def tools(log: EventLog) -> Tools:
    def screen(text: str) -> Screened:
        return Screened("pass", None, (), 0.0, text)

    return Tools(log=log, master_key=lambda: MASTER_KEY, find=FakeFind(), screen=screen, enqueue=FakeQueue())


def test_a_tag_is_put_on_once_and_taken_off_and_recorded(site: Site, mei: User, tools: Tools) -> None:
    made = talk(site)
    for _ in range(2):
        services.tag(Actor(mei), made.pk, "vip", on=True, tools=tools)
    assert list(made.tags.values_list("name", flat=True)) == ["vip"]
    services.tag(Actor(mei), made.pk, "vip", on=False, tools=tools)
    services.tag(Actor(mei), made.pk, "never there", on=False, tools=tools)
    assert made.tags.count() == 0
    acts = AuditEntry.objects.filter(object_id=str(made.pk)).values_list("action", "details")
    assert list(acts) == [("tag", {"tag": "vip"}), ("untag", {"tag": "vip"})]


@pytest.mark.parametrize("name", ["13812345678", "call 13812345678", "<CN_MOBILE_1>"])
def test_a_tag_holds_no_personal_data(site: Site, mei: User, tools: Tools, name: str) -> None:
    with pytest.raises(services.PersonalData):
        services.tag(Actor(mei), talk(site).pk, name, on=True, tools=tools)
    assert Tag.objects.count() == 0


# --- the team


def test_the_team_is_who_takes_conversations_of_ones_sites(site: Site, other_site: Site, mei: User, tom: User) -> None:
    staff("rui", "reviewer")
    staff("abroad", "agent", sites=("other",))
    root = staff("root", "administrator")
    StaffMember.objects.filter(user=mei).update(available=True, languages=["zh"], capacity=3)
    talk(site, agent=mei, handoff="taken")
    Handoff.objects.filter(state="taken").update(taken=timezone.now(), agent=mei)
    offered = talk(site, handoff="waiting", waited=30)
    Handoff.objects.filter(conversation=offered).update(offered_to=tom, offered=timezone.now())
    talk(other_site, handoff="waiting")
    told = team([site.pk], present=frozenset({mei.pk}), now=timezone.now())
    people = {person["user"]: person for person in told["people"]}
    assert people.keys() == {"mei", "tom", "root"}
    assert (people["mei"]["load"], people["mei"]["capacity"], people["mei"]["taken"]) == (1, 3, 1)
    assert (people["mei"]["here"], people["mei"]["available"], people["mei"]["sites"]) == (True, True, ["shop"])
    assert (people["tom"]["here"], people["tom"]["offered"]) == (False, 1)
    assert people["root"]["sites"] is None
    assert [(row["site"], row["waiting"], row["message"]) for row in told["queue"]] == [("shop", 1, 0)]
    assert {p["user"] for p in team(None, present=None, now=timezone.now())["people"]} == {*people, "abroad"}
    assert team(None, present=None, now=timezone.now())["people"][0]["here"] is None
    assert root.is_active


def test_a_team_costs_the_same_queries_whatever_its_size(site: Site) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            team([site.pk], present=frozenset(), now=timezone.now())
        return len(queries)

    staff("one", "agent")
    few = count()
    for number in range(10):
        staff(f"agent{number}", "agent")
        talk(site, handoff="waiting")
    assert count() == few
