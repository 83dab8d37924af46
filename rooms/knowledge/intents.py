"""What customers want: labels and what is done about each, the utterances that teach them, models and what they can do.

Intents are one for all sites, so they stand beside the bases and not in one.
"""

import json
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect

from chatbot.encoder import SEARCH
from desk import jobs
from desk.models import Job
from rooms import asked
from rooms.knowledge.reach import ROOM, has_nul, record, refusal
from rooms.knowledge.wording import WORDS
from rooms.pages import needs, page, person
from understanding import services
from understanding.errors import UnderstandingError
from understanding.intents.decision import OOS
from understanding.intents.routing import ROUTES, TONES
from understanding.services import SHIPPED, Stale

V = TypeVar("V", bound=Callable[..., HttpResponse])
MODELS = 10
CONFUSIONS = 12
CHANGES = 10
MOST_AT_ONCE = 500
_SAID = {
    "cannot name a label": "label_wrong",
    "already": "label_exists",
    "still has utterances": "label_used",
    "filter maps": "filter_wrong",
    "no text": "utterance_wrong",
    "longer than": "utterance_wrong",
    "placeholder": "utterance_private",
    "no label": "utterance_wrong",
    "no other model": "no_model_before",
}
"""Words of a refusal, and what of ours says the same."""


def refusing(view: V) -> V:
    """Decorate a view: what understanding refuses is told in plain words, 409 for what somebody else has changed.

    A POST is one transaction, with its entry in the audit log.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        if has_nul(request):
            return refusal(WORDS.here()["nul"], 400)
        try:
            with transaction.atomic() if _posted(request) else nullcontext():
                return view(request, *args, **more)
        except Stale:
            return refusal(WORDS.here()["conflict"], 409)
        except UnderstandingError as error:
            code = next((word for part, word in _SAID.items() if part in str(error)), "")
            return refusal(WORDS.here()[code] if code else str(error))

    return cast(V, guarded)


def _posted(request: HttpRequest) -> bool:
    return request.method == "POST"


@needs("edit_intents")
def intents(request: HttpRequest) -> HttpResponse:
    """The labels with their utterances, the model that understands customers, and what it takes for something else."""
    every = services.versions()
    models, active = every[:MODELS], next((one for one in every if one["active"]), every[-1])
    return page(
        request,
        "knowledge/intents.html",
        ROOM,
        WORDS,
        labels=services.counted_labels(),
        models=models,
        active=active,
        classes={row["label"]: row for row in active["report"]["classes"]},
        confusions=active["report"]["confusions"][:CONFUSIONS],
        changes=services.history()[:CHANGES],
        shipped=SHIPPED,
        oos=OOS,
        job=jobs.trainings().first(),
        new={"slug": ""},
        routes=ROUTES,
        tones=TONES,
    )


@needs("edit_intents")
def train(request: HttpRequest) -> HttpResponse:
    """POST: have a model trained; GET: how that is going."""
    if _posted(request):
        with transaction.atomic():
            jobs.train(author=person(request).get_username())
            record(request, "train_intents", ("intents", ""))
    job = jobs.trainings().first()
    if job is not None and not _posted(request) and job.state not in Job.UNFINISHED:
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    return page(request, "knowledge/training.html", ROOM, WORDS, job=job)


@needs("publish_knowledge")
@refusing
def activate(request: HttpRequest) -> HttpResponse:
    """Have another model understand customers; without a number the one that did so before."""
    if not _posted(request):
        return HttpResponseNotAllowed(["POST"])
    who, number = person(request).get_username(), asked.number(request.POST.get("number"))
    if number is not None:
        services.activate(number, SEARCH, who=who)
    else:
        services.rollback(SEARCH, who=who)
    record(request, "activate_intents", ("intents", number or "before"))
    return redirect("rooms:knowledge_intents")


@needs("edit_intents")
@refusing
def label(request: HttpRequest, label: str) -> HttpResponse:
    """GET: a label's utterances and what is done about it; POST: change, make or delete it."""
    if _posted(request):
        return _changed(request, label)
    found = next((one for one in services.counted_labels() if one["slug"] == label), None)
    if found is None:
        raise Http404
    text = request.GET.get("q", "").strip()[:200]
    rows = services.page_of(label, number=asked.page_number(request), search=text)
    told: dict[str, Any] = {"label": found, "rows": rows, "text": text, "oos": OOS, "routes": ROUTES, "tones": TONES}
    told["filter"] = "\n".join(f"{key} = {value}" for key, value in found.get("filter", {}).items())
    if request.headers.get("HX-Target") == "utterances":
        return page(request, "knowledge/utterances.html", ROOM, WORDS, **told)
    slugs = [one["slug"] for one in services.counted_labels()]
    return page(request, "knowledge/intent.html", ROOM, WORDS, slugs=slugs, **told)


def _changed(request: HttpRequest, label: str) -> HttpResponse:
    who, version = person(request).get_username(), asked.number(request.POST.get("version"))
    slug = request.POST.get("slug", "").strip() or label
    if request.POST.get("delete"):
        services.delete_label(label, who=who, version=version or 0)
        record(request, "delete_intent", ("intent", label))
        return redirect("rooms:knowledge_intents")
    services.put_label(slug, who=who, version=version, **_settings(request))
    record(request, "put_intent", ("intent", slug))
    return redirect("rooms:knowledge_intent", slug)


def _settings(request: HttpRequest) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: request.POST[name].strip()[:5000]
        for name in ("name_zh", "name_en", "route", "tone", "reply_zh", "reply_en")
        if name in request.POST
    }
    if "filter" in request.POST:
        pairs = [line.partition("=") for line in request.POST["filter"].splitlines() if line.strip()]
        given["filter"] = {key.strip(): value.strip() for key, _, value in pairs}
    return given


@needs("edit_intents")
@refusing
def utterances(request: HttpRequest, label: str) -> HttpResponse:
    """Add utterances, one a line; or change, move or take away one, which is named by its text."""
    if not _posted(request):
        return HttpResponseNotAllowed(["POST"])
    who, act = person(request).get_username(), request.POST.get("act", "add")
    if act == "add":
        lines = [line.strip() for line in request.POST.get("texts", "").splitlines() if line.strip()][:MOST_AT_ONCE]
        came = services.add([{"text": text, "label": label} for text in lines], who=who, source=who)
        words = WORDS.here()
        said = words["utterances_came"].replace("{}", str(came.added), 1).replace("{}", str(came.duplicates), 1)
        if came.rejected:
            said += words["utterances_rejected"].replace("{}", str(sum(came.rejected.values())))
        notice = {"text": said, "wrong": bool(came.rejected)}
    else:
        row = services.own(request.POST.get("was", ""))
        version = asked.number(request.POST.get("version"))
        if act == "delete":
            services.delete(row["id"], who=who, version=row["version"] if version is None else version)
        else:
            wanted: dict[str, Any] = {
                "text": request.POST.get("text", row["text"]),
                "label": request.POST.get("to", row["label"]),
            }
            wanted |= {"active": act != "off"} if act in ("on", "off") else {}
            services.edit(row["id"], who=who, version=version or 0, **wanted)
        notice = {"text": WORDS.here()["utterance_kept"]}
    record(request, "utterances", ("intent", label), what=act)
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({"toast": notice, "knowledge:taught": {}})
    return response
