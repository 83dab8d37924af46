"""Django's admin: for administrators, whose every change is recorded."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django_otp.plugins.otp_totp.models import TOTPDevice

from chatbot import wiring
from chatbot.models import Site
from console import audit
from console.models import AuditEntry
from console.rules import Role, may
from tests.console.conftest import MASTER_KEY, staff
from tests.console.pages import AUDIT, CODE, LOGIN, PASSWORD_PAGE, actions, enrol, sign_in, signed_in, wrong_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(site: Site) -> Client:
    return signed_in(staff("root", "administrator"))


def pages() -> list[str]:
    """Return every page of the admin that takes no argument."""
    found: list[str] = []

    def walk(patterns: list[Any], path: str) -> None:
        for pattern in patterns:
            here = path + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, here)
            elif isinstance(pattern, URLPattern) and not pattern.pattern.converters and "(?P" not in here:
                found.append(here)

    resolver = next(p for p in get_resolver().url_patterns if getattr(p, "app_name", "") == "admin")
    walk(resolver.url_patterns, "/admin/")
    return found


def account(**changes: Any) -> dict[str, Any]:
    return {
        "username": "mei",
        "is_active": "on",
        "staff_member-TOTAL_FORMS": "1",
        "staff_member-INITIAL_FORMS": "1",
        "staff_member-0-roles": ["agent"],
        "staff_member-0-languages": [],
        "staff_member-0-skills": "[]",
        "staff_member-0-capacity": "5",
        **changes,
    }


def change_mei(client: Client, mei: User, **changes: Any) -> None:
    form = account(
        **{
            "staff_member-0-id": mei.staff_member.pk,
            "staff_member-0-user": mei.pk,
            "staff_member-0-sites": [s.pk for s in mei.staff_member.sites.all()],
            **changes,
        }
    )
    answer = client.post(f"/admin/auth/user/{mei.pk}/change/", form)
    assert answer.status_code == 302, answer.content.decode()


@pytest.mark.parametrize("role", sorted(set(Role) - {"administrator"}))
def test_nobody_else_reaches_any_page_of_it(role: str, site: Site) -> None:
    user = staff("user", role)
    user.is_staff = True  # Django's own flag opens nothing here
    user.save()
    client = signed_in(user)
    for path in [*pages(), f"/admin/auth/user/{user.pk}/change/", "/admin/nonsense/"]:
        for answer in (client.get(path), client.post(path, {"is_superuser": "1"})):
            assert answer.status_code == 403, path
    assert not User.objects.get(pk=user.pk).is_superuser


def test_a_stranger_is_led_to_the_staffs_own_door(client: Client) -> None:
    assert len(pages()) > 15
    for path in pages():
        assert client.get(path)["Location"].startswith(LOGIN), path


def test_an_administrator_reaches_every_page_under_the_policy(root: Client) -> None:
    for path in set(pages()) - {"/admin/login/", "/admin/logout/", "/admin/autocomplete/"}:
        answer = root.get(path, follow=False)
        assert answer.status_code in ({403} if path.endswith("/add/") else {200, 301, 302}) | {200}, path
        assert "default-src 'none'" in answer["Content-Security-Policy"], path
    assert root.get("/admin/password_change/")["Location"] == PASSWORD_PAGE


def test_an_administrator_with_a_second_factor_must_have_passed_it(site: Site) -> None:
    user = staff("boss", "administrator")
    enrol(user)
    client = signed_in(user)
    assert client.get("/admin/")["Location"].startswith(CODE)
    assert client.post("/admin/auth/user/add/", {"username": "x"})["Location"].startswith(CODE)
    client.post(CODE, {"code": wrong_code(user)})
    assert client.get("/admin/")["Location"].startswith(CODE)


def test_roles_and_sites_are_given_and_recorded_with_who_gave_them(root: Client, mei: User, other_site: Site) -> None:
    changes = {"staff_member-0-roles": ["agent", "supervisor"], "staff_member-0-sites": [other_site.pk]}
    change_mei(root, mei, **changes)
    mei = User.objects.get(pk=mei.pk)
    assert may(mei, "see_insights", other_site)
    entry = AuditEntry.objects.filter(action="account_changed").latest("id")
    assert entry.details == {"active": True, "roles": ["agent", "supervisor"], "sites": ["other"]}
    assert (entry.actor_name, entry.object_id, entry.address) == ("root", str(mei.pk), "127.0.0.1")
    logged = AuditEntry.objects.get(action="admin_changed")
    assert (logged.object_type, logged.object_id) == ("auth.user", str(mei.pk))
    assert "roles" in str(logged.details)
    assert audit.verify() is None


def test_an_unknown_role_is_refused(root: Client, mei: User) -> None:
    form = account(**{"staff_member-0-id": mei.staff_member.pk, "staff_member-0-roles": ["king"]})
    assert root.post(f"/admin/auth/user/{mei.pk}/change/", form).status_code == 200
    assert User.objects.get(pk=mei.pk).staff_member.roles == ["agent"]


def test_nobody_is_made_a_superuser_by_a_form(root: Client, mei: User) -> None:
    change_mei(root, mei, is_superuser="on", is_staff="on", user_permissions=["1"], groups=["1"])
    password = {
        "username": "new",
        "usable_password": "true",
        "password1": "a long one 77",
        "password2": "a long one 77",
    }
    inline = {k: v for k, v in account().items() if k.startswith("staff_member-")} | {"staff_member-INITIAL_FORMS": "0"}
    answer = root.post("/admin/auth/user/add/", {**password, **inline, "is_superuser": "on", "is_staff": "on"})
    assert answer.status_code == 302
    assert not User.objects.filter(is_superuser=True)
    assert not User.objects.filter(is_staff=True)
    assert User.objects.get(username="new").staff_member.roles == ["agent"]
    assert "admin_added" in actions()


def test_accounts_are_put_out_of_use_not_deleted(root: Client, mei: User) -> None:
    client = signed_in(mei)
    assert root.post(f"/admin/auth/user/{mei.pk}/delete/", {"post": "yes"}).status_code == 403
    root.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": [mei.pk], "post": "yes"})
    assert User.objects.filter(pk=mei.pk)
    change_mei(root, mei, is_active="")
    assert client.get("/staff/")["Location"].startswith(LOGIN)


def test_an_administrator_takes_away_a_lost_second_factor_and_opens_a_closed_door(root: Client, mei: User) -> None:
    enrol(mei)
    for _ in range(10):
        sign_in(Client(), "mei", "wrong", REMOTE_ADDR="192.0.2.3")
    for action in ("remove_second_factor", "unlock"):
        root.post("/admin/auth/user/", {"action": action, "_selected_action": [mei.pk]})
    assert not TOTPDevice.objects.filter(user=mei)
    assert not AccessAttempt.objects.filter(username="mei")
    assert signed_in(mei).get("/staff/").status_code == 200
    assert {"two_factor_removed", "account_unlocked"} <= set(actions())
    assert AuditEntry.objects.get(action="two_factor_removed").actor_name == "root"


def test_secrets_of_devices_are_on_no_page(root: Client, mei: User) -> None:
    enrol(mei)
    key = TOTPDevice.objects.get(user=mei).key
    assert not admin.site.is_registered(TOTPDevice)
    for path in ("/admin/", "/admin/auth/user/", f"/admin/auth/user/{mei.pk}/change/"):
        assert key not in root.get(path).content.decode()


def test_a_sites_new_secret_is_recorded_without_it(root: Client, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "master_key", lambda: MASTER_KEY)
    page = root.post("/admin/chatbot/site/", {"action": "make_user_secret", "_selected_action": [site.pk]})
    secret = page.content.decode().strip().rpartition(" ")[2]
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.site, entry.object_id) == ("admin_changed", site.pk, str(site.pk))
    assert "user secret" in str(entry.details)
    assert secret not in str(list(AuditEntry.objects.values()))


def test_a_change_of_a_site_is_recorded_with_its_fields_and_not_their_values(root: Client, site: Site) -> None:
    form = {
        "key": "shop",
        "name": "A New Name",
        "knowledge_base": "shop",
        "allowed_origins": "[]",
        "contacts": "[]",
        "languages": '["en"]',
        "hours": "{}",
        "retention_days": "0",
        "widget": "{}",
        "answer_within": "60",
    }
    answer = root.post(f"/admin/chatbot/site/{site.pk}/change/", form)
    assert answer.status_code == 302, answer.content.decode()
    entry = AuditEntry.objects.latest("id")
    assert entry.site == site.pk
    assert "Name" in str(entry.details)
    assert "A New Name" not in str(entry.details)


def test_the_audit_log_is_read_and_never_written(root: Client, mei: User) -> None:
    entry = AuditEntry.objects.latest("id")
    assert root.get("/admin/console/auditentry/").status_code == 200
    assert root.get(f"/admin/console/auditentry/{entry.pk}/change/").status_code == 200
    for path in ("add/", f"{entry.pk}/delete/", f"{entry.pk}/change/"):
        assert root.post(f"/admin/console/auditentry/{path}", {"action": "x", "post": "yes"}).status_code == 403
    assert AuditEntry.objects.get(pk=entry.pk).action == entry.action


def test_a_supervisor_reads_their_sites_entries_and_an_administrator_all(
    root: Client, site: Site, other_site: Site
) -> None:
    for where, name in ((site, "here"), (other_site, "elsewhere"), (None, "nowhere")):
        audit.record(None, f"done_{name}", site=where)
    supervisor = signed_in(staff("sue", "supervisor"))
    for client, seen in ((supervisor, {"here"}), (root, {"here", "elsewhere", "nowhere"})):
        page = client.get(AUDIT).content.decode()
        assert {name for name in ("here", "elsewhere", "nowhere") if f"done_{name}" in page} == seen
    for role in ("agent", "reviewer", "knowledge_manager"):
        assert signed_in(staff(role, role)).get(AUDIT).status_code == 403


def test_the_audit_log_is_filtered_and_turned_page_by_page(root: Client) -> None:
    for number in range(205):
        audit.record(None, "counted" if number % 2 else "told", target=("number", number))
    first = root.get(AUDIT, {"action": "counted"}).content.decode()
    assert "<td>told</td>" not in first
    assert first.count("<tr><td>") == 100
    oldest = AuditEntry.objects.filter(action="counted").order_by("-id")[99].pk
    assert f"?before={oldest}&amp;action=counted" in first
    assert root.get(AUDIT, {"action": "counted", "before": oldest}).content.decode().count("<tr><td>") == 2
    assert root.get(AUDIT, {"name": "root"}).content.decode().count("<tr><td>") > 0
    for odd in ("x", "-1", "9" * 400, "٣", "1; DROP TABLE"):
        assert root.get(AUDIT, {"before": odd}).status_code == 200
