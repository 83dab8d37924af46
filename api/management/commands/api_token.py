"""`manage.py api_token`: keys to the HTTP API. Prints JSON lines."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from api import tokens
from api.models import ApiToken


class Command(BaseCommand):
    help = "Make, list and revoke tokens of the HTTP API."

    def add_arguments(self, parser: CommandParser) -> None:
        tasks = parser.add_subparsers(dest="task", required=True)
        tasks.add_parser("list", help="one line a token that was not revoked")
        make = tasks.add_parser("make", help="a new token; it is printed this once")
        make.add_argument("name")
        make.add_argument("--base", default="demo", help="slug of the knowledge base it is for")
        make.add_argument("--scope", choices=ApiToken.Scope.values, default="read")
        make.add_argument("--days", type=int, help="it expires after so many; without it, never")
        tasks.add_parser("revoke", help="end its use").add_argument("name")

    def handle(self, *args: Any, task: str, **options: Any) -> None:
        if task == "make":
            if options["days"] is not None and not 1 <= options["days"] <= 36_500:
                raise CommandError("--days is between 1 and 36500")
            try:
                token = tokens.make(options["name"], options["base"], options["scope"], days=options["days"])
            except tokens.TokenError as error:
                raise CommandError(str(error)) from None
            self._print({"name": options["name"], "token": token})
        elif task == "revoke":
            if not tokens.revoke(options["name"]):
                raise CommandError(f"there is no token named {options['name']!r}")
            self._print({"name": options["name"], "revoked": True})
        else:
            for one in ApiToken.objects.filter(revoked=None).select_related("base").order_by("name"):
                self._print(
                    {
                        "name": one.name,
                        "token": f"{one.hint}…",
                        "base": one.base.slug,
                        "scope": one.scope,
                        "expires": one.expires.isoformat() if one.expires else None,
                        "last_used": one.last_used.isoformat() if one.last_used else None,
                    }
                )

    def _print(self, row: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(row, ensure_ascii=False))
