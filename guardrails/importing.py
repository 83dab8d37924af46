"""What becomes of the lines of a list that somebody brings: words with a level, allowed phrases, and what is left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from guardrails.lexicon.words import IMPORTED, Line, Word, WordList
from guardrails.lists import ALLOW, Row, refused
from guardrails.normalizer import Transforms
from guardrails.triage import Triaged, triage

LONGEST_CATEGORY = 64
"""Characters; what is longer is cut."""


@dataclass(frozen=True)
class Brought:
    """A list as it would be imported. rejected, demoted: by reason, the texts that are left out or only counted."""

    words: WordList
    rejected: dict[str, list[str]] = field(default_factory=dict)
    demoted: dict[str, list[str]] = field(default_factory=dict)

    @property
    def rows(self) -> list[Row]:
        """What `lists.add` takes."""
        words: list[Row] = [(word.text, word.level, word.category) for word in self.words.words]
        return words + [(text, ALLOW, "") for text in self.words.allow]


def read(
    lines: Iterable[Line],
    name: str,
    level: str,
    category: str,
    *,
    as_is: bool = False,
    ordinary: str = "",
    seen: Transforms = IMPORTED,
) -> Brought:
    """Return what becomes of lines; `level` (or `allow`) and `category` are for those that name none.

    as_is: without triage, every line at its level. ordinary: texts of customers, in which nothing may be blocked. seen:
    the evasions that are seen through.
    """
    rejected: dict[str, list[str]] = {}
    demoted: dict[str, list[str]] = {}
    allow: dict[str, None] = {}
    words: list[Line] = []
    for line in lines:
        if line.category and not line.category.isprintable():
            rejected.setdefault("unprintable characters", []).append(line.text)
        elif (line.level or level) != ALLOW:
            words.append(line)
        elif reason := refused(line.text, ALLOW):
            rejected.setdefault(reason, []).append(line.text)
        else:
            allow[line.text] = None
    kept = []
    triaged = _as_is(words, level, category) if as_is else triage(words, level, category, ordinary)  # type: ignore[arg-type]
    for each in triaged:
        if each.rejected or each.level is None:
            rejected.setdefault(each.rejected or "", []).append(each.line.text)
            continue
        if each.demoted:
            demoted.setdefault(each.demoted, []).append(each.line.text)
        kept.append(Word(each.line.text, each.level, each.category[:LONGEST_CATEGORY], name))
    return Brought(WordList(name, tuple(kept), tuple(allow), seen), rejected, demoted)


def _as_is(lines: Iterable[Line], level: str, category: str) -> Iterator[Triaged]:
    for line in lines:
        wanted = line.level or level
        reason: Any = refused(line.text, wanted)
        yield Triaged(line, None if reason else wanted, line.category or category, reason)  # type: ignore[arg-type]
