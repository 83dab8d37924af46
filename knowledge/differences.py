"""What differs between two versions of a document, chunk by chunk. Pure values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from knowledge.pins import Content

_ALIKE = 0.5
_AHEAD = 5
"""Chunks among which the one before a change is looked for: files with nothing in common must not take long."""

_TOKEN = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)


@dataclass(frozen=True)
class Difference:
    """A chunk in both versions, or in one (the other's position is None).

    `change` is "same", "changed", "added" or "removed"; `text` the changed one's text in pieces: ("=" in both, "-" in
    the first only, "+" in the second only).
    """

    change: str
    before: int | None
    after: int | None
    text: tuple[tuple[str, str], ...] = ()


def differences(before: Sequence[Content], after: Sequence[Content]) -> list[Difference]:
    """Compare two versions' chunks in order."""
    found: list[Difference] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            found += [Difference("same", a + n, c + n) for n in range(b - a)]
        else:
            found += _paired(before, after, range(a, b), range(c, d))
    return found


def _paired(before: Sequence[Content], after: Sequence[Content], gone: range, come: range) -> list[Difference]:
    """Of a run that differs: who is whom, in order; the rest was removed or added."""
    found: list[Difference] = []
    left = list(gone)
    for new in come:
        match = next((old for old in left[:_AHEAD] if _alike(before[old], after[new])), None)
        if match is None:
            found.append(Difference("added", None, new))
            continue
        found += [Difference("removed", old, None) for old in left[: left.index(match)]]
        left = left[left.index(match) + 1 :]
        found.append(Difference("changed", match, new, text_difference(before[match].text, after[new].text)))
    return found + [Difference("removed", old, None) for old in left]


def _alike(one: Content, other: Content) -> bool:
    if one.question and one.question == other.question:
        return True
    matcher = SequenceMatcher(None, _TOKEN.findall(one.text), _TOKEN.findall(other.text), autojunk=False)
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def text_difference(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """The pieces of two texts, in words and characters: ("=", …), ("-", …), ("+", …)."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces: list[tuple[str, str]] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            pieces.append(("=", "".join(old[a:b])))
            continue
        pieces += [(mark, text) for mark, text in (("-", "".join(old[a:b])), ("+", "".join(new[c:d]))) if text]
    return tuple(pieces)
