"""Django's admin behind the staff's own door: for administrators, with their second factor."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from console.rules import may


class StaffAdminSite(AdminSite):
    """The admin site of config/urls.py; console/gate.py stands before it."""

    site_header = site_title = "Kefu"
    index_title = "Administration"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")  # Django logs a deletion of several in a way that no signal tells of

    def has_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "manage_staff")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("staff:login")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("staff:password")
