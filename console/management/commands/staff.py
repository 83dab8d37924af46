"""`manage.py staff`: accounts from the shell. Prints JSON lines; everything that changes something is recorded."""

import json
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_otp import user_has_device

from console import accounts
from console.rules import Role


class Command(BaseCommand):
    help = "List, add and change staff accounts."

    def add_arguments(self, parser: CommandParser) -> None:
        tasks = parser.add_subparsers(dest="task", required=True)
        tasks.add_parser("list", help="one line an account")
        for task, help_text in (
            ("add", "a new account; its random password is printed this once"),
            ("change", "other roles or sites: what is given replaces what was"),
        ):
            one = tasks.add_parser(task, help=help_text)
            one.add_argument("name")
            one.add_argument("--role", action="append", choices=list(Role), required=task == "add")
            one.add_argument("--site", action="append", metavar="KEY", help="key of a site; may be repeated")
            if task == "add":
                one.add_argument("--email", default="")
        for task, help_text in (
            ("deactivate", "put an account out of use; its sessions end"),
            ("activate", "put it into use again"),
            ("unlock", "forget the wrong passwords tried for it"),
            ("drop-two-factor", "take its second factor away: for somebody who has lost it"),
        ):
            tasks.add_parser(task, help=help_text).add_argument("name")

    def handle(self, *args: Any, task: str, **options: Any) -> None:
        try:
            password = self._do(task, options)
        except accounts.AccountError as error:
            raise CommandError(str(error)) from None
        names = get_user_model().objects.order_by("username")
        for user in names if task == "list" else names.filter(username=options["name"]):
            self.stdout.write(json.dumps(_line(user) | password, ensure_ascii=False))

    def _do(self, task: str, options: dict[str, Any]) -> dict[str, str]:
        if task == "list":
            return {}
        if task == "add":
            password = secrets.token_urlsafe(12)
            try:
                User.username_validator(options["name"])
            except ValidationError as error:
                raise CommandError(error.messages[0]) from None
            accounts.add(
                options["name"],
                password,
                roles=options["role"],
                sites=options["site"] or (),
                email=options["email"],
            )
            return {"password": password}
        user = get_user_model().objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"no account {options['name']}")
        if task == "change":
            accounts.change(user, roles=options["role"], sites=options["site"])
        elif task == "unlock":
            accounts.unlock(user, actor=None)
        elif task == "drop-two-factor":
            accounts.remove_second_factor(user, actor=None)
        else:
            accounts.change(user, active=task == "activate")
        return {}


def _line(user: User) -> dict[str, Any]:
    member = getattr(user, "staff_member", None)
    return {
        "name": user.get_username(),
        "active": user.is_active,
        "roles": member.roles if member else [],
        "superuser": user.is_superuser,
        "sites": sorted(member.sites.values_list("key", flat=True)) if member else [],
        "two_factor": user_has_device(user),
        "last_login": user.last_login.isoformat() if user.last_login else None,
    }
