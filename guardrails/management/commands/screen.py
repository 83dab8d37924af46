"""`manage.py screen --direction in|out`: JSON lines of `{"id", "text"}` in, verdicts out."""

from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.jsonlines import Row, RowError, run_lines, text_of
from guardrails.lexicon import Lexicon
from guardrails.lists import load
from guardrails.screening import Direction, screen


class Command(BaseCommand):
    help = "Screen texts: one JSON line per line of standard input."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--direction", choices=("in", "out"), required=True)

    def handle(self, *_args: Any, direction: Direction, **_options: Any) -> None:
        status = run_lines(partial(screen_row, lexicon=load(), direction=direction))
        if status:
            raise SystemExit(status)


def screen_row(row: Row, lexicon: Lexicon, direction: Direction) -> Row:
    """Return the row's verdict, as `Screened` has it. Raises RowError."""
    document = row.get("document", False)
    if not isinstance(document, bool):
        raise RowError("'document' is not true or false")
    return asdict(screen(text_of(row), direction, document, lexicon=lexicon))
