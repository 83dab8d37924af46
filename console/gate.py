"""The door before all staff pages: closed unless a page is named here as open. Knows nothing of what lies behind it."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django_otp import user_has_device

from console import audit
from console.rules import has_passed, may
from console.throttle import address_of

STAFF, ADMIN = "/staff/", "/admin/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class StaffGate:
    """Middleware. Everything under /staff/ and /admin/ needs a session that has passed all it must; /admin/ its role.

    Whoever has given a password alone reaches nothing but the code page, or, where two factors are required and none
    is enrolled, the page that enrols. Signing in, signing out and the choice of language are always open.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.open = {reverse(f"staff:{name}") for name in ("login", "logout", "language")}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith((STAFF, ADMIN)):
            return self.get_response(request)
        with audit.acts_from(address_of(request) or ""):
            response = self._turned_away(request) or self.get_response(request)
        response["Content-Security-Policy"] = POLICY
        add_never_cache_headers(response)
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Refuse administrators' pages to everybody else, as a page that Django renders."""
        if request.path_info.startswith(ADMIN) and not may(request.user, "manage_staff"):
            raise PermissionDenied

    def _turned_away(self, request: HttpRequest) -> HttpResponseRedirect | None:
        user, path = request.user, request.path_info
        if user.is_authenticated:
            user.has_device = user_has_device(user)  # type: ignore[attr-defined]  # for this request: console/rules.py
        if path in self.open or (user.is_authenticated and has_passed(user)):
            return None
        if not user.is_authenticated:
            door = "staff:login"
        else:
            door = "staff:code" if user_has_device(user) else "staff:enrol"
            if path == reverse(door):
                return None
        return redirect(f"{reverse(door)}?{urlencode({'next': request.get_full_path()})}")
