"""`manage.py thresholds`: what people's decisions say about the classifiers' levels; moving them, and the way back."""

import argparse
import getpass
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from chatbot import levelling
from config.jsonlines import RowError, read_row, stdin_lines
from guardrails.classification.classifier import ClassifierError, Thresholds
from guardrails.levels import TASKS, Levelled, Levels, services
from guardrails.levels.suggesting import TooFew

Row = dict[str, Any]


class Command(BaseCommand):
    help = "Move the levels from which texts are reviewed and blocked, by what people have decided; JSON lines out."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        for name, text in (
            ("suggest", "say what the decisions speak for; changes nothing"),
            ("apply", "make a new version of the lines of `suggest` on standard input"),
            ("rollback", "make an earlier version live again; 0 are the levels that ship"),
            ("history", "print who changed the levels, when and why"),
        ):
            command = commands.add_parser(name, help=text)
            if name in ("suggest", "apply"):
                command.add_argument("--since", type=_day, metavar="DATE", help="count decisions of this day and later")
            if name == "rollback":
                command.add_argument("version", type=int, metavar="VERSION")
            if name in ("apply", "rollback"):
                command.add_argument("--why", required=True)

    def handle(self, *_args: Any, subcommand: str, **options: Any) -> None:
        try:
            for row in _COMMANDS[subcommand](**options):
                sys.stdout.write(orjson.dumps(row).decode() + "\n")
        except (services.LevelError, ClassifierError) as error:
            raise CommandError(str(error)) from None
        except (OperationalError, ProgrammingError):
            raise CommandError("the database cannot be read, or has no tables yet: run manage.py migrate") from None


def _suggest(since: datetime | None, **_: Any) -> Iterator[Row]:
    """A line a task; fails when there is none for which enough was decided."""
    live = services.load()
    few: list[str] = []
    for task in TASKS:
        try:
            found = levelling.suggested(task, live, since)
        except TooFew as error:
            few.append(f"{task}: {error}")
            continue
        yield {
            "task": task, "version": live.version, "review": found.thresholds.review, "block": found.thresholds.block,
            "now": _levels(levelling.now(task, live)), "shipped": _levels(services.shipped(task)), "why": found.why,
            **levelling.effects(found.before, found.after),
        }  # fmt: skip
    if len(few) == len(TASKS):
        raise services.LevelError("; ".join(few))
    for each in few:
        sys.stderr.write(f"{each}\n")


def _apply(why: str, since: datetime | None, **_: Any) -> Iterator[Row]:
    """Apply lines of {"task", "review", "block", "version"}: only if `version` is live still and people's decisions
    bear it. All or nothing.
    """
    live = services.load()
    lines = filter(str.strip, stdin_lines())
    wanted = dict(_wanted(line, live.version) for line in lines)
    if not wanted:
        raise services.LevelError("no lines on standard input: hand in those of `thresholds suggest`")
    now, evidence = levelling.apply(wanted, who=getpass.getuser(), why=why, since=since)
    yield _live(now) | evidence


def _rollback(version: int, why: str, **_: Any) -> Iterator[Row]:
    yield _live(services.rollback(version, who=getpass.getuser(), why=why))


def _history(**_: Any) -> Iterator[Row]:
    for change in services.history():
        yield {
            "action": change.action, "version": change.version, "levels": change.thresholds, "why": change.why,
            "by": change.who, "at": change.at.isoformat(), "evidence": change.evidence,
        }  # fmt: skip


_COMMANDS: dict[str, Callable[..., Iterable[Row]]] = {
    "suggest": _suggest,
    "apply": _apply,
    "rollback": _rollback,
    "history": _history,
}


def _wanted(line: str, live: int) -> tuple[Levelled, tuple[float, float]]:
    try:
        row = read_row(line)
    except RowError as error:
        raise services.LevelError(str(error)) from None
    task = next((task for task in TASKS if task == row.get("task")), None)
    if task is None:
        raise services.LevelError(f"'task' is not one of {', '.join(TASKS)}")
    if row.get("version") != live:
        raise services.LevelError(f"{task}: suggested for version {row.get('version')}, but {live} is live")
    review, block = row.get("review"), row.get("block")
    if not (isinstance(review, float) and isinstance(block, float)):
        raise services.LevelError(f"{task}: 'review' and 'block' are not both numbers between 0 and 1")
    return task, (review, block)


def _live(levels: Levels) -> Row:
    return {"version": levels.version, "live": {task: _levels(t) for task, t in levels.thresholds.items()}}


def _levels(thresholds: Thresholds) -> Row:
    return {"review": round(thresholds.review, 3), "block": round(thresholds.block, 3)}


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(tzinfo=UTC))
    except ValueError:
        raise argparse.ArgumentTypeError("not a day such as 2026-11-22") from None
