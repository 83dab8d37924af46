"""Managers' edits of chunks, and how a new reading of the file goes through them again. Pure values.

An edit knows the neighbours that it replaced as the reader made them (`originals`), and what stands in their place.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import pairwise
from typing import Any

NEAR = 0.6
"""Dice coefficient of two texts' character pairs from which one may be the other, changed."""

EDIT = "edit:"


@dataclass(frozen=True)
class Content:
    """What a manager may change of a chunk."""

    text: str
    heading: str = ""
    question: str = ""
    questions: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True)
class Original:
    """A chunk as the reader made it; `origin` is its key."""

    origin: str
    text: str
    heading: str = ""
    question: str = ""


@dataclass(frozen=True)
class Pin:
    """An edit; `placed` is false when the newest reading has nothing like its originals."""

    key: str
    originals: tuple[Original, ...]
    replacement: tuple[Content, ...]
    placed: bool = True
    author: str = ""

    def as_json(self) -> dict[str, Any]:
        """This edit as JSON values; `from_json` makes it an edit again."""
        return asdict(self)


@dataclass(frozen=True)
class Piece:
    """A chunk to be: its content, its origin, and the number of the reading that lends it ref, source and place (None:
    it has lost its place).
    """

    content: Content
    origin: str
    reading: int | None


@dataclass(frozen=True)
class Overlaid:
    """What came of a reading: the chunks in order, the edits as they stand now, and how many of them changed passages
    that the file, too, has changed.
    """

    pieces: tuple[Piece, ...]
    pins: tuple[Pin, ...]
    contested: int = 0


def from_json(row: dict[str, Any]) -> Pin:
    """An edit from what `as_json` gave."""
    return Pin(
        row["key"],
        tuple(Original(**one) for one in row["originals"]),
        tuple(Content(**one | {"questions": tuple(one["questions"])}) for one in row["replacement"]),
        row["placed"],
        row["author"],
    )


def origins(contents: Sequence[Content]) -> list[Original]:
    """The readings with their keys: a hash of what they say, and a number where several say the same."""
    met: dict[str, int] = {}
    found = []
    for one in contents:
        digest = sha256("\x1f".join((one.heading, one.question, one.text)).encode()).hexdigest()[:40]
        met[digest] = met.get(digest, 0) + 1
        origin = digest if met[digest] == 1 else f"{digest}.{met[digest]}"
        found.append(Original(origin, one.text, one.heading, one.question))
    return found


def overlay(readings: Sequence[Original], pins: Sequence[Pin]) -> Overlaid:
    """Put every edit where its originals are: the very same, else the most alike from `NEAR` on; else its chunks stand
    at the end and it is marked as not placed. No edit is lost, and no passage is taken by two.

    Where an edit has left a field of a passage as it was, the new reading's field counts.
    """
    rows = {one.origin: number for number, one in enumerate(readings)}
    taken: dict[int, int] = {}  # reading -> edit
    places: list[list[int | None]] = []
    for number, pin in enumerate(pins):
        found: list[int | None] = []
        for original in pin.originals:
            row = rows.get(original.origin)
            found.append(row if row is not None and row not in taken else None)
            if found[-1] is not None:
                taken[found[-1]] = number
        places.append(found)
    pairs: list[frozenset[str]] | None = None
    for number, pin in enumerate(pins):
        for at, original in enumerate(pin.originals):
            if places[number][at] is None:
                pairs = pairs if pairs is not None else [_pairs(one) for one in readings]
                row = _nearest(_pairs(original), pairs, taken)
                if row is not None:
                    places[number][at] = row
                    taken[row] = number
    heads = {
        min(row for row in found if row is not None): number
        for number, found in enumerate(places)
        if any(row is not None for row in found)
    }
    pieces: list[Piece] = []
    kept: list[Pin] = list(pins)
    contested = 0
    for row, reading in enumerate(readings):
        if row in heads:
            number = heads[row]
            kept[number], changed = _moved(pins[number], [place for place in places[number]], readings)
            contested += changed
            pieces += [Piece(one, EDIT + pins[number].key, row) for one in kept[number].replacement]
        elif row not in taken:
            pieces.append(Piece(Content(reading.text, reading.heading, reading.question), reading.origin, row))
    for number, pin in enumerate(pins):
        if all(row is None for row in places[number]):
            kept[number] = replace(pin, placed=not pin.originals)
            pieces += [Piece(one, EDIT + pin.key, None) for one in pin.replacement]
    return Overlaid(tuple(pieces), tuple(kept), contested)


def _moved(pin: Pin, places: list[int | None], readings: Sequence[Original]) -> tuple[Pin, bool]:
    """The edit of the new readings, and whether it hides a change of the file."""
    now = tuple(readings[row] for row in sorted({row for row in places if row is not None}))
    if len(pin.originals) == len(pin.replacement) == len(now) == 1:
        was, is_, wanted = pin.originals[0], now[0], pin.replacement[0]
        fields = {
            name: getattr(is_ if getattr(wanted, name) == getattr(was, name) else wanted, name)
            for name in ("text", "heading", "question")
        }
        hides = any(
            getattr(wanted, name) != getattr(was, name) and getattr(is_, name) != getattr(was, name) for name in fields
        )
        return replace(pin, originals=now, replacement=(replace(wanted, **fields),), placed=True), hides
    texts = {(one.text, one.heading, one.question) for one in now}
    hides = texts != {(one.text, one.heading, one.question) for one in pin.originals}
    return replace(pin, originals=now, placed=True), hides


def _pairs(one: Original) -> frozenset[str]:
    plain = "".join(filter(str.isalnum, (one.question + one.text).casefold()))
    return frozenset(map("".join, pairwise(plain))) or frozenset([plain])


def _nearest(wanted: frozenset[str], pairs: Sequence[frozenset[str]], taken: dict[int, int]) -> int | None:
    best, score = None, NEAR
    for row, other in enumerate(pairs):
        alike = 2 * len(wanted & other) / (len(wanted) + len(other))
        if alike >= score and row not in taken and (best is None or alike > score):
            best, score = row, alike
    return best
