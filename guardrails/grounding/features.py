"""A unit against its evidence, in numbers: what of it the evidence holds, and what speaks against it. Pure rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from guardrails.grounding import wording
from guardrails.grounding.evidence import Evidence, Sentence, Vectors
from guardrails.grounding.facts import LITERAL, Fact, derived, facts_of, same

Floats = npt.NDArray[np.float64]

NAMES = (
    "cosine", "margin", "terms", "characters", "best characters", "best terms", "copied", "unknown terms", "facts held",
    "facts held in best", "facts in conflict", "facts absent", "facts derived", "no facts", "literals missing",
    "names missing", "deed", "small talk", "ideas opposed", "ideas shared", "negation differs", "opposed and alike",
    "conflict and alike", "copy", "copy, fact missing", "copy, idea opposed",
    "copy, negation differs", "copy, terms", "copy, name missing", "copy, unknown terms",
)  # fmt: skip

_HAN = re.compile(r"[\u3400-\u9fff]")

NEAREST = 3
"""Sentences that a unit is compared with for conflicts."""


@dataclass(frozen=True)
class Rules:
    """What the rules found, apart from any weighing."""

    facts: tuple[Fact, ...]
    missing: tuple[Fact, ...]
    conflicting: tuple[Fact, ...]
    literal: tuple[Fact, ...]
    names: frozenset[str]
    deed: bool
    small_talk: bool
    unheard: tuple[Fact, ...] = ()
    """Missing facts that cannot be worked out from the evidence's numbers either."""

    copied: float = 0.0
    """Share of the unit that is copied from the evidence."""

    across: bool = False
    """Whether the unit is Chinese and the nearest sentence is not, or the other way round."""

    cosine: float = 0.0
    """To the nearest sentence."""


def rules_of(unit: str, folded: str, evidence: Evidence, near: Sequence[Sentence]) -> Rules:
    """Look for the unit's facts and names in the evidence. `near`: the sentences that it may be about."""
    facts = facts_of(unit)
    missing = tuple(fact for fact in facts if not any(same(fact, known) for known in evidence.facts))
    close = [known for sentence in near for known in sentence.facts]
    conflicting = tuple(
        fact
        for fact in missing
        if fact.kind not in LITERAL
        and any(known.kind == fact.kind and (fact.kind != "count" or known.unit == fact.unit) for known in close)
    )
    names = frozenset(name for name in wording.names_of(unit) if name not in evidence.folded)
    small_talk = not facts and wording.is_small_talk(folded)
    literal = tuple(fact for fact in missing if fact.kind in LITERAL)
    return Rules(facts, missing, conflicting, literal, names, wording.claims_a_deed(folded), small_talk)


def features(unit: str, evidence: Evidence, vector: Vectors, vectors: Vectors) -> tuple[Floats, Rules]:
    """The numbers called `NAMES`, and the rules' findings. vector: (d,) of the unit; vectors: (sentences, d)."""
    folded = wording.fold(unit)
    terms, characters = wording.terms_of(folded), wording.characters_of(folded)
    sentences = evidence.sentences
    cosines = vectors @ vector
    alike = np.array([_share(characters, sentence.characters) for sentence in sentences])
    order = np.argsort(-(cosines * 4 + alike))
    near = [sentences[index] for index in order[:NEAREST]]
    found = rules_of(unit, folded, evidence, near)
    held = len(found.facts) - len(found.missing)
    near_facts = [known for sentence in near for known in sentence.facts]
    made = [fact for fact in found.missing if derived(fact, near_facts)]
    in_best = sum(any(same(fact, known) for known in near[0].facts) for fact in found.facts)
    opposed, shared = _ideas(folded, near)
    differs = _negation_differs(folded, near[:2])
    best = float(alike[order[0]])
    conflicts = len(found.conflicting) - sum(fact in found.conflicting for fact in made)
    absent = len(found.missing) - len(found.conflicting) - sum(fact not in found.conflicting for fact in made)
    across = bool(_HAN.search(folded)) != bool(_HAN.search(near[0].text))
    unknown = len(terms - evidence.terms)
    copied = _copied(folded, near)
    copy = 2 * max(0.0, copied - 0.5)  # in what is mostly copied, small differences mean more
    known_terms = _share(terms, evidence.terms)
    names = min(len(found.names), 2)
    values = (
        (float(cosines.max()) - 0.88) * 20, float(cosines.max() - cosines.mean()) * 20, known_terms,
        _share(characters, evidence.characters), best, _share(terms, near[0].terms), copied, np.log1p(unknown),
        min(held, 3), min(in_best, 3), min(conflicts, 2), min(absent, 2), min(len(made), 2), not found.facts,
        bool(found.literal), names, found.deed, found.small_talk, min(opposed, 3), min(shared, 3), differs,
        min(opposed, 2) * best, min(conflicts, 2) * best, copy, copy * (conflicts + absent > 0),
        copy * min(opposed, 3), copy * (differs > 0), copy * known_terms, copy * (names > 0), copy * np.log1p(unknown),
    )  # fmt: skip
    unheard = tuple(fact for fact in found.missing if fact not in made)
    return np.array(values, np.float64), replace(
        found, unheard=unheard, copied=copied, across=across, cosine=float(cosines.max())
    )


def _share(part: frozenset[str], whole: frozenset[str]) -> float:
    return len(part & whole) / len(part) if part else 1.0


def _copied(folded: str, near: Sequence[Sentence]) -> float:
    """Share of the unit's pairs of neighbouring characters or words that the nearest sentences have, too."""
    pairs = wording.pairs_of(folded)
    known = frozenset().union(*(sentence.pairs for sentence in near))
    return _share(pairs, known)


def _ideas(folded: str, near: Sequence[Sentence]) -> tuple[int, int]:
    """How many polar ideas of the unit the nearest clauses only oppose, and how many they share."""
    opposed = shared = 0
    for clause in wording.clauses_of(folded):
        characters, ideas = wording.characters_of(clause), wording.polarity_of(clause)
        for name, signs in ideas.items():
            ranked = sorted(
                (
                    (_share(characters, words) - 0.15 * rank, polar[name])
                    for rank, sentence in enumerate(near)
                    for _, words, polar in sentence.clauses
                    if name in polar
                ),
                key=lambda pair: -pair[0],
            )
            if ranked:
                shared += bool(signs & ranked[0][1])
                opposed += not signs & ranked[0][1]
    return opposed, shared


def _negation_differs(folded: str, near: Sequence[Sentence]) -> float:
    """Of the clause and the evidence's clause that are most alike: whether one alone is negated, times likeness."""
    best, differs = 0.0, False
    for clause in wording.clauses_of(folded):
        characters = wording.characters_of(clause)
        for sentence in near:
            for other, words, _ in sentence.clauses:
                likeness = _share(characters, words) * min(1.0, len(characters) / 4)
                if likeness > best:
                    best, differs = likeness, wording.is_negated(clause) != wording.is_negated(other)
    return best if differs else 0.0
