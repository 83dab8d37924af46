"""Who a token belongs to, and where it holds."""

import itertools
import uuid
from datetime import timedelta

import pytest
from django.core import signing
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.tokens import Visitor, issue, read

VISITOR = Visitor(uuid.uuid4(), uuid.uuid4(), "shop", "https://shop.example")


def test_a_token_names_its_visitor() -> None:
    assert read(issue(VISITOR), site="shop", origin="https://shop.example") == VISITOR


@pytest.mark.parametrize(
    ("site", "origin"),
    [
        ("other", "https://shop.example"),
        ("shop", "https://evil.example"),
        ("shop", "http://shop.example"),
        ("shop", "https://shop.example:8443"),
        ("shop", ""),
        ("", "https://shop.example"),
        ("https://shop.example", "shop"),
    ],
)
def test_a_token_holds_for_its_site_and_origin_alone(site: str, origin: str) -> None:
    assert read(issue(VISITOR), site=site, origin=origin) is None


def signed(value: object, salt: str = "kefu.visitor") -> str:
    return signing.dumps(value, salt=salt)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ":",
        "::",
        "a:b:c",
        "\0",
        "客服",
        "." * 2048,
        issue(VISITOR)[:-1],
        issue(VISITOR) + "a",
        signed([VISITOR.id.hex, VISITOR.conversation.hex, "shop", "https://shop.example"], salt="another purpose"),
        signed("text"),
        signed(None),
        signed(["a"]),
        signed(["a", "b", "shop", "https://shop.example"]),
        signed([None, None, "shop", "https://shop.example"]),
    ],
    ids=itertools.count(),
)
def test_what_is_no_token_names_nobody(token: str) -> None:
    assert read(token, site="shop", origin="https://shop.example") is None


@settings(max_examples=100)
@given(st.data())
def test_a_token_with_a_changed_character_names_nobody(data: st.DataObject) -> None:
    token = issue(VISITOR)
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("aB0_-:.=").filter(lambda c: c != token[at]))
    found = read(token[:at] + character + token[at + 1 :], site="shop", origin="https://shop.example")
    assert found is None or found == VISITOR  # base64 has unused bits at its end


def test_a_token_of_another_installation_names_nobody() -> None:
    with override_settings(SECRET_KEY="another key"):
        foreign = issue(VISITOR)
    assert read(foreign, site="shop", origin="https://shop.example") is None


@pytest.mark.parametrize(("days", "holds"), [(29, True), (31, False)])
def test_a_token_expires(days: int, holds: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    token = issue(VISITOR)
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + timedelta(days=days).total_seconds())
    assert (read(token, site="shop", origin="https://shop.example") is not None) is holds


def test_the_longest_possible_token_fits_into_a_hello() -> None:
    longest = Visitor(uuid.uuid4(), uuid.uuid4(), "客" * 64, "https://" + "k" * 253 + ":65535")
    assert len(issue(longest)) <= 2048
