"""One reading of text for forbidden words and for the text in which they are looked for. Pure; knows no word.

Separators are not kept as characters but as a class of *gap* before the next letter, and a run of one letter is kept
once with its length: so "f.u.c.k" and "fuuuck" read "fuck", and the lexicon still sees that "push it" is two words and
"as" is not "ass". Offsets lead back to the original.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import opencc

VERSION = "1"
"""Changes whenever the same text may read differently: verdicts are dated by it."""

NO_GAP, JOINER, SPACE, LINE, STOP, WALL = range(6)
"""Gaps, weakest first: nothing, `-_*~` and the like, blanks and other signs, a line break, sentence punctuation, and
more than MAX_GAP separators, over which nothing is ever joined."""

MAX_GAP = 8
MAX_RUN = 255
CJK = "\u2e80"
"""The first character of the scripts that write words without blanks between them."""

_JOINERS = frozenset("-_*~^·•+|‐‑‒–—")
_STOPS = frozenset(".,!?;:。、⸺…")
_STACKED_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
_LEET = (str.maketrans("01345789@$!|", "oieastbgasii"), str.maketrans("01345789@$!|", "oleastbgasll"))


@dataclass(frozen=True)
class Transforms:
    """Which evasions are seen through. Words and text must be read with the same ones."""

    width: bool = True
    case: bool = True
    invisible: bool = True
    simplified: bool = True
    separators: bool = True
    repeats: bool = True
    leetspeak: bool = True


ALL = Transforms()


@dataclass(frozen=True, slots=True)
class Normalized:
    """What remains of a text, one entry a normalised code point in every field.

    offsets: start and end (exclusive) of the original span, in code points.
    gaps: the class of the gap before it. runs: how often it stood there in a row (at most 255).
    last_gap: the class of the gap after the last one.
    replaced: original indices, ascending, of what leetspeak turned into letters; empty in the plain reading.
    """

    text: str
    offsets: list[tuple[int, int]]
    gaps: bytes
    runs: bytes
    last_gap: int = NO_GAP
    replaced: Sequence[int] = ()


def normalize(text: str, transforms: Transforms = ALL) -> Normalized:
    """Return the plain reading of `text`: every transform but leetspeak. Linear in its length, never raises.

    Words are normalised by this; a text has further readings, see `readings`.
    """
    return _squeeze(*_fold(text, transforms), transforms)


def readings(text: str, transforms: Transforms = ALL, *, unfinished: bool = False) -> Iterator[Normalized]:
    """Yield the plain reading of `text`, then those where digits and signs stand for letters ("sh1t", "a$$").

    Leetspeak is a reading of its own because in "fuck4you" the plain one is right. `unfinished`: more text may follow,
    so a digit at the very end may turn out to stand between letters.
    """
    flat, origins = _fold(text, transforms)
    yield _squeeze(flat, origins, transforms)
    if transforms.leetspeak:
        pattern = _leet(unfinished)
        seen = {flat}
        for table in _LEET:
            read = pattern.sub(lambda match, table=table: match[0].translate(table), flat)  # type: ignore[misc]
            if read not in seen:
                seen.add(read)
                reading = _squeeze(read, origins, transforms)
                pairs = zip(flat, read, origins, strict=True)
                yield replace(reading, replaced=[origin for before, after, origin in pairs if before != after])


def context(text: str, length: int = 16) -> str:
    """Return the last visible characters of `text`: enough to tell how a text that follows it begins."""
    end = len(text)
    kept: list[str] = []
    folds = _folds(ALL)
    while end and len(kept) < length:
        end -= 1
        if folds[text[end]]:
            kept.append(text[end])
    return "".join(reversed(kept))


def is_letter(character: str) -> bool:
    """True for a letter of a script that writes words with blanks between them."""
    return character < CJK and character.isalpha()


@lru_cache
def _leet(unfinished: bool) -> re.Pattern[str]:
    after = r"(?=[a-zA-Z]|\Z)" if unfinished else r"(?=[a-zA-Z])"
    return re.compile(rf"(?<=[a-zA-Z])[0134578@$!|]{{1,3}}{after}|(?<![0-9a-zA-Z])[@$]{after}|(?<=[a-zA-Z])\$+")


class _Folds(dict[str, str]):
    """What one character becomes by itself, looked up at most once."""

    def __init__(self, transforms: Transforms) -> None:
        self._transforms = transforms
        self._simplify: Callable[[str], str] = opencc.OpenCC("t2s").convert

    def __missing__(self, character: str) -> str:
        folded = self._fold(character)
        if len(self) < 65_536:
            self[character] = folded
        return folded

    def _fold(self, character: str) -> str:
        if self._transforms.invisible and _is_invisible(character):
            return ""
        folded = character
        if self._transforms.width:
            folded = unicodedata.normalize("NFKC", folded)
            folded = unicodedata.normalize("NFC", _STACKED_MARKS.sub("", unicodedata.normalize("NFD", folded)))
        if self._transforms.case:
            folded = folded.casefold()
        if self._transforms.simplified and character >= CJK:
            folded = "".join(self._simplify(each) for each in folded)
        # A sign that stands for a sentence (U+FDFA and its like) would make the text grow without telling anything.
        return folded if len(folded) <= 4 else character


@lru_cache
def _folds(transforms: Transforms) -> Mapping[str, str]:
    return _Folds(transforms)


def _is_invisible(character: str) -> bool:
    if character.isspace():
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") or character in _FILLERS or _is_selector(character)


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _fold(text: str, transforms: Transforms) -> tuple[str, list[int]]:
    """Return the characters that remain, each folded by itself, and the original index of each."""
    folds = _folds(transforms)
    pieces = [folds[character] for character in text]
    flat = "".join(pieces)
    if len(flat) == len(text) and all(pieces):
        return flat, list(range(len(text)))
    return flat, [index for index, piece in enumerate(pieces) for _ in piece]


@lru_cache(maxsize=65_536)
def _gap_of(character: str) -> int:
    """The gap that a separator makes; NO_GAP for what belongs to words."""
    if character.isalnum() or unicodedata.category(character)[0] == "M":
        return NO_GAP
    if character in _JOINERS:
        return JOINER
    if character in _STOPS:
        return STOP
    if character.isspace() and character not in " \t\u00a0\u3000":
        return LINE
    return SPACE


def _squeeze(flat: str, origins: list[int], transforms: Transforms) -> Normalized:
    """Turn separators into gaps, then runs of one letter into one."""
    if transforms.separators:
        letters, indices, gaps, last_gap = _without_separators(flat, origins)
    else:
        letters, indices, gaps, last_gap = list(flat), origins, bytearray(len(flat)), NO_GAP
    if not transforms.repeats:
        spans = [(index, index + 1) for index in indices]
        return Normalized("".join(letters), spans, bytes(gaps), b"\x01" * len(letters), last_gap)

    kept: list[str] = []
    offsets: list[tuple[int, int]] = []
    kept_gaps, runs = bytearray(), bytearray()
    previous, alone, last = "", False, len(letters) - 1
    for at, letter in enumerate(letters):
        gap, index = gaps[at], indices[at]
        # A letter by itself: "a s s" is a spelled word with a double s, "class Sam" is not.
        was_alone, alone = alone, (gap > 0 or at == 0) and (at == last or gaps[at + 1] > 0)
        if letter == previous and (not gap or (was_alone and alone and gap < WALL)):
            offsets[-1] = (offsets[-1][0], index + 1)
            if runs[-1] < MAX_RUN:
                runs[-1] += 1
            continue
        kept.append(letter)
        offsets.append((index, index + 1))
        kept_gaps.append(gap)
        runs.append(1)
        previous = letter
    return Normalized("".join(kept), offsets, bytes(kept_gaps), bytes(runs), last_gap)


def _without_separators(flat: str, origins: list[int]) -> tuple[list[str], list[int], bytearray, int]:
    letters: list[str] = []
    indices: list[int] = []
    gaps = bytearray()
    gap, width, before, separator = NO_GAP, 0, "", ""
    for character, index in zip(flat, origins, strict=True):
        kind = _gap_of(character)
        if kind:
            width += 1
            gap = WALL if width > MAX_GAP else max(gap, kind)
            separator = character
            continue
        if gap == STOP and width == 1 and separator == "." and before >= CJK and character >= CJK:
            gap = SPACE  # Chinese sentences end otherwise; this is how words are hidden
        letters.append(character)
        indices.append(index)
        gaps.append(gap)
        gap, width, before = NO_GAP, 0, character
    if gap == STOP and width == 1 and separator == "." and before >= CJK:
        gap = SPACE
    return letters, indices, gaps, gap
