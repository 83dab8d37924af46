"""The passages of a turn, taken apart once: sentences with their facts, words, polar ideas and vectors.

Knows nothing of what is checked against them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from guardrails.grounding import wording
from guardrails.grounding.facts import Fact, facts_of
from guardrails.units import split_units

Vectors = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
"""Sentences to L2-normalised vectors of shape (n, d)."""

LONGEST = 400
"""Code points of a sentence; a longer one is cut."""

_LIST_MARK = re.compile(r"^\s*(?:[-*•·●▪]|\d{1,2}[.)、](?=\s|[\u4e00-\u9fff])|[(（]\d{1,2}[)）]|#+)\s*", re.MULTILINE)
_INSIDE_A_TOKEN = re.compile(r"(?<=[0-9a-z])\s*[–—~～](?=\s*\d)")
_OTHER = re.compile(r"(?:[^\w$¥€£%+<>@&#\s.,:/_-]|[.,:/_-](?![0-9a-z])|(?<![0-9a-z])[.,:/_-]|_)+")
_BESIDE_HAN = re.compile(r"(?<=[\u3400-\u9fff|])\s+|\s+(?=[\u3400-\u9fff|])")
_EMPTY_CELL = re.compile(r"\|(?:无|n/a|-)(?=\|)")
_LONG_QUOTE = 40


@dataclass(frozen=True)
class Sentence:
    """One sentence of a passage."""

    text: str
    facts: tuple[Fact, ...]
    terms: frozenset[str]
    characters: frozenset[str]
    pairs: frozenset[str]
    clauses: tuple[tuple[str, frozenset[str], dict[str, frozenset[int]]], ...]
    """Each clause folded, with its characters and its polar ideas."""

    @classmethod
    def of(cls, text: str) -> "Sentence":
        folded = wording.fold(text)
        clauses = tuple(
            (clause, wording.characters_of(clause), wording.polarity_of(clause))
            for clause in wording.clauses_of(folded)
        )
        words = wording.terms_of(folded), wording.characters_of(folded), wording.pairs_of(folded)
        return cls(text, facts_of(text), *words, clauses)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a reply may say. Parts are made when they are first asked for, and kept."""

    passages: tuple[str, ...]

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        texts = dict.fromkeys(
            text for passage in self.passages for unit in split_units((passage,), LONGEST) if (text := unit.strip())
        )
        return tuple(Sentence.of(text) for text in texts)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        return tuple(dict.fromkeys(fact for sentence in self.sentences for fact in sentence.facts))

    @cached_property
    def terms(self) -> frozenset[str]:
        return frozenset().union(*(sentence.terms for sentence in self.sentences))

    @cached_property
    def characters(self) -> frozenset[str]:
        return frozenset().union(*(sentence.characters for sentence in self.sentences))

    @cached_property
    def folded(self) -> str:
        return "\n".join(wording.fold(passage) for passage in self.passages)

    @cached_property
    def _skeletons(self) -> tuple[str, ...]:
        return tuple(_EMPTY_CELL.sub("", f"|{skeleton(passage)}|") for passage in self.passages)

    def quotes(self, unit: str) -> bool:
        """Whether a passage has the unit's words, from the beginning of a clause to the end of one."""
        wanted = skeleton(unit).strip("|")
        if not wanted:
            return True
        bounded = f"|{wanted}|"
        if any(bounded in have for have in self._skeletons):
            return True
        # A unit that was cut at its greatest length begins or ends within a clause: it is long, or goes on in small
        # letters.
        if len(wanted) >= _LONG_QUOTE:
            return any(f"|{wanted}" in have or f"{wanted}|" in have for have in self._skeletons)
        goes_on = unit[:1].islower() or unit[:1] in "¥$€£"
        return goes_on and any(f" {wanted}|" in have for have in self._skeletons)


def skeleton(text: str) -> str:
    """A text as quotes are compared: no case, width, list marks, emphasis or citations; punctuation is `|`."""
    folded = _INSIDE_A_TOKEN.sub("-", wording.fold(_LIST_MARK.sub("\n", text)))
    marked = _OTHER.sub("|", folded.replace("*", "").replace("`", "").replace("\n", "|"))
    return re.sub(r"\|+", "|", _BESIDE_HAN.sub("", " ".join(marked.split())))
