"""How tokens are chosen, and what a text repeats."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.engines.decoding import COOLEST, WARMEST, decoding_for, repetition


@settings(max_examples=100)
@given(st.floats(-1, 2), st.floats(-1, 2))
def test_every_temperature_is_in_range(temperature: float, confidence: float) -> None:
    decoding = decoding_for(temperature, confidence)
    assert decoding.temperature is not None
    assert COOLEST <= decoding.temperature <= WARMEST
    assert (decoding.top_p, decoding.top_k, decoding.no_repeat_ngram) == (0.92, 50, 3)
    assert 1.1 <= decoding.repetition_penalty <= 1.2


def test_what_an_intent_allows_is_used_as_far_as_the_evidence_is_sure() -> None:
    assert [decoding_for(allowed, 1.0).temperature for allowed in (0.1, 0.5, 0.9)] == [COOLEST, 0.5, WARMEST]
    assert decoding_for(0.9, 0.5).temperature == 0.6
    assert decoding_for(0.9, 0.0).temperature == COOLEST


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
