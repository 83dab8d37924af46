"""Runs of letters: alike for what reads alike, of length 1, for any text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understanding.intents.letters import BUCKETS, count, plain, rarity, weigh


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Order 1234", "order  9876", True),
        ("退貨", "退货", True),
        ("ＯＫ", "ok", True),
        ("refund", "refunds", False),
        ("退货", "换货", False),
    ],
)
def test_texts_that_read_alike_are_the_same(one: str, other: str, same: bool) -> None:
    assert (plain(one) == plain(other)) is same


@given(st.lists(st.text(max_size=60), max_size=4))
@settings(max_examples=100, deadline=None)
def test_any_texts_become_rows_of_length_one(texts: list[str]) -> None:
    counts = count(texts)
    rows = weigh(counts, rarity(counts))
    product = rows.times(np.ones((BUCKETS, 1), np.float32))
    assert product.shape == (len(texts), 1)
    for start, end in zip(rows.starts, rows.starts[1:], strict=False):
        assert np.linalg.norm(rows.values[start:end]) == pytest.approx(1, abs=1e-4)


def test_a_text_that_is_too_long_counts_to_its_limit() -> None:
    assert len(plain("é" * 5000)) < 1100
