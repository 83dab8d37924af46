"""`manage.py ask`: answers JSON lines in this process, with the pipeline that the worker runs. No server, no limits."""

import sys
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot import worker_wiring
from chatbot.language import language_of
from chatbot.pipeline import Assistant
from chatbot.turn import Conclusion, Part, Turn, Utterance
from config.environment import config
from config.jsonlines import Row, RowError, run_lines, text_of
from guardrails.personal_data.detector import Detector
from guardrails.personal_data.masking import numbered_within
from guardrails.placeholders import escape_lookalikes
from knowledge.embedding import ModelMissing


class Command(BaseCommand):
    help = 'Answer {"id", "text", "conversation"?} lines from a knowledge base.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base", default="demo", help="slug of the knowledge base")
        parser.add_argument("--engine", choices=["extractive", "transformers", "openai"], help="who writes the answers")

    def handle(self, *args: Any, **options: Any) -> None:
        base: str = options["base"]
        try:
            assistant = worker_wiring.build_assistant(
                worker_wiring.build_engine([options["engine"]] if options["engine"] else config().engine)
            )
            worker_wiring.knowledge_bases().retriever(base)
        except ModelMissing as error:
            raise CommandError(str(error)) from None
        mask = Masker()
        sys.exit(run_lines(lambda row: answer(turn_of(row, mask), assistant, base)))


class Masker:
    """Masks the texts of one line with the numbers of that line."""

    def __init__(self) -> None:
        self._detector = Detector()

    def __call__(self, text: str) -> str:
        safe = escape_lookalikes(text)
        return numbered_within(safe, self._detector.find(safe))


def turn_of(row: Row, mask: Callable[[str], str]) -> Turn:
    """Read a line; raises RowError."""
    text = text_of(row)
    if not text.strip():
        raise RowError("'text' is empty")
    said = row.get("conversation", [])
    if not isinstance(said, list) or not all(
        isinstance(u, dict) and u.get("role") in ("customer", "bot") for u in said
    ):
        raise RowError('\'conversation\' is not a list of {"role": "customer" | "bot", "text"}')
    history = tuple(Utterance(u["role"], mask(text_of(u))) for u in said)
    masked = mask(text)
    return Turn(masked, language_of(masked, "en"), history)


def answer(turn: Turn, assistant: Assistant, base: str) -> Row:
    """Return one answer with its timings in milliseconds, counted from the masked text."""
    started = time.perf_counter()
    first = 0.0
    for event in assistant.answer(turn, base, lambda: ""):
        if not first and isinstance(event, Part | Conclusion):
            first = time.perf_counter() - started
        if isinstance(event, Conclusion):
            return {
                "answer": "".join(unit.text for unit in event.units),
                "outcome": event.outcome,
                "reason": event.reason,
                "sources": [{"document": source.document, "ref": source.ref} for source in event.sources],
                "intent": event.record.intent,
                "sentiment": event.record.sentiment or None,
                "first_text_ms": round(first * 1000, 1),
                "total_ms": round((time.perf_counter() - started) * 1000, 1),
            }
    raise RuntimeError("the pipeline ended without a conclusion")
