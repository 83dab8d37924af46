"""The sites room: what an embedding shop is called, says, allows, looks like, and how it ends."""

from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chatbot import appearance, wiring
from chatbot.events import LogUnavailable
from chatbot.hours import WEEKDAYS
from chatbot.models import Conversation, Handoff, Site
from chatbot.turn import Language
from console.models import StaffMember
from console.wording import language_of
from knowledge.models import Document, KnowledgeBase
from rooms.pages import check, needs, page, person
from rooms.sites import look, services, week
from rooms.sites.forms import NewSite, Retention, SiteForm
from rooms.sites.wording import WORDS

PAGE = 50


@needs("manage_sites")
@require_GET
def first(request: HttpRequest) -> HttpResponse:
    """All sites."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:200]
    found = Site.objects.filter(Q(name__icontains=wanted) | Q(key__icontains=wanted) if wanted else Q())
    bases = KnowledgeBase.objects.filter(slug=OuterRef("knowledge_base"), published__isnull=False)
    rows = found.annotate(number=Count("conversations"), last=Max("conversations__updated"), answers=Exists(bases))
    shown = Paginator(rows.order_by("name", "pk"), PAGE).get_page(request.GET.get("page"))
    return page(request, "sites/first.html", "sites", WORDS, rows=shown, q=wanted)


@needs("manage_sites")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new site."""
    form = NewSite(request.POST or None)
    if request.method == "POST" and form.is_valid():
        site = make(request, form)
        if site is not None:
            return redirect("rooms:site", site.pk)
    return page(request, "sites/new.html", "sites", WORDS, form=form, status=400 if form.errors else 200)


def make(request: HttpRequest, form: NewSite) -> Site | None:
    """Make the site that was filled in; None when it cannot be, and the form says why."""
    given = form.cleaned_data
    try:
        return services.make(
            person(request), name=given["name"], base=given["knowledge_base"], languages=given["languages"]
        )
    except ValidationError as error:
        form.add_error(None, services.said(error))
        return None


@needs("manage_sites")
@require_GET
def embed(request: HttpRequest, site: int) -> HttpResponse:
    """The line that a shop puts on its pages, and whether it is seen."""
    found = _site(request, site)
    base = KnowledgeBase.objects.filter(slug=found.knowledge_base).select_related("published").first()
    return _page(
        request,
        found,
        "embed",
        line=code_of(request, found),
        base=base,
        documents=Document.objects.filter(base=base).count() if base else 0,
        last=Conversation.objects.filter(site=found).aggregate(last=Max("created"))["last"],
        policy=f"script-src {_here(request)}; connect-src {_here(request)} {_here(request).replace('http', 'ws', 1)}",
    )


def code_of(request: HttpRequest, site: Site) -> str:
    """Return the line that a shop adds to its pages."""
    return f'<script src="{request.build_absolute_uri(static("kefu/kefu.js"))}" data-key="{site.key}" async></script>'


@needs("manage_sites")
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, site: int) -> HttpResponse:
    """Name, pages, documents, languages, manner of speaking."""
    found = _site(request, site)
    form = SiteForm(request.POST or None, initial=SiteForm.initial_of(found))
    if request.method == "POST" and form.is_valid():
        try:
            return _change(request, found, form.changes(), "rooms:site_settings")
        except ValidationError as error:
            form.add_error(None, services.said(error))
        except services.Stale:
            return _stale(request, found, "settings", form=form)
    return _page(request, found, "settings", form=form, status=400 if form.errors else 200)


@needs("manage_sites")
@require_http_methods(["GET", "POST"])
def hours(request: HttpRequest, site: int) -> HttpResponse:
    """When people answer."""
    found = _site(request, site)
    shown: dict[str, Any] = {"zones": sorted(available_timezones()), "days": WEEKDAYS}
    if request.method == "GET":
        return _page(request, found, "hours", week=week.shown(found.hours, zone_of(found)), **shown)
    given = week.read(request.POST.get("when") == "always", request.POST.get("zone", "").strip(), request.POST.getlist)
    if not given.problems:
        try:
            return _change(request, found, {"hours": given.hours}, "rooms:site_hours")
        except services.Stale:
            return _stale(request, found, "hours", week=given.week, **shown)
    t = WORDS.here()
    problems = [(t.get(where, where), t.get(code, t["bad_days"])) for where, code in given.problems]
    return _page(request, found, "hours", week=given.week, problems=problems, status=400, **shown)


def zone_of(site: Site) -> str:
    """Return a likely zone of a site that has no hours yet."""
    return "Asia/Shanghai" if site.languages[:1] == ["zh"] else "UTC"


@needs("manage_sites")
@require_http_methods(["GET", "POST"])
def looks(request: HttpRequest, site: int) -> HttpResponse:
    """How the chat looks and what it offers, with the chat itself beside it."""
    found = _site(request, site)
    t = WORDS.here()
    stored = appearance.read(found.widget)
    shown: dict[str, Any] = {"kinds": look.KINDS, "chat": stored, "launcher": stored.launcher[_reader_language()]}
    if request.method == "GET":
        return _page(request, found, "look", look=_fields(stored), **shown)
    given = look.read(request.POST.getlist)
    if not (wrong := look.problems(given)):
        chosen = appearance.parse(given).model_dump(exclude_defaults=True)
        try:
            return _change(request, found, {"widget": chosen}, "rooms:site_look")
        except services.Stale:
            return _stale(request, found, "look", look=_fields(appearance.parse(given)), **shown)
    kept = appearance.Appearance.model_construct(**_forgiving(given))
    problems = [(t.get(f"look_{name}", name), t["bad_label"] if "label" in why else why) for name, why in wrong]
    return _page(request, found, "look", look=_fields(kept), problems=problems, status=400, **shown)


def _reader_language() -> Language:
    """Return the reader's language."""
    return language_of(get_language())


def _forgiving(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was typed as the form shows it, whatever is wrong with it."""
    return {
        **given,
        "pre_chat": [{**asked, "choices": list(asked["choices"])} for asked in given.get("pre_chat", [])],
    }


def _fields(shown: appearance.Appearance) -> list[tuple[look.Field, str, str]]:
    """Return the form's fields with their words."""
    t = WORDS.here()
    return [
        (
            one,
            t.get(f"look_{one.name}", one.title),
            t.get(f"look_{one.name}_help", "" if f"look_{one.name}" in t else one.help),
        )
        for one in look.fields(shown)
    ]


@needs("manage_sites")
@require_GET
def preview(request: HttpRequest, site: int) -> HttpResponse:
    """A page of an invented shop with the site's chat on it."""
    found = _site(request, site)
    language: Language = "zh" if found.languages[:1] == ["zh"] else "en"
    if (wanted := request.GET.get("language")) in ("zh", "en"):
        language = "zh" if wanted == "zh" else "en"
    # Said in the tag, because browsers keep for minutes what the chat asks for itself.
    chat = appearance.read(found.widget)
    shown: dict[str, Any] = {"site": found, "language": language, "chat": chat, "launcher": chat.launcher[language]}
    return page(request, "sites/preview.html", "sites", WORDS, **shown)


@needs("manage_sites")
@require_http_methods(["GET", "POST"])
def data(request: HttpRequest, site: int) -> HttpResponse:
    """How long conversations are kept; the secret, the key, and the end of the site."""
    found = _site(request, site)
    form = Retention(request.POST or None, initial={"retention_days": found.retention_days})
    erased = 0
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["retention_days"]
        erased = services.old_conversations(found, days)
        shorter = days and (not found.retention_days or days < found.retention_days)
        if not (shorter and erased) or request.POST.get("confirmed") == str(days):
            try:
                return _change(request, found, {"retention_days": days}, "rooms:site_data")
            except services.Stale:
                return _stale(request, found, "data", form=form, **_what_hangs_on(found))
    status = 400 if form.errors else 200
    return _page(request, found, "data", form=form, erased=erased, status=status, **_what_hangs_on(found))


def _what_hangs_on(site: Site) -> dict[str, Any]:
    chats = Conversation.objects.filter(site=site)
    return {
        "conversations": chats.count(),
        "oldest": chats.order_by("updated").values_list("updated", flat=True).first(),
        "waiting": Handoff.objects.filter(conversation__site=site).exclude(state=Handoff.State.ENDED).count(),
        "staff": StaffMember.objects.filter(sites=site).count(),
    }


@needs("manage_sites")
@require_POST
def secret(request: HttpRequest, site: int) -> HttpResponse:
    """A new secret for signing users; the answer is the only page that ever shows it."""
    found = _site(request, site)
    made = services.new_user_secret(person(request), found.pk, master_key=wiring.master_key())
    return _page(request, found, "secret", secret=made)


@needs("manage_sites")
@require_POST
def key(request: HttpRequest, site: int) -> HttpResponse:
    """A new public key."""
    found, t = _site(request, site), WORDS.here()
    try:
        services.new_key(person(request), found.pk)
    except services.Ending:
        messages.error(request, t["key_ending"])
    else:
        messages.success(request, t["key_made"])
    return redirect("rooms:site", found.pk)


@needs("manage_sites")
@require_POST
def delete(request: HttpRequest, site: int) -> HttpResponse:
    """Erase the site's conversations, a second's worth at a time, and then the site."""
    found = _site(request, site)
    t = WORDS.here()
    if not services.is_ending(found) and request.POST.get("name", "").strip() != found.name.strip():
        messages.error(request, t["delete_typed_wrong"])
        return redirect("rooms:site_data", found.pk)
    try:
        left = services.delete_some(
            person(request), found.pk, log=wiring.event_log(), also=[wiring.answer_store().drop_conversation]
        )
    except LogUnavailable:
        messages.error(request, t["delete_stopped"])
        return redirect("rooms:site_data", found.pk)
    if left:
        return page(request, "sites/deleting.html", "sites", WORDS, site=found, left=left)
    messages.success(request, t["deleted"])
    answer = HttpResponse(status=204) if request.headers.get("HX-Request") else redirect("rooms:sites")
    if request.headers.get("HX-Request"):
        answer["HX-Redirect"] = reverse("rooms:sites")
    return answer


def _site(request: HttpRequest, site: int) -> Site:
    found: Site = get_object_or_404(Site, pk=site)
    check(request, "manage_sites", found)
    return found


def _here(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _page(request: HttpRequest, site: Site, tab: str, *, status: int = 200, **context: Any) -> HttpResponse:
    shown = {"seen": services.stamp(site), **context, "site": site, "tab": tab}
    return page(request, f"sites/{tab}.html", "sites", WORDS, status=status, **shown)


def _change(request: HttpRequest, site: Site, changes: dict[str, Any], back: str) -> HttpResponse:
    """Keep the changes and show the page anew. Raises Stale, ValidationError."""
    services.change(person(request), site.pk, changes, seen=request.POST.get("seen", ""))
    messages.success(request, WORDS.here()["saved"])
    return redirect(back, site.pk)


def _stale(request: HttpRequest, site: Site, tab: str, **context: Any) -> HttpResponse:
    """Show what the reader typed, and that somebody else was faster; saving again overwrites it knowingly."""
    site.refresh_from_db()
    return _page(request, site, tab, stale=True, status=409, **context)
