"""`manage.py knowledge SUBCOMMAND`: documents in, releases, passages out, as JSON lines. Each is in desk/commands."""

import sys
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.jsonlines import RowError
from desk.commands import describing, documents, golden, looking, publishing, purging, searching
from knowledge.embedding import ModelMissing
from knowledge.errors import BaseMissing, VectorsMissing

SUBCOMMANDS = {
    one.name: one
    for module in (documents, describing, publishing, golden, looking, purging)
    for one in module.SUBCOMMANDS
}


class Command(BaseCommand):
    help = "Import documents into a knowledge base, publish, search, purge."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        for one in SUBCOMMANDS.values():
            one.arguments(self._parser(commands, one.name, one.help))
        searching.arguments(self._parser(commands, searching.NAME, searching.HELP))

    def _parser(self, commands: Any, name: str, help_: str) -> CommandParser:
        parser: CommandParser = commands.add_parser(name, help=help_)
        parser.add_argument("--base", default="demo", help="slug of the knowledge base")
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["subcommand"] == searching.NAME:
                sys.exit(searching.search_all(options))
            sys.exit(run(options))
        except (ModelMissing, BaseMissing, VectorsMissing) as error:
            raise CommandError(str(error)) from None


def run(options: dict[str, Any]) -> int:
    """Print the rows of a subcommand as they come; return the exit status."""
    status = 0
    rows = iter(SUBCOMMANDS[options["subcommand"]].run(options))
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return status
        except RowError as error:
            row, rows = {"error": str(error)}, iter(())
        status |= int("error" in row or row.get("status") == "refused")
        sys.stdout.write(orjson.dumps(row).decode() + "\n")
        sys.stdout.flush()
