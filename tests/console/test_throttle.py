import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory

from console.throttle import name_of

pytestmark = pytest.mark.django_db


def test_failures_are_counted_under_an_accounts_name() -> None:
    User.objects.create_user("mei")
    assert name_of(RequestFactory().post("/staff/login/", {"username": "mei"})) == "mei"
    assert name_of(RequestFactory().post("/staff/login/"), {"username": "mei"}) == "mei"


@pytest.mark.parametrize("typed", ["13912345678", "a mistyped password", "Mei", "王伟"])
def test_what_is_no_account_is_counted_and_not_kept(typed: str) -> None:
    User.objects.create_user("mei")
    kept = name_of(RequestFactory().post("/staff/login/", {"username": typed}))
    assert kept == name_of(RequestFactory().get("/"), {"username": typed})
    assert kept != name_of(RequestFactory().get("/"), {"username": f"{typed}."})
    assert kept is not None
    assert typed not in kept


def test_nothing_typed_is_nothing() -> None:
    assert name_of(RequestFactory().post("/staff/login/")) is None
