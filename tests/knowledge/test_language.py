import pytest

from knowledge.language import language_of, tokens_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("退货要几天", "zh"),
        ("iPhone 15 多少钱", "zh"),
        ("什麼時候到貨?", "zh"),
        ("How long does a refund take?", "en"),
        ("What does the word 退款 mean in your app?", "en"),
        ("12345", "en"),
        ("", "en"),
    ],
)
def test_the_script_tells_the_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_characters_and_words_are_estimated_near_what_the_model_makes_of_them() -> None:
    assert 500 < tokens_of("货" * 600) < 550
    assert 350 < tokens_of("word " * 300) < 400


def test_text_without_words_has_a_size_too() -> None:
    assert tokens_of("7" * 6000) >= 1000
