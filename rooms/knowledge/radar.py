"""What is wrong in the documents: duplicates, contradictions, past dates, what nobody was ever told."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from desk import radar_findings
from knowledge.differences import text_difference
from knowledge.models import Chunk, KnowledgeBase, RadarFinding
from rooms.knowledge.reach import found, on_base, part, record, shown, told
from rooms.knowledge.wording import WORDS
from rooms.pages import person

ROWS = 20
KINDS = tuple(RadarFinding.Kind.values)
NAMED = 5
"""Passages of a finding that are named."""


@on_base("see_knowledge", "GET")
def radar(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """The findings of a base, those that most conversations met first."""
    listed = _listed(request, base)
    if request.headers.get("HX-Target") == "radar":
        return part(request, "radar_list.html", base, **listed)
    return shown(request, "radar.html", base, "radar", **listed)


def _listed(request: HttpRequest, base: KnowledgeBase) -> dict[str, Any]:
    kind, dismissed = request.GET.get("kind", ""), request.GET.get("dismissed") == "on"
    kind = kind if kind in KINDS else ""
    rows = radar_findings.findings(base.slug, kind=kind, dismissed=dismissed)
    page: Page[Any] = Paginator(rows, ROWS).get_page(request.GET.get("page", "1"))
    page.object_list = _shown(list(page.object_list))
    every = radar_findings.findings(base.slug, dismissed=dismissed)
    counts = dict(every.order_by().values_list("kind").annotate(Count("pk")))
    kinds = [(one, counts.get(one, 0)) for one in KINDS]
    return {"rows": page, "kind": kind, "kinds": kinds, "dismissed": dismissed, "all": sum(counts.values())}


def _shown(rows: list[RadarFinding]) -> list[dict[str, Any]]:
    """The findings with where their passages are. One query."""
    wanted = {chunk for row in rows for chunk in row.chunks[:NAMED]}
    chunks = Chunk.objects.filter(pk__in=wanted).select_related("version__document").defer("sentences")
    places = {one.pk: one for one in chunks}
    return [_finding(row, places) for row in rows]


def _finding(row: RadarFinding, places: dict[int, Chunk]) -> dict[str, Any]:
    sides = row.detail.get("passages") or row.detail.get("sentences") or []
    chunks = [places[one] for one in row.chunks[:NAMED] if one in places]
    own = [{**side, "place": places.get(side["chunk"])} for side in sides]
    for side in own:
        side["number"] = side["place"].position + 1 if side["place"] else 0
    if len(own) == 2:
        pieces = text_difference(own[0]["text"], own[1]["text"])
        own[0]["pieces"] = [(mark, text) for mark, text in pieces if mark != "+"]
        own[1]["pieces"] = [(mark, text) for mark, text in pieces if mark != "-"]
    return {
        "finding": row,
        "sides": own,
        "chunks": chunks,
        "document": chunks[0].version.document if chunks else None,
        "differences": [one["values"] for one in row.detail.get("differences", ())],
        "detail": row.detail,
    }


@on_base("edit_knowledge", "POST")
def dismiss(request: HttpRequest, base: KnowledgeBase, finding: int) -> HttpResponse:
    """Say that a finding is nothing."""
    row = found(RadarFinding.objects.all(), base=base, pk=finding)
    if radar_findings.dismiss(row.pk, person(request).get_username()):
        record(request, "dismiss_finding", ("finding", row.pk))
    undo = reverse("rooms:knowledge_radar_restore", args=[base.slug, row.pk])
    return told(_one(request, base, row), WORDS.here()["finding_dismissed"], undo=undo, target=f"#finding-{row.pk}")


@on_base("edit_knowledge", "POST")
def restore(request: HttpRequest, base: KnowledgeBase, finding: int) -> HttpResponse:
    """Take a dismissal back."""
    row = found(RadarFinding.objects.all(), base=base, pk=finding)
    if radar_findings.restore(row.pk):
        record(request, "restore_finding", ("finding", row.pk))
    return _one(request, base, row)


def _one(request: HttpRequest, base: KnowledgeBase, row: RadarFinding) -> HttpResponse:
    row.refresh_from_db()
    return part(request, "finding.html", base, one=_shown([row])[0])
