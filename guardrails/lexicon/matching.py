"""Tier 1: forbidden words, found through evasion, with an allow-list. Pure; knows neither conversations nor streams.

Each list has a `_Matcher`, which a later lexicon takes over, edited where the list was; lists that read text by the
same transforms share the reading. A matcher's Aho-Corasick automaton proposes every place where a
word's letters stand in a row, overlapping ones too: a leftmost or longest match could be one that a word boundary then
rejects, and would hide the right one behind it. `Entry.fits` decides. Sounds have an automaton of their own.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import astuple, dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Literal, TypeVar

from guardrails import normalizer
from guardrails.lexicon.entries import ALLOWED, Entry, ends_a_sentence, is_inside_a_word
from guardrails.lexicon.patterns import Index
from guardrails.lexicon.sounds import Sounds
from guardrails.lexicon.words import SHIPPED, Level, Word, WordList, read_tables
from guardrails.normalizer import WALL, Normalized, Transforms
from guardrails.verdict import PASS, Verdict

_Item = TypeVar("_Item", Word, str)

_FEW = 1_000
"""So many differences are always worked on by themselves."""


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

        before: an earlier lexicon. What it made of a list of the same name is used again; where few words differ, their
        difference alone is worked on, in milliseconds. Either way the lexicon judges as if it were built anew.
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

    @property
    def lists(self) -> tuple[WordList, ...]:
        """The lists that it was made of."""
        return tuple(self._lists)

    @property
    def edits(self) -> int:
        """Words and phrases that came or went since the automata were built: they make matching a little slower."""
        return sum(matcher.edits for _, matcher in self._built) + sum(group.allowed.edits for group in self._groups)

    def rebuilt(self, since: "Lexicon | None" = None) -> "Lexicon":
        """Return the same lexicon built anew, which takes seconds; or on the basis of `since`, a rebuilt one."""
        return Lexicon.of(self._lists, since)

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
        self._allow = tuple(dict.fromkeys(phrase for each in lists for phrase in each.allow))
        known = before._built if before else []
        self._built: list[tuple[WordList, _Matcher]] = [(each, _matcher(each, known)) for each in lists]
        matchers: dict[Transforms, list[_Matcher]] = {}
        for each, matcher in self._built:
            matchers.setdefault(each.transforms.for_text(), []).append(matcher)
        earlier = {group.transforms: group.allowed for group in before._groups} if before else {}
        self._groups: list[_Group] = [
            _Group(key, tuple(members), _after(earlier.get(key), before._allow if before else (), self._allow, key))
            for key, members in matchers.items()
        ]
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
    """The words of one list, or allowed phrases, which are plain texts; immutable. edits: since it was built."""

    def __init__(self, items: Iterable[Word | str], transforms: Transforms) -> None:
        """Raises ValueError for an item of which too little remains."""
        self._split = transforms.split
        self._listens = transforms.homophones or transforms.pinyin
        self._transforms = transforms.for_text()
        self._shared: dict[bytes, bytes] = {}
        self._items = tuple(dict.fromkeys(items))
        self._numbers = {item: number for number, item in enumerate(self._items)}
        self._crossing = self.edits = 0
        entries: dict[str, tuple[Entry, ...]] = {}
        # One word after the other: to keep all readings would cost memory, and the garbage collector's time.
        sounding = self._enter_all(entries)
        self._sounds = Sounds(sounding, homophones=transforms.homophones, pinyin=transforms.pinyin)
        quiet = any(isinstance(item, Word) and item.level == "count" for item in self._items)
        self._index = Index(entries, self._counts if quiet else None)

    @property
    def size(self) -> int:
        return len(self._numbers)

    def edited(self, gone: Sequence[Word | str], new: Iterable[Word | str]) -> "_Matcher":
        """Return the matcher without `gone`, which are all here, and with `new`. Raises as the constructor does."""
        result = copy(self)
        fresh = [item for item in new if item not in self._numbers]
        result._items = (*self._items, *fresh)
        result._numbers = self._numbers.copy()
        result.edits += len(gone) + len(fresh)
        before = [(item, result._numbers.pop(item), self._read(item)) for item in gone]
        after = [(item, number, self._read(item)) for number, item in enumerate(fresh, len(self._items))]
        result._numbers.update((item, number) for item, number, _ in after)
        removed, added = ([each for row in rows for each in self._writings(*row)] for rows in (before, after))
        result._crossing += sum(max(entry.gaps) >= normalizer.LINE for _, entry in added)
        result._crossing -= sum(max(entry.gaps) >= normalizer.LINE for _, entry in removed)
        result._index = self._index.edited(removed, added, result._counts)
        result._sounds = self._sounds.edited(
            *(
                [(number, reading) for item, number, reading in rows if self._sounds_matter(item)]
                for rows in (before, after)
            )
        )
        return result

    def find(self, reading: Normalized) -> Iterator["_Found"]:
        """Yield the words that stand in one reading."""
        if reading.joined and not self._split:
            return
        for entry, start, end in self._index.find(reading.text):
            if entry.fits(reading, start, end):
                yield start, end, self._word(entry.word)

    def find_sounds(self, reading: Normalized, unfinished: bool) -> Iterator["_Found"]:
        """Yield the words that the plain reading sounds like."""
        for number, start, end in self._sounds.hits(reading, unfinished=unfinished):
            yield start, end, self._word(number)

    def open_end(self, reading: Normalized, length: int, plain: bool) -> int:
        """Return how many characters at the end of a text of `length` depend on what follows."""
        longest = self._open_end(reading, length)
        start = self._sounds.open_start(reading) if plain else None
        return longest if start is None else max(longest, length - reading.offsets[start][0])

    def _enter_all(self, entries: dict[str, tuple[Entry, ...]]) -> Iterator[tuple[int, Normalized]]:
        """Put what stands for each item into `entries`; yield the number and reading of those whose sound matters."""
        for item, number in self._numbers.items():
            reading = self._read(item)
            for text, entry in self._writings(item, number, reading):
                known = entries.get(text)
                entries[text] = (*known, entry) if known else (entry,)
                self._crossing += max(entry.gaps) >= normalizer.LINE
            if self._sounds_matter(item):
                yield number, reading

    def _word(self, number: int) -> Word | None:
        item = self._items[number] if number > ALLOWED else None
        return item if isinstance(item, Word) else None

    def _counts(self, entry: Entry) -> bool:
        word = self._word(entry.word)
        return word is None or word.level != "count"

    def _sounds_matter(self, item: Word | str) -> bool:
        return self._listens and isinstance(item, Word) and item.level != "count"

    def _read(self, item: Word | str) -> Normalized:
        return read_word(item.text if isinstance(item, Word) else item, self._transforms)

    def _writings(self, item: Word | str, number: int, reading: Normalized) -> Iterable[tuple[str, Entry]]:
        """Return the letters that stand for an item, and what else must be true of them where they are found."""
        if isinstance(item, str):
            return (self._written(reading, ALLOWED - number),)
        first = self._written(reading, number)
        others = [self._written(way, number) for way in self._respelled(reading)]
        return dict.fromkeys((first, *others)) if others else (first,)

    def _respelled(self, reading: Normalized) -> Iterator[Normalized]:
        """Yield what evasions make of a word beyond its own reading."""
        text, runs, gaps = reading.text, reading.runs, reading.gaps
        if max(runs) > 1 and not text.isascii() and self._transforms.repeats:
            # 湾|湾: what stands before the first keeps the two apart.
            spelled = "".join(letter * run for letter, run in zip(text, runs, strict=True))
            yield Normalized(spelled, [], bytes(len(spelled)), b"\x01" * len(spelled))
        if any(gaps) and any(gap and one == last for last, one, gap in zip(text, text[1:], gaps[1:], strict=False)):
            # "should die" in single letters has a double d.
            yield normalizer.normalize(" ".join(text), self._transforms)
        if self._transforms.leetspeak and ("i" in text or "l" in text):
            yield normalizer.one_for_il(reading)

    def _written(self, reading: Normalized, number: int) -> tuple[str, Entry]:
        gaps = self._shared.setdefault(gaps := bytes((0,)) + reading.gaps[1:], gaps)
        return reading.text, Entry(number, gaps, self._shared.setdefault(reading.runs, reading.runs))

    def _open_end(self, reading: Normalized, length: int) -> int:
        size = len(reading.text)
        begun = normalizer.begun_parts(reading) if self._split else frozenset()
        for start in range(max(0, size - self._index.beginnings.longest), size):
            if (
                not is_inside_a_word(reading, start)
                and (self._may_go_on(reading, start) or (begun and self._goes_on_with(reading.text[start:-1], begun)))
                and (self._crossing or not ends_a_sentence(reading, start))
            ):
                return length - reading.offsets[start][0]
        return 0

    def _goes_on_with(self, beginning: str, characters: frozenset[str]) -> bool:
        """Tell whether a word begins with `beginning` and one of `characters`, of which a part is there."""
        beginnings = self._index.beginnings
        if not beginning:
            return beginnings.begin_with_one_of(characters)
        return beginnings.begin(beginning) and any(beginnings.begin(beginning + each) for each in characters)

    def _may_go_on(self, reading: Normalized, start: int) -> bool:
        suffix = reading.text[start:]
        alone = len(suffix) == 1 or reading.gaps[-1] > 0
        return self._index.beginnings.begin(suffix, longer=bool(reading.last_gap) and not alone)


def _difference(old: Sequence[_Item], new: Sequence[_Item]) -> tuple[list[_Item], list[_Item]]:
    """Return what is in `old` alone and in `new` alone; quick where most of both is the very same objects."""
    here, there = set(map(id, new)), set(map(id, old))
    gone = dict.fromkeys(item for item in old if id(item) not in here)
    fresh = dict.fromkeys(item for item in new if id(item) not in there)
    return [item for item in gone if item not in fresh], [item for item in fresh if item not in gone]


def _matcher(words: WordList, known: Iterable[tuple[WordList, _Matcher]]) -> _Matcher:
    for earlier, matcher in known:
        if earlier is words:
            return matcher
        if (earlier.name, earlier.transforms) == (words.name, words.transforms):
            return _after(matcher, earlier.words, words.words, words.transforms)
    return _Matcher(words.words, words.transforms)


def _after(matcher: _Matcher | None, old: Sequence[_Item], new: Sequence[_Item], transforms: Transforms) -> _Matcher:
    """Return the matcher of `new`, made from that of `old` if that is less work."""
    if matcher is not None and matcher.size == len(old):  # no item twice, or it could be both gone and here
        gone, fresh = _difference(old, new)
        if len(gone) + len(fresh) <= max(_FEW, len(old) // 8):
            return matcher.edited(gone, fresh) if gone or fresh else matcher
    return _Matcher(new, transforms)


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
