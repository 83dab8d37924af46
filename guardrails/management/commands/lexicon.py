"""`manage.py lexicon`: import word lists, try them on texts, make versions live, edit single words."""

import getpass
import gzip
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from guardrails import importing, lists
from guardrails.importing import Brought
from guardrails.lexicon.simulation import simulate
from guardrails.lexicon.words import IMPORTED, LEVELS, Level, read_lines
from guardrails.normalizer import Transforms

Row = dict[str, Any]


class Command(BaseCommand):
    help = "Import, try, activate, roll back and edit word lists; JSON lines out."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        for name, text in (
            ("import", "bring a file into a list"),
            ("simulate", "try a file on texts; changes nothing"),
        ):
            command = commands.add_parser(name, help=text)
            command.add_argument("file", type=Path, metavar="FILE")
            command.add_argument("--level", choices=(*LEVELS, lists.ALLOW), default="review", help="of unmarked lines")
            command.add_argument("--category", default="imported", help="of lines that name none")
            command.add_argument("--as-is", action="store_true", help="without triage: every line at its level")
            command.add_argument("--ordinary", type=Path, help="texts of customers, in which nothing may be blocked")
            command.add_argument(
                "--transforms", help=f"what is seen through, of {', '.join(each.name for each in fields(Transforms))}"
            )
            if name == "import":
                command.add_argument("--list", help="name of the list; the file's unless given")
                command.add_argument("--draft", action="store_true", help="do not make it live")
            else:
                command.add_argument("--texts", type=Path, nargs="+", required=True, help='lines of text or {"text"}')
        commands.add_parser("lists", help="print the lists with their versions")
        for name, text in (
            ("activate", "make a version live"),
            ("deactivate", "switch a list off"),
            ("rollback", "make the version live that was live before"),
            ("put", "add a word to a list, or change it"),
            ("remove", "take a word out of a list"),
            ("history", "print who changed a list, and when"),
        ):
            command = commands.add_parser(name, help=text)
            command.add_argument("list", metavar="LIST")
            if name == "activate":
                command.add_argument("--version", type=int, dest="number", help="the newest unless given")
            if name in ("put", "remove"):
                command.add_argument("word", metavar="WORD")
            if name == "put":
                command.add_argument("--level", choices=(*LEVELS, lists.ALLOW), required=True)
                command.add_argument("--category", default="")

    def handle(self, *_args: Any, subcommand: str, **options: Any) -> None:
        try:
            for row in _COMMANDS[subcommand](**options):
                sys.stdout.write(orjson.dumps(row).decode() + "\n")
                sys.stdout.flush()
        except (lists.ListError, ValueError) as error:
            raise CommandError(str(error)) from None
        except (OperationalError, ProgrammingError):
            raise CommandError("the database has no tables for word lists yet: run manage.py migrate") from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None


def _import(file: Path, list: str | None, draft: bool, **options: Any) -> Iterator[Row]:
    kept, counts = _read(file, **options)
    name = list or file.name.split(".")[0]
    seen = _transforms(options["transforms"]) if options["transforms"] else None
    changed = lists.add(
        name, kept.rows, who=getpass.getuser(), what=f"import of {file.name}", transforms=seen, live=not draft
    )
    yield {
        "list": name, "version": changed.version, "live": not draft, "added": changed.added,
        "duplicates": changed.duplicates, **counts,
    }  # fmt: skip


def _simulate(file: Path, texts: list[Path], **options: Any) -> Iterator[Row]:
    new, counts = _read(file, **options)
    levels, added = simulate(new.words, (text for path in texts for text in _texts(path)), lists.active())
    for level in levels:
        row = asdict(level)
        row["worst"] = [{"word": word, "texts": number} for word, number in level.worst]
        yield row
    yield {
        "transforms": [
            asdict(each) | {"found": [f"{word} ← {form}" for word, form in each.found]}
            for each in added
        ],
        **counts,
    }  # fmt: skip


def _lists(**_: Any) -> Iterable[Row]:
    return lists.overview()


def _history(list: str, **_: Any) -> Iterator[Row]:
    for change in lists.history(list):
        yield {
            "list": change.name, "action": change.action, "version": change.version, "what": change.what,
            "by": change.who, "at": change.at.isoformat(),
        }  # fmt: skip


def _activate(list: str, number: int | None, **_: Any) -> Iterator[Row]:
    yield asdict(lists.activate(list, number, who=getpass.getuser()))


def _deactivate(list: str, **_: Any) -> Iterator[Row]:
    yield asdict(lists.deactivate(list, who=getpass.getuser()))


def _rollback(list: str, **_: Any) -> Iterator[Row]:
    yield asdict(lists.rollback(list, who=getpass.getuser()))


def _put(list: str, word: str, level: str, category: str, **_: Any) -> Iterator[Row]:
    yield asdict(lists.put(list, word, level, category, who=getpass.getuser()))


def _remove(list: str, word: str, **_: Any) -> Iterator[Row]:
    yield asdict(lists.remove(list, word, who=getpass.getuser()))


_COMMANDS: dict[str, Callable[..., Iterable[Row]]] = {
    "import": _import,
    "simulate": _simulate,
    "lists": _lists,
    "history": _history,
    "activate": _activate,
    "deactivate": _deactivate,
    "rollback": _rollback,
    "put": _put,
    "remove": _remove,
}


def _read(
    file: Path, level: Level, category: str, as_is: bool, ordinary: Path | None, transforms: str | None, **_: Any
) -> tuple[Brought, Row]:
    """Return the words of a file after triage, and what became of the others."""
    texts = "\n".join(_texts(ordinary)) if ordinary else ""
    seen = _transforms(transforms) if transforms else IMPORTED
    brought = importing.read(read_lines(file), file.name, level, category, as_is=as_is, ordinary=texts, seen=seen)
    return brought, {
        name: {reason: len(found) for reason, found in what.items()}
        for name, what in (("rejected", brought.rejected), ("demoted", brought.demoted))
    }


def _transforms(names: str) -> Transforms:
    known = [each.name for each in fields(Transforms)]
    chosen = [name.strip() for name in names.split(",")]
    if unknown := set(chosen) - {*known}:
        raise ValueError(f"no such transform: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return replace(Transforms(), **{name: name in chosen for name in known})


def _texts(path: Path) -> Iterator[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("{"):
                text = orjson.loads(line).get("text")
                if not isinstance(text, str):
                    raise ValueError(f"{path.name}: a line without text")
                yield text
            elif line.strip():
                yield line.rstrip("\n")
