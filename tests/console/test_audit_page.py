"""The audit log's page: found by who, what, on what and when, and taken away as a file."""

import csv
import io
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from chatbot.models import Site
from console import audit
from console.spreadsheets import Cell, cell
from tests.console.conftest import staff
from tests.console.pages import AUDIT, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(site: Site) -> Client:
    mei = staff("mei", "agent")
    audit.record(mei, "take", site=site, target=("conversation", 7), details={"to": "tom"})
    audit.record(mei, "=cmd", target=("site", 7))
    audit.record(None, "expired", target=("conversation", 8))
    return signed_in(staff("root", "administrator"))


def rows(answer: HttpResponse) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"name": "mei", "action": "take"}, {"take"}),
        ({"target": "conversation"}, {"take", "expired"}),
        ({"target": "conversation 7"}, {"take"}),
        ({"target": "conversation 9"}, set()),
        ({"target": "nothing"}, set()),
        ({"name": "nobody"}, set()),
    ],
)
def test_entries_are_found(root: Client, query: dict[str, str], expected: set[str]) -> None:
    assert {entry.action for entry in root.get(AUDIT, query).context["entries"]} == expected
    assert {row[3] for row in rows(root.get(AUDIT, query | {"csv": ""}))[1:]} == expected


def test_days_bound_what_is_shown_and_nonsense_bounds_nothing(root: Client) -> None:
    today = timezone.now().date()
    for since, until, found in (
        (today, today, True),
        (today + timedelta(days=1), "", False),
        ("", today - timedelta(days=1), False),
        ("yesterday", "2026-99-99", True),
        ("0001-01-01", "9999-12-31", True),
    ):
        entries = root.get(AUDIT, {"since": str(since), "until": str(until), "name": "mei"}).context["entries"]
        assert bool(entries) is found, (since, until)


def test_a_spreadsheet_computes_nothing_of_the_file(root: Client) -> None:
    answer = root.get(AUDIT, {"csv": ""})
    assert answer["Content-Disposition"] == 'attachment; filename="kefu-audit.csv"'
    assert "'=cmd" in {row[3] for row in rows(answer)}


def test_a_supervisor_takes_away_their_own_sites_entries_alone(root: Client, other_site: Site) -> None:
    audit.record(None, "elsewhere", site=other_site)
    boss = signed_in(staff("boss", "supervisor"))
    assert {row[3] for row in rows(boss.get(AUDIT, {"csv": ""}))[1:]} == {"take"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\tx", "'\tx"),
        ("1=1", "1=1"),
        ("", ""),
        (None, ""),
        (-1.5, -1.5),
    ],
)
def test_a_cell_is_shown_and_never_computed(value: Cell, shown: str | float) -> None:
    assert cell(value) == shown
