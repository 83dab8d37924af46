"""`manage.py train --task … --data FILE… --out DIR`: labelled texts in, a classifier's folder and a report out."""

import gzip
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.environment import config
from config.jsonlines import RowError, read_row, text_of
from guardrails.classification.classifier import Task
from guardrails.classification.training import Row, TrainingError, train, with_windows
from knowledge.embedding import ModelMissing, OnnxEmbedder, as_query

ENCODER = "e5-small"
BATCH = 2_000


class Command(BaseCommand):
    help = 'Train a classifier on files of {"text", "label"} lines (.jsonl or .jsonl.gz).'
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--task", choices=get_args(Task), required=True)
        parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FILE")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")

    def handle(self, *_args: Any, task: Task, data: list[Path], out: Path, **_options: Any) -> None:
        try:
            rows = [row for path in data for row in read(path)]
            if task == "injection":
                rows = with_windows(rows)
            embedder = OnnxEmbedder(config().models / ENCODER)
            texts = [as_query(row.text) for row in rows]
            vectors = [embedder.embed(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
            classifier, report = train(task, rows, np.concatenate(vectors or [np.empty((0, 0), np.float32)]), ENCODER)
            classifier.save(out, {"held_out": asdict(report)})
        except (ModelMissing, TrainingError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        found = {"task": task, "model": str(out), **asdict(report)}
        sys.stdout.write(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")


def read(path: Path) -> Iterator[Row]:
    """The labelled texts of a file, without those that stand in it twice. Raises CommandError, naming the line."""
    opened = gzip.open if path.suffix == ".gz" else open
    seen = set()
    with opened(path, "rt", encoding="utf-8", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found = read_row(line)
                row = Row(text_of(found), text_of(found, "label"))
            except RowError as error:
                raise CommandError(f"{path}, line {number}: {error}") from None
            if row not in seen:
                seen.add(row)
                yield row
