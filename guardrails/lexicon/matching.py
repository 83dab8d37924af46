"""Tier 1: forbidden words, found through evasion, with an allow-list. Pure; knows neither conversations nor streams.

An Aho-Corasick automaton proposes every place where a word's letters stand in a row, overlapping ones too: a leftmost
or longest match could be one that a word boundary then rejects, and would hide the right one behind it.
`_Entry.fits` decides.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final, Literal, get_args

from ahocorasick_rs import AhoCorasick, Implementation

from guardrails import normalizer
from guardrails.normalizer import CJK, JOINER, LINE, NO_GAP, SPACE, WALL, Normalized, Transforms, is_letter
from guardrails.verdict import PASS, Verdict

Level = Literal["block", "review", "count"]
LEVELS: Final = get_args(Level)
SHIPPED: Final = Path(__file__).parent / "wordlists"


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase, what its appearance means, and the list that it comes from."""

    text: str
    level: Level
    category: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A word found; `start` and `end` (exclusive) are code points of the original text."""

    word: str
    level: Level
    category: str
    start: int
    end: int


class Lexicon:
    """Words and allowed phrases, immutable and safe to share between threads.

    A Latin word matches whole words only ("class" holds no "ass"); a Chinese one anywhere. A hit that lies inside an
    allowed phrase is none: the allowed phrase must stand there literally, apart from width, case and the like.
    Raises ValueError for a word of which too little remains after normalising.
    """

    version: str
    """SHA-256 over the normaliser's version, its transforms and all words."""

    def __init__(
        self, words: Iterable[Word], allow: Iterable[str] = (), *, transforms: Transforms = normalizer.ALL
    ) -> None:
        words, allow = list(words), list(allow)
        self._transforms = transforms
        self._entries: dict[str, list[_Entry]] = {}
        for word in words:
            self._add(word.text, word)
        for phrase in allow:
            self._add(phrase, None)
        self._patterns = list(self._entries)
        self._automaton = AhoCorasick(self._patterns, implementation=Implementation.ContiguousNFA)
        self._beginnings = sorted(
            pattern
            for pattern, entries in self._entries.items()
            if any(entry.word is None or entry.word.level != "count" for entry in entries)
        )
        self._longest = max(map(len, self._beginnings), default=0)
        self._crosses_sentences = any(
            max(entry.gaps) >= LINE for entries in self._entries.values() for entry in entries
        )
        self.version = _version(words, allow, transforms)

    @classmethod
    def load(cls, paths: Iterable[Path] = (SHIPPED,)) -> "Lexicon":
        """Read UTF-8 lists of `word<TAB>level<TAB>category`, where the level may be `allow`; `#` begins a comment line.

        A folder stands for the `.tsv` files in it. Raises OSError, and ValueError that names file and line.
        """
        words: list[Word] = []
        allow: list[str] = []
        for path in paths:
            for file in sorted(path.glob("*.tsv")) if path.is_dir() else (path,):
                for text, level, category in _rows(file):
                    if level == "allow":
                        allow.append(text)
                    else:
                        words.append(Word(text, level, category, file.stem))
        return cls(words, allow)

    def __len__(self) -> int:
        """The number of words, allowed phrases left out."""
        return sum(entry.word is not None for entries in self._entries.values() for entry in entries)

    def match(self, text: str, *, unfinished: bool = False) -> tuple[Hit, ...]:
        """Return every word in `text`, of all levels, by place; hits may overlap. unfinished: more text may follow."""
        readings = normalizer.readings(text, self._transforms, unfinished=unfinished)
        found = {hit for reading in readings for hit in self._hits(reading)}
        return tuple(sorted(found, key=lambda hit: (hit.start, -hit.end, hit.word)))

    def judge(self, text: str) -> Verdict:
        """Return the verdict of the strictest word in `text`; words that are only counted pass."""
        return verdict_of(self.match(text))

    def held_back(self, text: str) -> int:
        """Return how many characters at the end of `text` depend on what follows.

        They may be the beginning of a word or of an allowed phrase, or a word that could turn out to be part of a
        longer one. No word that ends in later text begins before them. Zero: `text` can be judged as it stands.
        """
        return max(
            self._open_end(reading, len(text))
            for reading in normalizer.readings(text, self._transforms, unfinished=True)
        )

    def _add(self, text: str, word: Word | None) -> None:
        reading = normalizer.normalize(text, self._transforms)
        if not set("@$!|").isdisjoint(text):
            # Here signs are letters ("a$$"); as separators they would leave the word "a".
            *_, reading = normalizer.readings(text, self._transforms)
        if not reading.text or max(reading.gaps) == WALL:
            raise ValueError(f"{text!r}: nothing remains of it after normalising")
        if reading.text.isascii() and sum(reading.runs) < 3 and (any(reading.gaps) or reading.last_gap):
            raise ValueError(f"{text!r}: too few letters remain of it after normalising")
        entries = self._entries.setdefault(reading.text, [])
        entry = _Entry(word, bytes((0,)) + reading.gaps[1:], reading.runs)
        if entry not in entries:
            entries.append(entry)

    def _hits(self, reading: Normalized) -> Iterator[Hit]:
        allowed: list[tuple[int, int]] = []
        found: list[tuple[int, int, Word]] = []
        for pattern, start, end in self._automaton.find_matches_as_indexes(reading.text, overlapping=True):
            for entry in self._entries[self._patterns[pattern]]:
                if entry.fits(reading, start, end):
                    if entry.word is None:
                        allowed.append((start, end))
                    else:
                        found.append((start, end, entry.word))
        allowed.sort()
        furthest = list(accumulate((end for _, end in allowed), max))
        for start, end, word in found:
            before = bisect_right(allowed, (start, len(reading.text)))
            if not before or furthest[before - 1] < end:
                hit = Hit(word.text, word.level, word.category, reading.offsets[start][0], reading.offsets[end - 1][1])
                at = bisect_left(reading.replaced, hit.start)
                # A leetspeak reading adds what it alone can tell; the plain one judges the rest.
                if not reading.replaced or (at < len(reading.replaced) and reading.replaced[at] < hit.end):
                    yield hit

    def _open_end(self, reading: Normalized, length: int) -> int:
        size = len(reading.text)
        for start in range(max(0, size - self._longest), size):
            if (
                not _is_inside_a_word(reading, start)
                and self._may_go_on(reading, start)
                and (self._crosses_sentences or not _ends_a_sentence(reading, start))
            ):
                return length - reading.offsets[start][0]
        return 0

    def _may_go_on(self, reading: Normalized, start: int) -> bool:
        suffix = reading.text[start:]
        at = bisect_left(self._beginnings, suffix)
        if at < len(self._beginnings) and self._beginnings[at] == suffix:
            alone = len(suffix) == 1 or reading.gaps[-1] > 0
            if not reading.last_gap or alone:
                return True
            at += 1
        return at < len(self._beginnings) and self._beginnings[at].startswith(suffix)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One way to write a pattern; `word` is None for an allowed phrase. gaps and runs as in Normalized."""

    word: Word | None
    gaps: bytes
    runs: bytes

    def fits(self, reading: Normalized, start: int, end: int) -> bool:
        """Tell whether the letters at start:end, which are the pattern's, are this word and not parts of others."""
        if _is_inside_a_word(reading, start) or _is_inside_a_word(reading, end):
            return False
        if reading.runs[start:end] != self.runs and not self._has_the_runs(reading, start, end):
            return False
        gaps = reading.gaps[start + 1 : end]
        return gaps == self.gaps[1:] or not any(gaps) or self._bridges(reading, start, end)

    def _has_the_runs(self, reading: Normalized, start: int, end: int) -> bool:
        """A letter may be repeated, but "good" is not "god" and 妈妈的 is not 妈的 with a slip of the finger."""
        for at in range(start, end):
            letter, run, own = reading.text[at], reading.runs[at], self.runs[at - start]
            if run == own:
                continue
            if run < own or letter.isdecimal() or (is_letter(letter) and self.word is None):
                return False
            if is_letter(letter):
                if run < 3 and end - start < 4:
                    return False
            elif start < at < end - 1 and (run < 3 or self.word is None):
                return False
        return True

    def _bridges(self, reading: Normalized, start: int, end: int) -> bool:
        """Tell whether the gaps are those of the word, or such as are put into it to hide it."""
        gaps = reading.gaps[start + 1 : end]
        if max(gaps) == WALL:
            return False
        if self._is_spelled(reading, start, end):
            return True
        breaks = [start, *(start + at for at, own in enumerate(self.gaps) if own), end]
        return all(
            self._is_spelled(reading, first, last) or self._bridges_part(reading, first, last)
            for first, last in pairwise(breaks)
        ) and all(reading.gaps[at] <= self._widest(reading, at, self.gaps[at - start]) for at in breaks[1:-1])

    def _is_spelled(self, reading: Normalized, start: int, end: int) -> bool:
        """True for letters with a gap after each, touched by no other letter."""
        text, gaps = reading.text, reading.gaps
        if self.word is None or not all(gaps[start + 1 : end]):
            return False
        if is_letter(text[start]):
            return sum(reading.runs[start:end]) >= 3
        return (start == 0 or gaps[start] > 0) and (end == len(text) or gaps[end] > 0 or is_letter(text[end - 1]))

    def _bridges_part(self, reading: Normalized, start: int, end: int) -> bool:
        return all(
            gap == NO_GAP or (self.word is not None and gap <= self._widest(reading, at))
            for at, gap in enumerate(reading.gaps[start + 1 : end], start + 1)
        )

    def _widest(self, reading: Normalized, at: int, own: int = NO_GAP) -> int:
        """The widest gap that may stand before the letter `at`, where the word itself has the gap `own`."""
        western = max(reading.text[at - 1], reading.text[at]) < CJK
        if own:
            return max(own, LINE if western else SPACE)
        # The parts of a long word are hardly ever words themselves ("her oin"); those of a short one are ("as set").
        return JOINER if western and len(self.runs) < 6 else SPACE


def verdict_of(hits: Iterable[Hit]) -> Verdict:
    """Return the strictest verdict among `hits`, with the categories of all that are not merely counted."""
    serious = sorted((hit for hit in hits if hit.level != "count"), key=lambda hit: hit.level)
    if not serious:
        return PASS
    action: Literal["review", "block"] = "block" if serious[0].level == "block" else "review"
    categories = tuple(dict.fromkeys(hit.category for hit in serious))
    return Verdict(action, "lexicon", categories, 1.0 if action == "block" else 0.5)


def _is_inside_a_word(reading: Normalized, at: int) -> bool:
    """True when a cut before the letter `at` would go through a Latin word or a number."""
    if not 0 < at < len(reading.text) or reading.gaps[at]:
        return False
    before, after = reading.text[at - 1], reading.text[at]
    return (is_letter(before) and is_letter(after)) or (before.isdecimal() and after.isdecimal())


def _ends_a_sentence(reading: Normalized, start: int) -> bool:
    """True when no word that begins at `start` can go on after the end of the reading."""
    text, gaps = reading.text, (*reading.gaps, reading.last_gap)
    if WALL in gaps[start + 1 :]:
        return True
    alone = start == 0 or gaps[start] > 0 or is_letter(text[start])
    for at in range(start, len(text)):
        # Only spelled letters ("f.u.c.k") go on over the end of a sentence.
        ends = gaps[at + 1] > LINE or (gaps[at + 1] == LINE and text[at] >= CJK)
        if ends and not alone:
            return True
        alone = gaps[at + 1] > 0
    return False


def _rows(path: Path) -> Iterator[tuple[str, Level | Literal["allow"], str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("\t")]
        level = next((level for level in (*LEVELS, "allow") if fields[1:2] == [level]), None)
        if len(fields) != 3 or not fields[0] or level is None:
            raise ValueError(f"{path.name}, line {number}: expected word, level ({', '.join(LEVELS)}, allow), category")
        yield fields[0], level, fields[2]


def _version(words: list[Word], allow: list[str], transforms: Transforms) -> str:
    digest = hashlib.sha256(f"{normalizer.VERSION}\n{transforms}\n".encode())
    for line in sorted(f"{word.text}\t{word.level}\t{word.category}\t{word.source}\n" for word in words):
        digest.update(line.encode("utf-8", "surrogatepass"))
    for line in sorted(f"{phrase}\tallow\n" for phrase in allow):
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
