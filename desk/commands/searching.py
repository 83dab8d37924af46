"""`knowledge search`: passages for questions."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from chatbot import worker_wiring
from config.jsonlines import Row, RowError, run_lines, text_of
from desk.commands import Options
from knowledge.filters import Filters, parsed
from knowledge.followup import standalone
from knowledge.retrieval import Retriever

NAME = "search"
HELP = 'answer {"id", "question", "history"?, "filters"?} lines with passages'


def arguments(parser: CommandParser) -> None:
    """Add the arguments besides `--base`."""
    parser.add_argument("--top", type=int, default=5, help="passages for a question")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only passages of such documents; the same key again: or that value; also language=zh|en, document=NAME",
    )


def search_all(options: Options) -> int:
    """Answer every line on standard input; return the exit status."""
    try:
        filters = parsed(options["filter"])
    except ValueError as error:
        raise CommandError(str(error)) from None
    retriever: Any = worker_wiring.knowledge_bases().retriever(options["base"])
    return run_lines(lambda row: search(row, retriever, options["top"], filters))


def search(row: Row, retriever: Retriever, top: int, filters: Filters | None = None) -> Row:
    """Return the best passages for a line's question that its "filters" and these let through; raises RowError."""
    question = text_of(row, "question")
    if not question.strip():
        raise RowError("'question' is empty")
    history = row.get("history", [])
    if not isinstance(history, list):
        raise RowError("'history' is not a list")
    said = [text for one in history if (text := said_by_customer(one))]
    found = retriever.search(standalone(question, said), top, filters={**(filters or {}), **filters_of(row)})
    return {
        "passages": [
            {"document": p.document, "ref": p.ref, "score": round(p.score, 4), "text": p.text} for p in found.passages
        ],
        "answerable": found.answerable,
        "confidence": round(found.confidence, 4),
    }


def filters_of(row: Row) -> dict[str, list[str]]:
    """Return the "filters" of a line, {key: value or list of values}; raises RowError."""
    given = row.get("filters", {})
    if not isinstance(given, dict):
        raise RowError("'filters' is not an object")
    filters = {key: some if isinstance(some, list) else [some] for key, some in given.items()}
    if not all(isinstance(value, str) for some in filters.values() for value in some):
        raise RowError("'filters' holds something that is neither a string nor a list of strings")
    return filters


def said_by_customer(utterance: object) -> str:
    """Return what the customer said in one entry of a history, "" for the bot's; raises RowError.

    An entry is a string, or {"role": "customer" | "bot", "text"}.
    """
    if isinstance(utterance, str):
        return utterance
    if not isinstance(utterance, dict):
        raise RowError("'history' holds something that is neither a string nor an object")
    return text_of(utterance) if utterance.get("role", "customer") == "customer" else ""
