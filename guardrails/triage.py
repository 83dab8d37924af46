"""Rules that turn the raw lines of a public list into words with a level, or reject them. Pure; knows no database.

Public lists hold tens of thousands of ordinary words: raw, they flag more than half of all complaints. A line is kept
at its level only where it is no word, and no sequence of words, that customers write for other reasons; what rjieba's
dictionary counts often is counted at most, never blocked.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import rjieba

from guardrails.lexicon.matching import read_word
from guardrails.lexicon.words import LEVELS, Level, Line

Reason = Literal[
    "nothing to look for",
    "unprintable characters",
    "not a word",
    "too short",
    "level is unknown",
    "ordinary word",
    "ordinary customer text",
]

ORDINARY: Path = Path(__file__).parent / "wordlists" / "ordinary.txt"
"""Sentences that customers write, and words of shops: what occurs in them is never blocked."""

SHORTEST = 3
"""Characters of a Chinese word that may block or be reviewed; shorter ones are parts of too many others."""
SHORTEST_LATIN = 4
_NUMBER = 4  # digits that are a name by themselves, of a year or a group
LONGEST = 60
USUAL = 2
"""Occurrences that rjieba expects in 60 million words, of a word or of the best way to read it as several."""


@dataclass(frozen=True, slots=True)
class Triaged:
    """What became of one line: a word with level and category, or the reason why it is rejected.

    demoted: why the level is lower than was asked for.
    """

    line: Line
    level: Level | None = None
    category: str = ""
    rejected: Reason | None = None
    demoted: Reason | None = None


def triage(lines: Iterable[Line], level: Level, category: str, ordinary: str = "") -> Iterator[Triaged]:
    """Yield what becomes of each line; `level` and `category` are for lines that name none.

    ordinary: texts of this site's customers, beside the project's own, in which no blocked word may occur.
    """
    texts = f"{_ordinary()}\n{ordinary.casefold()}"
    for line in lines:
        wanted = line.level or level
        if wanted not in LEVELS:
            yield Triaged(line, rejected="level is unknown")
            continue
        reason = _unusable(line.text)
        if reason:
            yield Triaged(line, rejected=reason)
            continue
        harmless = None if wanted == "count" else _harmless(line.text, texts)
        kept: Level = "count" if harmless else wanted  # type: ignore[assignment]
        yield Triaged(line, kept, line.category or category, demoted=harmless)


def _unusable(text: str) -> Reason | None:
    if not text.isprintable() or "\ufffd" in text:
        return "unprintable characters"
    if len(text) > LONGEST or not any(each.isalpha() for each in text):
        return "not a word"
    try:
        folded = _folded(text)
    except ValueError:
        return "nothing to look for"
    return "too short" if len(folded) < (3 if folded.isascii() else 2) else None


def _harmless(text: str, ordinary: str) -> Reason | None:
    """Return why a word must not block: it is short, ordinary, or made of ordinary words alone."""
    folded = _folded(text)
    if folded in ordinary or text.casefold() in ordinary:
        return "ordinary customer text"
    letters = sum(not each.isdecimal() for each in folded)  # 13点 is a time of day
    if letters < (SHORTEST_LATIN if folded.isascii() else SHORTEST) and len(folded) - letters < _NUMBER:
        return "too short"
    if not folded.isascii() and int(rjieba.suggest_freq(folded)) >= USUAL:
        return "ordinary word"
    return None


def _folded(text: str) -> str:
    """Return the word as it is looked for, so that 发-票 and 發票 are the ordinary word that they are read as."""
    reading = read_word(text)
    return "".join(letter * run for letter, run in zip(reading.text, reading.runs, strict=True))


@lru_cache(maxsize=1)
def _ordinary() -> str:
    return re.sub(r"#.*", "", ORDINARY.read_text(encoding="utf-8")).casefold()
