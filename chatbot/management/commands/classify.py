"""`manage.py classify --task …`: JSON lines of `{"id", "text"}` in, labels with their probabilities out."""

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.learning import CANNOT, TASKS, Classify
from config.environment import config
from config.jsonlines import Row, run_lines, text_of


class Command(BaseCommand):
    help = "Classify texts: one JSON line per line of standard input."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--task", choices=TASKS, required=True)
        parser.add_argument("--model", type=Path, metavar="DIR", help="a folder that `train` wrote")

    def handle(self, *_args: Any, task: str, model: Path | None, **_options: Any) -> None:
        try:
            classify = TASKS[task].load(model, config().models)
        except CANNOT as error:
            raise CommandError(str(error)) from None
        status = run_lines(partial(classify_row, classify=classify))
        if status:
            raise SystemExit(status)


def classify_row(row: Row, classify: Classify) -> Row:
    """The row's label and its probability. Raises RowError."""
    label, score = classify(text_of(row))
    return {"label": label, "score": round(score, 4)}
