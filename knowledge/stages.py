"""Makes a stored version ready, stage by stage: parsed, chunked, embedded, ready.

Whoever makes it may die at any moment: what a stage has written stands, and the next one to claim the version goes on
there. Every write asks whether the version is still this maker's; so cancelling, or being overtaken, stops it within a
second. Knows nothing of who asked for it and of when it is published.
"""

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from knowledge import parsing, pins, releases, storage, vectors
from knowledge.blocks import Block, Notice, Unreadable, as_json, content_key, from_json
from knowledge.chunking import Draft, chunk
from knowledge.embedding import Embedder
from knowledge.findings import Found, Publishes, Row, examined, fields_of
from knowledge.language import language_of
from knowledge.models import (
    Chunk,
    Document,
    DocumentVersion,
    Embedding,
    KnowledgeBase,
    PinnedEdit,
    Release,
    ReleaseItem,
)
from knowledge.reasons import wording
from knowledge.sentences import sentence_spans

logger = logging.getLogger(__name__)

READING = 5
"""Raise it when readers or chunking change: documents are then read anew."""

LEASE = timedelta(seconds=15)
"""A version without a sign of life for so long may be claimed by somebody else."""

MOST_ATTEMPTS = 2
"""A stage that was begun so often, and never got any further, is not begun again."""

BEAT_SECONDS = 0.4
EXAMINED_AT_ONCE = 20  # chunks between two writes
EMBEDDED_AT_ONCE = 4000  # characters between two signs of life: well below a second
EMBEDDED_A_WRITE = 256  # texts between two writes
_KEYS_AT_ONCE = 5000

Stage = DocumentVersion.Stage
Verdicts = Callable[[list[str]], list[dict[str, Any]]]
Read = Callable[[str, bytes, Callable[[], bool]], tuple[Sequence[Block], Sequence[Notice]]]


def read(name: str, data: bytes, cancelled: Callable[[], bool]) -> tuple[Sequence[Block], Sequence[Notice]]:
    """Read a file in a child process. Raises Unreadable."""
    found = parsing.parse_fully(name, data, cancelled=cancelled)
    return found.blocks, found.notices


def _find_nothing(_: str) -> list[Found]:
    return []


def _publish_all(_: Any, found: Sequence[Found]) -> list[bool]:
    return [True] * len(found)


def _none(_: dict[str, Any]) -> bool:
    return False


def _stand_in(_entity: str, _language: str) -> str:
    return "▇▇▇"


@dataclass(frozen=True)
class Tools:
    """What making a version takes.

    judge: a verdict {"action", "tier", "categories"} for each sentence, in order; `guard_version` dates them.
    is_injection: whether a verdict says that the sentence gives the model orders. clean: applied to every text first.
    find: personal data in a text. publishes: whether each finding is shown while nobody has decided on it. stand_in:
    what stands in place of a masked value, by entity and language.
    """

    embedder: Embedder
    judge: Verdicts
    guard_version: str
    clean: Callable[[str], str] = str
    is_injection: Callable[[dict[str, Any]], bool] = _none
    find: Callable[[str], Sequence[Found]] = _find_nothing
    publishes: Publishes = _publish_all
    stand_in: Callable[[str, str], str] = _stand_in
    read: Read = read

    @property
    def made_with(self) -> str:
        """What chunks and vectors depend on besides the file."""
        return f"reading {READING}, {self.embedder.model_id}, guards {self.guard_version}"


class Stopped(Exception):
    """The version was cancelled, or is somebody else's by now."""


def documents_folder() -> Path:
    """Where the files lie."""
    return Path(settings.DOCUMENTS)


def claim(version_id: int) -> DocumentVersion | None:
    """Take the right to make a version; None when it is finished or somebody else makes it.

    One that has killed its makers is refused instead, and None returned.
    """
    now = timezone.now()
    free = Q(beat=None) | Q(beat__lt=now - LEASE)
    unfinished = DocumentVersion.objects.filter(free, pk=version_id, stage__in=DocumentVersion.UNFINISHED)
    if not unfinished.update(holder=uuid4().hex, beat=now, attempts=F("attempts") + 1):
        return None
    version = DocumentVersion.objects.select_related("document__base").get(pk=version_id)
    if version.attempts > MOST_ATTEMPTS:
        _refuse(version, "died")
        return None
    return version


def make(version: DocumentVersion, tools: Tools) -> None:
    """Bring a claimed version as far as it goes: ready (then it is in the draft), quarantined, refused.

    Returns early when it is cancelled or overtaken. What tools raise goes on to the caller: then the version waits for
    its next attempt, or is refused after the last.
    """
    work = _Work(version)
    try:
        while version.stage in DocumentVersion.UNFINISHED:
            _STEPS[version.stage](version, tools, work)
    except Stopped:
        _reread(version)
    except Unreadable as error:
        _refuse(version, error.code, error.detail)
    except Exception as error:
        if version.attempts >= MOST_ATTEMPTS:
            _refuse(version, "failed", type(error).__name__)
        else:
            with contextlib.suppress(Stopped):
                _write(version, holder="", beat=None)
        raise


@dataclass
class _Work:
    """The signs of life of one making."""

    version: DocumentVersion
    done: int = 0
    _last: float = field(default=0.0)

    def tick(self, done: int = 0, *, now: bool = False) -> None:
        """Count work as done; twice a second or so also say so. Raises Stopped."""
        self.done += done
        if now or time.monotonic() - self._last >= BEAT_SECONDS:
            _write(self.version, done=self.done, beat=timezone.now())
            self._last = time.monotonic()

    def begin(self, total: int) -> None:
        """Begin a piece of work of that size."""
        self.done = 0
        _write(self.version, done=0, total=total, beat=timezone.now())

    def stopped(self) -> bool:
        """Tick; true once the version is to be left alone."""
        try:
            self.tick()
        except Stopped:
            return True
        return False


def _write(version: DocumentVersion, **fields: Any) -> None:
    """Change the version's row if it is still its holder's and unfinished. Raises Stopped."""
    mine = DocumentVersion.objects.filter(pk=version.pk, holder=version.holder, stage=version.stage)
    if not mine.update(**fields):
        raise Stopped
    for name, value in fields.items():
        setattr(version, name, value)


def _advance(version: DocumentVersion, stage: str, **fields: Any) -> None:
    _write(version, stage=stage, attempts=1, done=0, total=0, **fields)


def _reread(version: DocumentVersion) -> None:
    with contextlib.suppress(DocumentVersion.DoesNotExist):  # it was purged
        version.refresh_from_db()


def _refuse(version: DocumentVersion, code: str, detail: str = "") -> None:
    """Refuse it. Its chunks, if there are any, stay: they tell what was refused, and what a purge must remove."""
    reason = wording(code, detail)
    now = timezone.now()
    try:
        _write(version, stage=Stage.REFUSED, reason_code=code, reason=reason, parsed=None, then="", finished=now)
    except Stopped:
        _reread(version)


# --- stored -> parsed


def _read(version: DocumentVersion, tools: Tools, work: _Work) -> None:
    work.begin(1)
    try:
        data = storage.load(documents_folder(), version.content_hash)
    except FileNotFoundError:
        raise Unreadable("missing") from None
    try:
        blocks, notices = tools.read(version.document.name, data, work.stopped)
    except Unreadable as error:
        if error.code == "cancelled":
            raise Stopped from None
        raise
    key = content_key(blocks)
    twin = None if version.twice else twin_of(version.document, Q(content_key=key))
    if twin is not None:
        raise Unreadable("duplicate", twin.name)
    _advance(
        version,
        Stage.PARSED,
        parsed=json.loads(json.dumps([as_json(block) for block in blocks])),
        notices=[[one.code, one.detail] for one in notices],
        content_key=key,
    )


def twin_of(document: Document, same: Q) -> Document | None:
    """Another document of the base whose version in draft, published or in the making is the `same`."""
    current = Release.objects.filter(
        Q(state=Release.State.DRAFT) | Q(pk=document.base.published_id), base=document.base
    )
    in_use = Q(pk__in=ReleaseItem.objects.filter(release__in=current).values("version")) | Q(
        stage__in=(*DocumentVersion.UNFINISHED, Stage.QUARANTINED)
    )
    # Of two that say the same and are made at once, the earlier one counts.
    others = DocumentVersion.objects.filter(same, in_use, document__base=document.base_id).exclude(
        document=document.pk or 0
    )
    return Document.objects.filter(pk__in=others.values("document")).order_by("created", "pk").first()


# --- parsed -> chunked


def drafted(blocks: Sequence[Block], clean: Callable[[str], str]) -> list[Draft]:
    """The chunks of a document's blocks, cleaned. Raises Unreadable."""

    def storable(text: str) -> str:
        return clean(text.replace("\0", "").encode("utf-8", "replace").decode())

    return [
        Draft(
            **{
                **vars(one),
                "ref": storable(one.ref)[:500],
                "source": storable(one.source)[:500],
                "heading": storable(one.heading),
                "text": storable(one.text),
                "question": storable(one.question),
            }
        )
        for one in chunk(blocks)
    ]


def _chunk(version: DocumentVersion, tools: Tools, work: _Work) -> None:
    work.begin(1)
    drafts = drafted([from_json(values) for values in version.parsed or []], tools.clean)
    chunks, laid = _laid(drafts, version.document)
    notices = [*version.notices, *map(list, _notices(laid))]
    made = [pin.as_json() for pin in laid.pins]
    with transaction.atomic():
        _advance(version, Stage.CHUNKED, parsed=None, edits=made, notices=notices, findings=[])
        store_chunks(version, chunks)


def _laid(drafts: Sequence[Draft], document: Document | None) -> tuple[list[Chunk], pins.Overlaid]:
    """The chunks of drafts with the document's edits over them."""
    readings = pins.origins([pins.Content(one.text, one.heading, one.question) for one in drafts])
    edits = [pins.from_json(row) for row in _edits(document)] if document is not None else []
    laid = pins.overlay(readings, edits)
    chunks = []
    for position, piece in enumerate(laid.pieces):
        draft = drafts[piece.reading] if piece.reading is not None else None
        ref, source = (draft.ref, draft.source) if draft is not None else (str(position + 1), "")
        chunks.append(new_chunk(position, piece.content, origin=piece.origin, ref=ref, source=source))
    return chunks, laid


def _notices(laid: pins.Overlaid) -> list[tuple[str, str]]:
    lost = sum(not pin.placed for pin in laid.pins)
    found = [("edits_lost_place", lost), ("edits_contested", laid.contested)]
    return [(code, str(count)) for code, count in found if count]


def _edits(document: Document) -> list[dict[str, Any]]:
    return [
        {
            "key": one.key,
            "originals": one.originals,
            "replacement": one.replacement,
            "placed": one.placed,
            "author": one.author,
        }
        for one in document.edits.order_by("pk")
    ]


def new_chunk(position: int, content: pins.Content, *, origin: str, ref: str, source: str) -> Chunk:
    """A chunk that nobody has examined yet: its `guard_version` is empty."""
    return Chunk(
        position=position,
        ref=ref,
        source=source,
        heading=content.heading,
        text=content.text,
        question=content.question,
        questions=list(content.questions),
        enabled=content.enabled,
        language=language_of(content.question + content.text),
        origin=origin,
        guard_version="",
    )


def store_chunks(version: DocumentVersion, chunks: Iterable[Chunk]) -> None:
    """Store new chunks of a version."""
    rows = list(chunks)
    for one in rows:
        one.version = version
    Chunk.objects.bulk_create(rows, batch_size=200)


@dataclass(frozen=True)
class Preview:
    """What a file would become: chunks that are not stored, findings, notices, the edits that would be in it, and the
    name of another document that says the same; `left_out`: chunks after these, which were not examined.
    """

    chunks: tuple[Chunk, ...]
    findings: tuple[Row, ...]
    notices: tuple[tuple[str, str], ...]
    edits: tuple[pins.Pin, ...]
    same_as: str = ""
    left_out: int = 0


def preview(
    document: Document, data: bytes, tools: Tools, *, seconds: float | None = None, most: int | None = None
) -> Preview:
    """Read a file as that document's next version, chunk and examine it, and store nothing.

    document: new ones need not be stored, but have a base, whose decisions count. Raises Unreadable: "time" after about
    so many `seconds`. Of the chunks the first `most` are examined.
    """
    end = time.monotonic() + seconds if seconds is not None else None

    def late() -> bool:
        return end is not None and time.monotonic() > end

    def tick(_: int = 0) -> None:
        if late():
            raise Unreadable("time", str(round(seconds or 0)))

    try:
        blocks, notices = tools.read(document.name, data, late)
    except Unreadable as error:
        if error.code == "cancelled":
            tick()
        raise
    chunks, laid = _laid(drafted(blocks, tools.clean), document if document.pk else None)
    shown, findings = chunks[:most], list[Row]()
    for start in range(0, len(shown), EXAMINED_AT_ONCE):
        batch = shown[start : start + EXAMINED_AT_ONCE]
        findings = look_at(batch, findings, tools, document.base.decisions, tick)
    said = [*((one.code, one.detail) for one in notices), *_notices(laid)]
    twin = twin_of(document, Q(content_key=content_key(blocks)))
    return Preview(
        tuple(shown), tuple(findings), tuple(said), laid.pins, twin.name if twin else "", len(chunks) - len(shown)
    )


# --- chunked -> embedded


def _examine_and_embed(version: DocumentVersion, tools: Tools, work: _Work) -> None:
    left = list(version.chunks.exclude(guard_version=tools.guard_version).order_by("position"))
    work.begin(len(left))
    decisions = version.document.base.decisions
    for start in range(0, len(left), EXAMINED_AT_ONCE):
        _examine(version, left[start : start + EXAMINED_AT_ONCE], tools, work, decisions)
    texts = [text for one in version.chunks.order_by("position").iterator(2000) for text in vectors.embedded_texts(one)]
    missing = _not_embedded(texts, tools.embedder.model_id)
    work.begin(len(missing))
    _embed(version, missing, tools.embedder, work)
    _advance(version, Stage.EMBEDDED, made_with=tools.made_with)


def _examine(
    version: DocumentVersion, batch: Sequence[Chunk], tools: Tools, work: _Work, decisions: Mapping[str, str]
) -> None:
    """Mask, cut into sentences and judge chunks; written at once with what was found in them."""
    findings = look_at(batch, version.findings, tools, decisions, work.tick)
    changed = ["heading", "text", "question", "questions", "sentences", "guard_version", "language"]
    with transaction.atomic():
        _write(version, findings=findings, done=work.done, attempts=1, beat=timezone.now())
        Chunk.objects.bulk_update(batch, changed, batch_size=100)


def look_at(
    batch: Sequence[Chunk],
    findings: Sequence[Row],
    tools: Tools,
    decisions: Mapping[str, str],
    tick: Callable[[int], None],
) -> list[Row]:
    """Mask, cut into sentences and judge chunks, in place. `findings` are those so far, of these chunks and others;
    returns them as they are now.
    """
    batched = {one.position: [row for row in findings if row["chunk"] == one.position] for one in batch}
    kept = [row for row in findings if row["chunk"] not in batched]
    decided = {row["key"]: row["decision"] for row in findings if row["kind"] == "injection" and row["decision"]}
    for one in batch:
        before = [row for row in batched[one.position] if row["kind"] == "personal_data"]
        # Where only the guards are newer, its personal data was looked for already.
        kept += (
            before
            if one.guard_version
            else examined(one, tools.find, tools.publishes, tools.stand_in, decisions=decisions, before=before)
        )
        one.sentences = [{"start": start, "end": end} for start, end in sentence_spans(one.text)]
        one.guard_version = tools.guard_version
        tick(1)
    judged = [place for one in batch for place in _judged(one)]
    verdicts = tools.judge([fields_of(one)[name][start:end] for one, name, start, end, _ in judged])
    if len(verdicts) != len(judged):
        raise ValueError("the judge gave another number of verdicts than it was asked for")
    for (one, name, start, end, sentence), verdict in zip(judged, verdicts, strict=True):
        passes = verdict
        if tools.is_injection(verdict):
            row = _injection(one, name, start, end, decided)
            kept.append(row)
            passes = {"action": "pass", "tier": None, "categories": []} if row["decision"] == "publish" else verdict
        if sentence is not None:
            sentence["verdict"] = passes
    return sorted(kept, key=lambda row: (row["chunk"], row["field"], row["start"]))


def _judged(one: Chunk) -> Iterator[tuple[Chunk, str, int, int, dict[str, Any] | None]]:
    """What of a chunk is judged, in reading order: headings and questions reach the model, too."""
    for name, text in fields_of(one).items():
        if name != "text" and text:
            yield one, name, 0, len(text), None
    for sentence in one.sentences:
        yield one, "text", sentence["start"], sentence["end"], sentence


def _injection(one: Chunk, name: str, start: int, end: int, decided: Mapping[str, str]) -> Row:
    key = sha256(fields_of(one)[name][start:end].encode()).hexdigest()[:32]
    return {
        "id": f"{one.position}.{name}.{start}.injection",
        "kind": "injection",
        "chunk": one.position,
        "field": name,
        "start": start,
        "end": end,
        "entity": "",
        "value": "",
        "mask": "",
        "key": key,
        "shown": True,
        "decision": decided.get(key, ""),
    }


def _not_embedded(texts: Iterable[str], model_id: str) -> list[tuple[bytes, str]]:
    """The texts without a vector, by their hashes, each once, the shortest first: a batch is padded to its longest."""
    missing = {vectors.text_hash(text): text for text in texts}
    keys = list(missing)
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        there = Embedding.objects.filter(model=model_id, text_hash__in=keys[start : start + _KEYS_AT_ONCE])
        for key in there.values_list("text_hash", flat=True):
            missing.pop(bytes(key), None)
    return sorted(missing.items(), key=lambda item: len(item[1]))


def _embed(version: DocumentVersion, missing: list[tuple[bytes, str]], embedder: Embedder, work: _Work) -> None:
    """Store the vectors batch by batch, each in a write of its own."""
    rows: list[Embedding] = []

    def store() -> None:
        with transaction.atomic():  # what was purged meanwhile leaves no vectors
            _write(version, attempts=1, done=work.done, beat=timezone.now())
            # Another import may have embedded the same sentence meanwhile.
            Embedding.objects.bulk_create(rows, ignore_conflicts=True)
        rows.clear()

    start = 0
    while start < len(missing):
        end, size = start, 0
        while end < len(missing) and end - start < EMBEDDED_A_WRITE and size < EMBEDDED_AT_ONCE:
            size += len(missing[end][1])
            end += 1
        made = embedder.embed([text for _, text in missing[start:end]])
        rows += [
            Embedding(text_hash=key, model=embedder.model_id, vector=vectors.pack(vector))
            for (key, _), vector in zip(missing[start:end], made, strict=True)
        ]
        work.tick(end - start)
        if len(rows) >= EMBEDDED_A_WRITE:
            store()
        start = end
    store()


# --- embedded -> ready


def _finish(version: DocumentVersion, _: Tools, work: _Work) -> None:
    """Make it ready and put it into the draft, in one step; or put it in quarantine."""
    if any(row["kind"] == "injection" and row["decision"] != "publish" for row in version.findings):
        _advance(version, Stage.QUARANTINED, finished=timezone.now())
        return
    with transaction.atomic():
        KnowledgeBase.objects.select_for_update().get(pk=version.document.base_id)
        _advance(version, Stage.READY, finished=timezone.now())
        admit(version)


def admit(version: DocumentVersion) -> None:
    """Put a version that has just become ready into the draft with its edits, unless a newer one was faster.

    Within the transaction that makes it ready, which holds the base's row.
    """
    document = version.document
    if document.versions.filter(number__gt=version.number, stage=Stage.READY).exists():
        return
    for row in version.edits:
        PinnedEdit.objects.update_or_create(document=document, key=row["key"], defaults=_pinned(row))
    document.edits.exclude(key__in=[row["key"] for row in version.edits]).delete()
    releases.put(version)


def _pinned(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("originals", "replacement", "placed", "author")}


_STEPS: dict[str, Callable[[DocumentVersion, Tools, _Work], None]] = {
    Stage.STORED: _read,
    Stage.PARSED: _chunk,
    Stage.CHUNKED: _examine_and_embed,
    Stage.EMBEDDED: _finish,
}


def waiting(now: datetime) -> list[int]:
    """The ids of versions that nobody makes, the oldest first."""
    free = Q(beat=None) | Q(beat__lt=now - LEASE)
    unfinished = DocumentVersion.objects.filter(free, stage__in=DocumentVersion.UNFINISHED)
    return list(unfinished.order_by("created", "pk").values_list("pk", flat=True)[:1000])
