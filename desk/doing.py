"""Does the jobs that were asked for (jobs.py): previews, purges, proofs, trainings. For the desk worker: loads the
model.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import numpy as np
from django.db import DatabaseError, connection

from chatbot import worker_wiring
from chatbot.encoder import SEARCH
from chatbot.wiring import answer_store, event_log
from desk import jobs, purging, wiring
from desk.models import Job
from knowledge import stages, storage
from knowledge.blocks import Unreadable
from knowledge.blocks import as_json as blocks_as_json
from knowledge.embedding import as_query
from knowledge.models import Document, DocumentVersion, Purge
from knowledge.passages import Vectors
from knowledge.releases import Conflict
from knowledge.stages import Preview
from understanding import services as intents
from understanding.errors import UnderstandingError

logger = logging.getLogger(__name__)

PREVIEW_SECONDS = 120.0
PREVIEW_CHUNKS = 500
"""What a preview shows; a person looks at fewer."""

SOURCE_CHARACTERS = 1_500_000
"""Of a file that is told block by block."""

VECTORS_PERCENT = 95
"""Of a training's time, about."""

PLACES_NAMED = 20
"""Of a store in which something is left."""


def work_off() -> int:
    """Do what waits until nothing is left; return how many jobs were begun."""
    count = 0
    while (job := jobs.claim()) is not None:
        do(job)
        count += 1
    return count


def do(job: Job) -> None:
    """Do a claimed job, and say what came of it."""
    try:
        with _alive(job):
            result = _KINDS[job.kind](job)
    except Unreadable as error:
        jobs.fail(job, error.code, str(error))
    except Conflict as error:
        jobs.fail(job, "conflict", str(error))
    except UnderstandingError as error:
        jobs.fail(job, "cannot_train", str(error))
    except Exception as error:  # one job's trouble must not keep the others
        logger.exception("job %s could not be done", job.pk)
        if job.attempts < jobs.MOST_ATTEMPTS:
            jobs.give_back(job)
        else:
            jobs.fail(job, "failed", f"it failed twice ({type(error).__name__}); look into the log")
    else:
        jobs.succeed(job, result)


@contextmanager
def _alive(job: Job) -> Iterator[None]:
    """Give signs of life meanwhile."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(jobs.BEAT_SECONDS):
                try:
                    jobs.beat(job)
                except DatabaseError as error:  # busy; the lease is longer than a few beats
                    logger.warning("no sign of life of job %s: %s", job.pk, error)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="job", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _preview(job: Job) -> dict[str, Any]:
    if "source" in job.wanted:
        return _source(*_stored(job.wanted["source"]))
    if "version" in job.wanted:
        document, data = _stored(job.wanted["version"])
    else:
        data, name = jobs.file_of(job), job.wanted["name"]
        stored = Document.objects.select_related("base").filter(base=job.base_id, name=name).first()
        document = stored or Document(base=job.base, name=name)
    tools = wiring.tools(document.base.slug)
    return as_json(document, stages.preview(document, data, tools, seconds=PREVIEW_SECONDS, most=PREVIEW_CHUNKS))


def _stored(version_id: int) -> tuple[Document, bytes]:
    """The document of a version and its file. Raises Unreadable when it was purged meanwhile."""
    version = DocumentVersion.objects.select_related("document__base").filter(pk=version_id).first()
    if version is None:
        raise Unreadable("missing")
    try:
        return version.document, storage.load(stages.documents_folder(), version.content_hash)
    except FileNotFoundError:
        raise Unreadable("missing") from None


def _source(document: Document, data: bytes) -> dict[str, Any]:
    """The blocks of a file as they stand in it, as many as a person reads."""
    end = time.monotonic() + PREVIEW_SECONDS
    blocks, _ = stages.read(document.name, data, lambda: time.monotonic() > end)
    shown: list[Any] = []
    size = 0
    for block in blocks:
        values = blocks_as_json(block)
        size += len(str(values))
        if size > SOURCE_CHARACTERS:
            break
        shown.append(values)
    return {"document": document.name, "blocks": shown, "left_out": len(blocks) - len(shown)}


def as_json(document: Document, found: Preview) -> dict[str, Any]:
    """What a preview shows; what is masked is not in it."""
    fields = ("position", "ref", "source", "language", "heading", "text", "question", "questions", "enabled")
    shown = ("id", "kind", "chunk", "field", "start", "end", "entity", "shown", "decision")
    return {
        "document": document.name,
        "same_as": found.same_as,
        "chunks": [{name: getattr(one, name) for name in fields} for one in found.chunks],
        "left_out": found.left_out,
        "findings": [{name: row[name] for name in shown} for row in found.findings],
        "quarantined": any(row["kind"] == "injection" and row["decision"] != "publish" for row in found.findings),
        "notices": [list(one) for one in found.notices],
        "edits": sum(one.placed for one in found.edits),
    }


def _purge(job: Job) -> dict[str, Any]:
    document = Document.objects.select_related("base").filter(pk=job.wanted["document"], base=job.base_id).first()
    if document is None or sha256(document.name.encode()).hexdigest() != job.wanted["name"]:
        purged = Purge.objects.filter(base=job.base_id, document=job.wanted["name"]).first()
        if purged is not None:  # removed by who did this job and died, or by somebody else
            return purging.finish(purged, answer_store()) | {"note": "it was removed before"}
        raise Conflict("there is no such document any more")
    gone = purging.purge(
        document,
        log=event_log(),
        answers=answer_store(),
        store=worker_wiring.vector_store(),
        author=job.author,
        force=job.wanted["published"],
    )
    return gone | {"note": "backups still hold it"}


def _proof(job: Job) -> dict[str, Any]:
    purged = Purge.objects.get(pk=job.wanted["purge"])
    searched = list(purging.prove_gone(purged, client=purging.reachable_redis()))
    return {
        "gone": not any(one.found for one in searched),
        "purged": purged.created.isoformat(),
        "stores": [
            {
                "store": one.store,
                "entries": one.entries,
                "left": len(one.found),
                "found": list(one.found[:PLACES_NAMED]),
                "note": one.note,
            }
            for one in searched
        ],
    }


def _train(job: Job) -> dict[str, Any]:
    """A model of intents, not active yet. Nearly all of its time goes into vectors, so these tell how far it is."""

    def embed(texts: Sequence[str]) -> Vectors:
        vectors, told = [], 0
        for done, text in enumerate(texts):
            vectors.append(worker_wiring.embedder().embed([as_query(text)]))  # one by one, as messages are embedded
            if (percent := VECTORS_PERCENT * done // len(texts)) > told:
                told = percent
                jobs.tell(job, percent)
        return np.concatenate(vectors)

    model = intents.train(embed, SEARCH, who=job.author)
    return {"model": model.number, **{name: model.report[name] for name in ("rows", "accuracy", "macro_f1")}}


_KINDS: dict[str, Callable[[Job], dict[str, Any]]] = {
    Job.Kind.PREVIEW: _preview,
    Job.Kind.PURGE: _purge,
    Job.Kind.PROOF: _proof,
    Job.Kind.TRAIN: _train,
}
