"""The people room: accounts, and that nobody can lock everybody out."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_otp import user_has_device

from chatbot.models import Site
from console import accounts
from console.accounts import AccountError
from console.models import AuditEntry
from tests.console.conftest import other_site, site, staff  # noqa: F401  fixtures
from tests.console.pages import LOGIN, actions, enrol, sign_in, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(site: Site) -> Client:  # noqa: F811
    return signed_in(staff("root", "administrator"))


def filled(**changes: Any) -> dict[str, Any]:
    return {"roles": ["agent"], "sites": ["shop"], "capacity": "5", **changes}


def seen(client: Client, user: User) -> str:
    found: str = client.get(f"/staff/people/{user.pk}/").context["seen"]
    return found


def test_a_new_account_is_made_with_all_that_was_chosen_and_its_password_is_shown_once(root: Client) -> None:
    given = filled(username="mei", full_name="梅", email="mei@shop.example", languages=["zh"], skills=["shipping"])
    answer = root.post("/staff/people/new/", given | {"roles": ["agent", "reviewer"], "capacity": "3"})
    mei = User.objects.get(username="mei")
    assert (mei.get_full_name(), mei.email) == ("梅", "mei@shop.example")
    member = mei.staff_member
    assert (member.roles, member.languages, member.skills, member.capacity) == (
        ["agent", "reviewer"],
        ["zh"],
        ["shipping"],
        3,
    )
    assert [one.key for one in member.sites.all()] == ["shop"]
    password = answer.context["password"]
    assert password in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert mei.check_password(password)
    assert password not in str(list(AuditEntry.objects.values_list("details", flat=True)))
    assert sign_in(Client(), "mei", password).status_code == 302


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"username": "root"}, "already an account"),
        ({"username": "a b"}, "valid username"),
        ({"username": ""}, "required"),
        ({"roles": []}, "required"),
        ({"roles": ["king"]}, "valid choice"),
        ({"sites": []}, "Choose a site"),
        ({"sites": ["nowhere"]}, "valid choice"),
        ({"capacity": "0"}, "greater than"),
        ({"email": "x"}, "valid email"),
    ],
)
def test_an_account_that_cannot_be_is_refused_and_keeps_what_was_typed(
    root: Client, changes: dict[str, Any], said: str
) -> None:
    answer = root.post("/staff/people/new/", filled(username="mei", full_name="Mei Lin") | changes)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert "Mei Lin" in answer.content.decode()
    assert User.objects.count() == 1


def test_an_administrator_needs_no_site(root: Client) -> None:
    root.post("/staff/people/new/", filled(username="lee", roles=["administrator"], sites=[]))
    assert User.objects.filter(username="lee").exists()


def test_an_account_is_changed_and_recorded(root: Client, site: Site, other_site: Site) -> None:  # noqa: F811
    mei = staff("mei", "agent")
    given = filled(seen=seen(root, mei), roles=["supervisor"], sites=["shop", "other"], full_name="Mei")
    assert root.post(f"/staff/people/{mei.pk}/", given).status_code == 302
    mei = User.objects.get(pk=mei.pk)
    assert mei.staff_member.roles == ["supervisor"]
    assert mei.staff_member.sites.count() == 2
    entry = AuditEntry.objects.filter(action="account_changed").latest("id")
    assert (entry.actor_name, entry.details["roles"]) == ("root", ["supervisor"])


def test_two_administrators_do_not_overwrite_each_other_unseen(root: Client) -> None:
    mei = staff("mei", "agent")
    mine = filled(seen=seen(root, mei), roles=["supervisor"])
    accounts.change(mei, roles=["reviewer"])
    answer = root.post(f"/staff/people/{mei.pk}/", mine)
    assert answer.status_code == 409
    assert "Somebody else has changed this account" in answer.content.decode()
    assert User.objects.get(pk=mei.pk).staff_member.roles == ["reviewer"]
    assert root.post(f"/staff/people/{mei.pk}/", mine | {"seen": seen(root, mei)}).status_code == 302


def test_the_last_administrator_stays(root: Client) -> None:
    me, other = User.objects.get(username="root"), staff("other", "administrator")
    for act in ("deactivate", "password", "drop"):  # not to oneself, whoever else there is
        page = root.post(f"/staff/people/{me.pk}/{act}/", follow=True).content.decode()
        assert "ask another administrator" in page
    answer = root.post(f"/staff/people/{me.pk}/", filled(seen=seen(root, me)))
    assert answer.status_code == 400
    root.post(f"/staff/people/{other.pk}/deactivate/")
    assert not User.objects.get(pk=other.pk).is_active
    for change in ({"active": False}, {"roles": ["agent"]}):
        with pytest.raises(AccountError, match="nobody would be left"):
            accounts.change(User.objects.get(pk=me.pk), **change)
    assert User.objects.get(pk=me.pk).is_active
    assert User.objects.get(pk=me.pk).staff_member.roles == ["administrator"]
    root.post(f"/staff/people/{other.pk}/activate/")
    accounts.change(User.objects.get(pk=me.pk), roles=["agent"])  # another one is left


def test_an_account_put_out_of_use_is_out_at_once(root: Client) -> None:
    mei = staff("mei", "supervisor")
    client = signed_in(mei)
    assert client.get("/staff/insights/").status_code == 200
    root.post(f"/staff/people/{mei.pk}/deactivate/")
    assert client.get("/staff/insights/").status_code == 302
    assert sign_in(Client(), "mei").status_code == 200
    root.post(f"/staff/people/{mei.pk}/activate/")
    assert sign_in(Client(), "mei").status_code == 302


def test_a_lost_phone_and_a_forgotten_password(root: Client) -> None:
    mei = staff("mei", "agent")
    enrol(mei)
    root.post(f"/staff/people/{mei.pk}/drop/")
    assert not user_has_device(User.objects.get(pk=mei.pk))
    client = signed_in(mei)
    answer = root.post(f"/staff/people/{mei.pk}/password/")
    assert client.get("/staff/").status_code == 302  # their sessions ended
    assert sign_in(Client(), "mei", answer.context["password"]).status_code == 302
    assert {"two_factor_removed", "password_reset"} <= set(actions())


def test_who_was_locked_is_shown_and_let_in_again(root: Client) -> None:
    mei = staff("mei", "agent")
    for _ in range(10):
        Client().post(LOGIN, {"username": "mei", "password": "wrong"})
    page = root.get("/staff/people/", {"state": "locked"}).content.decode()
    assert "mei" in page
    assert "Locked" in page
    root.post(f"/staff/people/{mei.pk}/unlock/")
    assert not AccessAttempt.objects.filter(username="mei").exists()
    assert sign_in(Client(), "mei").status_code == 302


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "me"}, {"mei"}),
        ({"role": "reviewer"}, {"tom"}),
        ({"role": "administrator"}, {"root"}),
        ({"state": "inactive"}, {"tom"}),
        ({"state": "active"}, {"root", "mei"}),
        ({"state": "locked"}, set()),
        ({"q": "\0", "role": "king", "state": "x"}, {"root", "mei", "tom"}),
    ],
)
def test_accounts_are_found(root: Client, query: dict[str, str], found: set[str]) -> None:
    staff("mei", "agent")
    accounts.change(staff("tom", "reviewer"), active=False)
    rows = root.get("/staff/people/", query).context["rows"]
    assert {one.username for one in rows} == found


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_pages_render_in_every_language(root: Client, language: str) -> None:
    mei = staff("مي", "agent")
    root.cookies["django_language"] = language
    for where in ("", "new/", f"{mei.pk}/"):
        answer = root.get(f"/staff/people/{where}")
        assert answer.status_code == 200
        assert "style=" not in answer.content.decode()


def test_a_list_of_thirty_takes_as_many_queries_as_one_of_three(root: Client) -> None:
    counts = []
    for number in (3, 30):
        for n in range(User.objects.count(), number):
            staff(f"user{n}", "agent")
        with CaptureQueriesContext(connection) as queries:
            assert root.get("/staff/people/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_nobody_else_comes_here(site: Site) -> None:  # noqa: F811
    boss, mei = signed_in(staff("boss", "supervisor")), staff("mei", "agent")
    for act in ("deactivate", "password", "drop", "unlock", "activate"):
        assert boss.post(f"/staff/people/{mei.pk}/{act}/").status_code == 403
    assert boss.post(f"/staff/people/{mei.pk}/", filled()).status_code == 403
    assert User.objects.get(pk=mei.pk).is_active
