"""Whether a golden question was treated right, and what a release gains and loses. Pure; knows nothing of rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from knowledge.passages import Retrieved
from knowledge.terms import fold

LOOKED_AT = 3
"""Passages in which the expected document may stand."""

Search = Callable[[str], Retrieved]
Answer = Callable[[Retrieved], str]


@dataclass(frozen=True)
class Golden:
    """A question, and its right treatment: answered, from `document` if named, with all `facts` in it; or refused."""

    question: str
    answered: bool = True
    document: str = ""
    facts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Changes with anything that decides what is right."""
        return sha256(repr((self.question, self.answered, self.document, self.facts)).encode()).hexdigest()


@dataclass(frozen=True)
class Result:
    """How a question was treated. `why` is "", "refused", "answered", "document" or "facts": what was not right."""

    key: str
    question: str
    right: bool
    why: str
    answerable: bool
    confidence: float
    found: tuple[str, ...]
    """Documents of the first passages, best first, each once."""


@dataclass(frozen=True)
class Report:
    """Results beside those of the release before; what was not put to that one is neither lost nor gained."""

    results: tuple[Result, ...]
    before: Mapping[str, bool]

    @property
    def lost(self) -> tuple[Result, ...]:
        """Right before and wrong now."""
        return tuple(one for one in self.results if not one.right and self.before.get(one.key) is True)

    @property
    def gained(self) -> tuple[Result, ...]:
        """Wrong before and right now."""
        return tuple(one for one in self.results if one.right and self.before.get(one.key) is False)

    def rows(self) -> list[dict[str, Any]]:
        """As stored: each result with `was_right` (None: not known)."""
        return [
            {**asdict(one), "found": list(one.found), "was_right": self.before.get(one.key)} for one in self.results
        ]


def examine(questions: Iterable[Golden], search: Search, answer: Answer) -> tuple[Result, ...]:
    """Put each question to a release. `answer` writes what the customer would read, from what was found."""
    return tuple(_result(one, search(one.question), answer) for one in questions)


def _result(golden: Golden, found: Retrieved, answer: Answer) -> Result:
    documents = tuple(dict.fromkeys(passage.document for passage in found.passages[:LOOKED_AT]))
    why = _wrong(golden, found, documents, answer)
    return Result(golden.key, golden.question, not why, why, found.answerable, round(found.confidence, 4), documents)


def _wrong(golden: Golden, found: Retrieved, documents: Sequence[str], answer: Answer) -> str:
    if not golden.answered:
        return "answered" if found.answerable else ""
    if not found.answerable:
        return "refused"
    if golden.document and golden.document not in documents:
        return "document"
    said = _plain(answer(found)) if golden.facts else ""
    return "" if all(_plain(fact) in said for fact in golden.facts) else "facts"


def _plain(text: str) -> str:
    return "".join(fold(text).split())
