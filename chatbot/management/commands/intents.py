"""`manage.py intents`: what staff teach Kefu to understand: utterances in and out, models trained and activated."""

import getpass
import gzip
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from chatbot.encoder import SEARCH, search_folder
from chatbot.learning import CANNOT, embed
from config.environment import config
from config.jsonlines import RowError, read_row
from understanding import services

Row = dict[str, Any]


class Command(BaseCommand):
    help = "Import, export, train, report on, activate and roll back what is understood; JSON lines out."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        add = commands.add_parser("import", help='add utterances: lines of {"text", "label", "language"?}')
        add.add_argument("files", nargs="+", type=Path, metavar="FILE")
        add.add_argument("--make-labels", action="store_true", help="make the labels that are not known yet")
        commands.add_parser("export", help="print the active utterances, as import takes them")
        commands.add_parser("list", help="print labels and models")
        train = commands.add_parser("train", help="train on the active utterances")
        train.add_argument("--activate", action="store_true", help="and activate the model")
        for name, text in (("report", "print what a model can do"), ("activate", "make a model the one that is used")):
            command = commands.add_parser(name, help=text)
            command.add_argument("number", type=int, help="of the model; 0 is the one that ships")
        commands.add_parser("rollback", help="activate the model that was active before")

    def handle(self, *_args: Any, subcommand: str, **options: Any) -> None:
        try:
            for row in _COMMANDS[subcommand](**options):
                sys.stdout.write(orjson.dumps(row).decode() + "\n")
        except CANNOT as error:
            raise CommandError(str(error)) from None
        except (OperationalError, ProgrammingError):
            raise CommandError("the database has no tables for intents yet: run manage.py migrate") from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None


def _import(files: list[Path], make_labels: bool, **_: Any) -> Iterator[Row]:
    for file in files:
        done = services.add(_rows(file), who=getpass.getuser(), source=file.name[:100], make_labels=make_labels)
        yield {"file": str(file), **asdict(done)}


def _rows(file: Path) -> Iterator[Row]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield read_row(line)
                except RowError as error:
                    raise CommandError(f"{file}, line {number}: {error}") from None


def _export(**_: Any) -> Iterable[Row]:
    return services.export()


def _list(**_: Any) -> Iterator[Row]:
    counts: dict[str, int] = {}
    for row in services.export():
        counts[row["label"]] = counts.get(row["label"], 0) + 1
    for label in services.labels():
        slug = label.pop("slug")
        yield {"label": slug, "utterances": counts.get(slug, 0), **label}
    for model in services.versions():
        short = {name: model["report"][name] for name in ("rows", "accuracy", "macro_f1", "seconds")}
        yield {"model": model["number"], "active": model["active"], "by": model["trained_by"], **short}


def _train(activate: bool, **_: Any) -> Iterator[Row]:
    who = getpass.getuser()
    folder = search_folder(config().models)
    model = services.train(lambda texts: embed(texts, folder, at_once=1), SEARCH, who=who)
    if activate:
        services.activate(model.number, SEARCH, who=who)
    yield {"model": model.number, "active": activate, **model.report}


def _report(number: int, **_: Any) -> Iterator[Row]:
    yield {"model": number, **services.report(number)}


def _activate(number: int, **_: Any) -> Iterator[Row]:
    services.activate(number, SEARCH, who=getpass.getuser())
    yield {"model": number, "active": True}


def _rollback(**_: Any) -> Iterator[Row]:
    yield {"model": services.rollback(SEARCH, who=getpass.getuser()), "active": True}


_COMMANDS: dict[str, Callable[..., Iterable[Row]]] = {
    "import": _import,
    "export": _export,
    "list": _list,
    "train": _train,
    "report": _report,
    "activate": _activate,
    "rollback": _rollback,
}
