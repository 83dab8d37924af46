"""Documents go for good: their text, vectors, edits and files; hashes alone stay, to show that nothing is left.

What also stands in another document is that one's, and stays. Knows the stores of knowledge; those of conversations are
the desk's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.db import transaction

from knowledge import importing, storage, vectors
from knowledge.models import (
    Chunk,
    Document,
    DocumentVersion,
    Embedding,
    Examination,
    Gap,
    GoldenQuestion,
    KnowledgeBase,
    Purge,
    RadarFinding,
)
from knowledge.releases import Conflict
from knowledge.stages import documents_folder
from knowledge.traces import Finder, Trace, strings, traces

MARKER = "[…]"
_BATCH = 2000


@dataclass(frozen=True)
class Gone:
    """What was removed, in numbers."""

    purge: Purge
    versions: int = 0
    chunks: int = 0
    vectors: int = 0
    files: int = 0


@dataclass
class _Held:
    """What a document holds, as hashes."""

    files: set[str] = field(default_factory=set)
    chunks: set[str] = field(default_factory=set)
    sentences: set[Trace] = field(default_factory=set)
    vectors: set[str] = field(default_factory=set)
    versions: set[int] = field(default_factory=set)


def mark(document: Document, *, author: str = "", force: bool = False) -> Purge:
    """Take a document out of draft and answers, and keep the hashes of what is its own; `remove` removes it.

    Raises Conflict while it is published, unless forced. Called again, it adds to the same hashes.
    """
    if importing.live_version(document) is not None and not force:
        raise Conflict("it is published: retire it first, or force the purge")
    importing.retire(document, urgent=True)
    with transaction.atomic():
        # Within one transaction from here: nobody adds a version of it meanwhile.
        KnowledgeBase.objects.select_for_update().get(pk=document.base_id)
        held = _held(document)
        name = sha256(document.name.encode()).hexdigest()
        purge, _ = Purge.objects.get_or_create(
            base_id=document.base_id, document=name, defaults={"hashes": {}, "author": author}
        )
        purge.hashes = {
            "files": sorted(held.files | set(purge.hashes.get("files", []))),
            "chunks": sorted(held.chunks | set(purge.hashes.get("chunks", []))),
            "sentences": sorted([one.anchor, one.length, one.digest] for one in held.sentences | traces_of(purge)),
            "vectors": sorted(held.vectors | set(purge.hashes.get("vectors", []))),
            "versions": sorted(held.versions | set(purge.hashes.get("versions", []))),
        }
        purge.save()
    return purge


def traces_of(purge: Purge) -> set[Trace]:
    """The sentences of a purge."""
    return {Trace(*row) for row in purge.hashes.get("sentences", [])}


def remove(document: Document, purge: Purge) -> Gone:
    """Remove a marked document: rows, vectors, files, and what golden set, gaps, radar and examinations say of it."""
    _forget_copies(purge)
    wanted = purge.hashes["files"]
    with transaction.atomic():
        KnowledgeBase.objects.select_for_update().get(pk=document.base_id)
        versions, chunks = document.versions.count(), Chunk.objects.filter(version__document=document).count()
        document.delete()
        gone = 0
        keys = [bytes.fromhex(one) for one in purge.hashes["vectors"]]
        for start in range(0, len(keys), _BATCH):
            gone += Embedding.objects.filter(text_hash__in=keys[start : start + _BATCH]).delete()[0]
    files = 0
    for name in wanted:
        if not DocumentVersion.objects.filter(content_hash=name).exists():
            files += storage.remove(documents_folder(), name)
    return Gone(purge, versions, chunks, gone, files)


def _held(document: Document) -> _Held:
    """What is the document's own: what another document holds, too, is taken out."""
    own = _Held()
    for version in document.versions.iterator(20):
        own.versions.add(version.pk)
        own.files.add(version.content_hash)
        own.sentences |= traces(_texts_of(version))
    for chunk in Chunk.objects.filter(version__document=document).iterator(_BATCH):
        own.chunks.add(sha256(chunk.text.encode()).hexdigest())
        own.sentences |= traces((chunk.text, chunk.question, *chunk.questions, *chunk.heading.split(" › ")))
        own.vectors |= {vectors.text_hash(text).hex() for text in vectors.embedded_texts(chunk)}
    finder = Finder(own.sentences)
    others = Chunk.objects.exclude(version__document=document)
    for chunk in others.iterator(_BATCH):
        own.chunks.discard(sha256(chunk.text.encode()).hexdigest())
        own.vectors -= {vectors.text_hash(text).hex() for text in vectors.embedded_texts(chunk)}
        for text in (chunk.text, chunk.question, *chunk.questions, chunk.heading):
            shared = {one for start, end in finder.find(text) for one in traces((text[start:end],))}
            own.sentences -= shared
    own.files -= set(
        DocumentVersion.objects.filter(content_hash__in=own.files)
        .exclude(document=document)
        .values_list("content_hash", flat=True)
    )
    return own


def _texts_of(version: DocumentVersion) -> Iterator[str]:
    yield from strings(version.parsed)
    yield from strings(version.edits)
    for row in version.findings:
        if not row["shown"]:
            yield row["value"]


_COPIES: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (Gap, ("question", "questions", "draft")),
    (Examination, ("results",)),
    (RadarFinding, ("detail",)),
)


def _forget_copies(purge: Purge) -> None:
    finder = Finder(traces_of(purge))
    chunks = set(Chunk.objects.filter(version__in=purge.hashes["versions"]).values_list("pk", flat=True))
    for finding in RadarFinding.objects.filter(base_id=purge.base_id).iterator(_BATCH):
        if chunks & set(finding.chunks):
            finding.delete()
    for golden in GoldenQuestion.objects.filter(base_id=purge.base_id).iterator(_BATCH):
        if any(finder.find(text) for text in (golden.question, *strings(golden.facts))):
            golden.delete()
        elif sha256(golden.document.encode()).hexdigest() == purge.document:
            golden.document = ""
            golden.save(update_fields=["document"])
    for model, names in _COPIES:
        for row in model.objects.iterator(_BATCH):
            clean_row(row, names, finder, MARKER)


def clean_row(row: Any, names: tuple[str, ...], finder: Finder, marker: str) -> bool:
    """Replace traces in a row's fields; False when there are none."""
    changed = []
    for name in names:
        before = getattr(row, name)
        after = finder.cleaned(before, marker)
        if after != before:
            setattr(row, name, after)
            changed.append(name)
    if changed:
        row.save(update_fields=changed)
    return bool(changed)
