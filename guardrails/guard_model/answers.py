"""What a guard model says, as a verdict: probabilities of a classifier's labels, or a written answer. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from guardrails.verdict import PASS, Action, Tier, Verdict

Kind = Literal["safe", "offensive", "injection"]
"""What a label of a classifier means."""

KINDS: tuple[Kind, ...] = get_args(Kind)
TIER: Tier = "model"
REVIEW, BLOCK = 0.5, 0.9
"""Least probabilities of a classifier's bad labels to be reviewed and to be blocked."""

_CATEGORY: dict[Kind, str] = {"offensive": "toxicity", "injection": "injection"}
_NAMES: dict[str, Kind] = {
    **dict.fromkeys(
        ("safe", "benign", "neutral", "normal", "nontoxic", "nothate", "nonhate", "clean", "legit"), "safe"
    ),
    **dict.fromkeys(("offensive", "toxic", "toxicity", "hate", "abuse", "abusive", "insult", "unsafe"), "offensive"),
    **dict.fromkeys(("injection", "promptinjection", "jailbreak", "malicious"), "injection"),
}
"""Names of labels (letters alone) that say by themselves what they mean."""

CATEGORIES = {
    name: re.sub(r"\W+", "_", name.lower())
    for name in (
        "Violent",
        "Non-violent Illegal Acts",
        "Sexual Content or Sexual Acts",
        "PII",
        "Suicide & Self-Harm",
        "Unethical Acts",
        "Politically Sensitive Topics",
        "Copyright Violation",
        "Jailbreak",
    )
}
"""Those of Qwen3Guard (https://github.com/QwenLM/Qwen3Guard), as it writes them and as a verdict has them."""

_ACTIONS: dict[str, tuple[Action, float]] = {"Unsafe": ("block", 1.0), "Controversial": ("review", 0.5)}
_ANSWER = re.compile(
    r"(?:<think>\s*</think>)?\s*Safety: (?P<safety>Safe|Unsafe|Controversial)\s*\n"
    r"\s*Categories: (?P<categories>[^\n]+)(?:\n\s*Refusal: (?:Yes|No))?\s*"
)


class GuardModelError(Exception):
    """A guard model that cannot be used; says why."""


class NoVerdict(Exception):
    """The model gave no verdict on a text; says why, never with the text."""


def read_labels(given: str) -> dict[str, Kind]:
    """Read `LABEL_0=safe,LABEL_1=injection`. Raises GuardModelError."""
    found: dict[str, Kind] = {}
    for part in filter(None, map(str.strip, given.split(","))):
        name, _, meaning = part.rpartition("=")
        kind = next((kind for kind in KINDS if kind == meaning.strip()), None)
        if not name.strip() or kind is None:
            raise GuardModelError(f"{part!r} is not LABEL=KIND with a kind of {', '.join(KINDS)}")
        found[name.strip()] = kind
    return found


def kinds_of(labels: Sequence[str], given: Mapping[str, Kind]) -> tuple[Kind, ...]:
    """Return what each label of a classifier means: as given, or as its name says. Raises GuardModelError."""
    if unknown := set(given) - set(labels):
        raise GuardModelError(f"the guard model has no labels {_list(unknown)}, but {_list(labels)}")
    found = {label: given.get(label) or _NAMES.get(re.sub(r"[^a-z]", "", label.lower())) for label in labels}
    if unclear := [label for label, kind in found.items() if kind is None]:
        raise GuardModelError(f"say what these labels of the guard model mean ({', '.join(KINDS)}): {_list(unclear)}")
    kinds = tuple(kind for kind in found.values() if kind is not None)
    if set(kinds) == {"safe"}:
        raise GuardModelError(f"all labels of the guard model are safe: {_list(labels)}")
    return kinds


def verdict_of(probabilities: Sequence[float], kinds: Sequence[Kind], exclusive: bool = True) -> Verdict:
    """Return the verdict on one text, given a probability a label. exclusive: they add up to 1. Raises NoVerdict."""
    scores: dict[Kind, float] = {}
    for probability, kind in zip(probabilities, kinds, strict=True):
        if not 0 <= probability <= 1.001:  # not a number is refused, too
            raise NoVerdict("no probability")
        before = scores.get(kind, 0.0)
        scores[kind] = before + probability if exclusive else max(before, probability)
    kind, score = max(((kind, score) for kind, score in scores.items() if kind != "safe"), key=lambda one: one[1])
    if score < REVIEW:
        return PASS
    return Verdict("block" if score >= BLOCK else "review", TIER, (_CATEGORY[kind],), min(1.0, score))


def read_answer(text: str) -> Verdict:
    """Return the verdict that a model of Qwen3Guard's kind has written: "Safety: …", "Categories: …".

    Anything else than an answer in that form, complete and without contradiction, raises NoVerdict.
    """
    answer = _ANSWER.fullmatch(text)
    if answer is None:
        raise NoVerdict("an answer in another form")
    named = [name.strip().removesuffix(".") for name in answer["categories"].split(",")]
    if named != ["None"] and (answer["safety"] == "Safe" or not set(named) <= set(CATEGORIES)):
        raise NoVerdict("categories that do not fit")
    if answer["safety"] == "Safe":
        return PASS
    action, score = _ACTIONS[answer["safety"]]
    found = dict.fromkeys(CATEGORIES[name] for name in named if name != "None")
    return Verdict(action, TIER, tuple(found) or (answer["safety"].lower(),), score)


def _list(names: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(names))
