"""The page of canned replies: list, add, change, remove; and the list as the inbox takes it."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from chatbot.models import Site
from console import canned, rules
from console.models import CannedReply
from console.services import NotAllowed, NotFound
from rooms.asked import moment
from rooms.inbox.wording import WORDS
from rooms.pages import actor, needs, page, person

PAGE = 50
MOST_TOLD = 2_000


class ReplyForm(forms.Form):
    """A canned reply, as typed."""

    shortcut = forms.SlugField(max_length=40, allow_unicode=True)
    language = forms.ChoiceField(choices=[("", ""), ("zh", "zh"), ("en", "en")], required=False)
    site = forms.CharField(max_length=64, required=False)
    text = forms.CharField(max_length=4000)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        words = WORDS.here()
        for name in ("shortcut", "text"):
            self.fields[name].error_messages |= {"required": words[f"canned_no_{name}"]}
        self.fields["shortcut"].error_messages["invalid"] = words["canned_bad_shortcut"]


@require_GET
@needs("see_queue")
def listed(request: HttpRequest) -> HttpResponse:
    """The list, and a form for a new one."""
    return _page(request)


@needs("see_queue")
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=400)
    try:
        made = canned.add(actor(request), **_values(request, form))
    except canned.Taken:
        form.add_error("shortcut", WORDS.here()["canned_taken"])
        return _page(request, form=form, status=409)
    except NotAllowed:
        form.add_error("site", WORDS.here()["canned_not_allowed"])
        return _page(request, form=form, status=403)
    return _page(request, done="canned_added", shown=made)


@needs("see_queue")
@require_POST
def change(request: HttpRequest, reply_id: int) -> HttpResponse:
    form, seen = ReplyForm(request.POST), moment(request.POST.get("seen"))
    if not form.is_valid() or seen is None:
        return _page(request, editing=form, edited=reply_id, seen=request.POST.get("seen", ""), status=400)
    try:
        changed = canned.change(actor(request), reply_id, seen=seen, **_values(request, form))
    except canned.Taken:
        form.add_error("shortcut", WORDS.here()["canned_taken"])
    except canned.Changed as other:
        if other.now is None:
            return _page(request, wrong="canned_gone", status=409)
        form.add_error("text", f"{WORDS.here()['canned_changed_by']} {other.now.author}: {other.now.text}")
        seen = other.now.updated
    except (NotFound, NotAllowed):
        form.add_error("site", WORDS.here()["canned_not_allowed"])
    else:
        return _page(request, done="canned_saved", shown=changed)
    return _page(request, editing=form, edited=reply_id, seen=seen.isoformat(), status=409)


@needs("see_queue")
@require_POST
def remove(request: HttpRequest, reply_id: int) -> HttpResponse:
    seen = moment(request.POST.get("seen"))
    try:
        if seen is None:
            raise NotFound
        gone = canned.remove(actor(request), reply_id, seen=seen)
    except canned.Changed:
        return _page(request, wrong="canned_gone", status=409)
    except (NotFound, NotAllowed):
        return _page(request, wrong="canned_not_allowed", status=403)
    return _page(request, done="canned_removed", gone=gone)


@require_GET
@needs("see_queue")
def told(request: HttpRequest) -> HttpResponse:
    """All replies that the reader may use."""
    found = canned.seen_by(person(request))[:MOST_TOLD]
    rows = [
        {"shortcut": one.shortcut, "text": one.text, "language": one.language, "site": one.site.key if one.site else ""}
        for one in found
    ]
    return JsonResponse({"canned": rows})


def _values(request: HttpRequest, form: ReplyForm) -> dict[str, Any]:
    given = form.cleaned_data
    site = rules.sites_of(person(request)).filter(key=given["site"]).first() if given["site"] else None
    if given["site"] and site is None:
        raise NotAllowed
    return {"site": site, "language": given["language"], "shortcut": given["shortcut"], "text": given["text"].strip()}


def _page(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    user = person(request)
    found = canned.seen_by(user)
    asked = request.GET.get("q", "").replace("\0", "").strip()[:100]
    if asked:
        found = found.filter(Q(shortcut__icontains=asked) | Q(text__icontains=asked))
    shown = Paginator(found, PAGE).get_page(request.GET.get("page"))
    sites: list[Site] = list(rules.sites_of(user).order_by("name"))
    own, everywhere = {site.pk for site in sites}, rules.may(user, "manage_sites")
    rows: list[tuple[CannedReply, bool]] = [
        (reply, everywhere if reply.site_id is None else reply.site_id in own) for reply in shown
    ]
    context = {"rows": rows, "shown_page": shown, "asked": asked, "sites": sites, "everywhere": everywhere, **context}
    for name in ("done", "wrong"):
        if name in context:
            context[name] = WORDS.here()[context[name]]
    return page(request, "inbox/canned.html", "inbox", WORDS, status=status, **context)
