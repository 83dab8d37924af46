"""Managers change what a document says: edits of chunks, decisions on findings, going back to an old version.

Every change makes a new version from the one that was looked at, which `stages.make` then makes ready: what did not
change is neither read nor examined nor embedded again. Whoever looked at anything else than the newest gets `Conflict`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from knowledge import findings, importing, pins
from knowledge.findings import Row
from knowledge.models import Chunk, Document, DocumentVersion, KnowledgeBase
from knowledge.pins import EDIT, Content, Original, Pin
from knowledge.reasons import wording
from knowledge.releases import Conflict
from knowledge.stages import Stage, new_chunk, store_chunks

MOST_EDITS = 200
"""Of one call."""


_COPIED = ("position", "ref", "source", "heading", "text", "question", "language", "guard_version", "origin", "enabled")


@dataclass(frozen=True)
class Edit:
    """The neighbours from position `first` to `last` become `contents`: one for one is a change (or `enabled` alone),
    more a split, one for several a merge, none a removal.
    """

    first: int
    last: int
    contents: tuple[Content, ...]


def content_of(chunk: Chunk) -> Content:
    """What a manager may change of a chunk, as it is."""
    return Content(chunk.text, chunk.heading, chunk.question, tuple(chunk.questions), chunk.enabled)


def head(document: Document) -> DocumentVersion | None:
    """The version that an editor works on: the newest that is being made or waits in quarantine, else the draft's."""
    newest = document.versions.exclude(stage__in=(Stage.REFUSED, Stage.CANCELLED)).order_by("number").last()
    if newest is not None and newest.stage in (*DocumentVersion.UNFINISHED, Stage.QUARANTINED):
        return newest
    return importing.current_version(document)


def edit(
    document: Document, number: int, edits: Sequence[Edit], *, author: str = "", note: str = "", then: str = ""
) -> DocumentVersion:
    """Apply edits to version `number`, all of them in one new version, and pin them, so that they survive a new file.

    Raises Conflict when `number` is not the newest any more, or a new file is being read; ValueError for edits that
    overlap, lie outside or hold no text.
    """
    edits = sorted(edits, key=lambda one: one.first)
    with transaction.atomic():
        looked_at = _looked_at(document, number)
        chunks = list(looked_at.chunks.order_by("position"))
        _check(edits, len(chunks))
        made, made_pins, rows = _edited(chunks, edits, looked_at)
        return _new_version(looked_at, made, rows, made_pins, author=author, note=note, then=then)


def decide(
    document: Document,
    number: int,
    decisions: Mapping[str, str],
    *,
    for_base: bool = False,
    author: str = "",
    then: str = "",
) -> DocumentVersion:
    """Decide on findings of version `number` by their ids: "publish" or "mask"; the value is treated alike all over the
    version. An injection is let pass by "publish"; there is no "mask" for it (edit the chunk, or refuse the version).

    for_base: the base's later documents are treated so, too. Raises Conflict, ValueError.
    """
    with transaction.atomic():
        looked_at = _looked_at(document, number)
        by_id = {row["id"]: row for row in looked_at.findings}
        if not decisions:
            raise ValueError("nothing was decided")
        if unknown := sorted(set(decisions) - set(by_id)):
            raise ValueError(f"no such finding: {unknown[0]}")
        for id_, decision in decisions.items():
            allowed = ("publish",) if by_id[id_]["kind"] == "injection" else ("publish", "mask")
            if decision not in allowed:
                raise ValueError(f"{decision!r} is none of {', '.join(allowed)}")
        by_key = {by_id[id_]["key"]: decision for id_, decision in decisions.items()}
        if for_base:
            data = {by_id[id_]["key"] for id_ in decisions if by_id[id_]["kind"] == "personal_data"}
            base = document.base
            base.refresh_from_db(fields=["decisions"])
            base.decisions |= {key: by_key[key] for key in data}
            base.save(update_fields=["decisions"])
        rows = [row | {"decision": by_key.get(row["key"], row["decision"])} for row in looked_at.findings]
        touched = {row["chunk"] for row in rows if row["key"] in by_key}
        chunks = [_copy(one) for one in looked_at.chunks.order_by("position")]
        for one in chunks:
            if one.position in touched:
                findings.restore(one, [row for row in looked_at.findings if row["chunk"] == one.position])
                one.guard_version = ""
        note = "decisions on findings"
        return _new_version(looked_at, chunks, rows, looked_at.edits, author=author, note=note, then=then)


def let_pass(document: Document, number: int, *, author: str = "", then: str = "") -> DocumentVersion:
    """Take a version out of quarantine: what it holds gives nobody orders. Raises Conflict."""
    version = document.versions.filter(number=number).first()
    found = version.findings if version is not None else []
    injections = {row["id"]: "publish" for row in found if row["kind"] == "injection"}
    return decide(document, number, injections, author=author, then=then)


def refuse(document: Document, number: int, *, author: str = "") -> DocumentVersion:
    """Refuse a version that is in quarantine. Raises Conflict."""
    with transaction.atomic():
        version = _looked_at(document, number)
        if version.stage != Stage.QUARANTINED:
            raise Conflict(f"version {number} is {version.stage}")
        version.stage, version.reason_code, version.reason = Stage.REFUSED, "injection", wording("injection")
        version.finished = timezone.now()
        version.note = f"refused by {author}"[:300] if author else version.note
        version.save()
        return version


def restore(
    document: Document, number: int, *, looked_at: int | None = None, author: str = "", then: str = ""
) -> DocumentVersion:
    """Make an old version the newest again, with the edits that it had. A retired document comes back with it.

    Raises Conflict when the newest is not `looked_at`, or is being read; ValueError when that version was never ready.
    """
    with transaction.atomic():
        KnowledgeBase.objects.select_for_update().get(pk=document.base_id)
        now = head(document)
        if now is not None and (now.stage in DocumentVersion.UNFINISHED or (looked_at not in (None, now.number))):
            raise Conflict(f"the newest is version {now.number}, {now.stage}")
        old = document.versions.filter(number=number, stage=Stage.READY).first()
        if old is None:
            raise ValueError(f"there is no version {number} that was ready")
        chunks = [_copy(one) for one in old.chunks.order_by("position")]
        note = f"version {number} again"
        return _new_version(old, chunks, old.findings, old.edits, author=author, note=note, then=then)


def _looked_at(document: Document, number: int) -> DocumentVersion:
    """The version, if it is still the newest; within a transaction, whose end nobody else can change it before."""
    document.base = KnowledgeBase.objects.select_for_update().get(pk=document.base_id)
    now = head(document)
    if now is None:
        raise Conflict("the document is retired: restore a version first")
    if now.number != number:
        raise Conflict(f"the newest is version {now.number}, {now.stage}")
    now = DocumentVersion.objects.select_for_update().get(pk=now.pk)
    if now.stage in (Stage.STORED, Stage.PARSED) or (now.stage in DocumentVersion.UNFINISHED and now.parent_id is None):
        raise Conflict("a new file is being read: look at it when it is ready")
    return now


def _new_version(
    from_: DocumentVersion,
    chunks: Iterable[Chunk],
    rows: Sequence[Row],
    edits: list[dict[str, object]],
    *,
    author: str,
    note: str,
    then: str,
) -> DocumentVersion:
    document = from_.document
    version = importing.add_version(
        document,
        parent=from_,
        stage=Stage.CHUNKED,
        bytes=from_.bytes,
        content_hash=from_.content_hash,
        content_key=from_.content_key,
        made_with=from_.made_with,
        findings=list(rows),
        notices=from_.notices,
        edits=edits,
        then=importing.wish(document.base, then),
        twice=True,
        author=author,
        note=note,
    )
    store_chunks(version, chunks)
    return version


def _copy(chunk: Chunk) -> Chunk:
    names = (
        "position",
        "ref",
        "source",
        "heading",
        "text",
        "question",
        "language",
        "guard_version",
        "origin",
        "enabled",
    )
    copied = Chunk(**{name: getattr(chunk, name) for name in names})
    copied.questions, copied.sentences = list(chunk.questions), list(chunk.sentences)
    return copied


def _check(edits: Sequence[Edit], chunks: int) -> None:
    if not edits or len(edits) > MOST_EDITS:
        raise ValueError(f"between 1 and {MOST_EDITS} edits can be made at once")
    end = -1
    for one in edits:
        if not end < one.first <= one.last < chunks:
            raise ValueError(f"chunks {one.first} to {one.last} overlap another edit, or are not there")
        if any(not content.text.strip() for content in one.contents):
            raise ValueError(f"chunk {one.first} would have no text")
        end = one.last


def _edited(
    chunks: Sequence[Chunk], edits: Sequence[Edit], looked_at: DocumentVersion
) -> tuple[list[Chunk], list[dict[str, object]], list[Row]]:
    """The new chunks, pinned edits and findings."""
    old_pins = {one.key: one for one in map(pins.from_json, looked_at.edits)}
    groups = _groups(chunks, edits)
    key_of = {position: key for key, positions in groups.items() for position in positions}
    edit_at = {one.first: one for one in edits}
    made: list[Chunk] = []
    rows: list[Row] = []
    replacements: dict[str, list[Content]] = {key: [] for key in groups}
    position = 0
    while position < len(chunks):
        one = edit_at.get(position)
        if one is None:
            copied = _copy(chunks[position])
            copied.position = len(made)
            if position in key_of:
                copied.origin = EDIT + key_of[position]
                replacements[key_of[position]].append(content_of(copied))
            rows += _renumbered(looked_at.findings, position, len(made))
            made.append(copied)
            position += 1
            continue
        key = key_of[position]
        run = chunks[one.first : one.last + 1]
        new = [_replaced(run, content, len(made) + number, EDIT + key) for number, content in enumerate(one.contents)]
        replacements[key] += one.contents
        before = [row for row in looked_at.findings if one.first <= row["chunk"] <= one.last]
        if len(run) == len(new) == 1 and new[0].guard_version:
            rows += _renumbered(looked_at.findings, one.first, len(made))
        else:
            rows += findings.carried(before, new)
        made += new
        position = one.last + 1
    kept = {key: pin for key, pin in old_pins.items() if key not in _touched(chunks, groups)}
    for key, positions in groups.items():
        pin = Pin(key, _originals(chunks, positions, old_pins), tuple(replacements[key]), author="")
        if _is_nothing(pin):
            for chunk in made:
                chunk.origin = pin.originals[0].origin if chunk.origin == EDIT + key else chunk.origin
        else:
            kept[key] = pin
    return made, [pin.as_json() for pin in kept.values()], rows


def _groups(chunks: Sequence[Chunk], edits: Sequence[Edit]) -> dict[str, list[int]]:
    """The positions that belong together, by the key of their edit: a run that is edited, and all chunks of the earlier
    edits that it touches. Edits that touch the same earlier one become one.
    """
    members: dict[str, list[int]] = {}
    for position, chunk in enumerate(chunks):
        if chunk.origin.startswith(EDIT):
            members.setdefault(chunk.origin, []).append(position)
    groups: list[set[int]] = []
    for one in edits:
        run = set(range(one.first, one.last + 1))
        run |= {other for position in run for other in members.get(chunks[position].origin, [])}
        for group in [group for group in groups if group & run]:
            groups.remove(group)
            run |= group
        groups.append(run)
    found: dict[str, list[int]] = {}
    for group in groups:
        ordered = sorted(group)
        earlier = next((chunks[p].origin for p in ordered if chunks[p].origin.startswith(EDIT)), "")
        found[earlier.removeprefix(EDIT) or uuid4().hex] = ordered
    return found


def _touched(chunks: Sequence[Chunk], groups: Mapping[str, Sequence[int]]) -> set[str]:
    origins = {chunks[position].origin for positions in groups.values() for position in positions}
    return {origin.removeprefix(EDIT) for origin in origins if origin.startswith(EDIT)}


def _originals(chunks: Sequence[Chunk], positions: Sequence[int], old_pins: Mapping[str, Pin]) -> tuple[Original, ...]:
    found: dict[str, Original] = {}
    for position in positions:
        chunk = chunks[position]
        if chunk.origin.startswith(EDIT):
            found |= {one.origin: one for one in old_pins[chunk.origin.removeprefix(EDIT)].originals}
        elif chunk.origin:
            found[chunk.origin] = Original(chunk.origin, chunk.text, chunk.heading, chunk.question)
    return tuple(found.values())


def _is_nothing(pin: Pin) -> bool:
    """Whether an edit leaves the passage as the reader made it."""
    if len(pin.originals) != 1 or len(pin.replacement) != 1:
        return False
    was = pin.originals[0]
    return pin.replacement[0] == Content(was.text, was.heading, was.question)


def _replaced(run: Sequence[Chunk], content: Content, position: int, origin: str) -> Chunk:
    first = run[0]
    content = replace(content, questions=tuple(one.strip() for one in content.questions if one.strip()))
    if len(run) == 1 and replace(content, enabled=first.enabled) == content_of(first):
        new = _copy(first)  # shown or not: nothing is to be examined again
        new.position, new.origin, new.enabled = position, origin, content.enabled
        return new
    return new_chunk(position, content, origin=origin, ref=first.ref, source=first.source)


def _renumbered(rows: Sequence[Row], was: int, now: int) -> list[Row]:
    return [
        row | {"chunk": now, "id": f"{now}.{str(row['id']).split('.', 1)[1]}"} for row in rows if row["chunk"] == was
    ]
