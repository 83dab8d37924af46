"""Tickets for large uploads, and the bodies that they let through."""

from typing import Any

import pytest
from django.core import signing

from api import bodies
from chatbot import files
from desk import tickets
from knowledge.parsing import DEFAULT


def scope(path: str, ticket: str = "") -> Any:
    return {"path": path, "headers": [(tickets.HEADER.encode(), ticket.encode("latin-1"))] if ticket else []}


def test_what_we_made_is_ours_and_nothing_else() -> None:
    ticket = tickets.made()
    assert tickets.is_ours(ticket)
    for wrong in ("", "staff", ticket[:-1], "x" + ticket, signing.TimestampSigner(salt="other").sign("staff")):
        assert not tickets.is_ours(wrong)


def test_a_ticket_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = tickets.made()
    monkeypatch.setattr(tickets, "SECONDS", -1)
    assert not tickets.is_ours(ticket)


@pytest.mark.parametrize(
    ("path", "with_ticket", "large"),
    [
        ("/staff/knowledge/shop/upload/", True, True),
        ("/staff/knowledge/shop/upload/", False, False),
        ("/staff/login/", True, False),
        ("/api/v1/documents", True, False),
    ],
)
def test_a_large_file_comes_in_from_the_page_that_has_a_ticket_alone(path: str, with_ticket: bool, large: bool) -> None:
    most = bodies.most_bytes(scope(path, tickets.made() if with_ticket else ""))
    assert most == (most if large and most > DEFAULT.bytes_in else files.SMALL_BODY)
    assert (most > DEFAULT.bytes_in) == large
