"""The guess at a text's tokens, against a real tokenizer."""

import os
from pathlib import Path

import pytest

from chatbot.engines.tokens import estimate

ENGLISH = (
    "Refunds reach your card within 3 to 5 working days of the parcel's arrival at our warehouse (order no. A20417).\n"
    "Unworn shoes in their original box can be exchanged free of charge; return shipping costs 4.90 euros otherwise.\n"
)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("退款三天到账", 6), ("12345", 5), ("  \n", 0)])
def test_short_texts_have_the_tokens_one_would_count(text: str, tokens: int) -> None:
    assert estimate(text) == tokens


@pytest.mark.models
def test_it_guesses_rather_too_many_than_too_few() -> None:
    from tokenizers import Tokenizer

    file = Path(os.environ.get("KEFU_MODELS", "models")) / "smollm2" / "tokenizer.json"
    if not file.is_file():
        pytest.skip(f"no tokenizer at {file}: run `make models`")
    tokenizer = Tokenizer.from_file(str(file))
    for text in (ENGLISH, ENGLISH.upper(), "0123456789 " * 20, '{"key": [1, 2.5]}\n' * 10):
        real = len(tokenizer.encode(text).ids)
        assert 0.9 * real <= estimate(text) <= 1.8 * real
