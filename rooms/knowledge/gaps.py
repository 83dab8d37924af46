"""What customers asked and the documents do not answer: each with its questions, and an answer to be written."""

from functools import partial
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from desk import gap_services, services
from knowledge import importing
from knowledge.models import Gap, KnowledgeBase
from knowledge.purging import ANSWERS
from rooms.knowledge.reach import found, on_base, part, record, shown, then_of, told
from rooms.knowledge.wording import WORDS
from rooms.pages import person

ROWS = 20
QUESTIONS = 30
STATES = (gap_services.OPEN, gap_services.ANSWERED, gap_services.DISMISSED)


@on_base("see_knowledge", "GET")
def gaps(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """The gaps of a base, those that most conversations met first."""
    state = request.GET.get("state", gap_services.OPEN)
    rows = gap_services.gaps(base.slug, state=state if state in STATES else gap_services.OPEN)
    text = request.GET.get("q", "").strip()[:200]
    if text:
        rows = rows.filter(question__icontains=text)
    page: Page[Any] = Paginator(rows, ROWS).get_page(request.GET.get("page", "1"))
    page.object_list = [_shown(row) for row in page.object_list]
    listed = {"rows": page, "state": state, "states": STATES, "text": text}
    if request.headers.get("HX-Target") == "gaps":
        return part(request, "gaps_list.html", base, **listed)
    return shown(request, "gaps.html", base, "gaps", **listed)


def _shown(row: Gap) -> dict[str, Any]:
    texts = list(dict.fromkeys(one["text"] for one in row.questions))
    return {
        "gap": row,
        "others": [text for text in texts if text != row.question][:QUESTIONS],
        "draft": row.draft,
        "sources": [one for one in row.draft.get("sources", ()) if one.get("text")],
    }


@on_base("edit_knowledge", "POST")
def answer(request: HttpRequest, base: KnowledgeBase, gap: int) -> HttpResponse:
    """Have a manager's answer taken in as a document of one question and its answer; or keep it as a draft."""
    row = found(Gap.objects.all(), base=base, pk=gap)
    question, text = request.POST.get("question", "")[:2000], request.POST.get("answer", "")[:20_000]
    author = person(request).get_username()
    if request.POST.get("later"):
        gap_services.redraft(row.pk, question, text, author)
        record(request, "redraft_gap", ("gap", row.pk))
        return told(_one(request, base, row), WORDS.here()["kept_for_later"])
    store = partial(importing.take_in, base.slug, then=then_of(request, base), author=author)
    try:
        done = gap_services.answer(row.pk, question, text, author, store=store)
    except ValueError:
        typed = _shown(row) | {"draft": row.draft | {"question": question, "answer": text}}
        return part(request, "gap.html", base, one=typed, wrong=WORDS.here()["gap_wrong"], state=row.state)
    if done:
        services.enqueue_work()
        record(request, "answer_gap", ("gap", row.pk))
    return _one(request, base, row)


@on_base("edit_knowledge", "POST")
def dismiss(request: HttpRequest, base: KnowledgeBase, gap: int) -> HttpResponse:
    """Say that a gap needs no answer."""
    row = found(Gap.objects.all(), base=base, pk=gap)
    if gap_services.dismiss(row.pk, person(request).get_username()):
        record(request, "dismiss_gap", ("gap", row.pk))
    undo = reverse("rooms:knowledge_gap_reopen", args=[base.slug, row.pk])
    return told(_one(request, base, row), WORDS.here()["gap_dismissed"], undo=undo, target=f"#gap-{row.pk}")


@on_base("edit_knowledge", "POST")
def reopen(request: HttpRequest, base: KnowledgeBase, gap: int) -> HttpResponse:
    """Take a dismissal or an answer back."""
    row = found(Gap.objects.all(), base=base, pk=gap)
    if gap_services.reopen(row.pk, person(request).get_username()):
        record(request, "reopen_gap", ("gap", row.pk))
    return _one(request, base, row)


def _one(request: HttpRequest, base: KnowledgeBase, row: Gap) -> HttpResponse:
    row.refresh_from_db()
    answered = base.documents.filter(name=f"{ANSWERS}{row.pk}.csv").values_list("pk", flat=True).first()
    return part(request, "gap.html", base, one=_shown(row), state=row.state, document=answered)
