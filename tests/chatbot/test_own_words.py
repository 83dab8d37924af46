"""What the bot itself says comes out whatever staff put on the word list: somebody waits for an end."""

import pytest

from chatbot import worker_wiring
from guardrails.lexicon import Lexicon, Word
from guardrails.release import Release


def told(code: str, **options: bool) -> str:
    return "".join(unit.text for unit in worker_wiring.say(code, "en", **options))


@pytest.fixture
def sorry_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Lexicon((Word("sorry", "block", "x"),))
    monkeypatch.setattr(worker_wiring, "_own_words", Release(lambda: words))


def test_a_sentence_stands_apart_from_what_is_before_and_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_wiring, "_own_words", Release(lambda: Lexicon(())))
    plain = told("opening.sorry.1")
    assert plain == "I am sorry about the trouble."
    assert told("opening.sorry.1", before=True) == f"{plain} "
    assert told("closing.person.1", after=True).startswith("\n\n")


@pytest.mark.usefixtures("sorry_is_forbidden")
def test_an_opening_that_a_word_list_forbids_is_left_out_and_an_apology_becomes_wordless(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert told("opening.sorry.1", before=True) == ""
    assert told("apology") == "…"
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
