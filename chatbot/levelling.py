"""The classifiers' levels by what reviewers have decided: what that speaks for, and a step that it must bear."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chatbot import reviewing
from guardrails.classification.checks import InjectionCheck, ToxicityCheck
from guardrails.classification.classifier import Thresholds
from guardrails.levels import Levelled, Levels, moved, services
from guardrails.levels.suggesting import Decision, Effect, Suggestion, effect, suggest, too_much

TIERS: dict[Levelled, str] = {"toxicity": ToxicityCheck.tier, "injection": InjectionCheck.tier}


def now(task: Levelled, live: Levels) -> Thresholds:
    """Return the thresholds that a task's verdicts follow."""
    return live.of(task, services.shipped(task))


def decisions(task: Levelled, since: datetime | None = None) -> list[Decision]:
    """Return what people have decided on texts that this task had stopped, oldest first."""
    return [Decision(score, bad) for score, bad in reviewing.decided_scores(TIERS[task], since)]


def suggested(task: Levelled, live: Levels, since: datetime | None = None) -> Suggestion:
    """Return what the decisions speak for. since: those made then or later. Raises TooFew."""
    return suggest(now(task, live), services.shipped(task), decisions(task, since))


def apply(
    wanted: Mapping[Levelled, tuple[float, float]], *, who: str, why: str, since: datetime | None = None
) -> tuple[Levels, dict[str, Any]]:
    """Move levels, {task: (review, block)}, if people's decisions bear it; all or nothing.

    Return what is live then, and the evidence by task. Raises LevelError.
    """
    live = services.load()
    thresholds: dict[Levelled, Thresholds] = {}
    evidence: dict[str, Any] = {}
    for task, (review, block) in wanted.items():
        decided = decisions(task, since)
        thresholds[task] = moved(now(task, live), review, block)
        if reason := too_much(now(task, live), thresholds[task], decided):
            raise services.LevelError(f"{task}: {reason}")
        evidence[task] = effects(effect(now(task, live), decided), effect(thresholds[task], decided))
    return services.apply(thresholds, who=who, why=why, evidence=evidence), evidence


def effects(before: Effect, after: Effect) -> dict[str, Any]:
    """Return what changes for the decided texts, and the numbers that say so."""
    return {
        "spared": (before.queued - before.queued_bad) - (after.queued - after.queued_bad),
        "missed": after.passed_bad - before.passed_bad,
        "before": asdict(before) | {"precision": round(before.precision, 3)},
        "after": asdict(after) | {"precision": round(after.precision, 3)},
    }
