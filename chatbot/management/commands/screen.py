"""`manage.py screen --direction in|out`: JSON lines of `{"id", "text"}` in, verdicts out."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot import worker_wiring
from config.jsonlines import Row, RowError, run_lines, text_of
from guardrails.classification.classifier import ClassifierError
from guardrails.lexicon import Lexicon
from guardrails.lists import load
from guardrails.release import Check
from guardrails.screening import Direction, Judge, screen
from knowledge.embedding import ModelMissing


class Command(BaseCommand):
    help = "Screen texts: one JSON line per line of standard input."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--direction", choices=("in", "out"), required=True)

    def handle(self, *_args: Any, direction: Direction, **_options: Any) -> None:
        try:
            guards = worker_wiring.guards()
        except (ModelMissing, ClassifierError) as error:
            raise CommandError(f"{error} (run `make models`)") from None
        checks = {"in": guards.on_messages, "out": guards.on_units}
        judge = guards.documents.judge
        status = run_lines(
            partial(screen_row, lexicon=load(), direction=direction, checks=checks[direction], judge=judge)
        )
        if status:
            raise SystemExit(status)


def screen_row(
    row: Row,
    lexicon: Lexicon,
    direction: Direction,
    checks: Sequence[Check] = (),
    judge: Judge | None = None,
) -> Row:
    """Return the row's verdict, as `Screened` has it. Raises RowError."""
    document = row.get("document", False)
    if not isinstance(document, bool):
        raise RowError("'document' is not true or false")
    return asdict(screen(text_of(row), direction, document, lexicon=lexicon, checks=checks, judge=judge))
