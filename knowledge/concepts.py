"""The notions of customer service that a text touches, in whichever words or language: "邮费" and "postage" are one.

Knows nothing of documents; the words are in concepts.txt.
"""

import re
from collections import defaultdict
from functools import cache, lru_cache
from pathlib import Path

import Stemmer
from ahocorasick_rs import AhoCorasick, MatchKind

from knowledge.terms import fold

_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


@lru_cache(maxsize=8192)
def concepts_of(text: str) -> frozenset[str]:
    """The names of the notions that a raw text mentions; words within words ("rent" in "current") do not count."""
    automaton, names = _vocabulary()
    return frozenset(
        name
        for number, _, _ in automaton.find_matches_as_indexes(_read(text), overlapping=True)
        for name in names[number]
    )


@cache
def _vocabulary() -> tuple[AhoCorasick, list[tuple[str, ...]]]:
    """The words as an automaton reads them, and the notions of each."""
    notions: dict[str, list[str]] = defaultdict(list)
    for line in Path(__file__).with_name("concepts.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, words = line.split(":", 1)
            for word in words.split():
                latin = word.isascii()
                notions[_stemmed(word.replace("_", " ")) if latin else fold(word)].append(name)
    return AhoCorasick(list(notions), matchkind=MatchKind.Standard), [tuple(names) for names in notions.values()]


def _read(text: str) -> str:
    """A text in which Chinese words stand as they are, and English ones once more as stems between spaces."""
    folded = fold(text)
    return folded + "\n" + _stemmed(folded)


def _stemmed(folded: str) -> str:
    return f" {' '.join(Stemmer.Stemmer('english').stemWords(_WORD.findall(folded)))} "
