"""`manage.py classify --task …`: JSON lines of `{"id", "text"}` in, labels with their probabilities out."""

from functools import partial
from pathlib import Path
from typing import Any, get_args

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.environment import config
from config.jsonlines import Row, run_lines, text_of
from guardrails.classification.classifier import Classifier, ClassifierError, Task
from guardrails.classification.shipped import SHIPPED, encoder_folder
from knowledge.embedding import ModelMissing, OnnxEmbedder, as_query


class Command(BaseCommand):
    help = "Classify texts: one JSON line per line of standard input."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--task", choices=get_args(Task), required=True)
        parser.add_argument("--model", type=Path, metavar="DIR", help="a folder that `train` wrote")

    def handle(self, *_args: Any, task: Task, model: Path | None, **_options: Any) -> None:
        try:
            classifier = load(task, model or SHIPPED / task, config().models)
        except (ModelMissing, ClassifierError) as error:
            raise CommandError(str(error)) from None
        status = run_lines(partial(classify_row, classifier=classifier))
        if status:
            raise SystemExit(status)


def load(task: Task, folder: Path, models: Path) -> Classifier:
    """The classifier in `folder`, with its encoder. Raises ClassifierError and ModelMissing."""
    classifier = Classifier.load(folder)
    if classifier.task != task:
        raise ClassifierError(f"{folder} holds a classifier of {classifier.task}, not of {task}")
    embedder = OnnxEmbedder(encoder_folder(classifier.encoder, models))
    return classifier.with_encoder(lambda texts: embedder.embed([as_query(text) for text in texts]))


def classify_row(row: Row, classifier: Classifier) -> Row:
    """The row's label and its probability. Raises RowError."""
    label, score = classifier.classify([text_of(row)])[0]
    return {"label": label, "score": round(score, 4)}
