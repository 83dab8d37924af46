"""The record of what staff did: nothing is lost, changed or put in between without showing."""

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from chatbot.models import Site
from console import append_only, audit
from console.models import AuditEntry, AuditHead
from tests.console.conftest import staff


def record(count: int = 3) -> list[AuditEntry]:
    for number in range(count):
        audit.record(None, "tested", target=("thing", number), details={"b": [1, "二"], "a": {"x": None, "y": True}})
    return list(AuditEntry.objects.order_by("id"))


def tamper(sql: str, *values: object) -> None:
    """As somebody who owns the database."""
    append_only.release(connection)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    append_only.protect(connection)


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_what_from_where(site: Site) -> None:
    mei = staff("mei", "agent")
    audit.record(mei, "took", site=site, target=("conversation", "c1"), details={"why": "queue"}, address="192.0.2.1")
    entry = AuditEntry.objects.order_by("-id")[0]
    assert (entry.actor, entry.actor_name, entry.action, entry.site) == (mei.pk, "mei", "took", site.pk)
    assert (entry.object_type, entry.object_id, entry.details) == ("conversation", "c1", {"why": "queue"})
    assert entry.address == "192.0.2.1"


@pytest.mark.django_db
def test_entries_made_within_a_request_carry_its_address() -> None:
    with audit.acts_from("192.0.2.9"):
        audit.record(None, "tested")
        audit.record(None, "tested", address="192.0.2.1")
    audit.record(None, "tested")
    assert [e.address for e in AuditEntry.objects.order_by("id")] == ["192.0.2.9", "192.0.2.1", ""]


@pytest.mark.django_db
def test_a_chain_nobody_touched_holds_and_so_does_an_empty_one() -> None:
    assert audit.verify() is None
    entries = record()
    assert audit.verify() is None
    assert [e.previous for e in entries] == ["", entries[0].digest, entries[1].digest]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", 99),
        ("actor_name", "tom"),
        ("action", "slept"),
        ("site", 7),
        ("object_type", "cat"),
        ("object_id", "9"),
        ("details", '{"a": {"x": null, "y": false}, "b": [1, "二"]}'),
        ("address", "203.0.113.1"),
        ("at", "2020-01-01 00:00:00+00:00"),
        ("digest", "0" * 64),
    ],
)
def test_a_changed_entry_is_found(column: str, value: object) -> None:
    second = record()[1]
    tamper(f"UPDATE {append_only.TABLE} SET {column} = %s WHERE id = %s", value, second.pk)
    broken = audit.verify()
    assert broken is not None
    assert broken.entry == second.pk


@pytest.mark.django_db
@pytest.mark.parametrize(("lost", "found_at"), [(0, 1), (1, 2), (2, 2)])
def test_a_missing_entry_is_found_wherever_it_was(lost: int, found_at: int) -> None:
    entries = record()
    tamper(f"DELETE FROM {append_only.TABLE} WHERE id = %s", entries[lost].pk)
    broken = audit.verify()
    assert broken is not None
    assert broken.entry == entries[found_at].pk


@pytest.mark.django_db
def test_an_end_cut_off_together_with_its_head_is_found_by_a_digest_noted_before() -> None:
    first, *_, last = record()
    assert audit.verify(contains=last.digest) is None
    assert audit.verify(contains=first.digest) is None
    tamper(f"DELETE FROM {append_only.TABLE} WHERE id > %s", first.pk)
    AuditHead.objects.update(entry=first.pk, digest=first.digest)
    assert audit.verify() is None
    broken = audit.verify(contains=last.digest)
    assert broken is not None
    assert broken.entry == first.pk


@pytest.mark.django_db
def test_a_lost_head_is_found() -> None:
    record()
    AuditHead.objects.all().delete()
    assert audit.verify() is not None


@pytest.mark.django_db
def test_a_forged_entry_needs_the_signing_key() -> None:
    record()
    with override_settings(SECRET_KEY="guessed"):
        audit.record(None, "forged")
    broken = audit.verify()
    assert broken is not None
    assert broken.entry == AuditEntry.objects.latest("id").pk


@pytest.mark.django_db
def test_after_a_new_signing_key_the_former_one_still_verifies(settings: Any) -> None:
    record()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new"
    record()
    assert audit.verify() is None
    settings.SECRET_KEY_FALLBACKS = []
    assert audit.verify() is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {append_only.TABLE} SET action = 'x'",
        f"DELETE FROM {append_only.TABLE}",
        pytest.param(
            f"INSERT OR REPLACE INTO {append_only.TABLE} SELECT id, at, actor, actor_name, 'x', site, object_type, "
            f"object_id, details, address, previous, digest FROM {append_only.TABLE}",
            id="replace",
        ),
        f"TRUNCATE {append_only.TABLE}",
    ],
)
def test_the_database_refuses_to_change_or_delete_entries(sql: str) -> None:
    if ("REPLACE" in sql and connection.vendor != "sqlite") or ("TRUNCATE" in sql and connection.vendor == "sqlite"):
        pytest.skip("no such statement here")
    record()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert audit.verify() is None
    assert AuditEntry.objects.count() == 3


@pytest.mark.django_db
def test_no_model_call_gets_around_the_database() -> None:
    entry = record()[0]
    for change in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
def test_an_act_that_fails_leaves_no_entry() -> None:
    def act() -> None:
        with transaction.atomic():
            audit.record(None, "tested")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert not AuditEntry.objects.exists()
    record(1)
    assert audit.verify() is None


@pytest.mark.django_db(transaction=True)
def test_acts_at_the_same_time_make_one_chain() -> None:
    def act(number: int) -> None:
        try:
            for _ in range(5):
                audit.record(None, "tested", target=("thread", number))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(act, range(6)))
    assert AuditEntry.objects.count() == 30
    assert audit.verify() is None


@pytest.mark.django_db
def test_the_command_says_what_is_wrong_and_ends_with_1() -> None:
    def run(*arguments: str) -> str:
        said = io.StringIO()
        call_command("verify_audit", *arguments, stdout=said)
        return said.getvalue()

    assert run() == "empty\n"
    entries = record()
    assert run("--contains", entries[0].digest) == f"whole up to entry {entries[2].pk}, digest {entries[2].digest}\n"
    tamper(f"UPDATE {append_only.TABLE} SET action = 'x' WHERE id = %s", entries[1].pk)
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", stdout=said)
    assert ended.value.code == 1
    assert said.getvalue().startswith(f"entry {entries[1].pk}: ")
