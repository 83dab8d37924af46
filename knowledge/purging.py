"""Documents go for good: their text, vectors, edits and files; hashes alone stay, to show that nothing is left.

What also stands in another document is that one's, and stays. Knows the stores of knowledge; those of conversations are
the desk's. What erased conversations have left in knowledge goes here, too.
"""

from collections.abc import Collection, Iterator, Sequence
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
ANSWERS = "answer-"
"""How the names of documents begin that answer a gap."""

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


def forget_messages(base_slug: str, messages: Collection[str]) -> int:
    """Take what these messages (ids) asked or said out of a base's gaps; how many gaps were changed.

    A gap of which no question is left goes. Within the transaction that erases the messages: it holds the base's row,
    so that nobody writes gaps meanwhile who has read the messages before.
    """
    gone = frozenset(messages)
    with transaction.atomic():
        base = KnowledgeBase.objects.select_for_update().filter(slug=base_slug).first()
        return sum(without_messages(row, gone) for row in Gap.objects.filter(base=base).iterator(_BATCH)) if base else 0


def without_messages(row: Gap, gone: Collection[str]) -> bool:
    """Take messages of one conversation out of a gap; false when none is in it. What a manager wrote stays."""
    left = [one for one in row.questions if one["message"] not in gone]
    sources = row.draft.get("sources", [])
    kept = [one for one in sources if one.get("message") not in gone]
    if len(left) == len(row.questions) and len(kept) == len(sources):
        return False
    if not left:
        row.delete()
        return True
    words = {one["text"] for one in row.questions} - {one["text"] for one in left}
    if len(left) < len(row.questions):
        row.questions, row.conversations = left, max(1, row.conversations - 1)
    if row.question in words:
        row.question = left[0]["text"]
    draft = {**row.draft, "sources": kept}
    if draft.get("question") in words:
        draft["question"] = row.question
    if len(kept) < len(sources) and "author" not in draft:
        draft["answer"] = ""
    row.draft = draft
    row.save(update_fields=["question", "questions", "conversations", "draft", "changed"])
    return True


def kept_words(base_slug: str, texts: Sequence[str]) -> list[dict[str, str]]:
    """What a base's golden questions, and answers to its gaps, keep of texts: {"kind", "name", "question"}, where a
    manager has kept a whole sentence of them.
    """
    finder = Finder(traces(texts))
    same = {" ".join(text.split()).casefold() for text in texts} - {""}

    def holds(text: str) -> bool:
        return " ".join(text.split()).casefold() in same or bool(finder.find(text))

    golden = GoldenQuestion.objects.filter(base__slug=base_slug)
    found = [
        {"kind": "golden question", "name": one.origin, "question": one.question}
        for one in golden.iterator(_BATCH)
        if any(holds(text) for text in (one.question, *strings(one.facts)))
    ]
    written = Chunk.objects.filter(version__document__base__slug=base_slug, version__document__name__startswith=ANSWERS)
    rows = written.exclude(question="").values_list("version__document__name", "question").distinct()
    return found + [{"kind": "document", "name": name, "question": text} for name, text in rows if holds(text)]
