"""Signing in and out, passwords, guessing, and where one lands."""

import datetime
import re
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from chatbot.models import Site
from console import accounts, audit
from console.models import AuditEntry
from console.wording import TEXTS
from tests.console.conftest import staff
from tests.console.pages import (
    AUDIT,
    CODE,
    CODES,
    DISABLE,
    ENROL,
    LOGIN,
    PASSWORD,
    PASSWORD_PAGE,
    STAFF,
    TWO_FACTOR,
    actions,
    enrol,
    sign_in,
    signed_in,
)

pytestmark = pytest.mark.django_db

PAGES = [STAFF, TWO_FACTOR, ENROL, DISABLE, CODES, PASSWORD_PAGE, AUDIT]
POSTS = [LOGIN, CODE, ENROL, DISABLE, CODES, PASSWORD_PAGE, "/staff/logout/", "/staff/language/"]


def test_a_right_password_leads_home_and_home_says_who_one_is(mei: User, client: Client) -> None:
    answer = sign_in(client, "mei")
    assert (answer.status_code, answer["Location"]) == (302, STAFF)
    page = client.get(STAFF).content.decode()
    assert "mei" in page
    assert "agent" in page
    assert "The Shop" in page
    assert "/admin/" not in page
    assert AUDIT not in page


def test_a_name_that_is_longer_than_any_is_refused_and_not_kept(client: Client, mei: User) -> None:
    assert sign_in(client, "m" * 5_000).status_code == 200
    assert not AccessAttempt.objects.exists()


@pytest.mark.parametrize("query", ["name=%00", "action=%00", "before=%00", f"before={9**40}"])
def test_an_odd_question_to_the_audit_log_is_answered(query: str, site: Site) -> None:
    """PostgreSQL takes no NUL."""
    assert signed_in(staff("sue", "supervisor")).get(f"{AUDIT}?{query}").status_code == 200


def test_home_leads_only_where_the_role_may_go(site: Site) -> None:
    for role, places in {"supervisor": {AUDIT}, "administrator": {AUDIT, "/admin/"}, "reviewer": set()}.items():
        page = signed_in(staff(role, role)).get(STAFF).content.decode()
        assert {place for place in (AUDIT, "/admin/") if f'href="{place}"' in page} == places


@pytest.mark.parametrize("path", [*PAGES, CODE, "/admin/", "/admin/auth/user/", "/staff/no-such-page/"])
def test_a_stranger_is_led_to_sign_in_and_then_back(path: str, client: Client, mei: User) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, LOGIN)
    assert sign_in(client, "mei", data={"next": path})["Location"] == path


def test_no_staff_page_is_forgotten_above() -> None:
    resolver = next(p for p in get_resolver().url_patterns if getattr(p, "app_name", "") == "staff")
    paths = {f"/staff/{p.pattern}" for p in resolver.url_patterns}
    assert paths == {*PAGES, *POSTS}


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        " //evil.example",
    ],
)
def test_next_never_leads_away(target: str, mei: User, client: Client) -> None:
    enrol(tom := staff("tom2", "agent"))
    assert sign_in(client, "mei", data={"next": target})["Location"] == STAFF
    assert Client().post(f"{LOGIN}?next={target}", {"username": "mei", "password": PASSWORD})["Location"] == STAFF
    other = signed_in(tom)
    page = other.get(CODE, {"next": target}).content.decode()
    assert "evil" not in page.split("<main", 1)[1]
    language = client.post("/staff/language/", {"language": "en", "next": target})
    assert "evil" not in language["Location"]


@pytest.mark.parametrize("target", ["x", "staff:home", "/staff/audit/"])
def test_who_needs_no_code_goes_on_whatever_next_says(target: str, mei: User) -> None:
    assert signed_in(mei).get(CODE, {"next": target}).status_code == 302


@pytest.mark.parametrize("path", POSTS)
def test_every_post_needs_its_csrf_token(path: str, mei: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(mei)
    enrol(mei) if path == CODE else None
    assert client.post(path, {"username": "mei", "password": PASSWORD, "code": "123456"}).status_code == 403
    assert client.get(STAFF).status_code in (200, 302)


@pytest.mark.parametrize("path", ["/staff/logout/", "/staff/language/"])
def test_what_changes_something_is_no_get(path: str, mei: User) -> None:
    client = signed_in(mei)
    client.get(path)
    assert client.get(STAFF).status_code == 200


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(mei: User) -> None:
    def page(name: str) -> str:
        answer = sign_in(Client(), name, "wrong")
        assert answer.status_code == 200
        text = answer.content.decode().replace(name, "NAME")
        return text.split("<main", 1)[1].split("csrfmiddlewaretoken")[0] + text.split('name="username"', 1)[1]

    known, unknown = page("mei"), page("nobody")
    assert known == unknown
    accounts.change(mei, active=False)
    assert page("mei") == known


def test_names_are_closed_after_ten_wrong_passwords_from_anywhere_whether_they_exist_or_not(mei: User) -> None:
    for name in ("mei", "nobody"):
        answers = [
            sign_in(Client(), name, "wrong", REMOTE_ADDR=f"192.0.2.{n}", HTTP_USER_AGENT=f"a{n}") for n in range(12)
        ]
        assert [a.status_code for a in answers] == [200] * 9 + [429] * 3
    locked = sign_in(Client(), "mei", REMOTE_ADDR="192.0.2.99")
    assert locked.status_code == 429
    assert "_auth_user_id" not in Client().session
    assert TEXTS["en"]["locked_title"] in locked.content.decode()
    assert signed_in(staff("tom", "agent"))  # nobody else is locked out


def test_an_address_is_closed_after_fifty_and_its_network_is_one_address(mei: User) -> None:
    def attempt(name: str, address: str) -> int:
        return sign_in(Client(), name, "wrong", REMOTE_ADDR=address).status_code

    assert [attempt(f"name{n // 5}", f"2001:db8::{n:x}") for n in range(49)] == [200] * 49
    assert attempt("name99", "2001:db8::ffff") == 429
    assert sign_in(Client(), "mei", REMOTE_ADDR="2001:db8::1").status_code == 429
    assert sign_in(Client(), "mei", REMOTE_ADDR="2001:db8:0:1::1").status_code == 302


def test_a_forged_forwarded_address_does_not_help_and_a_trusted_proxys_counts(mei: User, settings: Any) -> None:
    for n in range(50):
        sign_in(Client(), f"name{n}", "wrong", HTTP_X_FORWARDED_FOR=f"203.0.113.{n}")
    assert sign_in(Client(), "mei", HTTP_X_FORWARDED_FOR="198.51.100.1").status_code == 429
    settings.TRUSTED_PROXIES = accounts_networks("127.0.0.0/8")
    assert sign_in(Client(), "mei", HTTP_X_FORWARDED_FOR="198.51.100.1").status_code == 302


def accounts_networks(*networks: str) -> list[Any]:
    from ipaddress import ip_network

    return [ip_network(network) for network in networks]


def test_ones_own_account_does_not_wipe_out_guesses_at_anothers(mei: User, tom: User) -> None:
    for _ in range(9):
        sign_in(Client(), "mei", "wrong")
    signed_in(tom)
    assert sign_in(Client(), "mei", "wrong").status_code == 429


def test_the_door_opens_again_after_a_quarter_of_an_hour_even_if_somebody_kept_knocking(mei: User) -> None:
    for _ in range(15):
        sign_in(Client(), "mei", "wrong")
    assert sign_in(Client(), "mei").status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - datetime.timedelta(minutes=16))
    assert sign_in(Client(), "mei").status_code == 302


def test_an_administrator_opens_it_at_once(mei: User) -> None:
    for _ in range(10):
        sign_in(Client(), "mei", "wrong")
    accounts.unlock(mei, actor=None)
    assert sign_in(Client(), "mei").status_code == 302


def test_signing_in_gives_the_session_another_key(mei: User, client: Client) -> None:
    """Whoever planted a session key in the browser beforehand holds nothing."""
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted = session.session_key
    sign_in(client, "mei")
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != planted
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert thief.get(STAFF)["Location"].startswith(LOGIN)


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(mei: User) -> None:
    began, second = timezone.now(), datetime.timedelta(seconds=1)
    client = signed_in(mei)
    expires = client.session.get_expiry_date()
    assert began - second <= expires - datetime.timedelta(hours=12) <= timezone.now() + second
    session = client.session
    session["used"] = True
    session.save()
    assert client.session.get_expiry_date() == expires


def test_cookies_cannot_be_read_by_scripts_or_sent_by_other_sites(mei: User) -> None:
    client = signed_in(mei)
    client.get(PASSWORD_PAGE)
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


def test_signing_out_ends_the_session_on_the_server(mei: User) -> None:
    client = signed_in(mei)
    stolen = Client()
    stolen.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert client.post("/staff/logout/")["Location"] == LOGIN
    assert stolen.get(STAFF)["Location"].startswith(LOGIN)


def test_an_account_put_out_of_use_is_out_at_once(mei: User) -> None:
    client = signed_in(mei)
    accounts.change(mei, active=False)
    assert client.get(STAFF)["Location"].startswith(LOGIN)


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(mei: User) -> None:
    here, elsewhere = signed_in(mei), signed_in(mei)
    new = {"new_password1": "another long one", "new_password2": "another long one"}
    assert here.post(PASSWORD_PAGE, {"old_password": "wrong", **new}).status_code == 200
    assert here.post(PASSWORD_PAGE, {"old_password": PASSWORD, **new})["Location"] == STAFF
    assert TEXTS["en"]["password_changed"] in here.get(STAFF).content.decode()
    assert elsewhere.get(STAFF)["Location"].startswith(LOGIN)
    assert sign_in(Client(), "mei").status_code == 200
    assert sign_in(Client(), "mei", "another long one").status_code == 302
    assert "password_changed" in actions()


@pytest.mark.parametrize("weak", ["short", "password1234", "12345678"])
def test_a_weak_password_is_refused(weak: str, mei: User) -> None:
    form = {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak}
    assert signed_in(mei).post(PASSWORD_PAGE, form).status_code == 200
    assert sign_in(Client(), "mei").status_code == 302


def test_nothing_can_be_slipped_into_a_form(mei: User) -> None:
    """Mass assignment: what a form does not name does not count."""
    extra = {"is_superuser": "1", "is_staff": "1", "roles": '["administrator"]', "username": "root", "is_active": "1"}
    client = Client()
    sign_in(client, "mei", data={k: v for k, v in extra.items() if k != "username"})
    form = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}
    assert client.post(PASSWORD_PAGE, {**form, **extra}).status_code == 302
    client.post(ENROL, {"code": "123456", "user": "1", "confirmed": "1", **extra})
    mei = User.objects.get(pk=mei.pk)
    assert (mei.username, mei.is_superuser, mei.is_staff, mei.staff_member.roles) == ("mei", False, False, ["agent"])
    assert not mei.totpdevice_set.filter(confirmed=True)


def test_what_happens_at_the_door_is_recorded(mei: User, client: Client) -> None:
    before = len(actions())
    sign_in(client, "my-secret-password", "wrong", REMOTE_ADDR="192.0.2.4")
    for _ in range(12):
        sign_in(client, "mei", "wrong", REMOTE_ADDR="192.0.2.5")
    accounts.unlock(mei, actor=None)
    sign_in(client, "mei", REMOTE_ADDR="192.0.2.6")
    client.post("/staff/logout/")
    assert actions()[before:] == [
        *["sign_in_failed"] * 10,
        "sign_in_locked",  # the tenth, and only once
        "account_unlocked",
        "signed_in",
        "signed_out",
    ]
    entries = list(AuditEntry.objects.order_by("id"))[before:]
    assert {e.address for e in entries[:1]} == {"192.0.2.4"}
    assert (entries[0].object_id, entries[1].object_id, entries[-1].actor) == ("", str(mei.pk), mei.pk)
    assert entries[1].actor is None  # nobody proved to be mei
    assert not any("my-secret-password" in str(vars(e)) for e in entries)
    assert audit.verify() is None


def test_failed_attempts_keep_no_password_and_no_token(mei: User) -> None:
    sign_in(Client(), "mei", "almost my password")
    kept = str([vars(attempt) for attempt in AccessAttempt.objects.all()])
    assert "almost my password" not in kept


@pytest.mark.parametrize("path", [LOGIN, *PAGES])
def test_staff_pages_run_no_foreign_script_are_framed_by_nobody_and_kept_by_no_cache(path: str, site: Site) -> None:
    client = signed_in(staff("root", "administrator"))
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "no-store" in answer["Cache-Control"]
    page = answer.content.decode().replace(' type="module"', "")
    assert all(script.startswith(' src="/static/') for script in re.findall("<script( [^>]*?src[^>]*|)>", page))
    assert page.count("<script") == page.count("></script>"), "a script in the page"
    assert " style=" not in page
    assert "<style" not in page


def test_pages_of_customers_have_no_policy_of_ours(client: Client, site: Site) -> None:
    assert "Content-Security-Policy" not in client.get("/")


def test_a_name_is_never_markup(site: Site) -> None:
    user = staff("eve", "supervisor")
    user.first_name = "<img src=x onerror=alert(1)>"
    user.save()
    Site.objects.update(name="<script>alert(1)</script>")
    client = signed_in(user)
    audit.record(None, "<b>", site=site, details={"<i>": "<u>"})
    for path in (STAFF, AUDIT, f"{AUDIT}?name=%22%3E%3Cscript%3E"):
        page = client.get(path).content.decode()
        assert not any(tag in page for tag in ("<img src=x", "<script>", "<b>", "<i>", "<u>")), path


def test_both_languages_are_spoken_by_browser_and_by_choice(mei: User) -> None:
    client = Client(headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert 'lang="zh-hans"' in (page := client.get(LOGIN).content.decode())
    assert "登录" in page
    client.post("/staff/language/", {"language": "en", "next": LOGIN})
    assert TEXTS["en"]["sign_in"] in client.get(LOGIN).content.decode()
    client.post("/staff/language/", {"language": "tlh", "next": LOGIN})
    assert client.get(LOGIN).status_code == 200
