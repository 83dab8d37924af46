"""Places in the queue and honest waiting times; real database."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from chatbot.models import Conversation, Handoff, Site
from chatbot.waiting import (
    NONE,
    Board,
    Pace,
    Standing,
    Wait,
    expect,
    expected_seconds,
    measured_waits,
    pace,
    place,
    sentence,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # a Monday, noon in Shanghai
Waits = Callable[..., Handoff]


@pytest.fixture
def waits(site: Site) -> Waits:
    """A hand-off of a conversation of its own, `ago` seconds before `NOW`."""

    def make(*, ago: float = 0.0, taken: float | None = None, shop: Site = site, **fields: Any) -> Handoff:
        chat = Conversation.objects.create(site=shop, visitor=uuid.uuid4())
        row = Handoff.objects.create(conversation=chat, reason=fields.pop("reason", "requested"), **fields)
        row.created = NOW - timedelta(seconds=ago)
        if taken is not None:
            row.state, row.taken = Handoff.State.TAKEN, row.created + timedelta(seconds=taken)
        row.save()
        return row

    return make


@pytest.fixture
def now() -> Any:
    with mock.patch.object(timezone, "now", return_value=NOW):
        yield


class FakePresence:
    def __init__(self, *agents: int) -> None:
        self.there: frozenset[int] | None = frozenset(agents)

    def agents(self, site: int | None = None) -> frozenset[int] | None:
        return self.there


def board(*agents: int) -> Board:
    return Board(FakePresence(*agents))  # type: ignore[arg-type]


def test_places_count_from_one_in_the_order_of_asking_within_a_site(waits: Waits) -> None:
    other = Site.objects.create(key="other", name="Other", knowledge_base="x")
    waits(ago=99, shop=other)
    waits(ago=50, state="message")
    waits(ago=50, taken=3)
    waits(ago=50, state="ended")
    late, early, middle = waits(ago=10), waits(ago=30), waits(ago=20)
    twin = waits(ago=20)
    assert [place(row) for row in (early, middle, twin, late)] == [1, 2, 3, 4]


def test_fewer_than_five_measured_waits_let_nobody_say_anything(site: Site, waits: Waits, now: None) -> None:
    for number in range(4):
        waits(ago=5000 * (number + 1), taken=60)
    assert expected_seconds(site, 1, 1) is None
    waits(ago=50_000, taken=60)
    assert expected_seconds(site, 1, 1) == 60


def test_a_long_wait_that_was_an_exception_changes_nothing(site: Site, waits: Waits, now: None) -> None:
    for number, seconds in enumerate([50, 55, 60, 65, 80_000], start=1):
        waits(ago=90_000 * number, taken=seconds)
    assert expected_seconds(site, 1, None) == 60


@pytest.mark.parametrize(
    ("place", "agents", "expected"), [(1, 2, 60), (3, 2, 180), (1, 1, 120), (1, 4, 30), (2, None, 120), (1, 0, None)]
)
def test_more_places_take_longer_and_more_agents_are_faster(
    place: int, agents: int | None, expected: float | None
) -> None:
    assert expect(Pace(seconds=60, agents=2), place, agents) == expected


def test_nothing_measured_is_nothing_expected() -> None:
    assert expect(None, 1, 3) is None


def test_those_who_waited_together_waited_for_each_other() -> None:
    start = NOW

    def wait(since: float, taken: float, agent: int) -> Wait:
        return Wait(start + timedelta(seconds=since), start + timedelta(seconds=taken), agent)

    queue = [wait(n, 60 * (n + 1), 1) for n in range(5)]  # all came at once, one agent took one a minute
    measured = pace(queue)
    assert measured is not None
    assert measured.seconds == pytest.approx(60, abs=2)
    assert measured.agents == 1
    two = pace([wait(n, 60 * (n // 2 + 1), n % 2) for n in range(6)])
    assert two is not None
    assert two.agents == 2


def test_only_recent_waits_of_this_site_for_somebody_who_was_asked_are_measured(
    site: Site, waits: Waits, now: None
) -> None:
    other = Site.objects.create(key="other", name="Other", knowledge_base="x")
    waits(ago=100, taken=10, shop=other)
    waits(ago=100, taken=0, reason="agent")
    waits(ago=8 * 86_400, taken=10)
    waits(ago=100)
    measured = waits(ago=100, taken=30)
    assert [(w.since, w.taken) for w in measured_waits(site)] == [(measured.created, measured.taken)]


def test_a_night_before_a_closed_door_is_no_measured_wait(site: Site, waits: Waits, now: None) -> None:
    site.hours = {"zone": "Asia/Shanghai", "week": {"mon": [["09:00", "18:00"]]}}
    site.save()
    waits(ago=10 * 3600, taken=8 * 3600, state="message")
    asked_by_day = waits(ago=3600, taken=60)
    assert [w.since for w in measured_waits(site)] == [asked_by_day.created]


def test_the_last_fifty_are_measured(site: Site, waits: Waits, now: None) -> None:
    for number in range(55):
        waits(ago=1000 + number, taken=10)
    assert len(measured_waits(site)) == 50


# --- the board


def test_everybody_is_told_their_own_standing(site: Site, waits: Waits) -> None:
    first, second = waits(ago=20), waits(ago=10)
    taken, message = waits(taken=5), waits(state="message")
    ended = waits(state="ended")
    rows = [second, first, taken, message, ended]
    standings = board(7).look(site.pk, [row.conversation_id for row in rows] + [uuid.uuid4()])
    assert standings == {
        second.conversation_id: Standing("waiting", place=2, people=True),
        first.conversation_id: Standing("waiting", place=1, people=True),
        taken.conversation_id: Standing("taken", people=True),
        message.conversation_id: Standing("message", people=True),
    }


def test_who_is_not_asked_about_still_counts_in_the_queue(site: Site, waits: Waits) -> None:
    waits(ago=20)
    row = waits(ago=10)
    assert board().look(site.pk, [row.conversation_id]) == {
        row.conversation_id: Standing("waiting", place=2, people=False)
    }


def test_a_conversation_of_another_site_is_not_told(site: Site, waits: Waits) -> None:
    other = Site.objects.create(key="other", name="Other", knowledge_base="x")
    assert board().look(site.pk, [waits(shop=other).conversation_id]) == {}


@pytest.mark.parametrize(("agents", "seconds", "people"), [({7}, 120, True), (set(), None, False), (None, 120, None)])
def test_the_time_is_said_when_somebody_is_there_or_nobody_knows(
    site: Site, waits: Waits, now: None, agents: set[int] | None, seconds: int | None, people: bool | None
) -> None:
    for number in range(5):
        waits(ago=5000 * (number + 1), taken=60)
    waits(ago=20)
    row = waits(ago=10)
    presence = FakePresence()
    presence.there = None if agents is None else frozenset(agents)
    [standing] = Board(presence).look(site.pk, [row.conversation_id]).values()  # type: ignore[arg-type]
    assert standing == Standing("waiting", place=2, seconds=seconds, people=people)


def test_who_left_a_message_is_told_when_people_are_back(site: Site, waits: Waits, now: None) -> None:
    site.hours = {"zone": "Asia/Shanghai", "week": {"tue": [["09:00", "18:00"]]}}
    site.save()
    [standing] = board().look(site.pk, [waits(state="message").conversation_id]).values()
    assert standing.payload() == {
        "state": "message",
        "place": None,
        "seconds": None,
        "opens": "2026-11-24T09:00:00+08:00",
        "people": False,
    }


def test_nobody_waits_is_the_standing_of_everybody_else() -> None:
    assert NONE.payload() == {"state": "none", "place": None, "seconds": None, "opens": None, "people": None}


@pytest.mark.parametrize(
    ("standing", "english", "chinese"),
    [
        (Standing("waiting", 2, 130), "number 2 in the queue, about 3 min", "第 2 位，预计约 3 分钟"),
        (Standing("waiting", 1, 0), "number 1 in the queue, about 1 min", "第 1 位，预计约 1 分钟"),
        (Standing("waiting", 9, 3601), "number 9 in the queue, more than an hour", "第 9 位，预计一小时以上"),
        (Standing("waiting", 2), "We cannot tell how long it takes", "暂时无法估计时间"),
        (Standing("waiting", 2, people=True), "We cannot tell how long it takes", "暂时无法估计时间"),
        (Standing("waiting", 2, people=False), "Nobody is there right now", "目前没有客服在线"),
        (Standing("message"), "Our people are away. Leave a message here", "人工客服现在不在。可以先留言"),
        (
            Standing("message", opens=datetime.fromisoformat("2026-11-24T09:00+08:00")),
            "They are back on Tuesday at 09:00 (UTC+8).",
            "周二 09:00（UTC+8）起恢复服务。可以先留言",
        ),
        (Standing("taken"), "", ""),
        (NONE, "", ""),
    ],
)
def test_a_standing_is_told_in_both_languages(standing: Standing, english: str, chinese: str) -> None:
    for language, text in (("en", english), ("zh", chinese)):
        told = sentence(standing, language, NOW)  # type: ignore[arg-type]
        assert text in told
        assert bool(told) is bool(text)


def test_one_query_tells_all_however_many_they_are(site: Site, waits: Waits, django_assert_num_queries: Any) -> None:
    rows = [waits(ago=number).conversation_id for number in range(30)]
    seen = board(7)
    with django_assert_num_queries(3):  # the queue; once a minute the site and its measured waits
        seen.look(site.pk, rows)
    with django_assert_num_queries(1):
        assert len(seen.look(site.pk, rows)) == 30
