"""The people room: accounts, what they may do, and their way in."""

import secrets
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp.plugins.otp_totp.models import TOTPDevice

from chatbot.models import Conversation
from console import accounts
from console.rules import Role, roles_of
from rooms.pages import needs, page, person
from rooms.people.forms import NewPerson, Person
from rooms.people.wording import WORDS

PAGE = 50
ACTS = ("deactivate", "activate", "unlock", "drop", "password")
STATES = ("active", "inactive", "locked", "no_factor")


@needs("manage_staff")
@require_GET
def first(request: HttpRequest) -> HttpResponse:
    """All accounts."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:150]
    role, state = request.GET.get("role", ""), request.GET.get("state", "")
    rows = _accounts()
    if wanted:
        named = Q(username__icontains=wanted) | Q(first_name__icontains=wanted) | Q(last_name__icontains=wanted)
        rows = rows.filter(named | Q(email__icontains=wanted))
    if role in Role:
        rows = rows.filter(staff_member__roles__icontains=f'"{role}"')
    match state:
        case "active" | "inactive":
            rows = rows.filter(is_active=state == "active")
        case "locked":
            rows = rows.filter(failures__gte=settings.AXES_FAILURE_LIMIT)
        case "no_factor":
            rows = rows.filter(factor=False)
    t = WORDS.here()
    shown = Paginator(rows.order_by("-is_active", "username"), PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    return page(
        request,
        "people/first.html",
        "people",
        WORDS,
        rows=shown,
        people=[(user, [t[f"role_{one}"] for one in _roles(user)]) for user in shown],
        q=wanted,
        role=role,
        state=state,
        filtered=bool(wanted or role or state),
        query=query.urlencode(),
        roles=[(one, t[f"role_{one}"], t[f"role_{one}_is"]) for one in Role],
        states=[(one, t[f"state_{one}"]) for one in STATES],
        limit=settings.AXES_FAILURE_LIMIT,
    )


@needs("manage_staff")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new account; its password is shown in the answer, and never again."""
    form = NewPerson(request.POST or None)
    if request.method == "POST" and form.is_valid():
        password = secrets.token_urlsafe(12)
        user = make(request, form, password)
        if user is not None:
            return page(request, "people/password.html", "people", WORDS, account=user, password=password, made=True)
    return page(request, "people/new.html", "people", WORDS, form=form, status=400 if form.errors else 200)


def make(request: HttpRequest, form: NewPerson, password: str) -> User | None:
    """Make the account that was filled in; None when it cannot be, and the form says why."""
    given = form.work()
    try:
        return accounts.add(form.cleaned_data["username"], password, **given, actor=person(request))
    except accounts.AccountError as error:
        form.add_error("username" if error.code == "name_taken" else None, _said(error))
        return None


@needs("manage_staff")
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, user: int) -> HttpResponse:
    """One account: what it may do, and its way in."""
    found = get_object_or_404(_accounts(), pk=user)
    t = WORDS.here()
    initial = Person.initial_of(found)
    form = Person(request.POST or None, initial=initial, has_skills=tuple(initial["skills"]))
    status = 200
    if request.method == "POST" and form.is_valid():
        if request.POST.get("seen") != _stamp(initial):
            messages.error(request, t["stale"])
            status = 409
        elif found == person(request) and Role.ADMINISTRATOR not in form.cleaned_data["roles"] + _superuser(found):
            form.add_error("roles", t["not_yourself"])
        else:
            try:
                accounts.change(User.objects.get(pk=found.pk), **form.work(), actor=person(request))
            except accounts.AccountError as error:
                form.add_error(None, _said(error))
            else:
                messages.success(request, t["saved"])
                return redirect("rooms:person", found.pk)
    return page(
        request,
        "people/account.html",
        "people",
        WORDS,
        status=400 if form.errors else status,
        form=form,
        seen=_stamp(initial),
        account=found,
        myself=found == person(request),
        locked=(found.failures or 0) >= settings.AXES_FAILURE_LIMIT,
        holds=Conversation.objects.filter(agent=found, owner=Conversation.Owner.AGENT).count(),
    )


@needs("manage_staff")
@require_POST
def act(request: HttpRequest, user: int, what: str) -> HttpResponse:
    """Put an account out of use or into use, unlock it, take its second factor away, or give it a new password."""
    if what not in ACTS:
        raise Http404
    found = get_object_or_404(User, pk=user)
    t, who = WORDS.here(), person(request)
    if found == who and what in ("deactivate", "password", "drop"):
        messages.error(request, t["not_yourself"])
        return redirect("rooms:person", found.pk)
    try:
        match what:
            case "deactivate" | "activate":
                accounts.change(found, active=what == "activate", actor=who)
            case "unlock":
                accounts.unlock(found, actor=who)
            case "drop":
                accounts.remove_second_factor(found, actor=who)
            case _:
                password = secrets.token_urlsafe(12)
                accounts.new_password(found, password, actor=who)
                return page(request, "people/password.html", "people", WORDS, account=found, password=password)
    except accounts.AccountError as error:
        messages.error(request, _said(error))
    else:
        messages.success(request, t[f"done_{what}"])
    return redirect("rooms:person", found.pk)


def _accounts() -> QuerySet[Any]:
    """Return accounts with all that the pages show of them."""
    since = timezone.now() - timedelta(seconds=settings.AXES_COOLOFF_TIME.total_seconds())
    tried = AccessAttempt.objects.filter(username=OuterRef("username"), attempt_time__gt=since).order_by()
    holds = Conversation.objects.filter(agent=OuterRef("pk"), owner=Conversation.Owner.AGENT).order_by()
    return (
        User.objects.select_related("staff_member")
        .prefetch_related("staff_member__sites")
        .annotate(
            factor=Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)),
            failures=Subquery(tried.values("username").annotate(n=Sum("failures_since_start")).values("n")),
            holds=Subquery(holds.values("agent").annotate(n=Count("pk")).values("n")),
        )
    )


def _roles(user: User) -> list[str]:
    """Return an account's roles, also of one that is out of use."""
    if user.is_superuser:
        return [Role.ADMINISTRATOR]
    member = getattr(user, "staff_member", None)
    return [role for role in Role if member and role in member.roles]


def _superuser(user: User) -> list[str]:
    return [Role.ADMINISTRATOR] if user.is_superuser and Role.ADMINISTRATOR in roles_of(user) else []


def _stamp(initial: dict[str, Any]) -> str:
    """Return what is different whenever anything of the form is."""
    return "|".join(str(sorted(value) if isinstance(value, list) else value) for value in initial.values())


def _said(error: accounts.AccountError) -> str:
    return WORDS.here().get(error.code, str(error))
