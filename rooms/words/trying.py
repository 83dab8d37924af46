"""What a change of the word lists would do to texts that were written, and why one text is stopped. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from guardrails.lexicon import Hit, Lexicon, WordList
from guardrails.lexicon.matching import verdict_of
from guardrails.lexicon.simulation import Added, Simulated, simulate
from guardrails.normalizer import normalize
from guardrails.verdict import Action, Verdict

EXAMPLES = 25
MOST_WORDS = 5_000
"""Words beyond which a list is not looked at word by word; what it does to texts is counted all the same."""

Pieces = tuple[tuple[str, str], ...]
"""A text in pieces: (text, level of the word that stands there or "")."""


@dataclass(frozen=True)
class Moved:
    """A text that would be judged otherwise."""

    before: Action
    after: Action
    pieces: Pieces


@dataclass(frozen=True)
class Tried:
    """What a change does to `texts` recent texts: how many move from one verdict to another, and some of them.

    levels and added are the simulator's report on the words that are new; empty when there are too many.
    """

    texts: int
    moves: dict[tuple[Action, Action], int]
    examples: tuple[Moved, ...]
    new: int
    gone: int
    levels: tuple[Simulated, ...] = ()
    added: tuple[Added, ...] = ()

    @property
    def stricter(self) -> int:
        """Texts that would be stopped and are not now, or more strictly."""
        order = ("pass", "review", "block")
        return sum(n for (a, b), n in self.moves.items() if order.index(b) > order.index(a))

    @property
    def freed(self) -> int:
        """Texts that would be stopped no more, or less strictly."""
        return sum(self.moves.values()) - self.stricter


@dataclass(frozen=True)
class Found:
    """A word in a text; `allowed`: it stands in an allowed phrase, so that it counts for nothing."""

    hit: Hit
    said: str
    allowed: bool


@dataclass(frozen=True)
class Looked:
    """Why a text is stopped, if it is."""

    verdict: Verdict
    found: tuple[Found, ...]
    pieces: Pieces
    normalised: str


def look(text: str, lexicon: Lexicon) -> Looked:
    """Return every word of a lexicon in a text; what is excused, too."""
    hits = lexicon.match(text)
    bare = Lexicon.of([replace(each, allow=()) for each in lexicon.lists], lexicon)
    excused = [hit for hit in bare.match(text) if hit not in hits]
    found = [Found(hit, text[hit.start : hit.end], False) for hit in hits]
    found += [Found(hit, text[hit.start : hit.end], True) for hit in excused]
    return Looked(verdict_of(hits), tuple(found), pieces(text, hits), _normalised(text))


def attempt(before: Lexicon, changed: Sequence[WordList], texts: Sequence[str]) -> Tried:
    """Return what it does to `texts` when `changed` takes the place of the lists that are live."""
    after = Lexicon.of(changed, before)
    moves: dict[tuple[Action, Action], int] = {}
    examples: list[Moved] = []
    for text in texts:
        then, now = before.match(text), after.match(text)
        if then == now:
            continue
        was, is_ = verdict_of(then).action, verdict_of(now).action
        if was == is_:
            continue
        moves[was, is_] = moves.get((was, is_), 0) + 1
        if moves[was, is_] <= EXAMPLES // 2:
            examples.append(Moved(was, is_, pieces(text, now or then)))
    new, gone = _difference(before.lists, changed)
    count = sum(len(each.words) for each in new)
    levels: list[Simulated] = []
    added: list[Added] = []
    if 0 < count <= MOST_WORDS:
        allow = tuple(phrase for each in changed for phrase in each.allow)
        words = tuple(word for each in new for word in each.words)
        levels, added = simulate(WordList("", words, allow, new[0].transforms), texts)
    shown = sorted(examples, key=lambda one: -("pass", "review", "block").index(one.after))[:EXAMPLES]
    return Tried(len(texts), moves, tuple(shown), count, gone, tuple(levels), tuple(added))


def pieces(text: str, hits: Sequence[Hit]) -> Pieces:
    """Cut a text where words stand in it; where they overlap, the strictest counts."""
    strict = {"count": 1, "review": 2, "block": 3}
    marks = [""] * len(text)
    for hit in sorted(hits, key=lambda hit: strict[hit.level]):
        marks[hit.start : hit.end] = [hit.level] * (hit.end - hit.start)
    cut: list[tuple[str, str]] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or marks[at] != marks[start]:
            cut.append((text[start:at], marks[start]))
            start = at
    return tuple(cut)


def _difference(lists: Sequence[WordList], changed: Sequence[WordList]) -> tuple[list[WordList], int]:
    """Return the lists with their new words alone, and how many words went."""
    same = {id(each) for each in lists} & {id(each) for each in changed}
    known = {(each.name, word) for each in lists if id(each) not in same for word in each.words}
    wanted = [each for each in changed if id(each) not in same]
    new = [replace(each, words=tuple(w for w in each.words if (each.name, w) not in known)) for each in wanted]
    return [each for each in new if each.words], len(
        known - {(each.name, word) for each in wanted for word in each.words}
    )


def _normalised(text: str) -> str:
    """Return what remains of a text where words are looked for: gaps as blanks, runs as they stood."""
    reading = normalize(text)
    letters = zip(reading.text, reading.gaps, reading.runs, strict=True)
    return "".join((" " if gap else "") + letter * run for letter, gap, run in letters).strip()
