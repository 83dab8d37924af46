"""Changes to knowledge in one call: a document comes, is made and published; a document goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from knowledge import importing, stages
from knowledge.embedding import Embedder
from knowledge.filters import checked
from knowledge.importing import live_version
from knowledge.models import Document, DocumentVersion, KnowledgeBase
from knowledge.stages import Stage, Tools, Verdicts

__all__ = ["ImportReport", "bring", "describe", "import_document", "live_version", "retire_document"]


@dataclass(frozen=True)
class ImportReport:
    """What came of a document.

    `state` is "live", "draft", "unchanged", "duplicate", "quarantined" or "refused", with its `reason` where there is
    one; `chunks` counts those that answer (those in the draft for "draft").
    """

    document: str
    chunks: int
    state: str
    reason: str = ""


def import_document(
    base_slug: str,
    name: str,
    data: bytes,
    *,
    embedder: Embedder,
    judge: Verdicts,
    guard_version: str,
    clean: Callable[[str], str] = str,
    **more: Any,
) -> ImportReport:
    """Bring a file into a base with these tools (stages.Tools) and publish it alone: see `bring`."""
    tools = Tools(embedder=embedder, judge=judge, guard_version=guard_version, clean=clean, **more)
    return bring(base_slug, name, data, tools)


def bring(
    base_slug: str,
    name: str,
    data: bytes,
    tools: Tools,
    *,
    then: str = "urgent",
    twice: bool = False,
    author: str = "",
    publish: bool = True,
) -> ImportReport:
    """Take a file in, make it ready here and now, and publish it as `then` says (importing.take_in).

    The same file under the same name, made as before, changes nothing. A changed one replaces all its chunks at once. A
    file that cannot be read is refused, and what was live under its name stays live. Raises what the tools raise: then
    what is live stays as it was, and the version waits for the desk worker. With `publish` false, what is due waits for
    `importing.publish_due`.
    """
    taken = importing.take_in(
        base_slug,
        name,
        data,
        then=then,
        twice=twice,
        made_with=tools.made_with,
        author=author,
        held=True,
    )
    if taken.version is None:
        live = _live(base_slug, taken.document)
        return ImportReport(taken.document, live.chunks.count() if live else 0, taken.state, taken.reason)
    version = taken.version
    mine = version if taken.state == "stored" else stages.claim(version.pk)
    if mine is not None:
        stages.make(mine, tools)
    if publish:
        importing.publish_due()
    return report(version, unchanged=mine is None)


def report(version: DocumentVersion, *, unchanged: bool = False) -> ImportReport:
    """What came of a version."""
    version.refresh_from_db()
    document = version.document
    live = live_version(document)
    chunks = live.chunks.filter().count() if live is not None else 0
    if version.reason_code == "duplicate":
        return ImportReport(document.name, chunks, "duplicate", version.reason)
    if version.stage == Stage.READY:
        if unchanged:
            return ImportReport(document.name, version.chunks.count(), "unchanged")
        state = "live" if live == version else "draft"
        return ImportReport(document.name, version.chunks.count(), state)
    if version.stage in DocumentVersion.UNFINISHED:
        return ImportReport(document.name, chunks, version.stage)
    return ImportReport(document.name, chunks, version.stage, version.reason)


def retire_document(base_slug: str, name: str) -> bool:
    """Take a document out of all answers at once; its versions stay. False when no such document is there."""
    document = Document.objects.filter(base__slug=base_slug, name=name).select_related("base").first()
    return document is not None and importing.retire(document, urgent=True)


def describe(document: Document, metadata: Mapping[str, str]) -> dict[str, str]:
    """Say more about a document, "" takes a key back; return all that is said then. Filters go by it within a second,
    whatever the release. Raises ValueError, in words for people; then nothing is changed.
    """
    with transaction.atomic():
        KnowledgeBase.objects.filter(pk=document.base_id).update(described=F("described") + 1)
        document.refresh_from_db(fields=["metadata"])
        said = checked({key: value for key, value in {**document.metadata, **metadata}.items() if value})
        document.metadata = said
        document.save(update_fields=["metadata"])
    return said


def _live(base_slug: str, name: str) -> DocumentVersion | None:
    document = Document.objects.filter(base__slug=base_slug, name=name).first()
    return live_version(document) if document is not None else None
