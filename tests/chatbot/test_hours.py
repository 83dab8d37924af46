"""Business hours: weeks, nights, holidays, and clocks that are put forward and back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.hours import WEEKDAYS, is_open, next_opening, parse

OFFICE: dict[str, Any] = {
    "zone": "Asia/Shanghai",
    "week": {day: [["09:00", "12:00"], ["13:00", "18:00"]] for day in WEEKDAYS[:5]},
    "days": {"2026-10-01": [], "2026-10-02": [], "2026-10-10": [["10:00", "14:00"]]},
}
NIGHT: dict[str, Any] = {"zone": "Asia/Shanghai", "week": {"fri": [["22:00", "06:00"]], "sun": [["00:00", "24:00"]]}}
SHANGHAI = {"zone": "Asia/Shanghai"}
NEW_YORK: dict[str, Any] = {"zone": "America/New_York", "week": {"sun": [["01:15", "01:45"], ["02:15", "02:45"]]}}


def at(text: str, zone: str = "Asia/Shanghai", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        ({}, "2026-11-22T03:00", True),
        (OFFICE, "2026-11-23T08:59:59", False),  # a Monday
        (OFFICE, "2026-11-23T09:00", True),
        (OFFICE, "2026-11-23T11:59:59", True),
        (OFFICE, "2026-11-23T12:00", False),
        (OFFICE, "2026-11-23T13:00", True),
        (OFFICE, "2026-11-23T18:00", False),
        (OFFICE, "2026-11-22T10:00", False),  # a Sunday
        (OFFICE, "2026-10-01T10:00", False),  # a holiday
        (OFFICE, "2026-10-10T10:00", True),  # a Saturday on which people work
        (OFFICE, "2026-10-10T15:00", False),
        (NIGHT, "2026-11-20T22:00", True),
        (NIGHT, "2026-11-21T05:59", True),
        (NIGHT, "2026-11-21T06:00", False),
        (NIGHT, "2026-11-21T22:00", False),
        (NIGHT, "2026-11-22T23:59:59", True),
        (NIGHT, "2026-11-23T00:00", False),
        ({"zone": "UTC"}, "2026-11-23T10:00", False),
        ({**NIGHT, "days": {"2026-11-21": []}}, "2026-11-21T05:00", True),  # the night before goes on
        ({**NIGHT, "days": {"2026-11-20": []}}, "2026-11-21T05:00", False),
    ],
)
def test_a_moment_is_within_the_hours_or_not(hours: dict[str, Any], moment: str, expected: bool) -> None:
    assert is_open(hours, at(moment)) is expected


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (OFFICE, "2026-11-20T19:00", "2026-11-23T09:00"),  # over the weekend
        (OFFICE, "2026-11-23T12:30", "2026-11-23T13:00"),
        (OFFICE, "2026-11-23T10:00", "2026-11-23T10:00"),  # now
        (OFFICE, "2026-09-30T20:00", "2026-10-05T09:00"),  # over two holidays and a weekend
        (OFFICE, "2026-10-09T20:00", "2026-10-10T10:00"),
        (NIGHT, "2026-11-21T07:00", "2026-11-22T00:00"),
        ({**SHANGHAI, "days": {"2027-03-01": [["09:00", "10:00"]]}}, "2026-11-21T07:00", "2027-03-01T09:00"),
    ],
)  # fmt: skip
def test_the_next_opening_is_found(hours: dict[str, Any], moment: str, expected: str) -> None:
    assert next_opening(hours, at(moment)) == at(expected)


def test_a_shop_whose_people_never_answer_has_no_next_opening() -> None:
    assert next_opening({"zone": "UTC", "days": {"2020-01-01": [["09:00", "10:00"]]}}, at("2026-11-21T07:00")) is None
    closed = {"zone": "UTC", "week": {"mon": []}}
    assert next_opening(closed, at("2026-11-21T07:00")) is None
    assert not is_open(closed, at("2026-11-21T07:00"))


def test_a_month_of_holidays_is_skipped() -> None:
    start = datetime(2026, 12, 1)
    days: dict[str, Any] = {(start + timedelta(days=n)).date().isoformat(): [] for n in range(31)}
    hours = {"zone": "UTC", "week": {day: [["09:00", "17:00"]] for day in WEEKDAYS}, "days": days}
    assert next_opening(hours, at("2026-11-30T18:00", "UTC")) == at("2027-01-01T09:00", "UTC")


def test_the_next_opening_is_told_by_the_clock_of_the_site() -> None:
    opening = next_opening(OFFICE, datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    assert opening is not None
    assert opening.isoformat() == "2026-11-23T09:00:00+08:00"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-08T06:30+00:00", True),  # 01:30, before the clock is put forward at 02:00
        ("2026-03-08T07:05+00:00", False),  # 03:05
        ("2026-03-08T07:20+00:00", True),  # 03:20: 02:15 was skipped, so it begins an hour later
        ("2026-03-08T07:50+00:00", False),
        ("2026-11-01T05:10+00:00", False),
        ("2026-11-01T05:20+00:00", True),  # 01:20 for the first time
        ("2026-11-01T05:50+00:00", True),  # it has not been 01:45 for the second time
        ("2026-11-01T06:40+00:00", True),
        ("2026-11-01T06:50+00:00", False),
        ("2026-11-01T07:20+00:00", True),  # 02:20
    ],
)
def test_summer_time_begins_and_ends(moment: str, expected: bool) -> None:
    assert is_open(NEW_YORK, datetime.fromisoformat(moment)) is expected


@pytest.mark.parametrize(
    ("hours", "what"),
    [
        ([], "not an object"),
        (None, "not an object"),
        ({"week": {}}, "zone"),
        ({"zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"zone": "Asia"}, "zone"),
        ({"zone": 8}, "zone"),
        ({"zone": "UTC", "weeks": {}}, "unknown weeks"),
        ({"zone": "UTC", "week": []}, "week: not an object"),
        ({"zone": "UTC", "week": {"monday": []}}, "unknown monday"),
        ({"zone": "UTC", "week": {"mon": "09:00-18:00"}}, "mon: not a list"),
        ({"zone": "UTC", "week": {"mon": [["09:00"]]}}, "no span"),
        ({"zone": "UTC", "week": {"mon": [["9:00", "18:00"]]}}, "'9:00' is no time"),
        ({"zone": "UTC", "week": {"mon": [["09:60", "18:00"]]}}, "no time"),
        ({"zone": "UTC", "week": {"mon": [["09:00", "24:01"]]}}, "no time"),
        ({"zone": "UTC", "week": {"mon": [["09:00", 18]]}}, "no time"),
        ({"zone": "UTC", "week": {"mon": [["²9:00", "18:00"]]}}, "no time"),
        ({"zone": "UTC", "week": {"mon": [["09:00", "09:00"]]}}, "whole day"),
        ({"zone": "UTC", "week": {"mon": [["24:00", "06:00"]]}}, "next day"),
        ({"zone": "UTC", "week": {"mon": [["00:00", "01:00"]] * 11}}, "at most 10"),
        ({"zone": "UTC", "days": {"2026-13-01": []}}, "no date"),
        ({"zone": "UTC", "days": {"20261001": []}}, "no date"),
        ({"zone": "UTC", "days": {"9999-12-31": [["22:00", "06:00"]]}}, "no date"),
        ({"zone": "UTC", "days": {"2026-10-01": None}}, "2026-10-01: not a list"),
    ],
)
def test_hours_that_make_no_sense_are_refused_with_a_reason(hours: Any, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse(hours)


_TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
_SPANS = st.lists(st.tuples(_TIMES, _TIMES).filter(lambda s: s[0] != s[1]).map(list), max_size=3)
_DATES = st.dates(datetime(2026, 10, 20).date(), datetime(2026, 11, 20).date()).map(str)
_HOURS = st.fixed_dictionaries(
    {
        "zone": st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        "week": st.dictionaries(st.sampled_from(WEEKDAYS), _SPANS),
        "days": st.dictionaries(_DATES, _SPANS, max_size=5),
    }
)
_MOMENTS = st.datetimes(datetime(2026, 10, 20), datetime(2026, 11, 20), timezones=st.just(UTC))


@settings(max_examples=100, deadline=None)
@given(_HOURS, _MOMENTS, st.floats(0, 1))
def test_people_answer_at_the_next_opening_and_at_no_moment_before_it(
    hours: dict[str, Any], moment: datetime, share: float
) -> None:
    opening = next_opening(hours, moment)
    assert is_open(hours, moment) is (opening is not None and opening.astimezone(UTC) == moment)
    if opening is None:
        assert not any(is_open(hours, moment + timedelta(hours=n)) for n in range(0, 24 * 8, 7))
        return
    assert opening >= moment
    assert is_open(hours, opening)
    between = moment + (opening.astimezone(UTC) - moment) * share
    assert between == opening.astimezone(UTC) or not is_open(hours, between)
