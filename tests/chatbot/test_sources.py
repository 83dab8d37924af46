"""From citation markers to sources."""

import pytest

from chatbot.sources import EXCERPT_CHARACTERS, sources_of
from guardrails.release import Release
from tests.fakes import lexicon, passage, retrieved

RELEASE = Release(lexicon)
PASSAGES = [passage(f"Passage {n}.", chunk_id=n) for n in range(1, 4)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Yes [1].", [1]),
        ("Yes [3], and no [1].", [3, 1]),
        ("Yes [2]. Again [2]. 再说一次[2]。", [2]),
        ("Nothing cited.", []),
        ("Out of range [4] [0] [99] [-1] [1.5] [].", []),
        ("Not a citation: [12a], (1), {1}.", []),
    ],
)
def test_sources_are_the_passages_that_the_text_cites(text: str, numbers: list[int]) -> None:
    found = sources_of(text, retrieved(*PASSAGES), RELEASE)
    assert [(s.number, s.ref) for s in found] == [(n, f"r{n}") for n in numbers]


def test_an_faq_is_its_own_source_whatever_it_says() -> None:
    faq = passage("See [2].", question="How?")
    [source] = sources_of(faq.text, retrieved(faq, *PASSAGES, exact=True), RELEASE)
    assert (source.number, source.heading, source.excerpt) == (1, "How?", "See [2].")


@pytest.mark.parametrize(("length", "shortened"), [(EXCERPT_CHARACTERS, False), (EXCERPT_CHARACTERS + 1, True)])
def test_a_long_excerpt_is_shortened(length: int, shortened: bool) -> None:
    [source] = sources_of("[1]", retrieved(passage("客" * length)), RELEASE)
    assert source.excerpt == "客" * EXCERPT_CHARACTERS + "…" * shortened


def test_a_passage_without_question_is_named_by_its_heading() -> None:
    [source] = sources_of("[1]", retrieved(passage("Text.")), RELEASE)
    assert (source.heading, source.document) == ("Returns", "returns.md")


def test_what_release_withholds_of_a_source_is_left_out() -> None:
    [source] = sources_of("[1]", retrieved(passage("Harmless. A badword beside it.")), RELEASE)
    assert (source.excerpt, source.document) == ("", "returns.md")
