"""A question put to what is published, and to the draft: what is found, how sure that is, what would be said."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from desk import asking
from desk.calibration import shipped_threshold
from knowledge.models import Document, KnowledgeBase
from rooms.knowledge import selectors
from rooms.knowledge.reach import on_base, part, refusal, shown
from rooms.knowledge.wording import WORDS

TOP = 8
LONGEST = 2_000
MOST_HISTORY = 10


@on_base("see_knowledge", "GET", "POST", at_once=False)
def attempt(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """The form; POST: what is found."""
    draft = selectors.draft_of(base)
    if request.method == "POST":
        return _tried(request, base, draft is not None)
    question = request.GET.get("q", "")[:LONGEST]
    return shown(request, "try.html", base, "try", draft=draft, question=question)


def _tried(request: HttpRequest, base: KnowledgeBase, has_draft: bool) -> HttpResponse:
    question = request.POST.get("question", "").strip()[:LONGEST]
    if not question:
        return refusal(WORDS.here()["question_missing"])
    history = [line.strip()[:LONGEST] for line in request.POST.get("history", "").splitlines() if line.strip()]
    against = request.POST.get("against", "published")
    places = {"both": (False, True), "draft": (True,)}.get(against, (False,)) if has_draft else (False,)
    columns = []
    for draft in places:
        try:
            found = asking.tried(base.slug, question, history[-MOST_HISTORY:], TOP, draft=draft)
        except asking.Unanswered as error:
            columns.append({"draft": draft, "failed": error.why})
            continue
        columns.append({"draft": draft, "found": found})
    threshold = base.threshold if base.threshold is not None else shipped_threshold()
    told = {"columns": columns, "question": question, "threshold": f"{100 * threshold:.0f}%"}
    return part(request, "tried.html", base, documents=_documents(base, columns), **told)


def _documents(base: KnowledgeBase, columns: list[dict[str, Any]]) -> dict[str, int]:
    """The ids of the documents that were found, by name. One query."""
    names = {one["document"] for column in columns for one in column.get("found", {}).get("passages", ())}
    return dict(Document.objects.filter(base=base, name__in=names).values_list("name", "pk"))
