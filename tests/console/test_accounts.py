"""The second factor, its recovery codes, sessions on sockets, and accounts from the shell."""

import datetime
import io
import json
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from chatbot.models import Site
from console import accounts
from console.models import AuditEntry, StaffMember
from console.rules import has_passed, may
from tests.console.conftest import staff
from tests.console.pages import (
    AUDIT,
    CODE,
    CODES,
    DISABLE,
    ENROL,
    LOGIN,
    PASSWORD_PAGE,
    STAFF,
    TWO_FACTOR,
    actions,
    code_of,
    enrol,
    fully_signed_in,
    recovery_codes,
    sign_in,
    signed_in,
    wrong_code,
)

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> list[dict[str, Any]]:
    said = io.StringIO()
    call_command("staff", *arguments, stdout=said)
    return [json.loads(line) for line in said.getvalue().splitlines()]


def test_enrolling_shows_a_picture_and_after_a_right_code_the_recovery_codes_once(mei: User) -> None:
    client = signed_in(mei)
    page = client.get(ENROL).content.decode()
    assert "<svg" in page
    assert not recovery_codes(mei)
    key = client.session.session_key
    shown = client.post(ENROL, {"code": code_of(mei)})
    assert shown.status_code == 200
    assert len(recovery_codes(mei)) == accounts.RECOVERY_CODES
    assert all(code in shown.content.decode() for code in recovery_codes(mei))
    assert client.session.session_key != key
    page = client.get(TWO_FACTOR).content.decode()  # this session has passed
    assert not any(code in page for code in recovery_codes(mei))
    assert client.get(ENROL)["Location"] == TWO_FACTOR  # a stolen session cannot put another app in its place
    assert client.post(ENROL, {"code": code_of(mei, 1)})["Location"] == TWO_FACTOR


def test_a_wrong_code_enrols_nothing(mei: User) -> None:
    client = signed_in(mei)
    client.get(ENROL)
    assert client.post(ENROL, {"code": wrong_code(mei)}).status_code == 200
    assert not TOTPDevice.objects.filter(confirmed=True)
    assert client.get(STAFF).status_code == 200


@pytest.mark.parametrize("path", [STAFF, TWO_FACTOR, ENROL, DISABLE, CODES, PASSWORD_PAGE, AUDIT, "/admin/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_with_the_password_alone_one_reaches_the_code_page_and_nothing_else(path: str, method: str, site: Site) -> None:
    root = staff("root", "administrator")
    enrol(root)
    client = signed_in(root)
    answer = getattr(client, method)(path, {"code": "123456"})
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, CODE)
    assert client.get(CODE).status_code == 200


def test_a_session_from_before_enrolling_needs_the_code_too(mei: User) -> None:
    before = signed_in(mei)
    enrol(mei)
    assert before.get(STAFF)["Location"].startswith(CODE)


def test_the_code_leads_where_one_was_going_under_a_new_session_key(mei: User) -> None:
    enrol(mei)
    client = signed_in(mei)
    door = client.get(PASSWORD_PAGE)["Location"]
    key = client.session.session_key
    answer = client.post(door, {"code": code_of(mei)})
    assert (answer.status_code, answer["Location"]) == (302, PASSWORD_PAGE)
    assert client.session.session_key != key
    assert client.get(PASSWORD_PAGE).status_code == 200
    assert client.get(CODE)["Location"] == STAFF


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example"])
def test_the_code_page_never_leads_away(target: str, mei: User) -> None:
    enrol(mei)
    assert signed_in(mei).post(f"{CODE}?next={target}", {"code": code_of(mei), "next": target})["Location"] == STAFF


def test_a_code_that_was_used_is_refused_in_every_other_session(mei: User) -> None:
    enrol(mei)
    code = code_of(mei)
    fully_signed_in(mei)
    thief = signed_in(mei)
    assert thief.post(CODE, {"code": code}).status_code == 200
    assert thief.get(STAFF)["Location"].startswith(CODE)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "１２３４５６", "²²²²²²", "-12345", "0x1234", "a" * 40]
)
def test_what_is_no_code_is_refused(code: str, mei: User) -> None:
    enrol(mei)
    client = signed_in(mei)
    assert client.post(CODE, {"code": code}).status_code == 200
    assert client.get(STAFF)["Location"].startswith(CODE)


def test_guessing_codes_is_slowed_down(mei: User) -> None:
    enrol(mei)
    client = signed_in(mei)
    client.post(CODE, {"code": wrong_code(mei)})
    assert client.post(CODE, {"code": code_of(mei)}).status_code == 200  # right, but too soon after a wrong one
    assert TOTPDevice.objects.get(user=mei).throttling_failure_count == 1
    TOTPDevice.objects.update(throttling_failure_timestamp=timezone.now() - datetime.timedelta(seconds=2))
    assert client.post(CODE, {"code": code_of(mei)}).status_code == 302


def test_a_recovery_code_opens_once(mei: User) -> None:
    codes = enrol(mei)
    first = signed_in(mei)
    assert first.post(CODE, {"code": f" {codes[0].upper()[:4]} {codes[0].upper()[4:]} "}).status_code == 302
    assert first.get(STAFF).status_code == 200
    again = signed_in(mei)
    assert again.post(CODE, {"code": codes[0]}).status_code == 200
    assert again.get(STAFF)["Location"].startswith(CODE)
    assert recovery_codes(mei) == set(codes[1:])
    assert [e.details for e in AuditEntry.objects.filter(action="second_factor_passed")] == [{"with": "recovery_code"}]


def test_anothers_codes_open_nothing(mei: User, tom: User) -> None:
    enrol(mei)
    codes = enrol(tom)
    for code in (codes[0], code_of(tom)):
        client = signed_in(mei)
        assert client.post(CODE, {"code": code}).status_code == 200
        assert client.get(STAFF)["Location"].startswith(CODE)


def test_new_recovery_codes_take_a_code_and_end_the_old_ones(mei: User) -> None:
    old = enrol(mei)
    client = fully_signed_in(mei)
    assert client.post(CODES, {"code": wrong_code(mei)}).status_code == 200
    assert recovery_codes(mei) == set(old)
    shown = client.post(CODES, {"code": old[0]}).content.decode()
    assert not recovery_codes(mei) & set(old)
    assert all(code in shown for code in recovery_codes(mei))


def test_the_second_factor_ends_for_a_code_alone(mei: User) -> None:
    codes = enrol(mei)
    client = fully_signed_in(mei)
    for wrong in ("", wrong_code(mei)):
        client.post(DISABLE, {"code": wrong})
        assert TOTPDevice.objects.filter(user=mei)
    assert client.post(DISABLE, {"code": codes[0]})["Location"] == TWO_FACTOR
    assert not TOTPDevice.objects.filter(user=mei)
    assert not StaticDevice.objects.filter(user=mei)
    assert client.get(STAFF).status_code == 200


def test_where_it_is_required_one_enrols_before_anything_else(mei: User, settings: Any) -> None:
    settings.TWO_FACTOR_REQUIRED = True
    client = signed_in(mei)
    assert client.get(STAFF)["Location"].startswith(ENROL)
    assert client.get(ENROL).status_code == 200
    assert client.post(ENROL, {"code": code_of(mei)}).status_code == 200
    assert client.get(STAFF).status_code == 200
    assert signed_in(mei).get(STAFF)["Location"].startswith(CODE)


def test_every_act_with_the_second_factor_is_recorded(mei: User) -> None:
    before = len(actions())
    client = signed_in(mei)
    client.get(ENROL)
    client.post(ENROL, {"code": code_of(mei)})
    other = signed_in(mei)
    other.post(CODE, {"code": "aaaaaaaa"})
    codes = recovery_codes(mei)
    client.post(CODES, {"code": code_of(mei, 1)})
    assert not recovery_codes(mei) & codes
    accounts.remove_second_factor(mei, actor=None)
    assert actions()[before:] == [
        "signed_in",
        "two_factor_enrolled",
        "recovery_codes_made",
        "signed_in",
        "second_factor_failed",
        "recovery_codes_made",
        "two_factor_removed",
    ]
    assert not any(code in str(e.details) for e in AuditEntry.objects.all() for code in codes)


def session_of(client: Client) -> SessionStore:
    return SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)


def test_a_sockets_session_says_who_it_is_and_whether_they_have_passed(mei: User) -> None:
    assert isinstance(accounts.session_user(SessionStore()), AnonymousUser)
    assert isinstance(accounts.session_user(SessionStore("nosuchsessionkeynosuchsessionkey")), AnonymousUser)
    client = signed_in(mei)
    assert accounts.session_user(session_of(client)) == mei
    assert may(accounts.session_user(session_of(client)), "take")
    enrol(mei)
    assert not has_passed(accounts.session_user(session_of(client)))
    client.post(CODE, {"code": code_of(mei)})
    assert may(accounts.session_user(session_of(client)), "take")


def test_a_sockets_session_ends_with_sign_out_password_and_account(mei: User) -> None:
    def out(client: Client) -> bool:
        return not accounts.session_user(session_of(client)).is_authenticated

    first, second, third = signed_in(mei), signed_in(mei), signed_in(mei)
    key = first.cookies[settings.SESSION_COOKIE_NAME].value
    first.post("/staff/logout/")
    assert not accounts.session_user(SessionStore(key)).is_authenticated
    new = {"new_password1": "another long one", "new_password2": "another long one"}
    second.post(PASSWORD_PAGE, {"old_password": "a long pass word", **new})
    assert (out(second), out(third)) == (False, True)
    accounts.change(mei, active=False)
    assert out(second)


# --- from the shell


def test_an_account_is_added_with_a_password_that_is_printed_once(site: Site, other_site: Site) -> None:
    [line] = run("add", "lee", "--role", "agent", "--role", "reviewer", "--site", "shop", "--site", "other")
    assert (line["name"], line["roles"], line["sites"]) == ("lee", ["agent", "reviewer"], ["other", "shop"])
    assert sign_in(Client(), "lee", line["password"]).status_code == 302
    [listed] = run("list")
    assert "password" not in listed
    assert listed["active"]
    entry = AuditEntry.objects.get(action="account_changed")
    assert entry.details == {"active": True, "roles": ["agent", "reviewer"], "sites": ["other", "shop"]}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "mei", "--role", "agent"), "already"),
        (("add", "lee", "--role", "king"), "invalid choice"),
        (("add", "lee"), "--role"),
        (("add", "lee", "--role", "agent", "--site", "nowhere"), "unknown site nowhere"),
        (("add", "<b>", "--role", "agent"), "valid username"),
        (("change", "nobody", "--role", "agent"), "no account"),
        (("change", "mei", "--site", "nowhere"), "unknown site"),
        (("deactivate", "nobody"), "no account"),
        (("dance",), "invalid choice"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_changes_nothing(
    arguments: tuple[str, ...], why: str, mei: User
) -> None:
    before = actions()
    with pytest.raises(CommandError, match=why):
        run(*arguments)
    assert actions() == before
    assert list(User.objects.values_list("username", flat=True)) == ["mei"]
    assert StaffMember.objects.get().roles == ["agent"]


def test_roles_and_sites_are_replaced_and_what_is_not_given_stays(mei: User, other_site: Site) -> None:
    assert run("change", "mei", "--role", "supervisor")[0]["sites"] == ["shop"]
    [line] = run("change", "mei", "--site", "other")
    assert (line["roles"], line["sites"]) == (["supervisor"], ["other"])


def test_an_account_goes_out_of_use_and_comes_back(mei: User) -> None:
    client = signed_in(mei)
    assert run("deactivate", "mei")[0]["active"] is False
    assert client.get(STAFF)["Location"].startswith(LOGIN)
    assert sign_in(Client(), "mei").status_code == 200
    assert run("activate", "mei")[0]["active"] is True
    assert sign_in(Client(), "mei").status_code == 302


def test_who_lost_the_phone_gets_in_again(mei: User) -> None:
    enrol(mei)
    assert run("drop-two-factor", "mei")[0]["two_factor"] is False
    assert signed_in(mei).get(STAFF).status_code == 200


def test_the_demo_makes_its_accounts_once(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_user("agent", is_staff=True)  # of a time before roles
    call_command("demo")
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {(line[0], len(line)) for line in lines} == {("account", 3)}
    assert [line[1] for line in lines] == ["admin", "supervisor", "agent2", "reviewer", "knowledge"]
    assert sign_in(Client(), lines[0][1], lines[0][2]).status_code == 302
    assert User.objects.get(username="agent").staff_member.roles == ["agent"]
    assert may(User.objects.get(username="admin"), "manage_staff")
    assert not may(User.objects.get(username="agent"), "manage_staff")
    call_command("demo")
    assert capsys.readouterr().out == ""
