"""`manage.py demo`: the demo site and its staff accounts. Passwords are random and shown once, on the terminal only."""

import secrets
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand, CommandParser

from chatbot.models import Site
from chatbot.views import DEMO_SITE

CONTACTS = ["400-600-8172", "service@spruce-outdoor.example"]


class Command(BaseCommand):
    help = "Create the demo site and staff accounts, if they are not there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--key", action="store_true", help="print the demo site's key and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["key"]:
            self.stdout.write(DEMO_SITE)
            return
        Site.objects.get_or_create(
            key=DEMO_SITE,
            defaults={"name": "云杉户外 Spruce Outdoor", "knowledge_base": "demo", "contacts": CONTACTS},
        )
        for name, is_superuser in (("admin", True), ("agent", False)):
            self._account(name, is_superuser=is_superuser)

    def _account(self, name: str, *, is_superuser: bool) -> None:
        users = get_user_model()
        if users.objects.filter(username=name).exists():
            return
        password = secrets.token_urlsafe(12)
        user = users.objects.create_user(name, password=password, is_staff=True, is_superuser=is_superuser)
        if not is_superuser:
            user.user_permissions.set(
                Permission.objects.filter(content_type__app_label="chatbot", codename__startswith="view_")
            )
        sys.stdout.write(f"account\t{name}\t{password}\n")
