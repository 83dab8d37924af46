"""The classifiers' levels in the database: what is live, a step, and the way back. A change says who made it and why.

A version is a set of levels. Nothing here happens by itself.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Max, QuerySet

from guardrails.classification.classifier import Classifier, Thresholds
from guardrails.classification.shipped import ADAPTER, SHIPPED
from guardrails.levels import TASKS, Levelled, Levels, refused
from guardrails.models import LevelChange

logger = logging.getLogger(__name__)

LONGEST = 500


class LevelError(Exception):
    """What is wrong with a change of levels; shown to whoever asked for it."""


@dataclass(frozen=True)
class _Shipped:
    thresholds: Thresholds
    fingerprint: str


def newest() -> int:
    """Return a number that grows with every change; cheap enough to ask every second."""
    try:
        return LevelChange.objects.aggregate(Max("number"))["number__max"] or 0
    except DatabaseError:
        connection.close_if_unusable_or_obsolete()  # a thread that only asks has nobody else to do this
        if not _no_table():
            raise
        return 0


def load(_before: Levels | None = None) -> Levels:
    """Return the levels that are live. Those that were set for other weights than today's do not hold."""
    if newest() == 0:
        return Levels()
    change = history()[0]
    found: dict[Levelled, Thresholds] = {}
    for task in TASKS:
        if kept := change.thresholds.get(task):
            if kept["classifier"] == _shipped(task).fingerprint:
                found[task] = replace(shipped(task), review=kept["review"], block=kept["block"])
            else:
                logger.warning(
                    "Levels of %s, version %d: set for another classifier, so not used", task, change.version
                )
    return Levels(change.version, found)


def shipped(task: Levelled) -> Thresholds:
    """Return the thresholds that a task ships with. Raises ClassifierError."""
    return _shipped(task).thresholds


def history() -> QuerySet[LevelChange]:
    """Return what was done to the levels, newest first."""
    return LevelChange.objects.order_by("-number")


def apply(wanted: Mapping[Levelled, Thresholds], *, who: str, why: str, evidence: Mapping[str, Any] = {}) -> Levels:
    """Make a new version with these tasks' levels live, and return it; the other tasks keep theirs.

    Raises LevelError for a step that `refused` does not allow, for one that changes nothing, and without a `why`.
    """
    with transaction.atomic():
        number, live = newest(), load()
        for task, thresholds in wanted.items():
            if reason := refused(live.of(task, shipped(task)), thresholds, shipped(task)):
                raise LevelError(f"{task}: {reason}")
        changed = {**live.thresholds, **wanted}
        if all(live.of(task, shipped(task)) == thresholds for task, thresholds in wanted.items()):
            raise LevelError("these levels are live already")
        version = (LevelChange.objects.aggregate(Max("version"))["version__max"] or 0) + 1
        kept: dict[str, Any] = {
            task: {"review": t.review, "block": t.block, "classifier": _shipped(task).fingerprint}
            for task, t in changed.items()
        }
        _record(number + 1, "apply", version, kept, dict(evidence), who, why)
    return load()


def rollback(version: int, *, who: str, why: str) -> Levels:
    """Make an earlier version live again, 0 for what shipped, and return it. Raises LevelError when there is none."""
    with transaction.atomic():
        number, last = newest(), history().first()
        if version == (last.version if last else 0):
            raise LevelError(f"version {version} is live")
        made = LevelChange.objects.filter(action="apply", version=version).first()
        if made is None and version != 0:
            raise LevelError(f"there is no version {version}")
        _record(number + 1, "rollback", version, made.thresholds if made else {}, {}, who, why)
    return load()


def _record(
    number: int, action: str, version: int, thresholds: dict[str, Any], evidence: dict[str, Any], who: str, why: str
) -> None:
    if not why.strip() or len(why) > LONGEST:
        raise LevelError(f"say why, in {LONGEST} characters at most")
    try:
        with transaction.atomic():
            LevelChange.objects.create(
                number=number,
                action=action,
                version=version,
                thresholds=thresholds,
                evidence=evidence,
                who=who,
                why=why,
            )
    except IntegrityError:
        raise LevelError("somebody else has just changed the levels; look at them again") from None
    logger.info("Levels: %s, version %d, by %s", action, version, who)


@cache
def _shipped(task: Levelled) -> _Shipped:
    folder = SHIPPED / task
    digest = hashlib.sha256()
    for file in (folder / "classifier.json", folder / "weights.safetensors", ADAPTER):
        digest.update(file.read_bytes())
    return _Shipped(Classifier.load(folder).thresholds, digest.hexdigest()[:16])


def _no_table() -> bool:
    """Before the first migration nobody can have moved a level."""
    return LevelChange._meta.db_table not in connection.introspection.table_names()
