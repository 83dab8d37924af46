"""Insights: what is counted, against examples counted by hand; the page, and its files."""

import csv
import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatbot.models import Conversation, Feedback, Handoff, LedgerEntry, Message, Rating, Review, Site
from rooms.insights import charts, report
from rooms.insights.figures import Engine, Scope, Visits, facts
from rooms.insights.report import Figure, Prices, Value, share
from tests.console.conftest import other_site, site, staff  # noqa: F401  fixtures
from tests.console.pages import signed_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
"""A Tuesday."""
MONTH = NOW - timedelta(days=30)


def scope(*sites: Site, **changes: Any) -> Scope:
    given = {"begin": MONTH, "end": NOW, "now": NOW} | changes
    return Scope([one.pk for one in sites], **given)


class Customer:
    """One visitor; what they say, and what becomes of it, at a moment of one's choosing."""

    def __init__(self, site: Site, language: str = "en") -> None:  # noqa: F811
        self.chat = Conversation.objects.create(site=site, visitor=uuid.uuid4(), language=language)

    def asks(self, outcome: str, at: datetime, reason: str = "", **ledger: Any) -> Message:
        """Ask something; return the bot's reply."""
        asked = self._said("customer", at, outcome=outcome)
        reply = self._said("bot", at + timedelta(seconds=2), outcome=outcome, reason=reason, reply_to=asked)
        LedgerEntry.objects.create(message=reply, **ledger)
        return reply

    def writes(self, role: str, at: datetime, **fields: Any) -> Message:
        return self._said(role, at, **fields)

    def called(self, reason: str, at: datetime, taken: float | None = None, result: str = "") -> Handoff:
        """A person is called; one takes it `taken` seconds later."""
        made = Handoff.objects.create(
            conversation=self.chat,
            reason=reason,
            state="ended" if result else "waiting",
            result=result,
            taken=None if taken is None else at + timedelta(seconds=taken),
        )
        Handoff.objects.filter(pk=made.pk).update(created=at)
        return made

    def _said(self, role: str, at: datetime, **fields: Any) -> Message:
        made = Message.objects.create(conversation=self.chat, role=role, text="…", **fields)
        Message.objects.filter(pk=made.pk).update(created=at)
        return made


DAY = NOW - timedelta(days=20)
MINUTE = timedelta(minutes=1)


def test_visits_are_counted_as_by_hand(site: Site) -> None:  # noqa: F811
    helped = Customer(site)  # 1: answered, and never back
    helped.asks("handed_off", DAY, "no_answer")
    helped.asks("answered", DAY + MINUTE)
    back = Customer(site)  # 2: answered, back after 3 days; 3: small talk, in the same conversation
    back.asks("faq", DAY)
    back.asks("chitchat", DAY + timedelta(days=3))
    late = Customer(site)  # 4: answered; 5: answered again ten days later
    late.asks("faq", DAY)
    late.asks("faq", DAY + timedelta(days=10))
    disliked = Customer(site)  # 6: answered, but not helpful
    Feedback.objects.create(message=disliked.asks("answered", DAY), helpful=False)
    person = Customer(site)  # 7: a person settled it
    person.asks("handed_off", DAY, "requested")
    person.called("requested", DAY + MINUTE / 2, 30, "closed")
    person.writes("customer", DAY + MINUTE, outcome="agent")
    gone = Customer(site)  # 8: nobody came
    gone.asks("handed_off", DAY, "no_answer")
    gone.called("no_answer", DAY + MINUTE, None, "expired")
    Customer(site).asks("answered", NOW - MINUTE)  # 9: still running
    Customer(site).asks("answered", NOW - timedelta(days=2))  # 10: answered, too young to judge
    Customer(site).asks("faq", MONTH - timedelta(days=1))  # before the period
    counted = facts(scope(site)).visits
    assert counted == Visits(
        visits=10,
        over=9,  # all but 9
        cases=8,  # 3 was small talk
        alone=6,  # 1, 2, 4, 5, 6, 10
        resolved=6,  # 1, 2, 4, 5, 7, 10
        resolved_alone=5,  # not 7
        judged=5,  # not 10
        durable=4,  # not 2
    )


def test_a_pause_of_an_hour_ends_a_visit_and_a_longer_one_begins_another(site: Site) -> None:  # noqa: F811
    customer = Customer(site)
    customer.asks("faq", DAY)
    customer.asks("faq", DAY + timedelta(minutes=60))
    customer.asks("faq", DAY + timedelta(minutes=121))
    assert facts(scope(site)).visits.visits == 2


def test_what_was_withdrawn_or_approved_by_a_reviewer_counts_as_it_ended(site: Site) -> None:  # noqa: F811
    withdrawn = Customer(site)
    withdrawn.asks("answered", DAY)
    withdrawn.writes("customer", DAY + MINUTE, outcome="withdrawn", deleted=NOW)
    for decision in ("approved", "rejected"):
        reviewed = Customer(site)
        reply = reviewed.asks("review", DAY)
        Review.objects.create(conversation=reviewed.chat, reply=reply, direction="out", deadline=NOW, decision=decision)
        reviewed.called("reply_review", DAY + MINUTE, None, decision)
    counted = facts(scope(site)).visits
    assert (counted.cases, counted.resolved, counted.alone) == (3, 2, 2)


def test_only_the_sites_the_language_and_the_period_asked_for_count(site: Site, other_site: Site) -> None:  # noqa: F811
    Customer(site, "en").asks("faq", DAY, engine="m", prompt_tokens=7)
    Customer(site, "zh").asks("faq", DAY, engine="m", prompt_tokens=7)
    Customer(other_site).asks("faq", DAY, engine="m", prompt_tokens=7)
    for wanted, n in ((scope(site), 2), (scope(site, other_site), 3), (scope(site, language="zh"), 1), (scope(), 0)):
        found = facts(wanted)
        assert found.visits.visits == n
        assert sum(one.prompt_tokens for one in found.engines) == 7 * n
        assert sum(found.outcomes.values()) == n
    assert facts(scope(site, begin=DAY + MINUTE)).visits.visits == 0
    assert facts(scope(site).before()).visits.visits == 0


def test_days_and_hours_are_the_readers(site: Site) -> None:  # noqa: F811
    Customer(site).asks("faq", datetime(2026, 6, 21, 23, 30, tzinfo=UTC))  # a Sunday; Monday in Shanghai
    day = (datetime(2026, 6, 21) - datetime(1970, 1, 1)).days
    for offset, expected, hour in ((0, day, (6, 23)), (8 * 3600, day + 1, (0, 7)), (-3600, day, (6, 22))):
        found = facts(scope(site, offset=offset))
        assert set(found.days) == {expected}
        assert found.hours == {hour: 1}


def test_who_waits_for_a_person_is_counted_against_the_sites_time(site: Site) -> None:  # noqa: F811
    Site.objects.filter(pk=site.pk).update(answer_within=60)
    for taken in (30, 60, 90):
        customer = Customer(site)
        customer.called("requested", DAY, taken, "closed")
        customer.writes("agent", DAY + timedelta(seconds=taken + 10))
    Customer(site).called("no_answer", DAY, None, "expired")  # nobody came: late
    Customer(site).called("requested", NOW - timedelta(seconds=20))  # may still be taken in time: not due
    Customer(site).called("agent", DAY, 0, "closed")  # stepped in unasked
    Customer(site).called("reply_review", DAY, None, "approved")  # no person was needed
    left = Customer(site)  # outside hours: a message left
    left.called("requested", DAY, 40_000, "closed")
    left.writes("system", DAY + timedelta(milliseconds=5), reason="closed")
    waiting = facts(scope(site)).waiting
    assert (waiting.due, waiting.in_time) == (4, 2)
    assert (waiting.taken.n, waiting.taken.p50, waiting.taken.p95) == (3, pytest.approx(60), pytest.approx(90))
    assert (waiting.answered.n, waiting.answered.p50) == (3, pytest.approx(70))


def test_percentiles_are_values_that_occurred(site: Site) -> None:  # noqa: F811
    assert facts(scope(site)).first_text.p50 is None
    for n in range(1, 101):
        Customer(site).asks("faq", DAY, milliseconds={"first_text": 10.0 * n})
    found = facts(scope(site)).first_text
    assert (found.n, found.p50, found.p95) == (100, pytest.approx(0.5), pytest.approx(0.95))


def test_ratings_thumbs_engines_and_verdicts_are_counted_as_by_hand(site: Site) -> None:  # noqa: F811
    passed, held = {"action": "pass", "tier": None}, {"action": "block", "tier": "lexicon"}
    said = [
        Customer(site).asks("faq", DAY, verdicts=[passed]),
        Customer(site).asks("answered", DAY, engine="openai:m", prompt_tokens=900, reply_tokens=100, degraded=True),
        Customer(site).asks("answered", DAY, engine="cache-exact:openai:m", verdicts=[passed]),
        Customer(site).asks("refused", DAY, "reply_block", engine="openai:m", verdicts=[passed, held]),
    ]
    for reply, (helpful, reason) in zip(said, [(True, ""), (False, "outdated"), (False, "")], strict=False):
        Feedback.objects.create(message=reply, helpful=helpful, reason=reason)
    Feedback.objects.update(created=DAY)
    for reply, score in zip(said, (5, 4, 1), strict=False):
        Rating.objects.create(conversation=reply.conversation, score=score)
    Rating.objects.update(created=DAY)
    found = facts(scope(site))
    assert (found.ratings.n, found.ratings.good, found.ratings.mean) == (3, 2, pytest.approx(10 / 3))
    assert found.ratings.scores == {1: 1, 2: 0, 3: 0, 4: 1, 5: 1}
    assert found.thumbs == {"up": 1, "down": 2, "outdated": 1, "none": 1}
    assert found.verdicts == {("", "pass"): 3, ("lexicon", "block"): 1}
    assert Engine("openai:m", 2, 1, 900, 100) in found.engines
    assert (report.cached(found), report.written(found), report.answered(found)) == (1, 2, 3)
    assert Prices(2.0, 10.0).of(found.engines) == pytest.approx((900 * 2 + 100 * 10) / 1e6)


def test_everything_takes_the_same_number_of_queries_whatever_there_is(site: Site) -> None:  # noqa: F811
    counts = []
    for _ in range(2):
        for _ in range(4):
            Customer(site).asks("faq", DAY, engine=uuid.uuid4().hex, verdicts=[{"action": "pass", "tier": None}])
        with CaptureQueriesContext(connection) as queries:
            facts(scope(site))
        counts.append(len(queries))
    assert counts[0] == counts[1] < 20


# --- rates


@pytest.mark.parametrize(
    ("now", "before", "better", "change", "good"),
    [
        (share(30, 60), share(20, 50), 1, 10.0, True),
        (share(30, 60), share(20, 50), -1, 10.0, False),
        (share(30, 60), share(30, 60), 1, 0.0, None),
        (share(30, 60), share(20, 50), 0, 10.0, None),
        (share(3, 6), share(20, 50), 1, None, None),  # too few to say
        (share(30, 60), share(2, 5), 1, None, None),
        (share(0, 0), share(0, 0), 1, None, None),
    ],
)
def test_a_change_is_shown_only_where_both_sides_have_enough(
    now: Value, before: Value, better: int, change: float | None, good: bool | None
) -> None:
    figure = Figure("resolution", "share", now, before, better)
    assert figure.change == (None if change is None else pytest.approx(change))
    assert figure.good is good


@pytest.mark.parametrize(("n", "sure"), [(0, False), (19, False), (20, True)])
def test_a_rate_of_fewer_than_twenty_is_no_finding(n: int, sure: bool) -> None:
    assert Figure("resolution", "share", share(n, n)).sure is sure


@pytest.mark.parametrize(
    ("highest", "end"), [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (41, 100), (1000, 1000)]
)
def test_an_axis_ends_at_a_round_number(highest: int, end: int) -> None:
    assert charts.ceiling(highest) == end


# --- the page


@pytest.fixture
def boss(site: Site) -> Client:  # noqa: F811
    return signed_in(staff("boss", "supervisor"))


@pytest.fixture
def busy(site: Site) -> Site:  # noqa: F811
    """A site with enough to say something."""
    lately = timezone.now() - timedelta(days=2)
    for _ in range(25):
        Customer(site).asks("faq", lately, engine="openai:m", milliseconds={"first_text": 50})
    Customer(site).asks("handed_off", lately, "no_answer")
    return site


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_the_page_shows_every_figure_with_its_definition_and_its_number(
    boss: Client, busy: Site, language: str
) -> None:
    boss.cookies["django_language"] = language
    answer = boss.get("/staff/insights/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "style=" not in page
    assert page.count("<details>") >= 20
    assert "96.2%" in page  # 25 of 26 were answered
    assert {"zh-hans": "暂无数据", "zh-hant": "暫無資料", "en": "Nothing yet"}[language] in page


def test_a_shop_without_customers_is_told_what_to_do(boss: Client) -> None:
    assert "No conversations in this period" in boss.get("/staff/insights/").content.decode()


def test_a_supervisor_sees_their_own_sites_alone(boss: Client, busy: Site, other_site: Site) -> None:  # noqa: F811
    for _ in range(30):
        Customer(other_site).asks("faq", timezone.now() - timedelta(days=1))
    for query in ("", "?site=other", "?site=shop"):
        found = json.loads(boss.get(f"/staff/insights/export.json{query}").content)
        visits = next(one for one in found["figures"] if one["figure"] == "visits")
        assert visits["value"] == (0 if "other" in query else 26), query
        assert "Another Shop" not in boss.get(f"/staff/insights/{query}").content.decode()
    assert signed_in(staff("agent", "agent")).get("/staff/insights/export.csv").status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "?days=x",
        "?days=custom",
        "?days=custom&since=2026-01-01&until=nonsense",
        "?days=custom&since=2026-05-01&until=2026-01-01",
        "?days=custom&since=0001-01-01&until=2026-01-01",
        "?days=custom&since=0001-01-01&until=0001-01-02",
        "?days=custom&since=1999-12-31&until=2000-01-01",
        "?language=%00&site=%00",
    ],
)
def test_nonsense_shows_thirty_days(boss: Client, query: str) -> None:
    answer = boss.get(f"/staff/insights/{query}")
    assert answer.status_code == 200
    assert answer.context["wanted"].days == 30


def test_a_period_of_ones_own_is_kept(boss: Client, site: Site) -> None:  # noqa: F811
    wanted = boss.get("/staff/insights/?days=custom&since=2026-01-05&until=2026-01-11").context["wanted"]
    assert (wanted.since, wanted.until, wanted.days) == ("2026-01-05", "2026-01-11", 0)
    assert wanted.scope.end - wanted.scope.begin == timedelta(days=7)


def test_a_spreadsheet_computes_nothing_of_what_is_exported(boss: Client, busy: Site) -> None:
    customer = Customer(busy)
    for name in ("=HYPERLINK(1)", "+1", "-1", "@x"):
        customer.asks("faq", timezone.now() - timedelta(days=1), engine=name)
    answer = boss.get("/staff/insights/export.csv")
    assert answer["Content-Disposition"].endswith('.csv"')
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    cells = [row[1] for row in rows if row[0] == "engine"]
    assert {"'=HYPERLINK(1)", "'+1", "'-1", "'@x", "openai:m"} <= set(cells)
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@", "\t")]
