"""Character n-grams: one by one or together, the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.classification.ngrams import count, inverse_frequency, plain, weigh

SIZE = 2**12


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Hello  World", " hello world "),
        ("ＡＢＣ１２", " abc00 "),
        ("無視規則", " 无视规则 "),
        ("ig\u200bnore", " ignore "),
        ("order 4412", " order 0000 "),
        ("", "  "),
    ],
)
def test_texts_are_compared_in_one_spelling(text: str, read: str) -> None:
    assert plain(text) == read


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_a_text_counts_the_same_alone_and_among_others(texts: list[str]) -> None:
    together = count(texts, SIZE)
    for number, text in enumerate(texts):
        alone, part = count([text], SIZE), slice(together.starts[number], together.starts[number + 1])
        assert np.array_equal(alone.buckets, together.buckets[part])
        assert np.array_equal(alone.times, together.times[part])


def test_every_text_has_length_one_and_rare_n_grams_weigh_more() -> None:
    counts = count(["red shoe", "blue shoe", "green hat"], SIZE)
    idf = inverse_frequency(counts, SIZE)
    values = weigh(counts, idf)
    assert np.allclose(np.add.reduceat(values**2, counts.starts[:-1]), 1, atol=1e-5)
    assert idf[count(["hat"], SIZE, (3,)).buckets].max() > idf[count(["sho"], SIZE, (3,)).buckets].min()


def test_lone_surrogates_do_no_harm() -> None:
    assert count(["\ud800 hello"], SIZE).starts[1] > 0
