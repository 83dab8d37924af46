"""`manage.py train --task … --data FILE… --out DIR`: labelled texts in, a classifier's folder and a report out."""

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.learning import CANNOT, TASKS, Labelled
from config.environment import config
from config.jsonlines import RowError, read_row, text_of


class Command(BaseCommand):
    help = 'Train a classifier on files of {"text", "label"} lines (.jsonl or .jsonl.gz).'
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--task", choices=TASKS, required=True)
        parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FILE")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--checkpoint", type=Path, metavar="DIR", help="a local transformer to fine-tune instead")

    def handle(
        self, *_args: Any, task: str, data: list[Path], out: Path, checkpoint: Path | None, **_options: Any
    ) -> None:
        try:
            rows = [row for path in data for row in read(path)]
            report = TASKS[task].train(rows, out, config().models, checkpoint)
        except CANNOT as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        found = {"task": task, "model": str(out), **report}
        sys.stdout.write(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")


def read(path: Path) -> Iterator[Labelled]:
    """The labelled texts of a file, without those that stand in it twice. Raises CommandError, naming the line."""
    opened = gzip.open if path.suffix == ".gz" else open
    seen = set()
    with opened(path, "rt", encoding="utf-8", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found = read_row(line)
                row = (text_of(found), text_of(found, "label"))
            except RowError as error:
                raise CommandError(f"{path}, line {number}: {error}") from None
            if row not in seen:
                seen.add(row)
                yield row
