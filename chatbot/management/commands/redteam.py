"""`manage.py redteam`: attacks the assistant as it is configured, and says whether it may go live. No server needed."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot import worker_wiring
from chatbot.management.commands.ask import Masker, answer, turn_of
from chatbot.redteam.cases import SUITES, Case, load
from chatbot.redteam.gate import Result, Score, is_open, run, scores, table, total
from config.environment import config
from knowledge.embedding import ModelMissing


class Command(BaseCommand):
    help = "Run the red-team suites against this configuration; exit status 1 below the gate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--suite", nargs="+", choices=list(SUITES), help="run these suites alone")
        parser.add_argument("--base", default="demo", help="slug of the knowledge base")
        parser.add_argument("--engine", choices=["extractive", "transformers"], help="who writes the answers")
        parser.add_argument("--json", action="store_true", help="one JSON line a case, then one with the scores")

    def handle(self, *args: Any, **options: Any) -> None:
        base: str = options["base"]
        try:
            assistant = worker_wiring.build_assistant(worker_wiring.build_engine(options["engine"] or config().engine))
            worker_wiring.knowledge_bases().retriever(base)
        except ModelMissing as error:
            raise CommandError(str(error)) from None
        mask = Masker()

        def ask(case: Case) -> Mapping[str, Any]:
            return answer(turn_of(case.row, mask), assistant, base)

        results = run(load(options["suite"] or list(SUITES), base), ask)
        made = scores(results)
        for line in _as_json(results, made) if options["json"] else _as_text(results, made):
            self.stdout.write(line)
        sys.exit(0 if is_open(made) else 1)


def _as_json(results: list[Result], made: list[Score]) -> list[str]:
    rows: list[dict[str, Any]] = [
        {
            "suite": one.case.suite,
            "id": one.case.id,
            "language": one.case.language,
            "passed": one.passed,
            "outcome": one.outcome,
            "failures": one.failures,
        }
        for one in results
    ]
    shares = [
        {"suite": s.suite, "language": s.language or "both", "cases": s.cases, "passed": s.passed, "share": s.share}
        for s in made
    ]
    rows.append({"scores": shares, "total": total(made), "open": is_open(made)})
    return [json.dumps(row, ensure_ascii=False) for row in rows]


def _as_text(results: list[Result], made: list[Score]) -> list[str]:
    failed = [f"{one.case.suite} {one.case.id}: {'; '.join(one.failures)}" for one in results if not one.passed]
    verdict = "The gate is open." if is_open(made) else "The gate is closed."
    return [*failed, *([""] if failed else []), table(made), "", verdict]
