"""Tier 1: forbidden words, found through evasion, with an allow-list. Pure; knows neither conversations nor streams.

Each list has a `_Matcher`, which a later lexicon takes over if the list is still the same; lists that read text by the
same transforms share the reading. A matcher's Aho-Corasick automaton proposes every place where a
word's letters stand in a row, overlapping ones too: a leftmost or longest match could be one that a word boundary then
rejects, and would hide the right one behind it. `Entry.fits` decides. Sounds have an automaton of their own.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Literal

from ahocorasick_rs import AhoCorasick, Implementation

from guardrails import normalizer
from guardrails.lexicon.entries import ALLOWED, Entry, ends_a_sentence, is_inside_a_word
from guardrails.lexicon.sounds import Sounds
from guardrails.lexicon.words import SHIPPED, Level, Word, WordList, read_tables
from guardrails.normalizer import WALL, Normalized, Transforms
from guardrails.verdict import PASS, Verdict


@dataclass(frozen=True, slots=True)
class Hit:
    """A word found; `start` and `end` (exclusive) are code points of the original text."""

    word: str
    level: Level
    category: str
    start: int
    end: int
    source: str = ""


class Lexicon:
    """Words and allowed phrases, immutable and safe to share between threads.

    A Latin word matches whole words only ("class" holds no "ass"); a Chinese one anywhere. A hit that lies inside an
    allowed phrase of any list is none: the phrase must stand there literally, apart from width, case and the like.
    Raises ValueError for a word of which too little remains after normalising.
    """

    def __init__(
        self, words: Iterable[Word], allow: Iterable[str] = (), *, transforms: Transforms = normalizer.ALL
    ) -> None:
        self._build([WordList("", tuple(words), tuple(allow), transforms)])

    @classmethod
    def of(cls, lists: Iterable[WordList], before: "Lexicon | None" = None) -> "Lexicon":
        """Return the lexicon of several lists, each seen through its own transforms.

        before: an earlier lexicon; what it made of the very same list objects is used again.
        """
        lexicon = cls.__new__(cls)
        lexicon._build(list(lists), before)
        return lexicon

    @classmethod
    def load(cls, paths: Iterable[Path] = (SHIPPED,)) -> "Lexicon":
        """Return the lexicon of the lists in these files and folders. Raises as `read_tables` does."""
        return cls(*read_tables(paths))

    def __len__(self) -> int:
        """The number of words, allowed phrases left out."""
        return self._size

    @cached_property
    def version(self) -> str:
        """SHA-256 over the normaliser's version, the transforms and all words."""
        return _version(self._lists)

    def match(self, text: str, *, unfinished: bool = False) -> tuple[Hit, ...]:
        """Return every word in `text`, of all levels, by place; hits may overlap. unfinished: more text may follow."""
        found = {hit for group in self._groups for hit in group.hits(text, unfinished)}
        return tuple(sorted(found, key=lambda hit: (hit.start, -hit.end, hit.word, hit.level)))

    def judge(self, text: str) -> Verdict:
        """Return the verdict of the strictest word in `text`; words that are only counted pass."""
        return verdict_of(self.match(text))

    def held_back(self, text: str) -> int:
        """Return how many characters at the end of `text` depend on what follows.

        They may be the beginning of a word or of an allowed phrase, or a word that could turn out to be part of a
        longer one. No word that ends in later text begins before them. Zero: `text` can be judged as it stands.
        """
        return max((group.open_end(text) for group in self._groups), default=0)

    def _build(self, lists: Sequence[WordList], before: "Lexicon | None" = None) -> None:
        self._lists = lists
        allow = tuple(dict.fromkeys(phrase for each in lists for phrase in each.allow))
        earlier: list[tuple[WordList, _Matcher]] = before._built if before else []
        known = {id(words): matcher for words, matcher in earlier}
        self._built: list[tuple[WordList, _Matcher]] = [
            (each, known.get(id(each)) or _Matcher.of(each)) for each in lists
        ]
        matchers: dict[Transforms, list[_Matcher]] = {}
        for each, matcher in self._built:
            matchers.setdefault(each.transforms.for_text(), []).append(matcher)
        self._groups = [_Group(key, tuple(members), _Matcher.allowing(allow, key)) for key, members in matchers.items()]
        self._size = sum(matcher.size for _, matcher in self._built)


@dataclass(frozen=True)
class _Group:
    """Lists that read text by the same transforms, and what all lists allow."""

    transforms: Transforms
    matchers: tuple["_Matcher", ...]
    allowed: "_Matcher"

    def hits(self, text: str, unfinished: bool) -> Iterator[Hit]:
        """Yield the words in every reading of `text`; the same word at the same place may come twice."""
        plain = True
        for reading in normalizer.readings(text, self.transforms, unfinished=unfinished):
            found: list[_Found] = []
            for matcher in self.matchers:
                found += matcher.find(reading)
                if plain:
                    found += matcher.find_sounds(reading, unfinished)
            plain = False
            if found:
                yield from _not_allowed(reading, found, [(start, end) for start, end, _ in self.allowed.find(reading)])

    def open_end(self, text: str) -> int:
        """Return how many characters at the end of `text` depend on what follows."""
        longest, plain = 0, True
        for reading in normalizer.readings(text, self.transforms, unfinished=True):
            for matcher in (*self.matchers, self.allowed):
                longest = max(longest, matcher.open_end(reading, len(text), plain))
            plain = False
        return longest


class _Matcher:
    """The words of one list, or allowed phrases; immutable once made."""

    def __init__(self, transforms: Transforms) -> None:
        self._transforms = transforms
        self._words: dict[Word, int] = {}
        self._entries: dict[str, tuple[Entry, ...]] = {}
        self._sounds = Sounds()
        self._crosses_sentences = False
        self._shared: dict[bytes, bytes] = {}
        self._split = True

    @property
    def size(self) -> int:
        return len(self._words)

    @classmethod
    def of(cls, words: WordList) -> "_Matcher":
        """Return the matcher of a list. Raises ValueError for a word of which too little remains."""
        matcher = cls(words.transforms.for_text())
        for word in words.words:
            matcher._add(word, words.transforms)
        matcher._freeze()
        return matcher

    @classmethod
    def allowing(cls, phrases: Iterable[str], transforms: Transforms) -> "_Matcher":
        """Return the matcher of allowed phrases. Raises ValueError for one of which too little remains."""
        matcher = cls(transforms)
        for phrase in phrases:
            matcher._enter(read_word(phrase, transforms), ALLOWED)
        matcher._freeze()
        return matcher

    def _add(self, word: Word, transforms: Transforms) -> None:
        if word in self._words:
            return
        reading = read_word(word.text, self._transforms)
        number = self._words[word] = len(self._words)
        self._enter(reading, number)
        self._enter_respelled(reading, number)
        self._split = transforms.split
        if word.level != "count" and (transforms.homophones or transforms.pinyin):
            self._sounds.add(number, reading, homophones=transforms.homophones, pinyin=transforms.pinyin)

    def _freeze(self) -> None:
        self._listed = tuple(self._words)
        self._patterns = tuple(self._entries)
        self._automaton = AhoCorasick(self._patterns, implementation=Implementation.ContiguousNFA)
        quiet = {number for word, number in self._words.items() if word.level == "count"}
        self._beginnings = sorted(
            pattern
            for pattern, entries in self._entries.items()
            if not quiet or any(entry.word not in quiet for entry in entries)
        )
        self._firsts = {pattern[0] for pattern in self._beginnings}
        self._longest = max(map(len, self._beginnings), default=0)
        self._sounds.freeze()

    def find(self, reading: Normalized) -> Iterator["_Found"]:
        """Yield the words that stand in one reading."""
        if reading.joined and not self._split:
            return
        for pattern, start, end in self._automaton.find_matches_as_indexes(reading.text, overlapping=True):
            for entry in self._entries[self._patterns[pattern]]:
                if entry.fits(reading, start, end):
                    yield start, end, None if entry.word == ALLOWED else self._listed[entry.word]

    def find_sounds(self, reading: Normalized, unfinished: bool) -> Iterator["_Found"]:
        """Yield the words that the plain reading sounds like."""
        for number, start, end in self._sounds.hits(reading, unfinished=unfinished):
            yield start, end, self._listed[number]

    def open_end(self, reading: Normalized, length: int, plain: bool) -> int:
        """Return how many characters at the end of a text of `length` depend on what follows."""
        longest = self._open_end(reading, length)
        start = self._sounds.open_start(reading) if plain else None
        return longest if start is None else max(longest, length - reading.offsets[start][0])

    def _enter_respelled(self, reading: Normalized, word: int) -> None:
        """Add what evasions make of a word beyond its own reading."""
        text, runs, gaps = reading.text, reading.runs, reading.gaps
        doubled = max(runs) > 1
        if doubled and not text.isascii() and self._transforms.repeats:
            # 湾|湾: what stands before the first keeps the two apart.
            spelled = "".join(letter * run for letter, run in zip(text, runs, strict=True))
            self._enter(Normalized(spelled, [], bytes(len(spelled)), b"\x01" * len(spelled)), word)
        if any(gap and letter == before for before, letter, gap in zip(text, text[1:], gaps[1:], strict=False)):
            # "should die" in single letters has a double d.
            self._enter(normalizer.normalize(" ".join(text), self._transforms), word)
        if self._transforms.leetspeak and ("i" in text or "l" in text):
            self._enter(normalizer.one_for_il(reading), word)

    def _enter(self, reading: Normalized, word: int) -> None:
        gaps = self._shared.setdefault(gaps := bytes((0,)) + reading.gaps[1:], gaps)
        entry = Entry(word, gaps, self._shared.setdefault(reading.runs, reading.runs))
        self._crosses_sentences |= max(gaps) >= normalizer.LINE
        entries = self._entries.get(reading.text, ())
        if not entries or entry not in entries:
            self._entries[reading.text] = (*entries, entry)

    def _open_end(self, reading: Normalized, length: int) -> int:
        size = len(reading.text)
        begun = normalizer.begun_parts(reading) if self._split else frozenset()
        for start in range(max(0, size - self._longest), size):
            if (
                not is_inside_a_word(reading, start)
                and (self._may_go_on(reading, start) or (begun and self._goes_on_with(reading.text[start:-1], begun)))
                and (self._crosses_sentences or not ends_a_sentence(reading, start))
            ):
                return length - reading.offsets[start][0]
        return 0

    def _goes_on_with(self, beginning: str, characters: frozenset[str]) -> bool:
        """Tell whether a word begins with `beginning` and one of `characters`, of which a part is there."""
        at = bisect_left(self._beginnings, beginning)
        if at == len(self._beginnings) or not self._beginnings[at].startswith(beginning):
            return False
        if not beginning:
            return not self._firsts.isdisjoint(characters)
        places = (bisect_left(self._beginnings, beginning + each) for each in characters)
        goes_on = zip(places, characters, strict=True)
        return any(
            at < len(self._beginnings) and self._beginnings[at].startswith(beginning + each) for at, each in goes_on
        )

    def _may_go_on(self, reading: Normalized, start: int) -> bool:
        suffix = reading.text[start:]
        at = bisect_left(self._beginnings, suffix)
        if at < len(self._beginnings) and self._beginnings[at] == suffix:
            alone = len(suffix) == 1 or reading.gaps[-1] > 0
            if not reading.last_gap or alone:
                return True
            at += 1
        return at < len(self._beginnings) and self._beginnings[at].startswith(suffix)


_Found = tuple[int, int, Word | None]
"""Start and end in a reading, and the word; None for an allowed phrase."""


def _not_allowed(reading: Normalized, found: Iterable[_Found], allowed: list[tuple[int, int]]) -> Iterator[Hit]:
    """Yield as hits what lies in no allowed phrase."""
    allowed.sort()
    furthest = list(accumulate((end for _, end in allowed), max))
    for start, end, word in found:
        before = bisect_right(allowed, (start, len(reading.text)))
        if word is not None and (not before or furthest[before - 1] < end):
            first, last = reading.offsets[start][0], reading.offsets[end - 1][1]
            at = bisect_left(reading.replaced, first)
            # A leetspeak reading adds what it alone can tell; the plain one judges the rest.
            if not reading.replaced or (at < len(reading.replaced) and reading.replaced[at] < last):
                yield Hit(word.text, word.level, word.category, first, last, word.source)


def read_word(text: str, transforms: Transforms = normalizer.ALL) -> Normalized:
    """Return the reading of a word of a list. Raises ValueError when too little of it remains to be looked for."""
    reading = normalizer.normalize(text, transforms)
    if not set("@$!|").isdisjoint(text):
        # Here signs are letters ("a$$"); as separators they would leave the word "a".
        reading = normalizer.normalize(text.translate(normalizer.SIGNS), transforms)
    if not reading.text or max(reading.gaps) == WALL:
        raise ValueError(f"{text!r}: nothing remains of it after normalising")
    if reading.text.isascii() and sum(reading.runs) < 3 and (any(reading.gaps) or reading.last_gap):
        raise ValueError(f"{text!r}: too few letters remain of it after normalising")
    return reading


def verdict_of(hits: Iterable[Hit]) -> Verdict:
    """Return the strictest verdict among `hits`, with the categories of all that are not merely counted."""
    serious = sorted((hit for hit in hits if hit.level != "count"), key=lambda hit: hit.level)
    if not serious:
        return PASS
    action: Literal["review", "block"] = "block" if serious[0].level == "block" else "review"
    categories = tuple(dict.fromkeys(hit.category for hit in serious))
    return Verdict(action, "lexicon", categories, 1.0 if action == "block" else 0.5)


def _version(lists: Iterable[WordList]) -> str:
    digest = hashlib.sha256(normalizer.VERSION.encode())
    lines: list[str] = []
    for each in lists:
        seen = "".join(str(int(on)) for on in astuple(each.transforms))
        lines += [f"{word.text}\t{word.level}\t{word.category}\t{word.source}\t{seen}\n" for word in each.words]
        lines += [f"{phrase}\tallow\t{seen}\n" for phrase in each.allow]
    for line in sorted(lines):
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
