"""Scans what a base answers from and keeps what it finds, so that a manager decides on each finding once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils import timezone

from chatbot.models import LedgerEntry
from desk import radar
from desk.radar import Found, Source
from knowledge import vectors
from knowledge.embedding import as_passage
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.models import Chunk, Document, Embedding, KnowledgeBase, RadarFinding
from knowledge.passages import Vectors

MOST_SENTENCES = 50_000
"""Sentences of one scan; of a larger base the passages that customers meet most are scanned."""

UNUSED_DAYS = 90
LEAST_ENTRIES = 200
"""Answers of so many days before a document that none of them met counts as unused."""

MOST_FINDINGS = 500
"""Findings of a kind that are kept; nobody looks through more."""

_AT_ONCE = 5_000


@dataclass(frozen=True)
class Counts:
    """What a scan found, by kind, without what was dismissed; `left_out`: passages that were not looked at."""

    contradictions: int = 0
    duplicates: int = 0
    expired: int = 0
    unused: int = 0
    new: int = 0
    gone: int = 0
    left_out: int = 0


def scan(base_slug: str, *, model_id: str, today: date, days: int = UNUSED_DAYS, most: int = MOST_SENTENCES) -> Counts:
    """Look through the published release and write the findings.

    model_id: of the model that the base was embedded with; days: without an answer that met a document before it
    counts as unused. A finding that was dismissed stays so while it lasts and afterwards; others are deleted when they
    are not found any more. Raises BaseMissing, VectorsMissing.
    """
    base = KnowledgeBase.objects.filter(slug=base_slug).first()
    if base is None:
        raise BaseMissing(f"there is no knowledge base {base_slug!r}")
    chunks = list(Chunk.objects.filter(version__in=_versions(base), enabled=True).select_related("version__document"))
    met, entries = _met(base_slug, timezone.now() - timedelta(days=days))
    live = _under_their_live_ids(met, chunks)
    scanned = _most_met(chunks, live, most)
    found = radar.look([_source(chunk) for chunk in scanned], _vectors(scanned, model_id), today=today)
    kept = [*_most_per_kind(found, live), *_unused(base, chunks, live, entries, days)]
    return _write(base, kept, live, left_out=len(chunks) - len(scanned))


def _versions(base: KnowledgeBase) -> list[int]:
    return list(base.published.items.values_list("version_id", flat=True)) if base.published else []


def _source(chunk: Chunk) -> Source:
    context = "\n".join(filter(None, (chunk.heading, chunk.question)))
    sentences = tuple(chunk.text[one["start"] : one["end"]] for one in chunk.sentences)
    return Source(chunk.pk, chunk.version.document.name, chunk.language, context, sentences)


def _vectors(chunks: Iterable[Chunk], model_id: str) -> Vectors:
    """The stored vectors of all sentences in order."""
    keys = [
        vectors.text_hash(as_passage(chunk.text[one["start"] : one["end"]]))
        for chunk in chunks
        for one in chunk.sentences
    ]
    wanted = sorted(set(keys))
    stored: dict[bytes, bytes] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = Embedding.objects.filter(model=model_id, text_hash__in=wanted[start : start + _AT_ONCE])
        stored.update((bytes(key), bytes(vector)) for key, vector in rows.values_list("text_hash", "vector"))
    if len(stored) < len(wanted):
        raise VectorsMissing("the documents were embedded with another model: import them again")
    if not keys:
        return np.empty((0, 1), np.float32)
    return vectors.unpack([stored[key] for key in keys], vectors.dimension_of(stored[keys[0]]))


def _met(base_slug: str, since: datetime) -> tuple[dict[int, set[UUID]], int]:
    """The conversations that met each chunk, and how many answers there were. One query."""
    rows = LedgerEntry.objects.filter(
        message__conversation__site__knowledge_base=base_slug, created__gte=since
    ).values_list("passages", "message__conversation_id")
    met: dict[int, set[UUID]] = defaultdict(set)
    entries = 0
    for passages, conversation in rows.iterator(_AT_ONCE):
        entries += bool(passages)
        for chunk, _ in passages:
            met[chunk].add(conversation)
    return met, entries


def _under_their_live_ids(met: Mapping[int, set[UUID]], chunks: Iterable[Chunk]) -> dict[int, set[UUID]]:
    """What met an earlier version's chunk met the live one of the same document with the same text, too."""
    now = {(chunk.version.document_id, chunk.text): chunk.pk for chunk in chunks}
    live = {pk: set(met.get(pk, ())) for pk in now.values()}
    before = [pk for pk in met if pk not in live]
    for start in range(0, len(before), _AT_ONCE):
        rows = Chunk.objects.filter(pk__in=before[start : start + _AT_ONCE])
        for pk, document, text in rows.values_list("pk", "version__document_id", "text"):
            if (document, text) in now:
                live[now[document, text]] |= met[pk]
    return live


def _most_met(chunks: list[Chunk], live: Mapping[int, set[UUID]], most: int) -> list[Chunk]:
    """All, or as many of those that customers meet most as have `most` sentences."""
    if sum(len(chunk.sentences) for chunk in chunks) <= most:
        return chunks
    chosen, told = [], 0
    for chunk in sorted(chunks, key=lambda one: (-len(live.get(one.pk, ())), one.pk)):
        told += len(chunk.sentences)
        if told > most:
            break
        chosen.append(chunk)
    return chosen


def _most_per_kind(found: Iterable[Found], live: Mapping[int, set[UUID]]) -> Iterator[Found]:
    kinds: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        kinds[one.kind].append(one)
    for each in kinds.values():
        yield from sorted(each, key=lambda one: (-_touched(one, live), -one.score))[:MOST_FINDINGS]


def _unused(
    base: KnowledgeBase, chunks: Iterable[Chunk], live: Mapping[int, set[UUID]], entries: int, days: int
) -> Iterator[Found]:
    """Documents that have been there all the time and that no answer met."""
    if entries < LEAST_ENTRIES:
        return
    used = {chunk.version.document_id for chunk in chunks if live.get(chunk.pk)}
    held: dict[int, list[int]] = defaultdict(list)
    for chunk in chunks:
        held[chunk.version.document_id].append(chunk.pk)
    old = Document.objects.filter(base=base, pk__in=held.keys() - used)
    for document in old.filter(created__lt=timezone.now() - timedelta(days=days)).order_by("name"):
        detail = {"document": document.name, "days": days, "answers": entries}
        yield Found("unused", radar.key("unused", document.name), tuple(held[document.pk]), 0.0, detail)


def _touched(one: Found, live: Mapping[int, set[UUID]]) -> int:
    return len(set().union(*(live.get(chunk, set()) for chunk in one.chunks)))


def _write(base: KnowledgeBase, found: list[Found], live: Mapping[int, set[UUID]], *, left_out: int) -> Counts:
    with transaction.atomic():
        KnowledgeBase.objects.select_for_update().get(pk=base.pk)
        before = {row.key: row for row in RadarFinding.objects.filter(base=base)}
        wanted = {one.key: one for one in found}
        fresh = [
            RadarFinding(base=base, kind=one.kind, key=key, chunks=list(one.chunks), detail=one.detail)
            for key, one in wanted.items()
            if key not in before
        ]
        for new in fresh:
            new.touched = _touched(wanted[new.key], live)
        RadarFinding.objects.bulk_create(fresh, batch_size=500)
        known = []
        for key, one in wanted.items():
            if row := before.get(key):
                row.chunks, row.detail, row.touched = list(one.chunks), one.detail, _touched(one, live)
                known.append(row)
        RadarFinding.objects.bulk_update(known, ["chunks", "detail", "touched"], batch_size=500)
        missing = RadarFinding.objects.filter(pk__in=[row.pk for key, row in before.items() if key not in wanted])
        # Of a dismissed one the key stays, and no text: it is still dismissed should its sentences come back.
        missing.exclude(dismissed="").update(chunks=[], detail={}, touched=0)
        gone, _ = missing.filter(dismissed="").delete()
    open_ = [one.kind for key, one in wanted.items() if key not in before or not before[key].dismissed]
    return Counts(
        contradictions=open_.count("contradiction"),
        duplicates=open_.count("duplicate"),
        expired=open_.count("expired"),
        unused=open_.count("unused"),
        new=len(fresh),
        gone=gone,
        left_out=left_out,
    )
