"""What the draft changes, how it does in its examination, publishing it, and going back."""

from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from desk import asking, going_back, services
from knowledge import releases
from knowledge.models import Examination, KnowledgeBase, Release
from knowledge.releases import Change, GateClosed
from rooms import asked
from rooms.knowledge import selectors
from rooms.knowledge.reach import found, number_of, on_base, part, record, refusal, shown
from rooms.knowledge.wording import WORDS
from rooms.pages import person

CHANGES = 200
RELEASES = 50
RESULTS = 100


@on_base("see_knowledge", "GET")
def draft(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """What is not published yet, its examination, and the way out."""
    return shown(request, "draft.html", base, "draft", at=request.GET.get("at", ""), **_told(base))


def _told(base: KnowledgeBase) -> dict[str, Any]:
    draft = selectors.draft_of(base)
    changed = releases.changes(draft, base.published) if draft is not None else []
    gate = ""
    if draft is not None:
        try:
            releases.pass_gate(base, draft)
        except GateClosed as error:
            gate = error.code
    report = draft.examinations.filter(revision=draft.revision).order_by("pk").last() if draft is not None else None
    stale = draft.examinations.order_by("pk").last() if draft is not None and report is None else None
    return {
        "draft": draft,
        "changes": _with_ids(base, changed[:CHANGES]),
        "changed": len(changed),
        "report": _report(report),
        "stale": stale,
        "gate": gate,
        "golden": base.golden.filter(active=True).count(),
    }


def _with_ids(base: KnowledgeBase, changes: list[Change]) -> list[tuple[Change, int | None]]:
    """Each change with its document's id. One query."""
    ids = dict(base.documents.filter(name__in=[one.document for one in changes]).values_list("name", "pk"))
    return [(one, ids.get(one.document)) for one in changes]


def _report(examination: Examination | None) -> dict[str, Any] | None:
    if examination is None:
        return None
    rows = examination.results
    return {
        "of": examination,
        "count": len(rows),
        "lost": [row for row in rows if not row["right"] and row["was_right"]][:RESULTS],
        "gained": [row for row in rows if row["right"] and row["was_right"] is False][:RESULTS],
        "wrong": [row for row in rows if not row["right"] and not row["was_right"]][:RESULTS],
    }


@on_base("edit_knowledge", "POST", at_once=False)
def examine(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Have the golden questions put to the draft, or to what is published where there is no draft."""
    has_draft = selectors.draft_of(base) is not None
    if not services.enqueue_examination(base.slug, published=not has_draft):
        return refusal(WORDS.here()["no_worker"], 503)
    return _examining(request, base, _newest(base), 0)


@on_base("see_knowledge", "GET")
def examining(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Whether the examination is there that was asked for after another one (its id)."""
    since, times = (asked.number(request.GET.get(name, "0")) for name in ("since", "times"))
    if since is None or times is None:
        return refusal("", 404)
    if _newest(base) > since:
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    return _examining(request, base, since, times)


MOST_LOOKS = 300


def _examining(request: HttpRequest, base: KnowledgeBase, since: int, times: int) -> HttpResponse:
    return part(request, "examining.html", base, since=since, times=times + 1, late=times >= MOST_LOOKS)


def _newest(base: KnowledgeBase) -> int:
    last = Examination.objects.filter(release__base=base).order_by("-pk").values_list("pk", flat=True).first()
    return last or 0


@on_base("publish_knowledge", "POST")
def publish(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Let the draft answer, as it was looked at; `urgent` before it is examined."""
    words, urgent = WORDS.here(), request.POST.get("urgent") == "on"
    author = person(request).get_username()
    try:
        new = releases.publish(base.slug, revision=number_of(request, "revision"), urgent=urgent, author=author)
    except GateClosed as error:
        return refusal(words[f"gate_{error.code}"].replace("{}", str(error.lost)), 409)
    except releases.Conflict:
        return refusal(words["draft_changed"], 409)
    if new is None:
        return refusal(words["nothing_to_publish"], 409)
    record(request, "publish", ("release", new.number), urgent=urgent)
    if urgent:
        transaction.on_commit(partial(services.enqueue_examination, base.slug, published=True))
    return _followed("rooms:knowledge_draft", base)


def _followed(page: str, base: KnowledgeBase) -> HttpResponse:
    """The page, on which it is seen that what answers has changed just now."""
    return redirect(f"{reverse(page, args=[base.slug])}?at={round(timezone.now().timestamp())}")


@on_base("see_knowledge", "GET")
def live(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """Whether a worker answers customers from what is published, and since how many seconds."""
    release, at = base.published, asked.number(request.GET.get("at"))
    if release is None or at is None:
        return HttpResponse(status=204)
    try:
        answers = asking.why(base.slug, base.name, [], 1)["release"] == release.number
    except asking.Unanswered:
        answers = False
    seconds = max(1, round(timezone.now().timestamp()) - at)
    return part(request, "live.html", base, at=at, release=release, answers=answers, seconds=seconds)


# --- releases


@on_base("see_knowledge", "GET")
def published(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """What answers and has answered, the newest first."""
    rows = base.releases.filter(state=Release.State.PUBLISHED).defer("contacts").order_by("-number")[:RELEASES]
    listed = list(rows)
    examined = {
        one.release_id: one for one in Examination.objects.filter(release__in=listed).defer("results").order_by("pk")
    }
    shown_rows = [(one, examined.get(one.pk)) for one in listed]
    at = request.GET.get("at", "")
    return shown(request, "releases.html", base, "releases", releases=shown_rows, at=at)


@on_base("see_knowledge", "GET")
def what_changes(request: HttpRequest, base: KnowledgeBase, number: int) -> HttpResponse:
    """What going back to a release would change in the answers."""
    target = found(base.releases.filter(state=Release.State.PUBLISHED), number=number)
    changed = releases.changes(target, base.published)
    told = {"target": target, "changes": _with_ids(base, changed[:CHANGES]), "changed": len(changed)}
    return part(request, "changes.html", base, back=True, **told)


@on_base("publish_knowledge", "POST")
def back(request: HttpRequest, base: KnowledgeBase, number: int) -> HttpResponse:
    """Let an earlier release answer again."""
    try:
        target = going_back.to_release(base.slug, number, looked_at=number_of(request, "live"))
    except Release.DoesNotExist:
        return refusal(WORDS.here()["conflict"], 409)
    record(request, "rollback", ("release", target.number))
    return _followed("rooms:knowledge_releases", base)
