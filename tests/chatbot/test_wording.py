"""What the bot says of its own accord: complete in both languages, and honest."""

import re
import string
from typing import get_args

import pytest

from attachments.refusals import Reason
from chatbot.wording import SENTENCES, HandoffReason, say

CODES = [
    "greeting", "thanks_goodbye", "refused", "withheld", "stopped", "degraded", "apology",
    "too_long", "invalid_json", "binary", "unknown_type", "empty", "too_fast",
    "masking_unavailable", "service_unavailable",
    "busy", "too_many_sockets", "user_invalid", "user_expired", "user_replayed",
    "duplicate_id", "unknown_message", "too_late", "too_many_files", "files_gone", *get_args(Reason),
    "form_incomplete", "not_there", "not_offered", "bad_email", "mail_unavailable", "mail_often",
    *(f"transcript.{what}" for what in ("subject", "foot", "customer", "bot", "agent", "withdrawn")),
    "bad_hello", "no_hello", "bad_key", "bad_origin", "expired", "token_refused", "internal",
    "closed", "closed.until", "review.rejected", "review.expired",
    *(f"waiting.{what}" for what in ("minutes", "long", "unknown", "nobody", "closed", "closed_until")),
    "owner.joined", "owner.transferred", "owner.left", "owner.ended", "owner.expired",
    *(f"handed_off.{reason}" for reason in get_args(HandoffReason)),
    *(f"opening.{kind}.{n}" for kind in ("sorry", "sorry_again", "glad", "again") for n in (1, 2, 3)),
    *(f"closing.person.{n}" for n in (1, 2, 3)),
]  # fmt: skip


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_has_its_sentence_and_no_sentence_is_left_over() -> None:
    assert sorted(SENTENCES) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_stands_in_both_languages_with_the_same_values(code: str) -> None:
    chinese, english = SENTENCES[code]["zh"], SENTENCES[code]["en"]
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert not re.search(r"[\u4e00-\u9fff]", english)
    assert fields(chinese) == fields(english)
    assert len(chinese) <= 80
    assert len(english) <= 160


def test_values_are_filled_in() -> None:
    assert "4000" in say("too_long", "en", limit=4000)
    assert "4000" in say("too_long", "zh", limit=4000)


def test_the_greeting_says_that_a_machine_speaks() -> None:
    assert "automated" in say("greeting", "en")
    assert "自动" in say("greeting", "zh")


def test_an_unknown_code_or_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("no_such_code", "en")
    with pytest.raises(KeyError):
        say("too_long", "en")
