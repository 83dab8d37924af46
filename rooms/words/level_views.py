"""The levels from which models review and block: what people's decisions suggest, a step by it, and the way back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from chatbot import levelling
from guardrails.classification.classifier import Thresholds
from guardrails.levels import TASKS, Levelled, Levels
from guardrails.levels import services as levels
from guardrails.levels.services import LevelError
from guardrails.levels.suggesting import DECISIONS, Suggestion, TooFew
from rooms.pages import actor, needs, page
from rooms.words import services
from rooms.words.services import Stale
from rooms.words.telling import shared
from rooms.words.wording import WORDS

MOST_VERSIONS = 50
_REASONS = {("review", 1): "review_up", ("review", -1): "review_down", ("block", 1): "block_up"} | {
    ("block", -1): "block_down"
}


@needs("see_words")
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The levels task by task, what is suggested, and who moved them before."""
    live = levels.load()
    changes = list(levels.history()[:MOST_VERSIONS])
    words = WORDS.here()
    return page(
        request,
        "words/levels.html",
        "words",
        WORDS,
        tab="levels",
        version=live.version,
        tasks=[_task(task, live) for task in TASKS],
        changes=[{"change": one, "action": words.get(f"act_{one.action}", one.action)} for one in changes],
        **shared(request),
    )


@needs("edit_words")
@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Move a task's levels as they were suggested."""
    task = next((task for task in TASKS if task == request.POST.get("task")), None)
    try:
        wanted = {task: (float(request.POST["review"]), float(request.POST["block"]))} if task else {}
        version = int(request.POST["version"][:9])
    except (KeyError, ValueError):
        return HttpResponse(status=400)
    if not wanted:
        return HttpResponse(status=400)
    return _carried_out(request, lambda why: services.move_levels(actor(request), wanted, why, version=version))


@needs("edit_words")
@require_POST
def back(request: HttpRequest) -> HttpResponse:
    """Make an earlier version live again."""
    try:
        number, version = int(request.POST["number"][:9]), int(request.POST["version"][:9])
    except (KeyError, ValueError):
        return HttpResponse(status=400)
    return _carried_out(request, lambda why: services.levels_back(actor(request), number, why, version=version))


def _carried_out(request: HttpRequest, act: Any) -> HttpResponse:
    words, why = WORDS.here(), request.POST.get("why", "").replace("\0", "").strip()
    if not why or len(why) > levels.LONGEST:
        return HttpResponse(words["why_missing"], status=422, content_type="text/plain; charset=utf-8")
    try:
        act(why)
    except Stale:
        return HttpResponse(words["stale_plain"], status=409, content_type="text/plain; charset=utf-8")
    except LevelError as error:
        told = words["refused_levels"].format(why=error)
        return HttpResponse(told, status=422, content_type="text/plain; charset=utf-8")
    messages.success(request, words["applied"])
    answer = HttpResponse(status=204)
    answer["HX-Refresh"] = "true"
    return answer


def _task(task: Levelled, live: Levels) -> dict[str, Any]:
    words, now, shipped = WORDS.here(), levelling.now(task, live), levels.shipped(task)
    count = len(levelling.decisions(task))
    shown = {"task": task, "name": words[f"task_{task}"], "now": _shown(now), "shipped": _shown(shipped)}
    try:
        found = levelling.suggested(task, live)
    except TooFew:
        return shown | {"told": words["few"].format(n=count, most=DECISIONS), "few": count, "most": DECISIONS}
    if found.thresholds == now:
        return shown | {"told": words["as_it_is"].format(n=count)}
    return shown | {
        "told": words["by_decisions"].format(n=count),
        "suggested": _shown(found.thresholds),
        "reasons": [words[f"reason_{code}"] for code in _reasons(now, found)],
        "effects": levelling.effects(found.before, found.after),
    }


def _reasons(now: Thresholds, found: Suggestion) -> list[str]:
    moves = []
    for level in ("review", "block"):
        by = getattr(found.thresholds, level) - getattr(now, level)
        if by:
            moves.append(_REASONS[level, 1 if by > 0 else -1])
    return moves


def _shown(thresholds: Thresholds) -> dict[str, str]:
    return {"review": f"{thresholds.review:.3f}", "block": f"{thresholds.block:.3f}"}
