"""`knowledge golden, calibrate, why`: what is asked of every release, and how a question is answered."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from config.jsonlines import Row, RowError, read_row, stdin_lines, text_of
from desk import examination, explaining, services, wiring
from desk.commands import Options, Subcommand, base_named
from knowledge import examining
from knowledge.calibrating import TooFew
from knowledge.golden import Golden
from knowledge.models import Examination, GoldenQuestion, KnowledgeBase


def golden(options: Options) -> Iterator[Row]:
    """Add golden questions from standard input, list them, drop one, or put them to the draft or to what is live."""
    base = base_named(options)
    todo = options["todo"]
    if todo == "add":
        yield from _each(lambda row: _add(base, row))
    elif todo == "list":
        for one in base.golden.filter(active=True).order_by("pk"):
            yield {name: getattr(one, name) for name in ("question", "expects", "document", "facts", "origin")}
    elif todo == "drop":
        dropped = examining.drop_question(base.slug, options["question"] or "")
        yield {"question": options["question"], "status": "dropped" if dropped else "unknown"}
    else:
        yield from _examined(base, published=options["published"])


def _add(base: KnowledgeBase, row: Row) -> Row:
    expects, facts = row.get("expects", "answer"), row.get("facts", [])
    if expects not in GoldenQuestion.Expects.values:
        raise RowError("'expects' is neither answer nor refusal")
    if not isinstance(facts, list) or not all(isinstance(one, str) for one in facts):
        raise RowError("'facts' is not a list of strings")
    document = text_of(row, "document") if row.get("document") else ""
    question = text_of(row, "question").strip()
    if not question:
        raise RowError("'question' is empty")
    wanted = Golden(question, expects == GoldenQuestion.Expects.ANSWER, document, tuple(facts))
    try:
        kept = services.keep_golden(base.slug, wanted, find=wiring.masking().find, author="shell")
    except (services.PersonalData, examining.TooMany) as error:
        raise RowError(str(error)) from None
    return {"question": question, "status": "kept" if kept else "unchanged"}


def _examined(base: KnowledgeBase, *, published: bool) -> Iterator[Row]:
    put = examination.examine_published if published else examination.examine_draft
    found: Examination | None = put(base.slug)
    if found is None:
        raise RowError("nothing is published" if published else "there is no draft")
    for result in found.results:
        yield {name: result[name] for name in ("question", "right", "was_right", "why", "confidence", "found")}
    summary: Row = {"release": found.release.number, "right": found.right, "of": len(found.results)}
    summary |= {"gained": found.gained, "lost": found.lost}
    if found.lost > base.losses_allowed:
        summary["error"] = f"{found.lost} golden questions would be lost"
    yield summary


def calibrate(options: Options) -> Iterator[Row]:
    """Set from which probability on the base answers, so that of the questions that it cannot answer no more than
    `--error` are answered."""
    base = base_named(options)
    if options["reset"]:
        KnowledgeBase.objects.filter(pk=base.pk).update(threshold=None)
        yield {"threshold": None}
        return
    questions = [_labelled(read_row(line)) for line in stdin_lines() if line.strip()]
    try:
        found = examination.calibrate(base, questions, error=options["error"])
    except (TooFew, ValueError) as error:
        raise RowError(str(error)) from None
    yield {
        "threshold": round(found.value, 4),
        "unanswerable_answered": round(found.answered_wrongly, 4),
        "answerable_kept": round(found.kept, 4),
        "questions": len(questions),
    }


def _labelled(row: Row) -> tuple[str, bool]:
    answerable = row.get("answerable")
    if not isinstance(answerable, bool):
        raise RowError("'answerable' is missing, or neither true nor false")
    return text_of(row, "question"), answerable


def why(options: Options) -> Iterator[Row]:
    """Tell for each {"id", "question", "history"?} what is found, with scores, and what would be answered."""

    def tell(row: Row) -> Row:
        history = row.get("history", [])
        if not isinstance(history, list) or not all(isinstance(one, str) for one in history):
            raise RowError("'history' is not a list of strings")
        return explaining.found_for(options["base"], text_of(row, "question"), history, options["top"])

    yield from _each(tell)


def _each(handle: Any) -> Iterator[Row]:
    for line in stdin_lines():
        if not line.strip():
            continue
        identity: Row = {}
        try:
            row = read_row(line)
            identity = {"id": row["id"]} if "id" in row else {}
            yield identity | handle(row)
        except RowError as error:
            yield identity | {"error": str(error)}


def _golden_arguments(parser: CommandParser) -> None:
    parser.add_argument("todo", choices=("add", "list", "drop", "examine"))
    parser.add_argument("question", nargs="?", help="which to drop")
    parser.add_argument("--published", action="store_true", help="examine what answers now, not the draft")


def _calibrate_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--error", type=float, default=0.05, help="share of unanswerable questions that may be answered"
    )
    parser.add_argument("--reset", action="store_true", help="back to the shipped threshold")


def _why_arguments(parser: CommandParser) -> None:
    parser.add_argument("--top", type=int, default=5, help="passages for a question")


SUBCOMMANDS = (
    Subcommand("golden", "the questions that every release is examined with", golden, _golden_arguments),
    Subcommand("calibrate", "when to answer, for a stated error rate", calibrate, _calibrate_arguments),
    Subcommand("why", "what is found for a question, and why", why, _why_arguments),
)
