"""The API, version 1: documents, previews, chunks, releases, golden questions, purges, search. A route is a few lines
around a service.

Its pages of documentation are at /api/v1/docs.
"""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import File, Form, Query
from ninja.files import UploadedFile

from api import door, schemas
from api.documentation import DocumentedAPI
from api.door import Refused, needs
from api.models import ApiToken
from chatbot import wiring
from console import audit
from desk import asking, gap_services, jobs, radar_findings, services
from desk.models import Job
from knowledge import editing, examining, importing, releases
from knowledge import services as knowledge
from knowledge.differences import differences
from knowledge.golden import Golden
from knowledge.models import Document, DocumentVersion, Examination, Gap, KnowledgeBase, Purge, RadarFinding, Release
from knowledge.overview import states
from knowledge.pins import Content

PAGE = 500

api = DocumentedAPI(
    title="Kefu",
    version="1",
    description=(
        "The knowledge desk for programs. `manage.py api_token make NAME --base BASE --scope SCOPE` prints a token. "
        "It goes into the header `Authorization: Bearer kefu_…` and opens its own base alone. Scopes: `read`; `edit` "
        "and `publish`, each of which may do what those before it may; `purge`, which reads and removes for good. "
        'Every refusal is `{"code", "message"}`.'
    ),
    auth=door.Token(),
    urls_namespace="api",
)
door.add_refusals(api)

Refusals = dict.fromkeys((401, 403, 404, 409, 422, 429), schemas.Error)


def _token(request: HttpRequest) -> ApiToken:
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return token


def _base(request: HttpRequest) -> KnowledgeBase:
    return _token(request).base


def _author(request: HttpRequest) -> str:
    return f"api: {_token(request).name}"


def _record(request: HttpRequest, action: str, target: tuple[str, object], **details: Any) -> None:
    audit.record(None, action, target=target, details={"token": _token(request).name, **details})


def _document(request: HttpRequest, id_: int) -> Document:
    found = Document.objects.filter(base=_base(request), pk=id_).select_related("base").first()
    if found is None:
        raise Refused(404, "not_found", "there is no such document")
    return found


def _version(request: HttpRequest, id_: int) -> DocumentVersion:
    versions = DocumentVersion.objects.filter(document__base=_base(request), pk=id_)
    found = versions.select_related("document__base").defer("parsed", "edits").first()
    if found is None:
        raise Refused(404, "not_found", "there is no such version")
    return found


def _then(then: schemas.Then, request: HttpRequest) -> str:
    """Return what is to happen once a version is ready, as the services say it."""
    if then != "draft":
        needs("publish")(lambda request: None)(request)
    return "" if then == "draft" else then


# --- documents


@api.get("/documents", response={200: schemas.Documents, **Refusals}, tags=["documents"])
def documents(request: HttpRequest, page: Query[schemas.Page]) -> Any:
    """List documents by name."""
    base = _base(request)
    return {"count": base.documents.count(), "documents": states(base, page.offset, page.limit)}


@api.post("/documents", response={202: list[schemas.Taken], **Refusals}, tags=["documents"])
@needs("edit")
def upload(request: HttpRequest, file: File[UploadedFile], form: Form[schemas.Upload]) -> Any:
    """Take a file in, or all files of a .zip; they are made ready one after the other: follow their versions."""
    taken = services.upload(
        _base(request).slug,
        form.name or file.name or "document",
        file.read(),
        then=_then(form.then, request),
        twice=form.twice,
        author=_author(request),
    )
    _record(request, "upload", ("base", _base(request).slug), files=len(taken))
    return 202, [
        {
            "document": one.document,
            "state": one.state,
            "version": one.version.pk if one.version else None,
            "reason": one.reason,
        }
        for one in taken
    ]


@api.delete("/documents/{int:id}", response={204: None, **Refusals}, tags=["documents"])
@needs("edit")
def retire(request: HttpRequest, id: int, urgent: bool = False) -> Any:
    """Take a document out of the draft, `urgent` out of all answers at once; its versions stay."""
    document = _document(request, id)
    if urgent:
        _then("urgent", request)
    if not importing.retire(document, urgent=urgent):
        raise Refused(409, "conflict", "the document is in no release")
    _record(request, "retire", ("document", document.pk), urgent=urgent)
    return 204, None


@api.patch("/documents/{int:id}/metadata", response={200: dict[str, str], **Refusals}, tags=["documents"])
@needs("edit")
def describe(request: HttpRequest, id: int, body: schemas.Metadata) -> Any:
    """Say more about a document, by which searches may be narrowed; "" takes a key back. Counts within a second."""
    document = _document(request, id)
    try:
        said = knowledge.describe(document, body.metadata)
    except ValueError as error:
        raise Refused(422, "wrong", str(error)) from None
    _record(request, "describe", ("document", document.pk), keys=sorted(body.metadata))
    return said


@api.get("/documents/{int:id}/versions", response={200: list[schemas.VersionOut], **Refusals}, tags=["documents"])
def versions(request: HttpRequest, id: int) -> Any:
    """List the versions of a document, the newest first."""
    document = _document(request, id)
    rows = document.versions.order_by("-number").defer("parsed", "edits").select_related("document")
    return [_as_version(one) for one in rows[:PAGE]]


@api.post("/documents/{int:id}/restore", response={202: schemas.VersionOut, **Refusals}, tags=["documents"])
@needs("edit")
def restore(request: HttpRequest, id: int, body: schemas.Restored) -> Any:
    """Make an old version the newest again."""
    document = _document(request, id)
    made = editing.restore(document, body.number, author=_author(request), then=_then(body.then, request))
    services.enqueue_work()
    _record(request, "restore", ("document", document.pk), version=body.number)
    return 202, _as_version(made)


@api.get("/documents/{int:id}/differences", response={200: list[schemas.DifferenceOut], **Refusals}, tags=["documents"])
def compare(request: HttpRequest, id: int, before: int, after: int) -> Any:
    """Tell what differs between two versions, chunk by chunk."""
    document = _document(request, id)
    return differences(*(_contents(document, number) for number in (before, after)))


def _contents(document: Document, number: int) -> list[Content]:
    version = document.versions.filter(number=number).first()
    if version is None:
        raise Refused(404, "not_found", f"there is no version {number}")
    return [editing.content_of(chunk) for chunk in version.chunks.order_by("position")]


# --- versions


def _as_version(version: DocumentVersion) -> dict[str, Any]:
    fields = ("id", "number", "stage", "reason_code", "reason", "done", "total", "bytes", "author", "note")
    return {
        **{name: getattr(version, name) for name in fields},
        "document": version.document.name,
        "created": version.created,
        "finished": version.finished,
        "notices": version.notices,
        "findings": len(version.findings),
    }


@api.get("/versions/{int:id}", response={200: schemas.VersionOut, **Refusals}, tags=["versions"])
def version(request: HttpRequest, id: int) -> Any:
    """Tell how a version is doing."""
    return _as_version(_version(request, id))


@api.post("/versions/{int:id}/cancel", response={200: schemas.VersionOut, **Refusals}, tags=["versions"])
@needs("edit")
def cancel(request: HttpRequest, id: int) -> Any:
    """Stop making a version."""
    found = _version(request, id)
    if not importing.cancel(found):
        raise Refused(409, "conflict", f"the version is {found.stage}")
    _record(request, "cancel", ("version", found.pk))
    return _as_version(found)


@api.post("/versions/{int:id}/retry", response={202: schemas.VersionOut, **Refusals}, tags=["versions"])
@needs("edit")
def retry(request: HttpRequest, id: int) -> Any:
    """Make a refused or cancelled version anew."""
    found = importing.retry(_version(request, id))
    services.enqueue_work()
    _record(request, "retry", ("version", found.pk))
    return 202, _as_version(found)


@api.get("/versions/{int:id}/findings", response={200: list[schemas.Finding], **Refusals}, tags=["versions"])
def findings(request: HttpRequest, id: int) -> Any:
    """List personal data and orders to the model that were found in a version; values are in its chunks."""
    return _version(request, id).findings


@api.post("/versions/{int:id}/decisions", response={202: schemas.VersionOut, **Refusals}, tags=["versions"])
@needs("edit")
def decide(request: HttpRequest, id: int, body: schemas.Decisions) -> Any:
    """Decide on findings; this makes a new version."""
    found = _version(request, id)
    made = editing.decide(
        found.document,
        found.number,
        body.decisions,
        for_base=body.for_base,
        author=_author(request),
        then=_then(body.then, request),
    )
    services.enqueue_work()
    _record(request, "decide", ("version", found.pk), decisions=len(body.decisions))
    return 202, _as_version(made)


@api.get("/versions/{int:id}/chunks", response={200: schemas.Chunks, **Refusals}, tags=["versions"])
def chunks(request: HttpRequest, id: int, page: Query[schemas.Page]) -> Any:
    """List the chunks of a version."""
    rows = _version(request, id).chunks.order_by("position")
    return {"count": rows.count(), "chunks": list(rows[page.offset : page.offset + page.limit])}


@api.post("/documents/{int:id}/edits", response={202: schemas.VersionOut, **Refusals}, tags=["versions"])
@needs("edit")
def edit(request: HttpRequest, id: int, body: schemas.Edits) -> Any:
    """Change, split, merge, switch off or remove chunks, all in one new version; edits survive a new file."""
    document = _document(request, id)
    edits = [
        editing.Edit(one.first, one.last, tuple(_content(content) for content in one.contents)) for one in body.edits
    ]
    then = _then(body.then, request)
    made = editing.edit(document, body.number, edits, author=_author(request), note=body.note, then=then)
    services.enqueue_work()
    _record(request, "edit", ("document", document.pk), edits=len(edits))
    return 202, _as_version(made)


def _content(content: schemas.Content) -> Content:
    return Content(content.text, content.heading, content.question, tuple(content.questions), content.enabled)


# --- previews, purges, proofs: the desk worker does them


def _job(job: Job, page: schemas.Page) -> dict[str, Any]:
    fields = ("id", "kind", "state", "reason", "author", "created", "finished")
    told = {name: getattr(job, name) for name in fields} | {"code": job.reason_code}
    if job.result is None:
        return told
    if job.kind == Job.Kind.PREVIEW:
        return told | {"preview": _page_of(job.result, page)}
    return told | {"purged" if job.kind == Job.Kind.PURGE else "proof": job.result}


def _page_of(result: dict[str, Any], page: schemas.Page) -> dict[str, Any]:
    chunks = result["chunks"][page.offset : page.offset + page.limit]
    shown = {one["position"] for one in chunks}
    findings = [one for one in result["findings"] if one["chunk"] in shown]
    return {**result, "count": len(result["chunks"]), "chunks": chunks, "findings": findings}


@api.post("/previews", response={202: schemas.JobOut, **Refusals}, tags=["previews and purges"])
@needs("edit")
def preview(request: HttpRequest, file: File[UploadedFile], form: Form[schemas.PreviewIn]) -> Any:
    """Have a file read, cut into chunks and examined as if it were uploaded; nothing of it is stored or goes live.

    Ask for the job until it is done. Its result is kept for an hour. A .zip is not previewed: send its files.
    """
    name = form.name or file.name or "document"
    return 202, _job(jobs.preview(_base(request), name, file.read(), author=_author(request)), schemas.Page())


@api.post("/versions/{int:id}/preview", response={202: schemas.JobOut, **Refusals}, tags=["previews and purges"])
@needs("edit")
def preview_version(request: HttpRequest, id: int) -> Any:
    """Have the file of a version read anew, with today's readers and guards and the document's edits; as for a file."""
    return 202, _job(jobs.preview_version(_version(request, id), author=_author(request)), schemas.Page())


@api.post("/documents/{int:id}/purge", response={202: schemas.JobOut, **Refusals}, tags=["previews and purges"])
@needs("purge")
def purge(request: HttpRequest, id: int, body: schemas.PurgeIn) -> Any:
    """Remove a document for good: text, vectors, files, and what was said of it; hashes alone stay.

    This cannot be undone. The body repeats the document's name. While it answers, `published` must say so, too.
    """
    document = _document(request, id)
    job = jobs.purge(document, body.name, published=body.published, author=_author(request))
    _record(request, "purge", ("document", document.pk), published=body.published)
    return 202, _job(job, schemas.Page())


@api.post("/prove-gone", response={202: schemas.JobOut, **Refusals}, tags=["previews and purges"])
@needs("purge")
def prove_gone(request: HttpRequest, body: schemas.ProofIn) -> Any:
    """Have every store searched for a purged document, by hashes alone: database, files, indexes, redis, logs."""
    try:
        job = jobs.prove_gone(_base(request), body.name, author=_author(request))
    except Purge.DoesNotExist:
        raise Refused(404, "not_found", "no document of that name was purged") from None
    return 202, _job(job, schemas.Page())


@api.get("/jobs/{uuid:id}", response={200: schemas.JobOut, **Refusals}, tags=["previews and purges"])
def job(request: HttpRequest, id: UUID, page: Query[schemas.Page]) -> Any:
    """Tell how a preview, a purge or a proof is doing, and what came of it; a preview's chunks come in pages."""
    found = Job.objects.filter(base=_base(request), pk=id).first()
    if found is None:
        raise Refused(404, "not_found", "there is no such job")
    return _job(found, page)


# --- releases


@api.get("/draft", response={200: schemas.Draft, **Refusals}, tags=["releases"])
def draft(request: HttpRequest) -> Any:
    """Tell what is not published yet, and whether it may be."""
    base = _base(request)
    found = base.releases.filter(state=Release.State.DRAFT).first()
    if found is None:
        return {"number": None, "revision": 0, "changes": [], "examination": None, "gate": ""}
    examination = found.examinations.filter(revision=found.revision).order_by("pk").last()
    return {
        "number": found.number,
        "revision": found.revision,
        "changes": releases.changes(found, base.published),
        "examination": examination,
        "gate": _gate(base, found),
    }


def _gate(base: KnowledgeBase, found: Release) -> str:
    try:
        releases.pass_gate(base, found)
    except releases.GateClosed as error:
        return error.code
    return ""


@api.post("/draft/examine", response={202: None, **Refusals}, tags=["releases"])
@needs("edit")
def examine(request: HttpRequest) -> Any:
    """Have the golden questions put to the draft; ask for it again to see how it did."""
    services.enqueue_examination(_base(request).slug)
    return 202, None


@api.post("/publish", response={200: schemas.ReleaseOut | None, **Refusals}, tags=["releases"])
@needs("publish")
def publish(request: HttpRequest, body: schemas.Publish) -> Any:
    """Let the draft answer, at the revision that was looked at; nothing when it differs in nothing."""
    base = _base(request)
    published = releases.publish(base.slug, revision=body.revision, urgent=body.urgent, author=_author(request))
    if published is None:
        return None
    _record(request, "publish", ("release", published.number), urgent=body.urgent)
    if body.urgent:
        services.enqueue_examination(base.slug)
    return _as_release(published, published)


@api.post("/rollback", response={200: schemas.ReleaseOut, **Refusals}, tags=["releases"])
@needs("publish")
def rollback(request: HttpRequest, body: schemas.Rollback) -> Any:
    """Let an earlier release answer again."""
    try:
        target = releases.rollback(_base(request).slug, body.number)
    except Release.DoesNotExist:
        raise Refused(404, "not_found", "there is no such release") from None
    _record(request, "rollback", ("release", target.number))
    return _as_release(target, target)


@api.get("/releases", response={200: list[schemas.ReleaseOut], **Refusals}, tags=["releases"])
def published_releases(request: HttpRequest) -> Any:
    """List what answers and has answered, the newest first."""
    base = _base(request)
    rows = base.releases.filter(state=Release.State.PUBLISHED).order_by("-number")
    return [_as_release(one, base.published) for one in rows[:PAGE]]


def _as_release(release: Release, live: Release | None) -> dict[str, Any]:
    fields = ("number", "urgent", "author", "published_at")
    return {**{name: getattr(release, name) for name in fields}, "live": release == live}


# --- golden questions


@api.get("/golden", response={200: list[schemas.GoldenOut], **Refusals}, tags=["golden questions"])
def golden(request: HttpRequest) -> Any:
    """List the golden questions."""
    return list(_base(request).golden.filter(active=True).order_by("pk"))


@api.put("/golden", response={200: schemas.GoldenIn, **Refusals}, tags=["golden questions"])
@needs("edit")
def keep(request: HttpRequest, body: schemas.GoldenIn) -> Any:
    """Keep a golden question, in place of what was kept for the same words."""
    wanted = Golden(body.question, body.expects == "answer", body.document, tuple(body.facts))
    if services.keep_golden(_base(request).slug, wanted, find=wiring.masking().find, author=_author(request)):
        _record(request, "keep_golden", ("base", _base(request).slug))
    return body


@api.delete("/golden", response={204: None, **Refusals}, tags=["golden questions"])
@needs("edit")
def drop(request: HttpRequest, question: str) -> Any:
    """Stop asking a golden question."""
    if not examining.drop_question(_base(request).slug, question):
        raise Refused(404, "not_found", "that question is not asked")
    _record(request, "drop_golden", ("base", _base(request).slug))
    return 204, None


@api.get("/examinations", response={200: list[schemas.ExaminationOut], **Refusals}, tags=["golden questions"])
def examinations(request: HttpRequest) -> Any:
    """List the last ten examinations, the newest first."""
    return list(Examination.objects.filter(release__base=_base(request)).order_by("-pk")[:10])


# --- what is wrong, what is missing


@api.get("/radar", response={200: list[schemas.FindingOut], **Refusals}, tags=["radar and gaps"])
def radar(request: HttpRequest) -> Any:
    """List duplicates, contradictions, past dates and unused documents, those that most conversations met first."""
    return list(radar_findings.findings(_base(request).slug)[:PAGE])


@api.delete("/radar/{int:id}", response={204: None, **Refusals}, tags=["radar and gaps"])
@needs("edit")
def dismiss_finding(request: HttpRequest, id: int) -> Any:
    """Say that a finding is nothing."""
    own = RadarFinding.objects.filter(base=_base(request), pk=id).exists()
    if not own or not radar_findings.dismiss(id, _author(request)):
        raise Refused(404, "not_found", "there is no such finding")
    _record(request, "dismiss_finding", ("finding", id))
    return 204, None


@api.get("/gaps", response={200: list[schemas.GapOut], **Refusals}, tags=["radar and gaps"])
def gaps(request: HttpRequest) -> Any:
    """List what customers asked and the documents do not answer, what most conversations asked first."""
    return list(gap_services.gaps(_base(request).slug)[:PAGE])


@api.post("/gaps/{int:id}/answer", response={202: None, **Refusals}, tags=["radar and gaps"])
@needs("edit")
def answer_gap(request: HttpRequest, id: int, body: schemas.GapAnswer) -> Any:
    """Answer a gap."""
    base = _base(request)
    store = partial(importing.take_in, base.slug, then=_then(body.then, request), author=_author(request))
    own = Gap.objects.filter(base=base, pk=id).exists()
    if not own or not gap_services.answer(id, body.question, body.answer, _author(request), store=store):
        raise Refused(404, "not_found", "there is no such gap")
    services.enqueue_work()
    _record(request, "answer_gap", ("gap", id))
    return 202, None


@api.delete("/gaps/{int:id}", response={204: None, **Refusals}, tags=["radar and gaps"])
@needs("edit")
def dismiss_gap(request: HttpRequest, id: int) -> Any:
    """Say that a gap needs no answer."""
    own = Gap.objects.filter(base=_base(request), pk=id).exists()
    if not own or not gap_services.dismiss(id, _author(request)):
        raise Refused(404, "not_found", "there is no such gap")
    _record(request, "dismiss_gap", ("gap", id))
    return 204, None


# --- search


@api.post("/search", response={200: schemas.Why, 503: schemas.Error, **Refusals}, tags=["search"])
def search(request: HttpRequest, body: schemas.Query) -> Any:
    """Tell what is found for a question, how sure that is, and what would be answered."""
    try:
        return asking.why(_base(request).slug, body.question, body.history, body.top, body.filters)
    except asking.Unanswered as error:
        raise Refused(503, "unavailable", f"no worker has answered ({error.why}); try again") from None
