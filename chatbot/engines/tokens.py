"""Guesses how many tokens a text has without a tokenizer, rather too many than too few. Knows no model."""

import re

_WORD = re.compile(r"[A-Za-z]+")
_CHINESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_SPACE = re.compile(r"\s+")

LETTERS = 4.0  # of a word in one token
CAPITALS = 2.0
CHINESE = 1.0  # tokens a character; DeepSeek and Qwen need about .7


def estimate(text: str) -> int:
    """About how many tokens `text` has: words by length, Chinese by character, digits and all other signs one each."""
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    chinese = len(_CHINESE.findall(text))
    spaces = sum(map(len, _SPACE.findall(text)))
    other = len(text) - letters - chinese - spaces
    spelt = sum(max(1.0, len(word) / (CAPITALS if word.isupper() else LETTERS)) for word in words)
    return round(spelt + CHINESE * chinese + other + 0.1 * spaces)
