"""Staff's pages that are not rooms: signing in and out, the second factor, the password, home, the audit log."""

import datetime
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeView, RedirectURLMixin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.views.decorators.http import require_GET
from django.views.generic import FormView
from django_otp import login as pass_second_factor
from django_otp import user_has_device
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from console import accounts, audit
from console.forms import CodeForm, EnrolForm, SignInForm
from console.models import AuditEntry
from console.rules import Action, Role, has_passed, may, roles_of, sites_of
from console.spreadsheets import lines
from console.wording import words

SESSION = datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE)
PAGE = 100
MOST_EXPORTED = 50_000


class Login(LoginView):
    """The password. The gate asks for the second factor on the way to the next page."""

    template_name = "console/login.html"
    authentication_form = SignInForm

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        self.request.session.set_expiry(timezone.now() + SESSION)  # from now: use does not prolong it
        return response


def locked_out(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None) -> HttpResponse:
    """Answer an attempt to sign in while the name or the address is locked; the same for names that do not exist."""
    return render(request, "console/locked.html", status=429)


class Code(RedirectURLMixin, FormView):
    """The second factor."""

    template_name = "console/code.html"
    form_class = CodeForm
    next_page = "staff:home"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not user_has_device(request.user) or has_passed(request.user):
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)

    def form_valid(self, form: CodeForm) -> HttpResponse:
        _pass(self.request, form)
        return super().form_valid(form)

    def form_invalid(self, form: CodeForm) -> HttpResponse:
        _record_wrong_code(self.request)
        return super().form_invalid(form)


class Enrol(FormView):
    """A new authenticator app: its secret, as a picture and as text, and its first code."""

    template_name = "console/enrol.html"
    form_class = EnrolForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if user_has_device(request.user):
            return redirect("staff:two_factor")
        self.device, _ = TOTPDevice.objects.get_or_create(user=request.user, confirmed=False, defaults={"name": "app"})
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "enrolling": self.device}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        address = self.device.config_url
        picture = segno.make(address, micro=False).svg_inline(scale=5, omitsize=True, dark="#000", light="#fff")
        secret = dict(part.split("=") for part in address.partition("?")[2].split("&"))["secret"]
        return super().get_context_data(picture=picture, secret=secret, **kwargs)

    def form_valid(self, form: EnrolForm) -> HttpResponse:
        codes = accounts.confirm(self.device)
        pass_second_factor(self.request, self.device)
        self.request.session.cycle_key()
        return render(self.request, "console/codes.html", {"codes": codes})

    def form_invalid(self, form: EnrolForm) -> HttpResponse:
        _record_wrong_code(self.request)
        return super().form_invalid(form)


class Disable(FormView):
    """Ends the second factor, for a code."""

    template_name = "console/disable.html"
    form_class = CodeForm
    success_url = reverse_lazy("staff:two_factor")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form: CodeForm) -> HttpResponse:
        user = _person(self.request)
        accounts.remove_second_factor(user, actor=user)
        messages.success(self.request, words()["two_factor_off"])
        return super().form_valid(form)

    def form_invalid(self, form: CodeForm) -> HttpResponse:
        _record_wrong_code(self.request)
        return super().form_invalid(form)


class RecoveryCodes(Disable):
    """New recovery codes, for a code."""

    template_name = "console/new_codes.html"

    def form_valid(self, form: CodeForm) -> HttpResponse:
        return render(self.request, "console/codes.html", {"codes": accounts.new_recovery_codes(_person(self.request))})


class Password(PasswordChangeView):
    """A new password, for the old one. All other sessions of the account end."""

    template_name = "console/password.html"
    success_url = reverse_lazy("staff:home")

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        audit.record(_person(self.request), "password_changed", target=("user", self.request.user.pk))
        messages.success(self.request, words()["password_changed"])
        return response


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Who you are here, and where you may go."""
    texts = words()
    roles = roles_of(request.user)
    links: list[tuple[Action, str, str]] = [
        ("see_audit", reverse("staff:audit"), texts["audit"]),
        ("manage_staff", reverse("admin:index"), texts["administration"]),
    ]
    context = {
        "roles": [texts[f"role_{role}"] for role in Role if role in roles],
        "sites": sites_of(request.user).order_by("name"),
        "links": [(address, name) for action, address, name in links if may(request.user, action)],
        "two_factor": user_has_device(request.user),
    }
    return render(request, "console/home.html", context)


@require_GET
def two_factor(request: HttpRequest) -> HttpResponse:
    """Whether the account has a second factor, and how many recovery codes are left."""
    context = {
        "enrolled": user_has_device(request.user),
        "left": StaticToken.objects.filter(device__user=_person(request)).count(),
        "required": settings.TWO_FACTOR_REQUIRED,
    }
    return render(request, "console/two_factor.html", context)


@require_GET
def audit_log(request: HttpRequest) -> HttpResponseBase:
    """The newest entries first, a page at a time: a supervisor's own sites', an administrator's all."""
    if not may(request.user, "see_audit"):
        raise PermissionDenied
    entries = AuditEntry.objects.order_by("-id")
    if Role.ADMINISTRATOR not in roles_of(request.user):
        entries = entries.filter(site__in=list(sites_of(request.user).values_list("pk", flat=True)))
    asked = ("before", "action", "name", "target", "since", "until")
    before, action, name, target, since, until = (request.GET.get(key, "").replace("\0", "").strip() for key in asked)
    kind, _, key = target.partition(" ")
    matching = entries.filter(
        Q(action=action) if action else Q(),
        Q(actor_name=name) if name else Q(),
        Q(object_type=kind) if kind else Q(),
        Q(object_id=key) if key else Q(),
        Q(at__gte=day) if (day := _day(since)) else Q(),
        Q(at__lt=day) if (day := _day(until, days=1)) else Q(),
    )
    if "csv" in request.GET:
        return _as_csv(matching)
    if before.isascii() and before.isdecimal():
        matching = matching.filter(pk__lt=min(int(before[:19]), 2**63 - 1))
    page = list(matching[: PAGE + 1])
    context = {
        "entries": page[:PAGE],
        "before": page[PAGE - 1].pk if len(page) > PAGE else None,
        "action": action,
        "actions": entries.order_by("action").values_list("action", flat=True).distinct(),
        "name": name,
        "target": target,
        "since": since,
        "until": until,
        "query": urlencode({"action": action, "name": name, "target": target, "since": since, "until": until}),
        "most": MOST_EXPORTED,
    }
    return render(request, "console/audit.html", context)


def _as_csv(entries: QuerySet[AuditEntry]) -> StreamingHttpResponse:
    """Return the newest of these entries as a file."""
    columns = ("id", "at", "actor_name", "action", "object_type", "object_id", "details", "address", "digest")

    def rows() -> Iterator[list[str | float | None]]:
        yield list(columns)
        for entry in entries[:MOST_EXPORTED].iterator():
            values = [getattr(entry, column) for column in columns]
            yield [
                one if isinstance(one, int) else json.dumps(one) if isinstance(one, dict) else str(one)
                for one in values
            ]

    answer = StreamingHttpResponse(lines(rows()), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="kefu-audit.csv"'
    return answer


def _day(text: str, *, days: int = 0) -> datetime.datetime | None:
    """Return the beginning (UTC) of so many days after a day; None for what is none."""
    try:
        day = datetime.date.fromisoformat(text) + datetime.timedelta(days)
        return datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    except (ValueError, OverflowError):
        return None


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):  # the gate lets nobody else pass
        raise PermissionDenied
    return request.user


def _pass(request: HttpRequest, form: CodeForm) -> None:
    """Note that the session has passed, under a new key: whoever knew the old one has gained nothing."""
    pass_second_factor(request, form.device)
    request.session.cycle_key()
    method = "app" if isinstance(form.device, TOTPDevice) else "recovery_code"
    user = _person(request)
    audit.record(user, "second_factor_passed", target=("user", user.pk), details={"with": method})


def _record_wrong_code(request: HttpRequest) -> None:
    user = _person(request)
    audit.record(None, "second_factor_failed", target=("user", user.pk))
