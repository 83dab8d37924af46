"""The golden questions: listed with how they did last, kept, dropped, brought in from a file."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from chatbot import wiring
from desk import golden_files, services
from guardrails.personal_data.pool import MaskingUnavailable
from knowledge import examining
from knowledge.golden import Golden
from knowledge.models import Examination, GoldenQuestion, KnowledgeBase
from rooms import asked
from rooms.knowledge.reach import found, on_base, part, record, refusal, shown, told
from rooms.knowledge.wording import WORDS
from rooms.pages import person

ROWS = 50
MOST_ERRORS = 50
ORIGINS = ("typed", "thumbs_down", "correction")
Expects = GoldenQuestion.Expects


@on_base("see_knowledge", "GET")
def golden(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """The golden questions of a base; for htmx the list alone."""
    listed = _listed(request, base)
    if request.headers.get("HX-Target") == "golden":
        return part(request, "golden_list.html", base, **listed)
    new = {
        "question": request.GET.get("new", "")[:2000],
        "expects": request.GET.get("expects", "answer"),
        "document": request.GET.get("document", "")[:500],
        "facts": [],
    }
    opened = "new" in request.GET
    return shown(request, "golden.html", base, "golden", one=new, opened=opened, names=_names(base), **listed)


def _names(base: KnowledgeBase) -> list[str]:
    return list(base.documents.order_by("name").values_list("name", flat=True)[:1000])


def _listed(request: HttpRequest, base: KnowledgeBase) -> dict[str, Any]:
    last = Examination.objects.filter(release__base=base).select_related("release").order_by("-pk").first()
    results = {row["key"]: row for row in last.results} if last is not None else {}
    rows = base.golden.filter(active=True).order_by("-pk")
    text, origin = request.GET.get("q", "").strip()[:200], request.GET.get("origin", "")
    if text:
        rows = rows.filter(question__icontains=text)
    if origin in ORIGINS:
        rows = rows.filter(origin=origin)
    wrong = request.GET.get("wrong") == "on"
    if wrong:
        rows = rows.filter(question__in=[row["question"] for row in results.values() if not row["right"]])
    page: Page[Any] = Paginator(rows, ROWS).get_page(request.GET.get("page", "1"))
    page.object_list = [(one, results.get(_golden(one).key)) for one in page.object_list]
    return {"rows": page, "last": last, "text": text, "origin": origin, "wrong": wrong, "origins": ORIGINS}


def _golden(row: GoldenQuestion) -> Golden:
    return Golden(row.question, row.expects == Expects.ANSWER, row.document, tuple(row.facts))


@on_base("edit_knowledge", "GET")
def edit(request: HttpRequest, base: KnowledgeBase, question: int) -> HttpResponse:
    """The form of a golden question."""
    one = found(base.golden.filter(active=True), pk=question)
    return part(request, "golden_form.html", base, one=one, was=one.pk, names=_names(base))


@on_base("edit_knowledge", "POST", at_once=False)
def keep(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Keep a golden question, new or changed; the form comes back with what is wrong with it."""
    question = " ".join(request.POST.get("question", "").split())[:2000]
    facts = [line.strip() for line in request.POST.get("facts", "").splitlines() if line.strip()][:20]
    expects = request.POST.get("expects", "answer")
    was = base.golden.filter(active=True, pk=asked.number(request.POST.get("was")) or 0).first()
    document = request.POST.get("document", "").strip()[:500] if expects == "answer" else ""
    wanted = Golden(question, expects == "answer", document, tuple(facts) if expects == "answer" else ())
    typed = {"question": question, "expects": expects, "document": document, "facts": facts}

    def wrong(why: str) -> HttpResponse:
        told_again = {"one": typed, "was": was.pk if was else "", "names": _names(base), "wrong": WORDS.here()[why]}
        return part(request, "golden_form.html", base, **told_again)

    if not question:
        return wrong("question_missing")
    if document and not base.documents.filter(name=document).exists():
        return wrong("document_unknown")
    refused = _kept(request, base, wanted, was)
    if refused:
        return wrong(refused)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = reverse("rooms:knowledge_golden", args=[base.slug])
    return response


def _kept(request: HttpRequest, base: KnowledgeBase, wanted: Golden, was: GoldenQuestion | None = None) -> str:
    """Keep it, in place of what it was; return "" or the word for why not."""
    author = person(request).get_username()
    try:
        personal = wiring.masking().find(wanted.question)  # before the transaction: looking takes its time
        with transaction.atomic():
            if services.keep_golden(base.slug, wanted, find=lambda _: personal, author=author):
                record(request, "keep_golden", ("base", base.slug))
            if was is not None and was.question != wanted.question and examining.drop_question(base.slug, was.question):
                record(request, "drop_golden", ("golden", was.pk))
    except services.PersonalData:
        return "question_private"
    except examining.TooMany:
        return "golden_full"
    except MaskingUnavailable:
        return "masking_away"
    return ""


@on_base("edit_knowledge", "POST")
def drop(request: HttpRequest, base: KnowledgeBase, question: int) -> HttpResponse:
    """Stop asking a golden question."""
    one = found(base.golden.all(), pk=question)
    examining.drop_question(base.slug, one.question)
    record(request, "drop_golden", ("golden", one.pk))
    undo = reverse("rooms:knowledge_golden_again", args=[base.slug, one.pk])
    return told(
        part(request, "golden_list.html", base, **_listed(request, base)),
        WORDS.here()["dropped"],
        undo=undo,
        target="#golden",
    )


@on_base("edit_knowledge", "POST")
def again(request: HttpRequest, base: KnowledgeBase, question: int) -> HttpResponse:
    """Ask a golden question again that was dropped."""
    one = found(base.golden.all(), pk=question)
    examining.keep_question(base.slug, _golden(one), author=person(request).get_username())
    record(request, "keep_golden", ("golden", one.pk))
    return part(request, "golden_list.html", base, **_listed(request, base))


@on_base("edit_knowledge", "POST", at_once=False)
def bring(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Keep the questions of a file; tell line by line what was wrong."""
    file, words = request.FILES.get("file"), WORDS.here()
    if file is None:
        return refusal(words["file_missing"])
    try:
        lines = golden_files.read(file.name or "", file.read())
    except golden_files.Unusable as error:
        return refusal(words[f"golden_{error.code}"])
    errors, kept = [], 0
    for line, one in enumerate(lines, 1):
        code = f"golden_{one.code}" if isinstance(one, golden_files.Unusable) else _kept(request, base, one)
        if code:
            errors.append((one.line if isinstance(one, golden_files.Unusable) else line, words[code]))
        else:
            kept += 1
        if code in ("masking_away", "golden_full"):
            break
    return part(request, "golden_came.html", base, kept=kept, errors=errors[:MOST_ERRORS], failed=len(errors))
