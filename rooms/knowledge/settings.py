"""When a base answers, what a release may lose, whether it publishes itself; and what was removed for good."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from desk.calibration import Calibration, calibration, shipped_threshold
from knowledge.models import KnowledgeBase
from rooms import asked
from rooms.knowledge import selectors
from rooms.knowledge.reach import on_base, record, shown
from rooms.knowledge.wording import WORDS
from rooms.pages import check

FIELDS = ("name", "threshold", "losses_allowed", "publishes_itself")


@on_base("see_knowledge", "GET", "POST")
def settings(request: HttpRequest, base: KnowledgeBase) -> HttpResponse:
    """The settings of a base."""
    now = {name: getattr(base, name) for name in FIELDS}
    if request.method == "GET":
        return _page(request, base, now)
    check(request, "publish_knowledge", base)
    words, typed = WORDS.here(), _typed(request)
    try:
        wanted = _checked(typed)
    except ValueError as error:
        return _page(request, base, now | typed, wrong=words[str(error)])
    if request.POST.get("was") != _stamp(now):
        return _page(request, base, now | typed, wrong=words["settings_changed"])
    KnowledgeBase.objects.filter(pk=base.pk).update(**wanted)
    record(request, "settings", ("base", base.slug), changed=[name for name in FIELDS if wanted[name] != now[name]])
    return redirect("rooms:knowledge_settings", base.slug)


def _typed(request: HttpRequest) -> dict[str, Any]:
    return {
        "name": " ".join(request.POST.get("name", "").split()),
        "threshold": request.POST.get("threshold", "").strip().replace(",", "."),
        "losses_allowed": request.POST.get("losses_allowed", "").strip(),
        "publishes_itself": request.POST.get("publishes_itself") == "on",
    }


def _checked(typed: dict[str, Any]) -> dict[str, Any]:
    """The values to be kept. Raises ValueError with the word for what is wrong."""
    threshold, losses = typed["threshold"], typed["losses_allowed"]
    if not typed["name"] or len(typed["name"]) > 200:
        raise ValueError("name_wrong")
    try:
        share = float(threshold) / 100 if threshold else None
    except ValueError:
        raise ValueError("threshold_wrong") from None
    if share is not None and not 0 < share < 1:
        raise ValueError("threshold_wrong")
    allowed = asked.number(losses, most=1000)
    if allowed is None:
        raise ValueError("losses_wrong")
    return typed | {"threshold": share, "losses_allowed": allowed}


def _page(request: HttpRequest, base: KnowledgeBase, values: dict[str, Any], wrong: str = "") -> HttpResponse:
    shipped = shipped_threshold()
    own = base.threshold if base.threshold is not None else shipped
    base.refresh_from_db(fields=list(FIELDS))
    shown_values = dict(values)
    if isinstance(shown_values["threshold"], float):
        shown_values["threshold"] = f"{100 * shown_values['threshold']:.4g}"
    return shown(
        request,
        "settings.html",
        base,
        "settings",
        values=shown_values,
        was=_stamp({name: getattr(base, name) for name in FIELDS}),
        wrong=wrong,
        shipped=f"{100 * shipped:.0f}",
        calibration=_told(calibration(base, own)),
        purges=selectors.purges(base),
    )


def _told(found: Calibration) -> dict[str, Any]:
    """A calibration in numbers that people read."""
    now = found.now
    return {
        "answerable": found.answerable,
        "unanswerable": found.unanswerable,
        "now": now and {"wrong": f"{100 * now.answered_wrongly:.0f}%", "kept": f"{100 * now.kept:.0f}%"},
        "choices": [
            {"one": one, "in": round(1 / one.error), "shown": f"{100 * one.value:.4g}"}
            for one in found.choices
            if one.error
        ],
    }


def _stamp(values: dict[str, Any]) -> str:
    return repr([values[name] for name in FIELDS])
