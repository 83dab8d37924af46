import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from api import tokens
from api.models import ApiToken
from console.models import AuditEntry
from knowledge.models import KnowledgeBase

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def base() -> KnowledgeBase:
    return KnowledgeBase.objects.create(slug="shop", name="Shop")


def test_a_token_is_found_by_itself_alone_and_not_kept() -> None:
    token = tokens.make("crm", "shop", "read")
    found = tokens.find(token)
    assert found is not None
    assert (found.name, found.base.slug) == ("crm", "shop")
    assert token not in str(ApiToken.objects.values())
    assert token not in str(AuditEntry.objects.values())
    for other in ("", token[:-1], token + "a", token.upper(), "kefu_" + "a" * 43, found.digest):
        assert tokens.find(other) is None


@pytest.mark.parametrize(
    ("has", "wanted", "may"),
    [
        ("read", "read", True),
        ("read", "edit", False),
        ("read", "publish", False),
        ("edit", "read", True),
        ("edit", "edit", True),
        ("edit", "publish", False),
        ("publish", "edit", True),
        ("publish", "publish", True),
        ("publish", "purge", False),
        ("purge", "read", True),
        ("purge", "edit", False),
        ("purge", "publish", False),
        ("purge", "purge", True),
    ],
)
def test_a_scope_grants_what_it_says_and_purging_is_one_apart(has: str, wanted: str, may: bool) -> None:
    found = tokens.find(tokens.make("crm", "shop", has))
    assert found is not None
    assert tokens.may(found, wanted) is may


def test_what_we_did_not_make_is_known_without_asking_anybody(
    settings: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = tokens.make("crm", "shop", "read")
    with django_assert_num_queries(0):
        assert tokens.find("kefu_" + "a" * 55) is None
        assert tokens.find(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert tokens.find(token) is not None
    settings.SECRET_KEY_FALLBACKS = []
    assert tokens.find(token) is None


def test_what_is_revoked_or_expired_is_not_found() -> None:
    token, other = tokens.make("crm", "shop", "read"), tokens.make("old", "shop", "read", days=1)
    assert tokens.revoke("crm")
    assert not tokens.revoke("crm")
    assert tokens.find(token) is None
    assert tokens.find(other) is not None
    ApiToken.objects.filter(name="old").update(expires=timezone.now() - timedelta(seconds=1))
    assert tokens.find(other) is None


def test_a_name_is_free_again_when_its_token_is_revoked() -> None:
    tokens.make("crm", "shop", "read")
    with pytest.raises(tokens.TokenError, match="'crm'"):
        tokens.make("crm", "shop", "read")
    tokens.revoke("crm")
    tokens.make("crm", "shop", "read")


def test_a_base_that_is_not_there_is_named() -> None:
    with pytest.raises(tokens.TokenError, match="'nowhere'"):
        tokens.make("crm", "nowhere", "read")


def run(*arguments: str) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("api_token", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_command_makes_lists_and_revokes() -> None:
    [made] = run("make", "crm", "--base", "shop", "--scope", "edit", "--days", "30")
    [listed] = run("list")
    assert made["token"].startswith(listed["token"].rstrip("…"))
    assert len(listed["token"]) < 12
    assert (listed["name"], listed["base"], listed["scope"]) == ("crm", "shop", "edit")
    assert run("revoke", "crm") == [{"name": "crm", "revoked": True}]
    assert run("list") == []


@pytest.mark.parametrize("arguments", [("revoke", "x"), ("make", "x", "--base", "y"), ("make", "x", "--days", "0")])
def test_the_command_says_what_is_wrong(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
