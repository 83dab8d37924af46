"""The bases, and the documents of one: the list, files coming in, and how they are doing."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from desk import jobs, services, tickets
from desk.models import Job
from knowledge import importing
from knowledge.blocks import Unreadable
from knowledge.models import DocumentVersion, KnowledgeBase, Purge
from knowledge.parsing import DEFAULT
from knowledge.releases import Conflict
from rooms import asked
from rooms.knowledge import selectors
from rooms.knowledge.reach import (
    ROOM,
    bases_of,
    found,
    here,
    on_base,
    part,
    reason_of,
    record,
    refusal,
    said,
    shown,
    then_of,
)
from rooms.knowledge.wording import WORDS
from rooms.pages import needs, page, person

KINDS = ".md,.markdown,.txt,.html,.htm,.pdf,.docx,.pptx,.xlsx,.csv,.jsonl,.zip,.png,.jpg,.jpeg"
MOST_FOLLOWED = 200


@require_GET
@needs("see_knowledge")
def first(request: HttpRequest) -> HttpResponse:
    """The bases that the reader may see; the only one opens at once."""
    slugs = bases_of(request)
    if len(slugs) == 1:
        return redirect("rooms:knowledge_base", slugs[0])
    return page(request, "knowledge/first.html", ROOM, WORDS, bases=selectors.bases(slugs))


@on_base("see_knowledge", "GET")
def documents(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """The documents of a base; for htmx the list alone."""
    text, state = request.GET.get("q", "").strip()[:200], request.GET.get("state", "")
    rows = selectors.documents(base, text=text, state=state, number=request.GET.get("page", "1"))
    told: dict[str, Any] = {"rows": rows, "text": text, "state": state, "filters": selectors.FILTERS}
    if request.headers.get("HX-Target") == "documents":
        return part(request, "documents_list.html", base, **told)
    return shown(
        request,
        "documents.html",
        base,
        "documents",
        kinds=KINDS,
        most=DEFAULT.bytes_in,
        ticket=tickets.made(),
        base_documents=base.documents.exists(),
        **told,
    )


@on_base("see_knowledge", "GET")
def rows(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Those documents of the list that were being made, as they are now."""
    ids = _followed(request)
    return part(request, "documents_changed.html", base, rows=selectors.documents(base, ids=ids) if ids else [])


def _followed(request: HttpRequest) -> list[int]:
    named = request.GET.get("ids", "").split(",", MOST_FOLLOWED)[:MOST_FOLLOWED]
    return [number for one in named if (number := asked.number(one)) is not None]


@on_base("edit_knowledge", "POST", at_once=False)
def upload(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Take files in, or all files of a .zip; tell what came of each."""
    then, twice = then_of(request, base), request.POST.get("twice") == "on"
    author = person(request).get_username()
    taken: list[dict[str, Any]] = []

    def also(one: importing.Taken) -> None:
        target = ("document", one.version.document_id) if one.version else ("base", base.slug)
        record(request, "upload", target, state=one.state)

    for file in request.FILES.getlist("file"):
        name = request.POST.get("name", "").strip() or file.name or "document"
        try:
            came = services.upload(base.slug, name, file.read(), then=then, twice=twice, author=author, also=also)
        except Unreadable as error:
            taken.append({"document": name, "state": "refused", "reason": said(error.code, str(error))})
            continue
        taken += [_taken(base, one) for one in came]
    if request.accepts("text/html") and request.headers.get("X-Requested-With") != "fetch":
        return redirect("rooms:knowledge_base", base.slug)
    return JsonResponse({"taken": taken})


def _taken(base: KnowledgeBase, one: importing.Taken) -> dict[str, Any]:
    words = WORDS.here()
    reason = {
        "unchanged": words["same_file"],
        "duplicate": here("内容与“{}”相同，没有导入。", "It says the same as “{}”, so it was not taken in.").replace(
            "{}", one.reason.removeprefix("says the same as ")
        ),
        "refused": one.reason,
    }
    found_: dict[str, Any] = {"document": one.document, "state": one.state, "reason": reason.get(one.state, "")}
    if one.version is not None:
        found_["version"] = one.version.pk
        found_["url"] = reverse("rooms:knowledge_document", args=[base.slug, one.version.document_id])
    return found_


@on_base("see_knowledge", "GET")
def progress(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """How versions are doing, by id: for the list of files that are coming in."""
    ids = _followed(request)
    rows = DocumentVersion.objects.filter(document__base=base, pk__in=ids).defer("parsed", "edits", "findings")
    return JsonResponse(
        {
            str(one.pk): {
                "stage": one.stage,
                "done": one.done,
                "total": one.total,
                "reason": reason_of(one),
                "ended": one.stage not in DocumentVersion.UNFINISHED,
            }
            for one in rows
        }
    )


@on_base("edit_knowledge", "POST")
def cancel(request: HttpRequest, base: KnowledgeBase, version: int) -> HttpResponse:
    """Stop making a version."""
    one = _version(base, version)
    if not importing.cancel(one):
        raise Conflict
    record(request, "cancel", ("version", one.pk))
    return _row(request, base, one)


@on_base("edit_knowledge", "POST")
def retry(request: HttpRequest, base: KnowledgeBase, version: int) -> HttpResponse:
    """Make a refused or cancelled version anew; a duplicate with `twice`."""
    one = importing.retry(_version(base, version), twice=True if request.POST.get("twice") else None)
    services.enqueue_work()
    record(request, "retry", ("version", one.pk))
    return _row(request, base, one)


def _version(base: KnowledgeBase, pk: int) -> DocumentVersion:
    versions = DocumentVersion.objects.select_related("document__base").defer("parsed")
    one: DocumentVersion = found(versions, document__base=base, pk=pk)
    return one


def _row(request: HttpRequest, base: KnowledgeBase, version: DocumentVersion) -> HttpResponse:
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    return part(request, "documents_changed.html", base, rows=selectors.documents(base, ids=[version.document_id]))


# --- a preview, a purge, a proof: the desk worker does them


@on_base("edit_knowledge", "POST", at_once=False)
def preview(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Have a file looked at before it is taken in; answers with where to follow it."""
    file = request.FILES.get("file")
    if file is None:
        raise Http404
    try:
        job = jobs.preview(base, file.name or "document", file.read(), author=person(request).get_username())
    except Unreadable as error:
        return refusal(said(error.code, str(error)))
    return JsonResponse({"url": reverse("rooms:knowledge_job", args=[base.slug, job.pk])})


@on_base("edit_knowledge", "GET")
def job(request: HttpRequest, base: KnowledgeBase, job: str) -> HttpResponse:
    """How a job is doing, and what came of it; for htmx that part alone."""
    try:
        one: Job = found(base.jobs.all(), pk=UUID(job))
    except ValueError:
        raise Http404 from None
    told = {"job": one, "reason": said(one.reason_code, one.reason), "name": ""}
    if request.headers.get("HX-Request"):
        return part(request, "job_part.html", base, **told)
    return shown(request, "job.html", base, "documents", **told)


@on_base("publish_knowledge", "POST")
def prove(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Have every store searched for what was removed for good."""
    name = request.POST.get("name", "").strip()
    try:
        one = jobs.prove_gone(base, name, author=person(request).get_username())
    except Purge.DoesNotExist:
        return refusal(WORDS.here()["never_purged"])
    response = HttpResponse(status=204)
    response["HX-Redirect"] = reverse("rooms:knowledge_job", args=[base.slug, one.pk])
    return response
