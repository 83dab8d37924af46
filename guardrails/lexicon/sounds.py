"""Words by their sound: other characters that are read alike (自沙), or pinyin for all or some of them (自sha, zisha).

Most sounds of two syllables are those of some ordinary word too (大麻, 大妈), so other characters count only where
they make no sense as they stand. Pure; knows neither levels nor other evasions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise, product

import rjieba

from guardrails.characters import syllables
from guardrails.lexicon.patterns import Index
from guardrails.normalizer import CJK, NO_GAP, SPACE, Normalized

LOOKAHEAD = 2
"""Characters on either side that tell whether a homophone makes sense where it stands."""

_USUAL = 3
"""A sequence that rjieba expects so often in its 60 million words makes sense by itself."""

_READINGS = 4
"""Ways to read a word with several readings that are looked for."""

_SHORTEST_PINYIN = 5
"""Letters of a word in pinyin alone; shorter ones are too often words of another language."""

# fmt: off
_ALSO_ENGLISH = frozenset((
    "a", "an", "ban", "bang", "bin", "bun", "can", "dang", "den", "die", "din", "dong", "dun", "fan", "fen", "fun",
    "gang", "gun", "hang", "he", "hen", "lie", "long", "man", "me", "men", "nun", "pan", "pang", "pen", "pie", "pin",
    "ran", "rang", "run", "sang", "she", "song", "sun", "tan", "tang", "tie", "ton", "wan", "you",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class _Sound:
    """How one word is read: its characters, and where in the letters each begins."""

    word: int
    characters: str
    begins: tuple[int, ...]
    homophones: bool
    pinyin: bool


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A text in letters. begins: where each character's letters begin, and the end. owners: the character of each."""

    letters: str
    begins: list[int]
    owners: list[int]


class Sounds:
    """The words of a lexicon by their sound; immutable. words: by number, how each is read."""

    def __init__(self, words: Iterable[tuple[int, Normalized]], *, homophones: bool, pinyin: bool) -> None:
        self._homophones, self._pinyin = homophones, pinyin
        sounds: dict[str, tuple[_Sound, ...]] = {}
        for letters, sound in self._all(words):
            sounds[letters] = (*sounds.get(letters, ()), sound)
        self._index = Index(sounds)

    def edited(self, gone: Iterable[tuple[int, Normalized]], new: Iterable[tuple[int, Normalized]]) -> "Sounds":
        """Return the sounds without the words of `gone`, which are all here, and with those of `new`."""
        result = Sounds.__new__(Sounds)
        result._homophones, result._pinyin = self._homophones, self._pinyin
        result._index = self._index.edited(self._all(gone), self._all(new))
        return result

    def _all(self, words: Iterable[tuple[int, Normalized]]) -> Iterator[tuple[str, _Sound]]:
        """Yield the ways in which words are pronounced; one with fewer than two Chinese characters is left out."""
        table = syllables()
        for word, reading in words:
            text = reading.text
            if text.isascii():
                continue
            if max(reading.runs) > 1:
                text = "".join(letter * run for letter, run in zip(text, reading.runs, strict=True))
            options = [table.get(letter, (letter,)) for letter in text]
            known = [letter in table for letter in text]
            if sum(known) < 2 or any(letter >= CJK for letter, own in zip(text, known, strict=True) if not own):
                continue
            for _, read in zip(range(_READINGS), product(*options), strict=False):
                begins = (0, *accumulate(map(len, read)))
                yield "".join(read), _Sound(word, text, begins, self._homophones, self._pinyin)

    def hits(self, reading: Normalized, *, unfinished: bool = False) -> Iterator[tuple[int, int, int]]:
        """Yield word, start and end (exclusive) in `reading` of what sounds like a word without being written so.

        unfinished: more text may follow, so what could still turn out to be something else is left out.
        """
        if not self._index.beginnings.longest:
            return
        spelled = _spell(reading)
        for sound, first, last in self._candidates(spelled):
            if unfinished and _may_change(reading, last):
                continue
            if _fits(sound, reading, spelled, first, last):
                yield sound.word, first, last

    def open_start(self, reading: Normalized) -> int | None:
        """Return the first letter of `reading` from which a sound may go on, or change its meaning, in later text."""
        size = len(reading.text)
        if not self._index.beginnings.longest or not size or reading.last_gap > SPACE:
            return None
        tail = max(0, size - self._index.beginnings.longest - LOOKAHEAD)
        while tail < size and any(gap > SPACE for gap in reading.gaps[tail + 1 :]):
            tail += 1 + next(at for at, gap in enumerate(reading.gaps[tail + 1 :]) if gap > SPACE)
        spelled = _spell(reading, tail)
        starts = [
            tail + first
            for sound, first, last in self._candidates(spelled)
            if _may_change(reading, tail + last) and reading.text[tail + first : tail + last] != sound.characters
        ]
        starts += [
            tail + at
            for at, begin in enumerate(spelled.begins[:-1])
            if self._index.beginnings.begin(spelled.letters[begin:])
        ]
        return min((at for at in starts if not _is_inside_letters(reading, at)), default=None)

    def _candidates(self, spelled: _Spelled) -> Iterator[tuple[_Sound, int, int]]:
        for sound, start, end in self._index.find(spelled.letters):
            first, last = spelled.owners[start], spelled.owners[end - 1] + 1
            if spelled.begins[first] == start and spelled.begins[last] == end:
                yield sound, first, last


def _spell(reading: Normalized, tail: int = 0) -> _Spelled:
    """Return the letters of `reading` from `tail` on; a doubled letter is doubled, a longer run is one."""
    table = syllables()
    pieces = [
        (table[letter][0] if letter in table else letter) * (2 if run == 2 else 1)
        for letter, run in zip(reading.text[tail:], reading.runs[tail:], strict=True)
    ]
    owners = [at for at, piece in enumerate(pieces) for _ in piece]
    return _Spelled("".join(pieces), [0, *accumulate(map(len, pieces))], owners)


def _fits(sound: _Sound, reading: Normalized, spelled: _Spelled, first: int, last: int) -> bool:
    """Tell whether the letters first:last of `reading` stand for the word, by a homophone or by pinyin."""
    origin, text = spelled.begins[first], reading.text
    own = dict(zip(sound.begins, sound.characters, strict=False))
    literal, changed, latin = 0, [], 0
    for at in range(first, last):
        begin = spelled.begins[at] - origin
        gap = reading.gaps[at] if at > first else NO_GAP
        if gap > SPACE or (gap and begin not in own):
            return False
        if text[at] >= CJK:
            if begin not in own or spelled.begins[at + 1] - origin not in sound.begins or reading.runs[at] > 2:
                return False
            if own[begin] == text[at]:
                literal += 1
            elif own[begin] < CJK:
                return False
            else:
                changed.append(at)
        elif own.get(begin) == text[at]:
            literal += own[begin].isdecimal()
        else:
            latin += 1
    if latin:
        if not sound.pinyin or _is_inside_letters(reading, first) or _is_inside_letters(reading, last):
            return False
        touched = (first > 0 and not reading.gaps[first] and text[first - 1] >= CJK) or (
            last < len(text) and not reading.gaps[last] and text[last] >= CJK
        )
        pure = not changed and (touched or (latin >= _SHORTEST_PINYIN and not _is_english(reading, first, last)))
        return bool(literal or pure or (changed and len(sound.characters) > 2))
    return bool(changed) and sound.homophones and not _makes_sense(reading, first, last)


def _is_english(reading: Normalized, first: int, last: int) -> bool:
    letters = "".join((" " if gap else "") + reading.text[at] for at, gap in enumerate(reading.gaps[first:last], first))
    return _ALSO_ENGLISH.issuperset(letters.split())


def _makes_sense(reading: Normalized, first: int, last: int) -> bool:
    """True when the characters belong to other words where they stand, or are ordinary ones in a row."""
    start, end = first, last
    while start > max(0, first - LOOKAHEAD) and not reading.gaps[start] and reading.text[start - 1] >= CJK:
        start -= 1
    while end < min(len(reading.text), last + LOOKAHEAD) and not reading.gaps[end] and reading.text[end] >= CJK:
        end += 1
    window = "".join(
        (" " if at > start and reading.gaps[at] else "") + reading.text[at] * min(2, reading.runs[at])
        for at in range(start, end)
    )
    places = [
        at for at in range(start, end) for _ in range((at > start and reading.gaps[at] > 0) + min(2, reading.runs[at]))
    ]
    for begin, stop in pairwise(accumulate(map(len, rjieba.cut(window, False)), initial=0)):
        inside = places[begin:stop]
        if inside[0] < first <= inside[-1] or inside[0] < last <= inside[-1]:
            return True
    return rjieba.suggest_freq(reading.text[first:last]) >= _USUAL


def _may_change(reading: Normalized, last: int) -> bool:
    """True when text that follows `reading` may change what the letters that end at `last` are part of."""
    if reading.last_gap > NO_GAP or any(reading.gaps[last:]):
        return False
    return len(reading.text) - last < LOOKAHEAD


def _is_inside_letters(reading: Normalized, at: int) -> bool:
    if not 0 < at < len(reading.text) or reading.gaps[at]:
        return False
    return all(letter < CJK and letter.isalnum() for letter in reading.text[at - 1 : at + 1])
