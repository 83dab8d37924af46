"""Words for engines that say what chance says. As a real one's are, they are about one token each to the guards' model:
an invented word is three or four, and a reply of them costs the guards as much as three replies.
"""

import os
import re
from itertools import chain, product
from pathlib import Path

from tokenizers import Tokenizer

SENTENCE = 15
"""Words until a sentence ends."""

LETTERS = "bcdfghjklmnpqrstvwxz"
"""Of invented words, where there are not enough known ones."""

_WORD = re.compile(r"▁([A-Za-zÀ-ɏ]{2,20})")


def words() -> "chain[str]":
    """The Latin words that are a token each to the model of search and guards in `KEFU_MODELS`, then invented ones."""
    models = Path(os.environ.get("KEFU_MODELS", Path(__file__).resolve().parent.parent / "models"))
    file = models / "e5-search" / "tokenizer.json"
    pieces = Tokenizer.from_file(str(file)).get_vocab() if file.exists() else {}
    known = sorted(match[1] for piece in pieces if (match := _WORD.fullmatch(piece)))
    return chain(known, map("".join, product(LETTERS, repeat=4)))
