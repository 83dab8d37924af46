"""`manage.py knowledge import PATH…` and `knowledge search`: documents in, passages out, one JSON line each."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot import worker_wiring
from config.jsonlines import Row, RowError, run_lines, text_of
from knowledge.embedding import ModelMissing
from knowledge.followup import standalone
from knowledge.retrieval import Retriever
from knowledge.selectors import BaseMissing, VectorsMissing
from knowledge.services import import_document


class Command(BaseCommand):
    help = "Import documents into a knowledge base, or search it."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        importing = commands.add_parser("import", help="bring files, or all files of folders, into a base")
        importing.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        searching = commands.add_parser("search", help='answer {"id", "question", "history"?} lines with passages')
        searching.add_argument("--top", type=int, default=5, help="passages for a question")
        for command in (importing, searching):
            command.add_argument("--base", default="demo", help="slug of the knowledge base")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["subcommand"] == "import":
                sys.exit(import_all(options["paths"], options["base"]))
            retriever = worker_wiring.knowledge_bases().retriever(options["base"])
            sys.exit(run_lines(lambda row: search(row, retriever, options["top"])))
        except (ModelMissing, BaseMissing, VectorsMissing) as error:
            raise CommandError(str(error)) from None


def import_all(paths: list[Path], base: str) -> int:
    """Import every file and print what came of it; return 1 when one was refused."""
    status = 0
    for path, name in files(paths):
        row: Row = {"document": name}
        try:
            report = import_document(base, name, path.read_bytes(), **worker_wiring.import_parts())
            row |= {"status": report.state, "chunks": report.chunks, "reason": report.reason or None}
        except OSError as error:
            row |= {"status": "refused", "chunks": 0, "reason": error.strerror}
        status |= row["status"] == "refused"
        sys.stdout.write(orjson.dumps(row).decode() + "\n")
        sys.stdout.flush()
    return int(status)


def files(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Return each file with the name of its document: its path below the folder that was given."""
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith("."))
            yield from ((file, file.relative_to(path).as_posix()) for file in inside)
        else:
            yield path, path.name


def search(row: Row, retriever: Retriever, top: int) -> Row:
    """Return the best passages for a line's question; raises RowError."""
    question = text_of(row, "question")
    if not question.strip():
        raise RowError("'question' is empty")
    history = row.get("history", [])
    if not isinstance(history, list):
        raise RowError("'history' is not a list")
    found = retriever.search(standalone(question, [said for one in history if (said := said_by_customer(one))]), top)
    return {
        "passages": [
            {"document": p.document, "ref": p.ref, "score": round(p.score, 4), "text": p.text} for p in found.passages
        ],
        "answerable": found.answerable,
        "confidence": round(found.confidence, 4),
    }


def said_by_customer(utterance: object) -> str:
    """Return what the customer said in one entry of a history, "" for the bot's; raises RowError.

    An entry is a string, or {"role": "customer" | "bot", "text"}.
    """
    if isinstance(utterance, str):
        return utterance
    if not isinstance(utterance, dict):
        raise RowError("'history' holds something that is neither a string nor an object")
    return text_of(utterance) if utterance.get("role", "customer") == "customer" else ""
