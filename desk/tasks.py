"""The desk worker's edge: Celery tasks of a few lines each. Nothing travels: what is to be done is in the database."""

import logging
import threading

from celery import shared_task
from django.utils import timezone

from chatbot.events import REDIS_AWAY
from desk import asking, doing, examination, explaining, jobs, looking, making, services

logger = logging.getLogger(__name__)

PARALLEL = 2
"""Documents that a desk worker makes at once. Its other threads are for sweeping, which must not wait."""

_places = threading.BoundedSemaphore(PARALLEL)
_job = threading.Lock()


@shared_task(name=services.WORK)  # type: ignore[untyped-decorator]
def work() -> None:
    """Make what waits, the oldest first; harmless when nothing waits or when it comes twice."""
    if not _places.acquire(blocking=False):
        return  # whoever holds the places looks for more before they end, and the sweeper comes every 5 s
    try:
        making.work_off()
    finally:
        _places.release()


@shared_task(name=jobs.DO)  # type: ignore[untyped-decorator]
def do() -> None:
    """Do the jobs that wait, one at a time; harmless when none waits or when it comes twice."""
    if not _job.acquire(blocking=False):
        return
    try:
        doing.work_off()
    finally:
        _job.release()


@shared_task(name=services.EXAMINE)  # type: ignore[untyped-decorator]
def examine(base: str, published: bool = False) -> None:
    """Put the golden questions to the draft, or to what is published; harmless when it comes twice."""
    if published:
        examination.examine_published(base)
    else:
        examination.examine_draft(base)


@shared_task(name="desk.tasks.look")  # type: ignore[untyped-decorator]
def look() -> None:
    """Look at every base for what is wrong and what is missing."""
    looking.look_at_all()


@shared_task(name=asking.EXPLAIN, acks_late=False)  # type: ignore[untyped-decorator]
def explain(question_id: str) -> None:
    """Answer who asks what is found for a question, if they still wait; in the worker that answers customers."""
    try:
        explaining.explain(question_id)
    except REDIS_AWAY:
        logger.warning("redis cannot be reached; whoever asks what is found gets no answer")


@shared_task(name="desk.tasks.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Find what a crash, or a broker that could not be reached, has left behind."""
    making.sweep()
    if jobs.waiting(timezone.now()).exists():
        jobs.enqueue()


@shared_task(name="desk.tasks.tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Delete files that no version names, and jobs whose results are not kept any longer."""
    making.tidy()
    jobs.tidy()
