"""What the views of this room share: which base, which document, may they; and how a refusal is said."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import get_language

from chatbot.models import Site
from console import audit
from console.rules import Action, may, sites_of
from console.wording import Words, language_of
from desk.jobs import TooManyJobs
from knowledge.models import Document, DocumentVersion, KnowledgeBase
from knowledge.reasons import NOTICES, REASONS, place, wording
from knowledge.releases import Conflict
from rooms import asked
from rooms.knowledge import selectors
from rooms.knowledge.wording import WORDS
from rooms.pages import check, page, person

V = TypeVar("V", bound=Callable[..., HttpResponse])
ROOM = "knowledge"


def on_base(action: Action, *methods: str, at_once: bool = True) -> Callable[[V], V]:
    """Decorate a view of one base: it is handed the base in place of its slug, if the reader may do `action` there.

    404 for a base of nobody's or of others' sites, 403 for what the reader's roles do not allow, 409 for Conflict, 400
    for a NUL. A POST is one transaction: an act and its entry in the audit log happen together. Not `at_once` is a view
    that waits for others: it holds the database itself, around what it writes.
    """

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, base: str, **more: Any) -> HttpResponse:
            if not may(request.user, action):
                raise PermissionDenied
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            try:
                named = _base(request, base, action)
                if has_nul(request):
                    return refusal(WORDS.here()["nul"], 400)
                with transaction.atomic() if at_once and request.method == "POST" else nullcontext():
                    return view(request, named, **more)
            except Conflict:
                return refusal(WORDS.here()["conflict"], 409)
            except TooManyJobs:
                return refusal(WORDS.here()["too_many_jobs"], 429)

        return cast(V, guarded)

    return decorate


def has_nul(request: HttpRequest) -> bool:
    """Whether a NUL is in what was asked or sent, which PostgreSQL takes in no text."""
    given = (request.GET, request.POST)
    return any("\0" in text for values in given for name, texts in values.lists() for text in (name, *texts))


def bases_of(request: HttpRequest) -> list[str]:
    """Return the slugs of the bases that the reader's sites answer from."""
    return sorted(set(sites_of(request.user).exclude(knowledge_base="").values_list("knowledge_base", flat=True)))


def _base(request: HttpRequest, slug: str, action: Action) -> KnowledgeBase:
    if slug not in bases_of(request):
        raise Http404
    check(request, action, KnowledgeBase(slug=slug))
    # A site may answer from a base that nothing was put into yet.
    return KnowledgeBase.objects.select_related("published").get_or_create(slug=slug, defaults={"name": slug})[0]


def found(rows: QuerySet[Any], **which: Any) -> Any:
    """Return the one row. Raises Http404."""
    row = rows.filter(**which).first()
    if row is None:
        raise Http404
    return row


def document_of(base: KnowledgeBase, pk: int) -> Document:
    """Return a document of the base. Raises Http404."""
    document: Document = found(Document.objects.select_related("base"), base=base, pk=pk)
    return document


def version_of(document: Document, number: int) -> DocumentVersion:
    """Return a version of the document. Raises Http404."""
    version: DocumentVersion = found(document.versions.defer("parsed"), number=number)
    return version


def shown(request: HttpRequest, template: str, base: KnowledgeBase, tab: str, **context: Any) -> HttpResponse:
    """Render a page of a base, with its tabs."""
    rights = {name: may(request.user, action, base) for name, action in _RIGHTS.items()}
    frame = selectors.frame(base)
    return page(
        request, f"knowledge/{template}", ROOM, WORDS, base=base, tab=tab, tabs=_TABS, about=frame, **rights, **context
    )


def part(request: HttpRequest, template: str, base: KnowledgeBase, **context: Any) -> HttpResponse:
    """Render a part of a page of a base."""
    rights = {name: may(request.user, action, base) for name, action in _RIGHTS.items()}
    return page(request, f"knowledge/{template}", ROOM, WORDS, base=base, **rights, **context)


_RIGHTS: dict[str, Action] = {
    "may_edit": "edit_knowledge",
    "may_edit_intents": "edit_intents",
    "may_publish": "publish_knowledge",
}
_TABS = (
    ("documents", "rooms:knowledge_base"),
    ("draft", "rooms:knowledge_draft"),
    ("try", "rooms:knowledge_try"),
    ("golden", "rooms:knowledge_golden"),
    ("gaps", "rooms:knowledge_gaps"),
    ("radar", "rooms:knowledge_radar"),
    ("releases", "rooms:knowledge_releases"),
    ("settings", "rooms:knowledge_settings"),
)


def refusal(text: str, status: int = 422) -> HttpResponse:
    """A short reason in plain words: the frame shows it and leaves the page as it is."""
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def told(response: HttpResponse, text: str, *, undo: str = "", target: str = "") -> HttpResponse:
    """Have the page show a notice; `undo` is the address that takes the act back and answers for `target`."""
    notice = {"text": text, "undo": undo, "target": target, "label": WORDS.here()["undo"]}
    response["HX-Trigger"] = json.dumps({"knowledge:told": notice})
    return response


def then_of(request: HttpRequest, base: KnowledgeBase) -> str:
    """Return what is to happen once a version is ready, as the services say it. Raises PermissionDenied."""
    then = request.POST.get("then", "draft")
    if then not in ("publish", "urgent"):
        return "draft"
    check(request, "publish_knowledge", base)
    return then


def record(request: HttpRequest, action: str, target: tuple[str, object], **details: audit.Json) -> None:
    """Append to the audit log: for each of the sites that answer from the base of this page."""
    slug = request.resolver_match.kwargs.get("base", "") if request.resolver_match else ""
    sites: list[Site | None] = [*Site.objects.filter(knowledge_base=slug).order_by("pk")] if slug else []
    for site in sites or [None]:
        audit.record(person(request), action, site=site, target=target, details=details)


def reason_of(version: DocumentVersion) -> str:
    """Return why a version was refused, in the reader's language."""
    return said(version.reason_code, version.reason)


def said(code: str, reason: str) -> str:
    """Return a reason in the reader's language; `reason` is the English one, with its detail."""
    if code not in REASONS:
        return reason
    before, _, after = REASONS[code][0].partition("{}")
    detail = reason.removeprefix(before).removesuffix(after) if "{}" in REASONS[code][0] else ""
    return here(wording(code, detail, "zh"), wording(code, detail))


def noticed(notices: list[list[str]]) -> list[str]:
    """Return what a manager should know of a file that was read, in the reader's language."""
    return [here(wording(code, detail, "zh"), wording(code, detail)) for code, detail in notices if code in NOTICES]


def place_of(source: str) -> str:
    """Return where in its file a chunk stands, in the reader's language."""
    return here(place(source, "zh"), source)


def here(chinese: str, english: str) -> str:
    """Return the text in the reader's language and script."""
    return Words({"it": (chinese, english)}).here()["it"]


def number_of(request: HttpRequest, name: str) -> int:
    """Return a whole number of the form. Raises Http404: our own pages always send it."""
    value = asked.number(request.POST.get(name))
    if value is None:
        raise Http404
    return value


def is_chinese() -> bool:
    """Whether the page is read in Chinese."""
    return language_of(get_language()) == "zh"
