"""Cuts streamed text into units, sentences or shorter, without changing a character. Pure; knows nothing of checks.

Where the cuts lie depends on the text alone, never on how it arrived: a unit leaves when the characters that decide on
its end are there, or when the stream has ended.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import regex

CAP = 120
"""Code points in a unit, unless something that must not be cut is longer."""

LIMIT = 2_048
"""Even what must not be cut is cut here, so that text which never ends a word has bounded memory."""

WHOLE = re.compile(
    r"<[A-Z][A-Z_]{0,39}_\d{1,9}>"
    r"|(?:https?://|www\.)[!#-&(-;=?-~]+"
    r"|\[\d{1,3}\]"
)
"""What is never cut: placeholders, URLs, citation marks."""

_PIECE = 256
_LONGEST_BEGINNING = 64  # of a placeholder or a URL, before it can be recognised
_STOP = re.compile(r"\n|(?<![。！？；….!?])[。！？；….!?]")
_FULL_WIDTH = frozenset("。！？；…")
_BLANKS = re.compile(r"\s{0,32}")
_CITATION_BEGUN = re.compile(r"[ ]?(?:\[\d{0,3})?")
_ABBREVIATION = re.compile(
    r"\b(?:Mrs?|Ms|Dr|Prof|Sr|Jr|St|vs|cf|approx|dept|est|ext|fig|inc|ltd|co|corp|tel|(?-i:[A-Z])|(?:[a-z]\.)+[a-z])\Z"
    r"|(?:^|\n)\s*\d{1,3}\Z",  # an item's number at the start of a line
    re.IGNORECASE,
)
_NUMBER_FOLLOWS = re.compile(r"\b(?:nos?|art|sec|vol|pp?|ch)\Z", re.IGNORECASE)
_SOFT_CUT = re.compile(r"[\s，、：]")
_GRAPHEME = regex.compile(r"\X")
_MAY_END = re.compile(r"(?:[。！？；…!?]|(?<!\d)\.)[”’」』）】》〉)\]}*_`\"']{0,4}\s?\Z")


class Coming(str):
    """What the next unit will be, but for blanks at its end, if it ends here. It is no part of the text."""

    __slots__ = ()


def split_units(deltas: Iterable[str], cap: int = CAP, *, coming: bool = False) -> Iterator[str]:
    """Yield the units of the joined `deltas`; joined again they are the same text.

    A unit ends after a sentence's punctuation with its closing quotes, citation marks and blanks, or at `cap` code
    points, rather at a blank or comma; never inside a placeholder, URL, citation mark, surrogate pair or grapheme.
    With `coming`, a `Coming` is before a unit that was complete when only the next delta could tell, at most one: who
    judges units has that time. Raises ValueError for a cap below 1, and whatever `deltas` raises.
    """
    if cap < 1:
        raise ValueError(f"cap must be positive, not {cap}")
    buffer, told = "", not coming
    for delta in deltas:
        for start in range(0, len(delta), _PIECE):
            buffer += delta[start : start + _PIECE]
            while end := _unit_end(buffer, cap, final=False):
                yield buffer[:end]
                buffer, told = buffer[end:], not coming
        if not told and _MAY_END.search(buffer) and _unit_end(buffer, cap, final=True) == len(buffer):
            yield Coming(buffer)
            told = True
    while buffer:
        end = _unit_end(buffer, cap, final=True) or len(buffer)
        yield buffer[:end]
        buffer = buffer[end:]


def safe_cut(text: str, at: int) -> int:
    """Return the last place at or before `at` where `text` may be cut; 0 when there is none."""
    wholes = [match.span() for match in WHOLE.finditer(text)]
    while True:
        back = next((start for start, end in wholes if start < at < end), at)
        back = _grapheme_start(text, back)
        if back == at:
            return at
        at = back


def _unit_end(text: str, cap: int, final: bool) -> int:
    """Return where the first unit of `text` ends; 0 when what follows decides on it."""
    for stop in _STOP.finditer(text, 0, cap):
        end = _sentence_end(text, stop.start(), final)
        if end is not None:
            return end
    if len(text) <= cap:
        return 0
    return _cut_at_cap(text, cap, final)


def _sentence_end(text: str, at: int, final: bool) -> int | None:
    """Return where the sentence that the stop at `at` ends is complete; 0 to wait for more, None when it ends none."""
    stop, end = text[at], at
    if stop != "\n":
        after = _after_stop(stop in _FULL_WIDTH, text.count('"', 0, at) % 2 == 1).match(text, at)
        assert after is not None
        end = after.end()
        if not final and _CITATION_BEGUN.fullmatch(text, end):
            return 0
        if stop not in _FULL_WIDTH and not _FULL_WIDTH.intersection(after[0]):
            blanks = _BLANKS.match(text, end)
            following = text[blanks.end() : blanks.end() + 1] if blanks else ""
            if after[0] == "." and not following and not final:
                return 0
            if not _is_western_end(text, at, after[0], text[end : end + 1], following):
                return None
    blanks = _BLANKS.match(text, end)
    end = blanks.end() if blanks else end
    return _settled(text, _grapheme_end(text, end), final)


def _is_western_end(text: str, at: int, stop: str, following: str, following_letter: str) -> bool:
    """Tell whether `stop`, which begins with . ! or ?, ends a sentence and no decimal, version, URL or abbreviation."""
    if following and not following.isspace() and following < "\u2e80":
        return False
    if stop != ".":
        return True
    if following >= "\u2e80" and text[at - 1 : at].isdecimal():
        return False
    before = max(0, at - 16)
    if _NUMBER_FOLLOWS.search(text, before, at):
        return not following_letter.isdecimal()
    return not _ABBREVIATION.search(text, before, at)


@lru_cache
def _after_stop(full_width: bool, quoted: bool) -> re.Pattern[str]:
    """What belongs to a stop: more stops, closing marks, citation marks. A straight quote closes only what is open."""
    quotes = ('"' if quoted else "") + ("" if full_width else "'")
    return re.compile(rf"[。！？；….!?]{{1,32}}(?:[”’」』）】》〉)\]}}*_`{quotes}]|[ ]?\[\d{{1,3}}\]){{0,32}}")


def _cut_at_cap(text: str, cap: int, final: bool) -> int:
    soft = [match.end() for match in _SOFT_CUT.finditer(text, 0, cap)]
    if soft and (soft[-1] > cap // 2 or (text[cap - 1].isascii() and text[cap - 1 : cap + 1].isalpha())):
        return _settled(text, _grapheme_end(text, soft[-1]), final)
    if len(text) < cap + _LONGEST_BEGINNING and not final:
        return 0
    if end := safe_cut(text, cap):
        return end
    longer = WHOLE.match(text)
    end = longer.end() if longer and longer.end() > cap else cap
    return _settled(text, _grapheme_end(text, end), final)


def _settled(text: str, end: int, final: bool) -> int:
    """Return `end`, or 0 where the next character could still move it."""
    end = min(end, LIMIT)
    return end if end < len(text) or end == LIMIT or final else 0


def _grapheme_start(text: str, at: int) -> int:
    """Return the start of the grapheme that a cut at `at` would go through, or `at`."""
    if not 0 < at < len(text):
        return at
    if _is_surrogate_pair(text, at):
        return at - 1
    start = 0
    for grapheme in _GRAPHEME.finditer(text, max(0, at - LIMIT), at + 1):
        if grapheme.end() > at:
            break
        start = grapheme.end()
    return start


def _grapheme_end(text: str, at: int) -> int:
    """Return the end of the grapheme that a cut at `at` would go through, or `at`."""
    if not 0 < at < len(text):
        return at
    if _is_surrogate_pair(text, at):
        return at + 1
    grapheme = _GRAPHEME.match(text, at - 1)
    return max(at, grapheme.end()) if grapheme else at


def _is_surrogate_pair(text: str, at: int) -> bool:
    return "\ud800" <= text[at - 1] <= "\udbff" and "\udc00" <= text[at] <= "\udfff"
