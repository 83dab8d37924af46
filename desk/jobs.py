"""Previews, purges, proofs and trainings: asked for here, done by the desk worker (doing.py), looked at here. Loads no
model.

Whoever does a job may die at any moment: a job without a sign of life is done by somebody else, twice at most.
"""

import contextlib
import logging
import os
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from chatbot.events import REDIS_AWAY
from desk.models import Job
from knowledge.blocks import Unreadable
from knowledge.models import Document, DocumentVersion, KnowledgeBase, Purge
from knowledge.parsing import DEFAULT
from knowledge.reasons import wording

logger = logging.getLogger(__name__)

DO = "desk.tasks.do"
MOST_WAITING = 20
"""Unfinished jobs of a base."""

MOST_ATTEMPTS = 2
LEASE = timedelta(seconds=30)
BEAT_SECONDS = 5.0
KEPT = dict.fromkeys(Job.Kind, timedelta(days=30)) | {Job.Kind.PREVIEW: timedelta(hours=1)}
"""What a preview shows is a document's text: it does not stay."""


class TooManyJobs(Exception):
    """A base has as many unfinished jobs as it may have."""


class NotMeant(Exception):
    """The name that was repeated is not the document's."""


def preview(base: KnowledgeBase, name: str, data: bytes, *, author: str = "") -> Job:
    """Have a file read, chunked and examined as it would be if it were taken in; nothing of it is stored for good.

    Raises Unreadable, TooManyJobs, OSError.
    """
    if len(data) > DEFAULT.bytes_in:
        raise Unreadable("too_large", DEFAULT.bytes_in // 2**20)
    if name.lower().endswith(".zip"):
        raise Unreadable("unsupported", ".zip")
    _room(base)
    id_ = uuid4()
    _keep(id_, data)
    return _ask(base, Job.Kind.PREVIEW, {"name": name}, author, id_)


def preview_version(version: DocumentVersion, *, author: str = "") -> Job:
    """Have the file of a version read anew: with today's readers and guards, and the document's edits. TooManyJobs."""
    _room(version.document.base)
    return _ask(version.document.base, Job.Kind.PREVIEW, {"version": version.pk}, author)


def source(version: DocumentVersion, *, author: str = "") -> Job:
    """Have the file of a version read and told block by block, beside which its chunks can be looked at. TooManyJobs.

    What was asked for lately is not asked for again.
    """
    base, wanted = version.document.base, {"source": version.pk}
    asked = Job.objects.filter(base=base, kind=Job.Kind.PREVIEW, wanted__source=version.pk)
    found = asked.exclude(state=Job.State.FAILED).order_by("created").last()
    if found is not None:
        return found
    _room(base)
    return _ask(base, Job.Kind.PREVIEW, wanted, author)


def purge(document: Document, name: str, *, published: bool = False, author: str = "") -> Job:
    """Have a document removed for good; `name` repeats its name. published: also while it answers.

    Raises NotMeant, TooManyJobs.
    """
    if name != document.name:
        raise NotMeant("the name that was repeated is not this document's")
    _room(document.base)
    wanted = {"document": document.pk, "name": _digest(name), "published": published}
    return _ask(document.base, Job.Kind.PURGE, wanted, author)


def prove_gone(base: KnowledgeBase, name: str, *, author: str = "") -> Job:
    """Have every store searched for a purged document of that name. Raises Purge.DoesNotExist, TooManyJobs."""
    found = Purge.objects.get(base=base, document=_digest(name))
    _room(base)
    return _ask(base, Job.Kind.PROOF, {"purge": found.pk}, author)


def train(*, author: str = "") -> Job:
    """Have intents learned from the utterances as they are when it begins. What waits already is not asked for again.

    `percent` says how far it is; `result` then names the model, which `understanding.services.activate` puts to use.
    """
    waits = Job.objects.filter(kind=Job.Kind.TRAIN, state=Job.State.WAITING).first()
    return waits or _ask(None, Job.Kind.TRAIN, {}, author)


def trainings() -> QuerySet[Job]:
    """Jobs that train, the newest first."""
    return Job.objects.filter(kind=Job.Kind.TRAIN).order_by("-created")


def enqueue() -> None:
    """Tell the desk worker that a job waits, as soon as it is committed. When the broker cannot be reached, the sweeper
    finds it.
    """
    transaction.on_commit(_tell)


def _tell() -> None:
    try:
        current_app.send_task(DO, retry=False)
    except (OperationalError, *REDIS_AWAY):
        logger.warning("the broker cannot be reached; the sweeper will find the job")


def waiting(now: datetime) -> QuerySet[Job]:
    """Jobs that nobody does, the oldest first."""
    free = Q(beat=None) | Q(beat__lt=now - LEASE)
    return Job.objects.filter(free, state__in=Job.UNFINISHED).order_by("created", "pk")


def claim() -> Job | None:
    """Take the right to do the oldest job that nobody does; one that has killed those who did it fails."""
    while True:
        now = timezone.now()
        next_ = waiting(now).values_list("pk", flat=True).first()
        if next_ is None:
            return None
        taken = {"state": Job.State.RUNNING, "holder": uuid4().hex, "beat": now, "attempts": F("attempts") + 1}
        if not waiting(now).filter(pk=next_).order_by().update(**taken):
            continue  # somebody else was first
        job = Job.objects.select_related("base").get(pk=next_)
        if job.attempts <= MOST_ATTEMPTS:
            return job
        fail(job, "died")


def beat(job: Job) -> bool:
    """Say that it is being done; False when it is somebody else's by now."""
    return bool(Job.objects.filter(pk=job.pk, holder=job.holder).update(beat=timezone.now()))


def tell(job: Job, percent: int) -> None:
    """Say how far it is, which is a sign of life, too."""
    Job.objects.filter(pk=job.pk, holder=job.holder).update(percent=percent, beat=timezone.now())


def succeed(job: Job, result: dict[str, Any]) -> None:
    """It is done, and this came of it."""
    _finish(job, state=Job.State.DONE, result=result, percent=100)


def fail(job: Job, code: str, reason: str = "") -> None:
    """It cannot be done; `reason` in words, by default those of the code."""
    _finish(job, state=Job.State.FAILED, reason_code=code, reason=reason or wording(code))


def give_back(job: Job) -> None:
    """Somebody is to try again."""
    Job.objects.filter(pk=job.pk, holder=job.holder).update(state=Job.State.WAITING, beat=None, holder="")


def file_of(job: Job) -> bytes:
    """The file that a preview is about. Raises Unreadable when it is not there any more."""
    try:
        return _path(job.pk).read_bytes()
    except FileNotFoundError:
        raise Unreadable("missing") from None


def tidy() -> int:
    """Delete what is not kept any longer, and files of jobs that are finished or were never stored; how many jobs."""
    now, gone = timezone.now(), 0
    for kind, kept in KEPT.items():
        gone += Job.objects.filter(kind=kind, finished__lt=now - kept).delete()[0]
    for path in list(_folder().iterdir()) if _folder().is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # its job was finished meanwhile
            if now.timestamp() - path.stat().st_mtime > 3600 and not _wanted(path.name):
                path.unlink()
    return gone


def _wanted(name: str) -> bool:
    """Whether a file of that name is still needed, or none of ours."""
    try:
        return Job.objects.filter(pk=UUID(name), state__in=Job.UNFINISHED).exists()
    except ValueError:
        return True


def _finish(job: Job, **fields: Any) -> None:
    Job.objects.filter(pk=job.pk, holder=job.holder).update(**fields, finished=timezone.now(), beat=None)
    if job.kind == Job.Kind.PREVIEW:
        with contextlib.suppress(OSError):
            _path(job.pk).unlink()


def _ask(base: KnowledgeBase | None, kind: str, wanted: dict[str, Any], author: str, id_: UUID | None = None) -> Job:
    job = Job.objects.create(id=id_ or uuid4(), base=base, kind=kind, wanted=wanted, author=author)
    enqueue()
    return job


def _room(base: KnowledgeBase) -> None:
    if Job.objects.filter(base=base, state__in=Job.UNFINISHED).count() >= MOST_WAITING:
        raise TooManyJobs(f"{MOST_WAITING} jobs of this base are not finished yet; try again")


def _keep(id_: UUID, data: bytes) -> None:
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(_path(id_), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _folder() -> Path:
    return Path(settings.VAR) / "previews"


def _path(id_: UUID) -> Path:
    return _folder() / str(id_)


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()
