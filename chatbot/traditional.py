"""Simplified Chinese in traditional characters, for customers who read those. Knows nothing of what it converts."""

from functools import cache

import opencc


def traditional(text: str) -> str:
    """Return the text in the characters (not the vocabulary) of Taiwan: facts stay as they were published."""
    return _converter().convert(text) if not text.isascii() else text


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("s2tw")
