"""Where staff work."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConsoleConfig(AppConfig):
    default = True
    default_auto_field = "django.db.models.BigAutoField"
    name = "console"

    def ready(self) -> None:
        from console import witness  # noqa: F401  connects to signals


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin, behind the staff's own door (admin_site.py)."""

    default = False
    default_site = "console.admin_site.StaffAdminSite"
