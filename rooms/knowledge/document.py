"""One document: its versions and how they differ, what was found in it, what is said of it, out, back and gone."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from desk import going_back, jobs, services
from knowledge import editing, importing
from knowledge import services as knowledge
from knowledge.differences import differences
from knowledge.findings import fields_of
from knowledge.models import Document, DocumentVersion, KnowledgeBase
from rooms import asked
from rooms.knowledge import selectors
from rooms.knowledge.reach import (
    document_of,
    number_of,
    on_base,
    part,
    reason_of,
    record,
    refusal,
    shown,
    then_of,
    version_of,
)
from rooms.knowledge.wording import WORDS
from rooms.pages import check, person

VERSIONS = 50
FINDINGS = 100
CONTEXT = 60
Stage = DocumentVersion.Stage


def document_page(request: HttpRequest, template: str, document: Document, sub: str, **context: Any) -> HttpResponse:
    """Render a page of a document, with what stands above all of them."""
    where, live, drafted = selectors.where_is(document)
    newest = document.versions.defer("parsed", "edits").order_by("number").last()
    head = editing.head(document)
    about = {
        "document": document,
        "sub": sub,
        "where": where,
        "live": live,
        "drafted": drafted,
        "newest": newest,
        "head": head,
        "reason": reason_of(newest) if newest is not None else "",
        "can_return": drafted is None and document.versions.filter(stage=Stage.READY).exists(),
        "undecided": _undecided(head),
    }
    return shown(request, template, document.base, "documents", **about, **context)


def _undecided(version: DocumentVersion | None) -> int:
    return sum(not row["decision"] for row in version.findings) if version is not None else 0


@on_base("see_knowledge", "GET")
def state(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """What is being made of a document, and how far it is; then its page is to be loaded anew."""
    one = document_of(base, document)
    newest = one.versions.defer("parsed", "edits", "findings").order_by("number").last()
    if newest is not None and newest.stage not in DocumentVersion.UNFINISHED:
        response = part(request, "document_state.html", base, document=one, newest=newest)
        response["HX-Trigger"] = "knowledge:made"
        return response
    return part(request, "document_state.html", base, document=one, newest=newest)


@on_base("see_knowledge", "GET")
def versions(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """The versions of a document, the newest first."""
    one = document_of(base, document)
    rows = list(one.versions.order_by("-number").defer("parsed", "edits", "findings")[:VERSIONS])
    for row in rows:
        row.reason = reason_of(row)
    return document_page(request, "versions.html", one, "versions", versions=rows)


@on_base("see_knowledge", "GET")
def compare(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """What differs between two versions, chunk beside chunk, by word."""
    one = document_of(base, document)
    before, after = (version_of(one, _number(request, name)) for name in ("before", "after"))
    old, new = ([*version.chunks.order_by("position").defer("sentences")] for version in (before, after))
    rows = []
    same = 0
    for each in differences([editing.content_of(c) for c in old], [editing.content_of(c) for c in new]):
        was = old[each.before] if each.before is not None else None
        is_ = new[each.after] if each.after is not None else None
        if each.change == "same":
            same += 1
            continue
        rows.append({"change": each.change, "was": was, "is": is_, "text": each.text, "more": _more(was, is_)})
    return document_page(request, "compare.html", one, "versions", before=before, after=after, rows=rows, same=same)


def _more(was: Any, is_: Any) -> bool:
    """Whether something else than the text differs."""
    names = ("heading", "question", "questions", "enabled")
    return bool(was and is_) and any(getattr(was, name) != getattr(is_, name) for name in names)


def _number(request: HttpRequest, name: str) -> int:
    value = asked.number(request.GET.get(name))
    if value is None:
        raise Http404
    return value


@on_base("edit_knowledge", "POST")
def restore(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """Make an old version the newest again."""
    one, number = document_of(base, document), number_of(request, "number")
    try:
        editing.restore(
            one,
            number,
            looked_at=asked.number(request.POST.get("head")),
            author=person(request).get_username(),
            then=then_of(request, base),
        )
    except ValueError:
        return refusal(WORDS.here()["not_ready"])
    services.enqueue_work()
    record(request, "restore", ("document", one.pk), version=number)
    return redirect("rooms:knowledge_document", base.slug, one.pk)


# --- what was found in it


@on_base("edit_knowledge", "GET", "POST")
def findings(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """Personal data and orders to the model in a version, and what is decided about them."""
    one = document_of(base, document)
    head = editing.head(one)
    if head is None:
        raise Http404
    if request.method == "POST":
        return _decided(request, base, one)
    rows = sorted(head.findings, key=lambda row: (row["decision"] != "", row["kind"] != "injection", row["chunk"]))
    shown_rows = rows[:FINDINGS]
    chunks = {c.position: c for c in head.chunks.filter(position__in={row["chunk"] for row in shown_rows})}
    told_rows = [_finding(row, chunks[row["chunk"]]) for row in shown_rows if row["chunk"] in chunks]
    return document_page(
        request, "findings.html", one, "findings", findings=told_rows, left_out=len(rows) - len(told_rows)
    )


def _finding(row: dict[str, Any], chunk: Any) -> dict[str, Any]:
    text = fields_of(chunk).get(row["field"], "")
    start, end = row["start"], row["end"]
    return row | {
        "before": text[max(0, start - CONTEXT) : start],
        "is": text[start:end],
        "after": text[end : end + CONTEXT],
        "number": row["chunk"] + 1,
    }


def _decided(request: HttpRequest, base: KnowledgeBase, document: Document) -> HttpResponse:
    number = number_of(request, "number")
    author, then = person(request).get_username(), then_of(request, base)
    if request.POST.get("refuse"):
        editing.refuse(document, number, author=author)
        record(request, "refuse", ("document", document.pk), version=number)
        return redirect("rooms:knowledge_document", base.slug, document.pk)
    chosen = {
        name.removeprefix("decision:"): value
        for name in request.POST
        if name.startswith("decision:") and (value := request.POST.get(name, ""))
    }
    if not chosen:
        return redirect("rooms:knowledge_findings", base.slug, document.pk)
    for_base = request.POST.get("for_base") == "on"
    try:
        editing.decide(document, number, chosen, for_base=for_base, author=author, then=then)
    except ValueError:
        return refusal(WORDS.here()["conflict"], 409)
    services.enqueue_work()
    record(request, "decide", ("document", document.pk), decisions=len(chosen), for_base=for_base)
    return redirect("rooms:knowledge_document", base.slug, document.pk)


# --- what is said of it; out, back, gone


@on_base("see_knowledge", "GET", "POST")
def about(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """What is said of a document, by which searches may be narrowed; how it goes out, comes back, and goes for good."""
    one = document_of(base, document)
    if request.method == "GET":
        return document_page(request, "about.html", one, "about", said=sorted(one.metadata.items()))
    check(request, "edit_knowledge", base)
    wanted = dict(zip(request.POST.getlist("key"), request.POST.getlist("value"), strict=False))
    wanted = {key.strip(): value.strip() for key, value in wanted.items() if key.strip()}
    gone = {key: "" for key in request.POST.getlist("was") if key not in wanted}
    try:
        knowledge.describe(one, {**gone, **wanted})
    except ValueError:
        typed = sorted(wanted.items())
        return document_page(request, "about.html", one, "about", said=typed, wrong=WORDS.here()["metadata_wrong"])
    record(request, "describe", ("document", one.pk), keys=sorted(wanted))
    return redirect("rooms:knowledge_about", base.slug, one.pk)


@on_base("edit_knowledge", "POST")
def retire(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """Take a document out of the draft, or out of all answers at once; its versions stay."""
    one, urgent = document_of(base, document), request.POST.get("urgent") == "on"
    if urgent:
        check(request, "publish_knowledge", base)
    if not importing.retire(one, urgent=urgent):
        return refusal(WORDS.here()["retired_already"], 409)
    record(request, "retire", ("document", one.pk), urgent=urgent)
    return redirect("rooms:knowledge_document", base.slug, one.pk)


@on_base("edit_knowledge", "POST")
def bring_back(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """Take a retirement back."""
    one, urgent = document_of(base, document), request.POST.get("urgent") == "on"
    if urgent:
        check(request, "publish_knowledge", base)
    version = going_back.bring_back(one, urgent=urgent, author=person(request).get_username())
    if version is None:
        return refusal(WORDS.here()["conflict"], 409)
    record(request, "bring_back", ("document", one.pk), version=version.number, urgent=urgent)
    return redirect("rooms:knowledge_document", base.slug, one.pk)


@on_base("publish_knowledge", "POST")
def purge(request: HttpRequest, base: KnowledgeBase, document: int) -> HttpResponse:
    """Remove a document for good; its name is typed again."""
    one = document_of(base, document)
    name, published = request.POST.get("name", ""), request.POST.get("published") == "on"
    try:
        job = jobs.purge(one, name, published=published, author=person(request).get_username())
    except jobs.NotMeant:
        return refusal(WORDS.here()["name_differs"])
    record(request, "purge", ("document", one.pk), published=published)
    response = shown(request, "job.html", base, "documents", job=job, reason="", name=name)
    response["HX-Push-Url"] = reverse("rooms:knowledge_job", args=[base.slug, job.pk])
    return response
