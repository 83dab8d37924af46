"""Changes to knowledge: a document comes, changes, or goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from django.db import transaction

from knowledge import releases, vectors
from knowledge.blocks import Unreadable
from knowledge.chunking import Draft, chunk
from knowledge.embedding import Embedder
from knowledge.models import Chunk, Document, DocumentVersion, Embedding, KnowledgeBase, ReleaseItem
from knowledge.readers import read_document
from knowledge.sentences import sentence_spans

READING = 4  # raise it when readers or chunking change: documents are then read anew
EMBED_AT_ONCE = 256  # texts between two writes, so that an interrupted import goes on where it stopped
_KEYS_AT_ONCE = 5000

Verdicts = Callable[[list[str]], list[dict[str, Any]]]


@dataclass(frozen=True)
class ImportReport:
    """What came of a document: `state` is "live", "unchanged" or "refused", the last with its `reason`;

    `chunks` counts the live ones.
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
) -> ImportReport:
    """Brings a file into a base, which is made if need be.

    `clean` is applied to every text first. `judge` gives a verdict {"action", "tier", "categories"} for each sentence,
    in order; `guard_version` dates them.
    The same file under the same name, read and judged as before, changes nothing. A changed one replaces all its chunks
    at once. A file that cannot be read is refused, and what was live under its name stays live. Raises what the
    embedder or the judge raises, and then changes nothing.
    """
    base = KnowledgeBase.objects.get_or_create(slug=base_slug, defaults={"name": base_slug})[0]
    document = Document.objects.get_or_create(base=base, name=name)[0]
    content_hash = sha256(data).hexdigest()
    made_with = f"reading {READING}, {embedder.model_id}, guards {guard_version}"
    live = live_version(document)
    if live is not None and (live.content_hash, live.made_with) == (content_hash, made_with):
        return ImportReport(name, live.chunks.count(), "unchanged")
    version = DocumentVersion(document=document, content_hash=content_hash, made_with=made_with, bytes=len(data))
    try:
        drafts = [
            replace(one, text=clean(one.text), question=clean(one.question), heading=clean(one.heading))
            for one in chunk(read_document(name, data))
        ]
    except Unreadable as error:
        version.stage, version.reason = DocumentVersion.Stage.REFUSED, str(error)
        _store(version)
        return ImportReport(name, live.chunks.count() if live is not None else 0, "refused", str(error))
    chunks = [_chunk(position, draft, guard_version) for position, draft in enumerate(drafts)]
    _judge(chunks, judge)
    _embed([text for one in chunks for text in vectors.embedded_texts(one)], embedder)
    version.stage = DocumentVersion.Stage.READY
    with transaction.atomic():
        _store(version)
        for one in chunks:
            one.version = version
        Chunk.objects.bulk_create(chunks, batch_size=500)
        releases.put(version)
        releases.publish(base_slug, urgent=True)
    return ImportReport(name, len(chunks), "live")


def retire_document(base_slug: str, name: str) -> bool:
    """Takes a document out of all answers; its versions stay. False when no such document is live."""
    document = Document.objects.filter(base__slug=base_slug, name=name).first()
    if document is None or live_version(document) is None:
        return False
    with transaction.atomic():
        releases.take_out(document)
        releases.publish(base_slug, urgent=True)
    return True


def live_version(document: Document) -> DocumentVersion | None:
    """The version that answers now."""
    return DocumentVersion.objects.filter(
        document=document, pk__in=ReleaseItem.objects.filter(release=document.base.published).values("version")
    ).first()


def _store(version: DocumentVersion) -> None:
    """Saves a new version under the document's next number."""
    with transaction.atomic():
        document = Document.objects.select_for_update().get(pk=version.document_id)
        document.versions_made += 1
        document.save(update_fields=["versions_made"])
        version.number = document.versions_made
        version.save()


def _chunk(position: int, draft: Draft, guard_version: str) -> Chunk:
    return Chunk(
        position=position,
        ref=draft.ref,
        heading=draft.heading,
        text=draft.text,
        question=draft.question,
        language=draft.language,
        sentences=[{"start": start, "end": end} for start, end in sentence_spans(draft.text)],
        guard_version=guard_version,
    )


def _judge(chunks: Sequence[Chunk], judge: Verdicts) -> None:
    sentences = [(one, sentence) for one in chunks for sentence in one.sentences]
    verdicts = judge([one.text[sentence["start"] : sentence["end"]] for one, sentence in sentences])
    for (_, sentence), verdict in zip(sentences, verdicts, strict=True):
        sentence["verdict"] = verdict


def _embed(texts: Sequence[str], embedder: Embedder) -> None:
    """Stores the vectors that are not there yet, batch by batch and outside any transaction."""
    missing = {vectors.text_hash(text): text for text in texts}
    keys = list(missing)
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        there = Embedding.objects.filter(model=embedder.model_id, text_hash__in=keys[start : start + _KEYS_AT_ONCE])
        for key in there.values_list("text_hash", flat=True):
            missing.pop(bytes(key), None)
    # Alike lengths together: a batch is padded to its longest text.
    left = sorted(missing.items(), key=lambda item: len(item[1]))
    for start in range(0, len(left), EMBED_AT_ONCE):
        batch = left[start : start + EMBED_AT_ONCE]
        made = embedder.embed([text for _, text in batch])
        Embedding.objects.bulk_create(
            [
                Embedding(text_hash=key, model=embedder.model_id, vector=vectors.pack(vector))
                for (key, _), vector in zip(batch, made, strict=True)
            ],
            ignore_conflicts=True,  # another import may have embedded the same sentence meanwhile
        )
