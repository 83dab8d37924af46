"""Recognises sentences by hashes alone: what was purged can be looked for although nobody has it any more. Pure values.

Letters and digits count, without width and case. A sentence that is too short to be anybody's own leaves no trace.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from zlib import crc32

from knowledge.sentences import sentence_spans

ANCHOR = 10
"""So many letters and digits at a sentence's beginning are looked for first."""

LATIN = 20
"""A sentence in Latin script leaves a trace from so many letters and digits on, any other from `ANCHOR`."""


_CLOSING = "。．.!！?？;；…,，、:：\"'”’」』)）】》"


@dataclass(frozen=True, order=True)
class Trace:
    """A sentence: checksum of its first characters, its length, its hash."""

    anchor: int
    length: int
    digest: str


def traces(texts: Iterable[str]) -> set[Trace]:
    """The traces of all sentences of some texts."""
    found = set()
    for text in texts:
        for start, end in sentence_spans(text):
            one = trace(text[start:end])
            if one is not None:
                found.add(one)
    return found


def trace(sentence: str) -> Trace | None:
    """The trace of one sentence; None when it is too short."""
    plain, _ = _plain(sentence)
    if len(plain) < ANCHOR or (plain.isascii() and not plain.isdigit() and len(plain) < LATIN):
        return None
    return Trace(crc32(plain[:ANCHOR].encode()), len(plain), sha256(plain.encode()).hexdigest())


class Finder:
    """Finds traces in texts, wherever in a sentence they stand."""

    def __init__(self, wanted: Collection[Trace]) -> None:
        self._lengths: dict[int, set[int]] = {}
        for one in wanted:
            self._lengths.setdefault(one.anchor, set()).add(one.length)
        self._digests = {one.digest for one in wanted}

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where they stand: (start, end) in code points of `text`, in order, without overlaps."""
        if len(text) < ANCHOR or not self._digests:
            return []
        plain, offsets = _plain(text)
        found: list[tuple[int, int]] = []
        at = 0
        while at + ANCHOR <= len(plain):
            end = self._end(plain, at)
            if end:
                found.append((offsets[at], offsets[end - 1] + 1))
                at = end
            else:
                at += 1
        return found

    def _end(self, plain: str, at: int) -> int:
        for length in sorted(self._lengths.get(crc32(plain[at : at + ANCHOR].encode()), ()), reverse=True):
            candidate = plain[at : at + length]
            if len(candidate) == length and sha256(candidate.encode()).hexdigest() in self._digests:
                return at + length
        return 0

    def without(self, text: str, marker: str) -> str:
        """The text with every trace, and the punctuation that closes it, replaced by `marker`."""
        pieces, end = [], 0
        for start, stop in self.find(text):
            while stop < len(text) and text[stop] in _CLOSING:
                stop += 1
            pieces += [text[end:start], marker]
            end = stop
        return "".join(pieces) + text[end:] if pieces else text

    def cleaned(self, value: Any, marker: str) -> Any:
        """A JSON value with all its texts `without`."""
        if isinstance(value, str):
            return self.without(value, marker)
        if isinstance(value, list):
            return [self.cleaned(one, marker) for one in value]
        if isinstance(value, dict):
            return {name: self.cleaned(one, marker) for name, one in value.items()}
        return value


def strings(value: Any) -> Iterator[str]:
    """All texts of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one)


def _plain(text: str) -> tuple[str, list[int]]:
    """Letters and digits in one spelling, and where in `text` each stands."""
    characters: list[str] = []
    offsets: list[int] = []
    for at, character in enumerate(text):
        if character.isascii():
            if character.isalnum():
                characters.append(character.lower())
                offsets.append(at)
            continue
        for one in unicodedata.normalize("NFKC", character).casefold():
            if one.isalnum():
                characters.append(one)
                offsets.append(at)
    return "".join(characters), offsets
