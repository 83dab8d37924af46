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
from operator import ne

import opencc

from guardrails.characters import lookalikes, parts

VERSION = "3"
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
_IL = "\u01c0"  # one sign for i and l, which "1", "!" and "|" may both stand for
_LEET = str.maketrans("013456789@$!|", f"o{_IL}easgtbgas{_IL}{_IL}")
_TOKEN = re.compile("[0-9a-zA-Z@$]+")
_LAST_EDGE = re.compile(rf"(?<=[a-zA-Z{_IL}])[013456789]{{1,3}}$")
_EDGES = re.compile(rf"^[013456789]{{1,2}}(?=[a-zA-Z{_IL}])|{_LAST_EDGE.pattern}")
_IL_TABLE = str.maketrans("il", _IL * 2)
_UNSURE_I = re.compile("(?<=[a-z])I|I(?=[a-z]*I)")  # "kiIl"
SIGNS = str.maketrans("@$!|", "asil")
"""The letters that signs stand for in a word of a list."""


@dataclass(frozen=True)
class Transforms:
    """Which evasions are seen through. Words and text must be read with the same ones.

    width: full width, circled and mathematical letters, accents. invisible: zero-width and control characters.
    simplified: traditional characters. separators: signs and blanks inside a word. repeats: "fuuuck". leetspeak:
    "sh1t". lookalikes: letters of other scripts, "fu\u0441k". split: a character written as its parts, 弓虽 for 强.
    homophones: other characters of the same sound. pinyin: a word, or some of its characters, in Latin letters.
    """

    width: bool = True
    case: bool = True
    invisible: bool = True
    simplified: bool = True
    separators: bool = True
    repeats: bool = True
    leetspeak: bool = True
    lookalikes: bool = True
    split: bool = True
    homophones: bool = True
    pinyin: bool = True

    def for_text(self) -> "Transforms":
        """Return those that words must share to be looked for together; the others are a word's own matter."""
        return replace(self, split=True, homophones=True, pinyin=True)


ALL = Transforms()


@dataclass(frozen=True, slots=True)
class Normalized:
    """What remains of a text, one entry a normalised code point in every field.

    offsets: start and end (exclusive) of the original span, in code points.
    gaps: the class of the gap before it. runs: how often it stood there in a row (at most 255).
    last_gap: the class of the gap after the last one.
    replaced: original indices, ascending, of what became other letters: leetspeak, parts; empty in the plain reading.
    joined: True where parts of characters are read as the characters.
    """

    text: str
    offsets: list[tuple[int, int]]
    gaps: bytes
    runs: bytes
    last_gap: int = NO_GAP
    replaced: Sequence[int] = ()
    joined: bool = False


def normalize(text: str, transforms: Transforms = ALL) -> Normalized:
    """Return the plain reading of `text`: no leetspeak, no joined parts. Linear in its length, never raises.

    Words are normalised by this; a text has further readings, see `readings`.
    """
    return _squeeze(*_fold(text, transforms), transforms)


def readings(text: str, transforms: Transforms = ALL, *, unfinished: bool = False) -> Iterator[Normalized]:
    """Yield the plain reading of `text`, then those where digits stand for letters ("sh1t") and parts for characters.

    They are readings of their own because in "fuck4you" and 好女干部 the plain one is right. In leetspeak i and l are
    one letter, see `one_for_il`, so that reading also sees the l that a capital or foreign I may be. `unfinished`: more
    text may follow, so a digit at the very end may turn out to stand between letters.
    """
    flat, origins = _fold(text, transforms)
    yield _squeeze(flat, origins, transforms)
    if transforms.leetspeak:
        inside = _leet(unfinished).sub(lambda match: match[0].translate(_LEET), flat)
        unsure = {match.start() for match in _UNSURE_I.finditer(text)}
        if transforms.lookalikes and not text.isascii():
            pairs = zip(flat, origins, strict=True)
            unsure.update(at for letter, at in pairs if letter in "il" and not text[at].isascii())
        for read in dict.fromkeys((inside, *_with_edges(flat, inside, unfinished))):
            replaced = [origin for before, after, origin in zip(flat, read, origins, strict=True) if before != after]
            if unsure:
                replaced = sorted(unsure.union(replaced))
            if replaced:
                yield replace(_squeeze(read.translate(_IL_TABLE), origins, transforms), replaced=replaced)
    if transforms.split and (found := list(_split_pattern().finditer(flat))):
        for way in range(max(len(_sequences()[match[0]]) for match in found)):
            yield _joined(flat, origins, found, way, transforms)


def one_for_il(reading: Normalized) -> Normalized:
    """Return a word's reading as it is in leetspeak, where i and l are one letter."""
    spelled = [
        (" " if gap else "") + letter * run
        for letter, gap, run in zip(reading.text, reading.gaps, reading.runs, strict=True)
    ]
    return normalize("".join(spelled).translate(_IL_TABLE))


def begun_parts(reading: Normalized) -> frozenset[str]:
    """Return the characters whose first part is the last letter of `reading`."""
    if reading.last_gap or not reading.text:
        return frozenset()
    return _begun().get(reading.text[-1], frozenset())


def context(text: str, length: int = 16) -> str:
    """Return the last visible characters of `text`: enough to tell how a text that follows it begins.

    At least `length` of them, and up to four times that until a word begins.
    """
    end = len(text)
    kept: list[str] = []
    folds = _folds(ALL)
    while end and len(kept) < 4 * length:
        end -= 1
        if len(kept) >= length and _gap_of(text[end]) > JOINER:
            break
        if folds[text[end]]:
            kept.append(text[end])
    return "".join(reversed(kept))


def is_letter(character: str) -> bool:
    """True for a letter of a script that writes words with blanks between them."""
    return character < CJK and character.isalpha()


@lru_cache(maxsize=1)
def _sequences() -> dict[str, tuple[str, ...]]:
    """By parts, the one or two characters that they stand for."""
    sequences: dict[str, tuple[str, ...]] = {}
    for character, written in parts().items():
        for each in written:
            sequences[each] = (*sequences.get(each, ())[:1], character)
    return sequences


@lru_cache(maxsize=1)
def _split_pattern() -> re.Pattern[str]:
    by_first: dict[str, list[str]] = {}
    for sequence in sorted(_sequences(), key=len, reverse=True):
        by_first.setdefault(sequence[0], []).append(re.escape(sequence[1:]))
    return re.compile("|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in by_first.items()))


@lru_cache(maxsize=1)
def _begun() -> dict[str, frozenset[str]]:
    """By what may stand before the last part of a character, the characters; a run is one letter by then."""
    begun: dict[str, set[str]] = {}
    for sequence, characters in _sequences().items():
        for part in sequence[:-1]:
            begun.setdefault(part, set()).update(characters)
    return {part: frozenset(wholes) for part, wholes in begun.items()}


def _joined(flat: str, origins: list[int], found: list[re.Match[str]], way: int, transforms: Transforms) -> Normalized:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    replaced: list[int] = []
    done = 0
    for match in [*found, None]:
        start = match.start() if match else len(flat)
        pieces.append(flat[done:start])
        starts += origins[done:start]
        ends += origins[done:start]
        if match:
            wholes = _sequences()[match[0]]
            pieces.append(wholes[min(way, len(wholes) - 1)])
            starts.append(origins[start])
            ends.append(origins[match.end() - 1])
            replaced.append(origins[start])
            done = match.end()
    read = "".join(pieces)
    reading = _squeeze(read, list(range(len(read))), transforms)
    offsets = [(starts[start], ends[end - 1] + 1) for start, end in reading.offsets]
    return replace(reading, offsets=offsets, replaced=replaced, joined=True)


@lru_cache
def _leet(unfinished: bool) -> re.Pattern[str]:
    after = r"(?=[a-zA-Z]|\Z)" if unfinished else r"(?=[a-zA-Z])"
    return re.compile(rf"(?<=[a-zA-Z])[013456789@$!|]{{1,3}}{after}|(?<![0-9a-zA-Z])[@$]{after}|(?<=[a-zA-Z])\$+")


def _with_edges(flat: str, inside: str, unfinished: bool) -> Iterator[str]:
    """Yield `inside`, where digits between letters are letters, with those at the edges of such tokens as letters too.

    "c0c41n3" ends in one, "4mph3t4min3" begins with one, and in "m4k3 4 b0mb" one stands alone. unfinished: the last
    token may go on, so it is read both ways.
    """
    if inside == flat:
        return
    tokens = [(match.start(), match.end()) for match in _TOKEN.finditer(flat)]
    for at_the_end in (True, False) if unfinished else (False,):
        letters = list(inside)
        strange = [
            sum(map(ne, flat[start:end], inside[start:end])) + 2 * (at_the_end and end == len(flat))
            for start, end in tokens
        ]
        for number, (start, end) in enumerate(tokens):
            open_ = unfinished and end == len(flat)
            if open_ and not at_the_end:
                continue
            if strange[number]:
                edges = _EDGES if strange[number] > 1 else _LAST_EDGE
                letters[start:end] = edges.sub(lambda match: match[0].translate(_LEET), inside[start:end])
            elif end - start == 1 and flat[start] in "014" and number and strange[number - 1]:
                after = strange[number + 1] if number + 1 < len(tokens) else at_the_end
                if after:
                    letters[start] = flat[start].translate(_LEET)
        yield "".join(letters)


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
        if self._transforms.lookalikes and character > "\x7f":
            folded = lookalikes().get(character, character)  # some lose their looks with their width
        if self._transforms.width:
            folded = unicodedata.normalize("NFKC", folded)
            folded = unicodedata.normalize("NFC", _STACKED_MARKS.sub("", unicodedata.normalize("NFD", folded)))
        if self._transforms.lookalikes and not folded.isascii():
            folded = "".join(lookalikes().get(each, each) for each in folded)
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
    if flat.isalnum() and all(map(ne, flat, flat[1:])):
        none = bytes(len(flat))
        return Normalized(flat, [(index, index + 1) for index in origins], none, b"\x01" * len(flat))
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
