"""What the desk worker does besides sweeping conversations: makes documents, publishes them, tidies up."""

import logging
import time

from django.utils import timezone

from desk import services, wiring
from knowledge import importing, stages

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
    importing.publish_due()
    return count


def sweep() -> None:
    """Have made what nobody makes, and publish what is due."""
    if stages.waiting(timezone.now()):
        services.enqueue_work()
    importing.publish_due()


def tidy() -> None:
    """Delete files that no version names."""
    if count := importing.tidy():
        logger.info("%d files that no version names were deleted", count)
