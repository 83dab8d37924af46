"""What the desk worker does besides sweeping conversations: makes documents, publishes them, tidies up."""

import logging
import time
from collections.abc import Iterable

from django.db.models import F
from django.utils import timezone

from desk import examination, services, wiring
from knowledge import importing, stages
from knowledge.models import Release

logger = logging.getLogger(__name__)

PUBLISH_SECONDS = 5
"""While documents come one after the other, what is ready is published so often: a release lists every document."""


def work_off() -> int:
    """Make what waits until nothing is left, publish what is due; return how many documents were made.

    One that fails is logged and left for the next time.
    """
    count, published = 0, time.monotonic()
    failed: list[int] = []
    while (version := importing.next_version(failed)) is not None:
        try:
            stages.make(version, wiring.tools(version.document.base.slug))
        except Exception:  # one document's trouble must not keep the others
            logger.exception("version %d of document %d could not be made", version.number, version.document_id)
            failed.append(version.pk)
            continue
        logger.info("version %d of document %d: %s", version.number, version.document_id, version.stage)
        count += 1
        if time.monotonic() - published > PUBLISH_SECONDS:
            importing.publish_due()
            published = time.monotonic()
    publish_due()
    return count


def publish_due() -> None:
    """Publish what is due; where golden questions were not put to it yet, put them first."""
    for base in unexamined(importing.publish_due()):
        examination.examine_draft(base)
        importing.publish_due()


def unexamined(bases: Iterable[str]) -> list[str]:
    """Return those bases whose golden questions were not put to their draft as it is."""
    drafts = Release.objects.filter(base__slug__in=bases, state=Release.State.DRAFT)
    return list(
        drafts.exclude(examinations__revision=F("revision")).values_list("base__slug", flat=True).order_by("base__slug")
    )


def sweep() -> None:
    """Have made what nobody makes, and publish what is due."""
    if stages.waiting(timezone.now()) or unexamined(importing.publish_due()):
        services.enqueue_work()


def tidy() -> None:
    """Delete files that no version names."""
    if count := importing.tidy():
        logger.info("%d files that no version names were deleted", count)
