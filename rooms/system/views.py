"""The system room: how everything is, its options, what is kept how long, and programs' keys."""

import time

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from api import tokens
from api.models import ApiToken
from chatbot import wiring
from console import audit
from console.models import AuditEntry, AuditHead
from rooms.pages import needs, page, person
from rooms.system import selectors
from rooms.system.forms import TokenForm
from rooms.system.wording import WORDS

MOST_TOKENS = 200


@needs("manage_sites")
@require_GET
def first(request: HttpRequest) -> HttpResponse:
    """The frame of the health page; the parts are asked once it is there."""
    return page(
        request,
        "system/first.html",
        "system",
        WORDS,
        tab="health",
        versions=selectors.versions(),
        models=selectors.models(),
    )


@needs("manage_sites")
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """Every part's state, queues, engines, knowledge bases: a piece of the page, asked for again and again."""
    t = WORDS.here()
    found = selectors.parts()
    return page(
        request,
        "system/health.html",
        "system",
        WORDS,
        parts=[(t[f"part_{one.name}"], one, t.get(one.why, "")) for one in found],
        worst=next((state for state in ("bad", "warn") if any(one.state == state for one in found)), "ok"),
        queues=[(t[code], n) for code, n in selectors.waiting()],
        engines=selectors.engines(),
        bases=selectors.bases(),
        at=timezone.now(),
    )


@needs("manage_sites")
@require_GET
def options(request: HttpRequest) -> HttpResponse:
    """Every option in force."""
    return page(request, "system/options.html", "system", WORDS, tab="options", options=selectors.options())


@needs("manage_sites")
@require_http_methods(["GET", "POST"])
def records(request: HttpRequest) -> HttpResponse:
    """What is kept how long; on POST, whether the audit log still holds together."""
    verified = None
    if request.method == "POST":
        begun = time.perf_counter()
        broken = audit.verify()
        verified = {"broken": broken, "seconds": time.perf_counter() - begun}
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first()
    return page(
        request,
        "system/records.html",
        "system",
        WORDS,
        tab="records",
        sites=selectors.retention(),
        vault_days=wiring.limits().vault_days,
        cache_hours=wiring.limits().cache_hours,
        entries=AuditEntry.objects.count(),
        digest=head.digest if head else "",
        verified=verified,
    )


@needs("manage_sites")
@require_http_methods(["GET", "POST"])
def programs(request: HttpRequest) -> HttpResponse:
    """Keys to the HTTP API: a new one is shown in the answer, and never again."""
    form = TokenForm(request.POST or None)
    made = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = tokens.make(given["name"], given["base"], given["scope"], days=given["days"], author=person(request))
        except tokens.TokenError as error:  # somebody else took the name, or the base, just now
            form.add_error(None, str(error))
    rows = ApiToken.objects.filter(revoked=None).select_related("base", "author").order_by("name")[:MOST_TOKENS]
    return page(
        request,
        "system/programs.html",
        "system",
        WORDS,
        status=400 if form.errors else 200,
        tab="programs",
        form=TokenForm() if made else form,
        made=made,
        rows=[(one, WORDS.here()[f"scope_{one.scope}"]) for one in rows],
        now=timezone.now(),
    )


@needs("manage_sites")
@require_POST
def revoke(request: HttpRequest, token: int) -> HttpResponse:
    """End a key's use."""
    found = get_object_or_404(ApiToken, pk=token)
    if found.revoked is None:
        tokens.revoke(found.name, author=person(request))
    messages.success(request, WORDS.here()["token_revoked"])
    return redirect("rooms:system_programs")
