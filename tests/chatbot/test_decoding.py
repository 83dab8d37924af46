"""How tokens are chosen, and what a text repeats."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.engines.decoding import COOLEST, WARMEST, decoding_for, repetition


@settings(max_examples=100)
@given(st.sampled_from(["greeting", "complaint", "order_status", "other", "", "new"]), st.floats(-1, 2))
def test_every_temperature_is_in_range(intent: str, confidence: float) -> None:
    decoding = decoding_for(intent, confidence)
    assert decoding.temperature is not None
    assert COOLEST <= decoding.temperature <= WARMEST
    assert (decoding.top_p, decoding.top_k, decoding.no_repeat_ngram) == (0.92, 50, 3)
    assert 1.1 <= decoding.repetition_penalty <= 1.2


def test_an_apology_is_worded_more_freely_than_a_fact_and_weak_evidence_not_at_all() -> None:
    warmth = [decoding_for(intent, 0.9).temperature or 0 for intent in ("order_status", "complaint", "greeting")]
    assert warmth == sorted(warmth)
    assert len(set(warmth)) == 3
    assert decoding_for("complaint", 0.0).temperature == COOLEST


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        ("one two", 0.0),
        ("Refunds take three days.", 0.0),
        ("a b c a b c", 0.25),
        ("yes yes yes yes yes", pytest.approx(2 / 3)),
        ("退款三天到账", 0.0),
        ("退款退款退款", 0.5),
    ],
)
def test_repetition_is_the_share_of_trigrams_said_before(text: str, share: float) -> None:
    assert repetition(text) == share
