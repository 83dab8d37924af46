"""`manage.py demo`: the demo site and its staff accounts. Passwords are random and shown once, on the terminal only."""

import secrets
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser

from chatbot.models import Site
from chatbot.views import DEMO_SITE
from console import accounts
from console.rules import Role

CONTACTS = ["400-600-8172", "service@spruce-outdoor.example"]
ACCOUNTS = {
    "admin": Role.ADMINISTRATOR,
    "supervisor": Role.SUPERVISOR,
    "agent": Role.AGENT,
    "agent2": Role.AGENT,
    "reviewer": Role.REVIEWER,
    "knowledge": Role.KNOWLEDGE_MANAGER,
}


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
        for name, role in ACCOUNTS.items():
            user = get_user_model().objects.filter(username=name).first()
            if user is None:
                password = secrets.token_urlsafe(12)
                accounts.add(name, password, roles=[role], sites=[DEMO_SITE])
                sys.stdout.write(f"account\t{name}\t{password}\n")
            elif not hasattr(user, "staff_member"):  # made before there were roles
                accounts.change(user, roles=[role], sites=[DEMO_SITE])
