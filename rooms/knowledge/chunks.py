"""The chunks of a document beside its source, and the edits of them: one by one, split, merged, switched off."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse

from desk import jobs, services
from desk.models import Job
from knowledge import blocks, editing, pins
from knowledge.differences import differences, text_difference
from knowledge.models import Chunk, Document, DocumentVersion, KnowledgeBase
from knowledge.pins import EDIT, Content
from knowledge.releases import Conflict
from rooms import asked
from rooms.knowledge.document import document_page
from rooms.knowledge.reach import (
    document_of,
    found,
    noticed,
    number_of,
    on_base,
    part,
    place_of,
    record,
    refusal,
    said,
    then_of,
    version_of,
)
from rooms.knowledge.source import around, marked
from rooms.knowledge.wording import WORDS
from rooms.pages import person

CHUNKS = 25
"""On a page: as many as one reads beside their source."""

ALIKE = 0.3
"""Of a text's characters that another one shares, from which on their difference can be read by word."""

LONGEST, LONGEST_TITLE, MOST_QUESTIONS = 20_000, 2_000, 50


@on_base("see_knowledge", "GET")
def chunks(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """The chunks of a document: of the version that is worked on, or of another one to be read."""
    one = document_of(base, document)
    number, at, wanted = (asked.number(request.GET.get(name)) for name in ("version", "chunk", "chunk_id"))
    version = version_of(one, number) if number is not None else _worked_on(one)
    if wanted is not None:  # of whatever version it is
        row = found(Chunk.objects.select_related("version"), version__document=one, pk=wanted)
        version, at = row.version, row.position
    told = _told(one, version, request.GET.get("page", "1"), at)
    return document_page(request, "chunks.html", one, "chunks", **told)


def _worked_on(document: Document) -> DocumentVersion | None:
    return editing.head(document) or document.versions.defer("parsed").order_by("number").last()


def _told(
    document: Document, version: DocumentVersion | None, number: int | str, at: int | None = None
) -> dict[str, Any]:
    """What a page of chunks shows; `at` is the position of the chunk that it is opened for."""
    if version is None:
        return {"version": None, "page": None}
    if at is not None:
        number = at // CHUNKS + 1
    rows: Page[Any] = Paginator(version.chunks.order_by("position"), CHUNKS).get_page(number)
    shown = list(rows.object_list)
    rows.object_list = [_shown(chunk, version) for chunk in shown]
    head = editing.head(document)
    is_head = head is not None and head.pk == version.pk
    return {
        "version": version,
        "page": rows,
        "notices": noticed(version.notices),
        "editable": is_head and _is_made(version),
        "old": not is_head,
        "focus": at,
    }


def _is_made(version: DocumentVersion) -> bool:
    """Whether its chunks are there to be edited: an edit of an edit need not wait."""
    return version.stage not in ("stored", "parsed") and not (
        version.stage in DocumentVersion.UNFINISHED and version.parent_id is None
    )


def _shown(chunk: Chunk, version: DocumentVersion) -> dict[str, Any]:
    rows = [row for row in version.findings if row["chunk"] == chunk.position]
    return {
        "chunk": chunk,
        "place": place_of(chunk.source),
        "edited": chunk.origin.startswith(EDIT),
        "masked": sum(row["kind"] == "personal_data" and not row["shown"] for row in rows),
        "orders": sum(row["kind"] == "injection" and row["decision"] != "publish" for row in rows),
    }


# --- the source


@on_base("edit_knowledge", "GET")
def source(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """The text of the file that a page of chunks was made of, with what went into which; read by the desk worker."""
    one = document_of(base, document)
    number, first = (asked.number(request.GET.get(name, "0")) for name in ("version", "first"))
    if number is None or first is None:
        raise Http404
    version = version_of(one, number)
    job = jobs.source(version, author=person(request).get_username())
    told: dict[str, Any] = {"job": job, "version": version, "first": first, "document": one, "parts": []}
    if job.state == Job.State.FAILED:
        told["reason"] = said(job.reason_code, job.reason)
    elif job.state == Job.State.DONE and job.result is not None:
        parts = marked([blocks.from_json(values) for values in job.result["blocks"]], _taken(version))
        told["parts"] = [
            (one, "" if one.source.startswith("line ") else place_of(one.source))
            for one in around(parts, first, first + CHUNKS - 1)
        ]
        told["left_out"] = job.result["left_out"]
    return part(request, "source.html", base, **told)


def _taken(version: DocumentVersion) -> dict[int, str]:
    """By position, what chunks took from the file: of an edited one, what the reader made."""
    originals = {
        EDIT + pin.key: "\n".join(f"{one.heading}\n{one.question}\n{one.text}" for one in pin.originals)
        for pin in map(pins.from_json, version.edits)
    }
    rows = version.chunks.order_by("position").values_list("position", "origin", "heading", "question", "text")
    return {
        position: originals.get(origin) or f"{heading}\n{question}\n{text}"
        for position, origin, heading, question, text in rows
    }


# --- edits


@on_base("edit_knowledge", "GET", "POST")
def chunk(request: HttpRequest, base: KnowledgeBase, document: int, position: int) -> HttpResponse:
    """GET: the form of a chunk, or with `read` the chunk; POST: what is to become of it."""
    one = document_of(base, document)
    if request.method == "POST":
        return _edited(request, base, one, position)
    version = editing.head(one)
    if version is None:
        raise Http404
    row = found(version.chunks.all(), position=position)
    told = {"document": one, "version": version, "one": _shown(row, version), "editable": True}
    if request.GET.get("read"):
        return part(request, "chunk.html", base, **told)
    last = version.chunks.count() - 1
    return part(request, "chunk_form.html", base, content=editing.content_of(row), last=last, **told)


def _edited(request: HttpRequest, base: KnowledgeBase, document: Document, position: int) -> HttpResponse:
    act, number = request.POST.get("act", "save"), number_of(request, "number")
    then, author = then_of(request, base), person(request).get_username()
    version = version_of(document, number)
    row: Chunk = found(version.chunks.all(), position=position)
    typed = _typed(request, row)
    try:
        edit = _edit(act, version, row, typed, request)
        made = editing.edit(document, number, [edit], author=author, then=then)
    except Conflict:
        return _stale(request, base, document, version, row, typed, act)
    except ValueError:
        return refusal(WORDS.here()["edit_empty"])
    services.enqueue_work()
    record(request, "edit", ("document", document.pk), edits=1, what=act)
    told = _told(document, made, position // CHUNKS + 1)
    response = part(request, "chunks_after.html", base, document=document, **told | {"focus": position})
    response["HX-Retarget"], response["HX-Reswap"] = "#chunks", "outerHTML"
    return response


def _typed(request: HttpRequest, row: Chunk) -> Content:
    """What the form says; what it lacks is as it was."""
    was = editing.content_of(row)
    lines = _plain(request.POST["questions"]).split("\n") if "questions" in request.POST else was.questions
    return Content(
        text=_plain(request.POST.get("text", was.text)),
        heading=_plain(request.POST.get("heading", was.heading))[:LONGEST_TITLE],
        question=_plain(request.POST.get("question", was.question))[:LONGEST_TITLE],
        questions=tuple(line.strip() for line in lines if line.strip())[:MOST_QUESTIONS],
        enabled=was.enabled,
    )


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "")[:LONGEST]


def _edit(act: str, version: DocumentVersion, row: Chunk, typed: Content, request: HttpRequest) -> editing.Edit:
    """Raises ValueError for what cannot be done."""
    at = row.position
    if act == "split":
        place = number_of(request, "at")
        parts = typed.text[:place].strip(), typed.text[place:].strip()
        second = replace(typed, text=parts[1], question="", questions=())
        return editing.Edit(at, at, (replace(typed, text=parts[0]), second))
    if act == "merge":
        other = version.chunks.filter(position=at + 1).first()
        if other is None:
            raise ValueError("there is no next chunk")
        return editing.Edit(at, at + 1, (_merged(typed, editing.content_of(other)),))
    if act == "remove":
        return editing.Edit(at, at, ())
    if act in ("on", "off"):
        return editing.Edit(at, at, (replace(typed, enabled=act == "on"),))
    return editing.Edit(at, at, (typed,))


def _merged(one: Content, other: Content) -> Content:
    every = dict.fromkeys((*one.questions, *filter(None, (other.question,)), *other.questions))
    return replace(
        one,
        text=f"{one.text}\n{other.text}",
        heading=one.heading or other.heading,
        questions=tuple(every) if one.question or not other.question else other.questions,
        question=one.question or other.question,
        enabled=one.enabled or other.enabled,
    )


def _stale(
    request: HttpRequest,
    base: KnowledgeBase,
    document: Document,
    looked_at: DocumentVersion,
    row: Chunk,
    typed: Content,
    act: str,
) -> HttpResponse:
    """The form again with what was typed, beside what somebody else has made of the chunk meanwhile."""
    now = editing.head(document)
    told: dict[str, Any] = {"document": document, "content": typed, "stale": now, "act": act}
    if now is None or not _is_made(now):
        told |= {"version": looked_at, "one": _shown(row, looked_at), "wait": True}
        return part(request, "chunk_form.html", base, **told)
    theirs = _theirs(looked_at, now, row)
    told |= {
        "version": now,
        "one": _shown(theirs or row, now),
        "gone": theirs is None,
        "changed": _changed(row.text, theirs.text) if theirs is not None else (),
        "last": now.chunks.count() - 1,
        "wait": theirs is None,
    }
    return part(request, "chunk_form.html", base, **told)


def _changed(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """The difference by word; where hardly a word is left, the one text and the other."""
    if before == after:
        return ()
    pieces = text_difference(before, after)
    same = sum(len(text) for mark, text in pieces if mark == "=" and text.strip())
    return pieces if same >= ALIKE * max(len(before), len(after)) else (("-", before), ("+", after))


def _theirs(before: DocumentVersion, after: DocumentVersion, row: Chunk) -> Chunk | None:
    """The chunk of a newer version that stands for `row`: the one that was made of it, else the one most like it."""
    old, new = (list(version.chunks.order_by("position").defer("sentences")) for version in (before, after))
    edits = {EDIT + pin.key for pin in map(pins.from_json, after.edits) if _is_of(pin, row)}
    made = [one for one in new if one.origin and (one.origin == row.origin or one.origin in edits)]
    if len(made) == 1:
        return made[0]
    for each in differences(_contents(old), _contents(new)):
        if each.before == row.position:
            return new[each.after] if each.after is not None else None
    return None


def _is_of(pin: pins.Pin, row: Chunk) -> bool:
    return any(one.origin == row.origin for one in pin.originals)


def _contents(chunks: Sequence[Chunk]) -> list[Content]:
    return [editing.content_of(one) for one in chunks]
