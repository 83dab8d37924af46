"""Cuts a text into sentences, Chinese and English. Knows nothing of chunks."""

import re
from collections.abc import Iterator

from knowledge.language import HAN

_ABBREVIATIONS = (
    "mr mrs ms dr prof sr jr st no nos fig vol pp p ed dept est tel ext approx incl excl vs e.g i.e cf art sec par qty "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
# These may also close a sentence: they do when a capital letter follows.
_MAY_CLOSE = "etc inc ltd co corp a.m p.m u.s u.k min max hr hrs"
_MAY_END = frozenset(_MAY_CLOSE.split())
_NEVER_ENDS = frozenset(_ABBREVIATIONS.split()) | _MAY_END

# A full stop of Latin script ends a sentence only before a space, a Han character or the end: 3.5, kefu.example, v2.0
# stay whole.
_CLOSERS = "[" + re.escape("\"'”’」』）)】》]") + "]*"
_END = re.compile(rf"(?:[。！？!?；…]+|\.+(?={_CLOSERS}(?:\s|$|[{HAN}]))){_CLOSERS}|\n+")
_IN_A_TOKEN = re.compile(r"[A-Za-z0-9]")
_LONGEST_TOKEN = 300
_NEXT = re.compile(r"\S")
_LAST_WORD = re.compile(r"[A-Za-z][A-Za-z.]*$|(?<!\S)\d{1,3}$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The sentences as (start, end) offsets in code points, in order, without the white space around them.

    Decimals, host names, abbreviations ("e.g.", "No. 5"), initials and numbered points ("1. Open the app") are not cut.
    Together the spans hold every character that is not white space.
    """
    return list(_spans(text))


def split_sentences(text: str) -> list[str]:
    """The sentences of `sentence_spans` as texts."""
    return [text[start:end] for start, end in sentence_spans(text)]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for mark in _END.finditer(text):
        if _ends(text, start, mark):
            yield from _stripped(text, start, mark.end())
            start = mark.end()
    yield from _stripped(text, start, len(text))


def _ends(text: str, start: int, mark: re.Match[str]) -> bool:
    """Whether this mark closes the sentence that began at `start`."""
    if mark[0] in ("!", "?") and _IN_A_TOKEN.match(text, mark.end()):
        token = text[max(start, mark.start() - _LONGEST_TOKEN) : mark.start()].split()[-1:]
        if token and token[0].isascii() and (token[0][-1:].isalnum() or "/" in token[0]):
            return False  # the query of a URL
    if not mark[0].startswith(".") or mark[0].startswith(".."):
        return True
    before = _LAST_WORD.search(text, start, mark.start())
    if before is None:
        return True
    word = before[0].strip().lower()
    if word.isdigit():
        return text[start : mark.start()].strip() != word  # "1." opens a numbered point
    if len(word) == 1 and word != "i" and before[0].isupper():
        return False  # an initial
    if word not in _NEVER_ENDS:
        return True
    after = _NEXT.search(text, mark.end())
    following = after[0] if after is not None else ""
    return word in _MAY_END and (following.isupper() or not following)


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = start + len(piece.rstrip())
    if left < right:
        yield left, right
