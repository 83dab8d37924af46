"""`knowledge search`: passages for questions."""

from typing import Any

from django.core.management.base import CommandParser

from chatbot import worker_wiring
from config.jsonlines import Row, RowError, run_lines, text_of
from desk.commands import Options
from knowledge.followup import standalone
from knowledge.retrieval import Retriever

NAME = "search"
HELP = 'answer {"id", "question", "history"?} lines with passages'


def arguments(parser: CommandParser) -> None:
    """Add the arguments besides `--base`."""
    parser.add_argument("--top", type=int, default=5, help="passages for a question")


def search_all(options: Options) -> int:
    """Answer every line on standard input; return the exit status."""
    retriever: Any = worker_wiring.knowledge_bases().retriever(options["base"])
    return run_lines(lambda row: search(row, retriever, options["top"]))


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
