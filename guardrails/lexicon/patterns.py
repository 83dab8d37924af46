"""Strings that are looked for at once, what each stands for, and their beginnings. Pure; knows nothing of words.

Immutable for whoever looks. An edit makes another index: it shares the large automaton and brings its new strings in a
small one, so that it takes milliseconds whatever the size. A string that stands for nothing any more stays in the
automaton, and no hit comes of it.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from ahocorasick_rs import AhoCorasick, Implementation

T = TypeVar("T")


class Index(Generic[T]):
    """What each string stands for. entries: kept, not copied. counts: whether an entry makes its string one of the
    `beginnings`; every one does unless told otherwise.
    """

    __slots__ = ("_automata", "_entries", "_later", "beginnings")

    def __init__(self, entries: dict[str, tuple[T, ...]], counts: Callable[[T], bool] | None = None) -> None:
        self._entries = entries
        self._later: tuple[str, ...] = ()
        self._automata = [_automaton(sorted(entries))]
        self.beginnings = Beginnings(string for string, own in entries.items() if not counts or any(map(counts, own)))

    def find(self, text: str) -> Iterator[tuple[T, int, int]]:
        """Yield each entry whose string stands in `text`, with start and end (exclusive); they may overlap."""
        for strings, automaton in self._automata:
            for number, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
                for entry in self._entries[strings[number]]:
                    yield entry, start, end

    def edited(
        self,
        gone: Iterable[tuple[str, T]],
        new: Iterable[tuple[str, T]],
        counts: Callable[[T], bool] | None = None,
    ) -> "Index[T]":
        """Return the index without some strings' entries, which are all here, and with others."""
        entries, touched = self._entries.copy(), dict[str, None]()
        for string, entry in gone:
            entries[string] = tuple(own for own in entries[string] if own != entry)
            touched[string] = None
        for string, entry in new:
            entries[string] = (*entries.get(string, ()), entry)
            touched[string] = None
        before = {string for string in touched if string in self.beginnings}
        after = {string for string in touched if any(map(counts or _any, entries[string]))}
        result = Index.__new__(Index)
        result._entries = entries
        result._later = (*self._later, *(string for string in touched if string not in self._entries))
        result._automata = [self._automata[0], *([_automaton(result._later)] if result._later else ())]
        result.beginnings = self.beginnings.edited(before - after, after - before)
        return result


class Beginnings:
    """Strings in order: tells whether one of them begins with given letters. longest: the length of the longest."""

    __slots__ = ("_firsts", "_sorted", "longest")

    def __init__(self, strings: Iterable[str]) -> None:
        self._sorted = sorted(strings)
        self._firsts = {string[0] for string in self._sorted}
        self.longest = max(map(len, self._sorted), default=0)

    def __contains__(self, string: str) -> bool:
        at = bisect_left(self._sorted, string)
        return at < len(self._sorted) and self._sorted[at] == string

    def begin(self, letters: str, *, longer: bool = False) -> bool:
        """Tell whether a string begins with `letters`; longer: and goes on after them."""
        at = bisect_left(self._sorted, letters)
        if longer and at < len(self._sorted) and self._sorted[at] == letters:
            at += 1
        return at < len(self._sorted) and self._sorted[at].startswith(letters)

    def begin_with_one_of(self, letters: frozenset[str]) -> bool:
        """Tell whether a string begins with one of these letters."""
        return not self._firsts.isdisjoint(letters)

    def edited(self, gone: Collection[str], new: Collection[str]) -> "Beginnings":
        """Return these without `gone`, which are all here, and with `new`, none of which is."""
        result = Beginnings.__new__(Beginnings)
        result._sorted, result._firsts, result.longest = self._sorted.copy(), self._firsts.copy(), self.longest
        for string in gone:
            del result._sorted[bisect_left(result._sorted, string)]
            if not result.begin(string[0]):
                result._firsts.discard(string[0])
        for string in new:
            insort(result._sorted, string)
            result._firsts.add(string[0])
            result.longest = max(result.longest, len(string))
        if any(len(string) == result.longest for string in gone):
            result.longest = max(map(len, result._sorted), default=0)
        return result


def _any(_: object) -> bool:
    return True


def _automaton(strings: Iterable[str]) -> tuple[Sequence[str], AhoCorasick]:
    kept = tuple(strings)
    return kept, AhoCorasick(kept, implementation=Implementation.ContiguousNFA)
