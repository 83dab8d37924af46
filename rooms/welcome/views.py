"""The first steps of a shop, one page each; every step uses what its room uses, and any may be left out."""

from typing import Any
from zoneinfo import available_timezones

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chatbot.hours import WEEKDAYS
from chatbot.models import Site
from knowledge.models import DocumentVersion, KnowledgeBase
from rooms import asked
from rooms.pages import needs, page, person
from rooms.sites import services, week
from rooms.sites.forms import NewSite
from rooms.sites.views import code_of, make, zone_of
from rooms.sites.wording import WORDS as SITE_WORDS
from rooms.welcome.forms import Origins
from rooms.welcome.steps import COOKIE, SKIPPED, STEPS, YEAR, Place, done, place
from rooms.welcome.wording import WORDS


@needs("manage_sites")
@require_GET
def first(request: HttpRequest) -> HttpResponse:
    """Go on where this browser was."""
    return redirect("rooms:welcome_step", place(request).step)


@needs("manage_sites")
@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, step: str) -> HttpResponse:
    """One step."""
    if step not in STEPS:
        raise Http404
    here = place(request)
    if here.site is None and step != STEPS[0]:
        return redirect("rooms:welcome_step", STEPS[0])
    site = here.site
    if request.method == "POST" and step != STEPS[0]:  # of the site that the page showed: another tab may be elsewhere
        site = get_object_or_404(Site, pk=asked.number(request.POST.get("site")))
    answer = _ANSWERS[step](request, site)
    if isinstance(answer, Site):  # it was filled in: on to the next
        return _kept(redirect("rooms:welcome_step", _after(step)), Place(_after(step), answer))
    status, shown = answer
    return _kept(_page(request, step, site, status, shown), Place(step, site))


@needs("manage_sites")
@require_GET
def documents(request: HttpRequest) -> HttpResponse:
    """What is in the shop's base by now: a piece of that step's page, asked for again while it is open."""
    site = get_object_or_404(Site, pk=asked.number(request.GET.get("site")))
    return page(request, "welcome/documents_now.html", "", WORDS, **_documents(site))


@needs("manage_sites")
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Leave the steps; nobody is invited to them on this browser any more."""
    answer = redirect("staff:home")
    answer.set_cookie(COOKIE, SKIPPED, max_age=YEAR, path="/staff/", httponly=True, samesite="Lax")
    return answer


Answer = Site | tuple[int, dict[str, Any]]
"""The site, when the step was filled in; else the page's status and what it shows."""


def _shop(request: HttpRequest, site: Site | None) -> Answer:
    form = NewSite(request.POST or None, initial={"languages": ["zh", "en"]})
    if request.method == "POST" and form.is_valid():
        made = make(request, form)
        if made is not None:
            return made
    return (400 if form.errors else 200), {"form": form}


def _hours(request: HttpRequest, site: Site | None) -> Answer:
    assert site is not None
    shown: dict[str, Any] = {"zones": sorted(available_timezones()), "days": WEEKDAYS}
    if request.method == "GET":
        return 200, {"week": week.shown(site.hours, zone_of(site)), **shown}
    given = week.read(request.POST.get("when") == "always", request.POST.get("zone", "").strip(), request.POST.getlist)
    if not given.problems:
        try:
            return services.change(person(request), site.pk, {"hours": given.hours}, seen=request.POST.get("seen", ""))
        except services.Stale:
            site.refresh_from_db()
            return 409, {"week": given.week, "stale": True, **shown}
    s = SITE_WORDS.here()
    problems = [(s.get(where, where), s.get(code, s["bad_days"])) for where, code in given.problems]
    return 400, {"week": given.week, "problems": problems, **shown}


def _knowledge(request: HttpRequest, site: Site | None) -> Answer:
    assert site is not None
    return 200, _documents(site)


def _people(request: HttpRequest, site: Site | None) -> Answer:
    return 200, {"people": User.objects.filter(is_active=True).order_by("username")[:20]}


def _embed(request: HttpRequest, site: Site | None) -> Answer:
    assert site is not None
    form = Origins(request.POST or None, initial={"allowed_origins": site.allowed_origins})
    if request.method == "POST" and form.is_valid():
        try:
            return services.change(person(request), site.pk, form.cleaned_data, seen=request.POST.get("seen", ""))
        except ValidationError as error:
            form.add_error(None, services.said(error))
        except services.Stale:
            site.refresh_from_db()
            return 409, {"form": form, "line": code_of(request, site), "stale": True}
    return (400 if form.errors else 200), {"form": form, "line": code_of(request, site)}


def _ask(request: HttpRequest, site: Site | None) -> Answer:
    return 200, {"language": "zh" if site and site.languages[:1] == ["zh"] else "en"}


_ANSWERS = {
    "shop": _shop,
    "hours": _hours,
    "documents": _knowledge,
    "people": _people,
    "embed": _embed,
    "ask": _ask,
}


def _documents(site: Site) -> dict[str, Any]:
    base = KnowledgeBase.objects.filter(slug=site.knowledge_base).select_related("published").first()
    newest = DocumentVersion.objects.filter(document__base=base).select_related("document").order_by("-created")
    return {
        "base": base,
        "newest": newest.defer("parsed", "edits", "findings")[:10] if base else [],
        "upload": reverse("rooms:knowledge_base", args=[site.knowledge_base]) if base else reverse("rooms:knowledge"),
    }


def _page(request: HttpRequest, step: str, site: Site | None, status: int, shown: dict[str, Any]) -> HttpResponse:
    ticks = done(site)
    t = WORDS.here()
    return page(
        request,
        f"welcome/{step}.html",
        "",
        WORDS,
        status=status,
        s=SITE_WORDS.here(),
        steps=[(one, t[f"step_{one}"], ticks[one]) for one in STEPS],
        step=step,
        site=site,
        seen=services.stamp(site) if site else "",
        after=_after(step),
        **shown,
    )


def _after(step: str) -> str:
    return STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]


def _kept(answer: HttpResponse, here: Place) -> HttpResponse:
    answer.set_cookie(COOKIE, here.cookie(), max_age=YEAR, path="/staff/", httponly=True, samesite="Lax")
    return answer
