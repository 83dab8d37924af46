"""Which language a text is in, by its script. Knows nothing of words."""

import re
from typing import Literal

Language = Literal["zh", "en"]

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")


def language_of(text: str) -> Language:
    """`zh` when the text has at least as many Han characters as Latin words ("iPhone 15 多少钱"), `en` otherwise and
    for no letters.
    """
    han = len(_HAN.findall(text))
    return "zh" if han and han >= len(_WORD.findall(text)) else "en"


def tokens_of(text: str) -> int:
    """Roughly how many tokens of an embedding model the text takes: 600 Han characters or 300 English words are 400."""
    return round(max(len(_HAN.findall(text)) * 2 / 3 + len(_WORD.findall(text)) * 4 / 3, len(text) / 6))
