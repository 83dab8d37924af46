"""Decides whether letters that stand in a row are a word, or parts of others. Pure; knows no automaton."""

from dataclasses import dataclass
from itertools import pairwise

from guardrails.normalizer import CJK, JOINER, LINE, NO_GAP, SPACE, WALL, Normalized, is_letter

ALLOWED = -1


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to write a word; `word` is its number; ALLOWED and below: of allowed phrases. gaps and runs as in
    Normalized.
    """

    word: int
    gaps: bytes
    runs: bytes

    def fits(self, reading: Normalized, start: int, end: int) -> bool:
        """Tell whether the letters at start:end, which are the pattern's, are this word and not parts of others."""
        if is_inside_a_word(reading, start) or is_inside_a_word(reading, end):
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
            if run < own or letter.isdecimal() or (is_letter(letter) and self.word <= ALLOWED):
                return False
            if is_letter(letter):
                if run < 3 and end - start < 4:
                    return False
            elif start < at < end - 1 and (run < 3 or self.word <= ALLOWED):
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
        if self.word <= ALLOWED or not all(gaps[start + 1 : end]):
            return False
        if is_letter(text[start]):
            return sum(reading.runs[start:end]) >= 3
        return (start == 0 or gaps[start] > 0) and (end == len(text) or gaps[end] > 0 or is_letter(text[end - 1]))

    def _bridges_part(self, reading: Normalized, start: int, end: int) -> bool:
        return all(
            gap == NO_GAP or (self.word > ALLOWED and gap <= self._widest(reading, at))
            for at, gap in enumerate(reading.gaps[start + 1 : end], start + 1)
        )

    def _widest(self, reading: Normalized, at: int, own: int = NO_GAP) -> int:
        """The widest gap that may stand before the letter `at`, where the word itself has the gap `own`."""
        western = max(reading.text[at - 1], reading.text[at]) < CJK
        if own:
            return max(own, LINE if western else SPACE)
        # The parts of a long word are hardly ever words themselves ("her oin"); those of a short one are ("as set").
        return JOINER if western and len(self.runs) < 6 else SPACE


def is_inside_a_word(reading: Normalized, at: int) -> bool:
    """True when a cut before the letter `at` would go through a Latin word or a number."""
    if not 0 < at < len(reading.text) or reading.gaps[at]:
        return False
    before, after = reading.text[at - 1], reading.text[at]
    return (is_letter(before) and is_letter(after)) or (before.isdecimal() and after.isdecimal())


def ends_a_sentence(reading: Normalized, start: int) -> bool:
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
