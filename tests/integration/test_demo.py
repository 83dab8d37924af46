"""Without any language model the demo shop answers all that its FAQ asks, in both languages, from the right entry."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.server import ROOT, Server, running

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_question_of_the_faq_is_answered_with_its_source(server: Server, language: str) -> None:
    with (ROOT / "demo" / "knowledge" / f"faq-{language}.csv").open(encoding="utf-8-sig") as file:
        asked = {row["id"]: row["question"] for row in csv.DictReader(file)}
    lines = "\n".join(json.dumps({"id": id_, "text": text}) for id_, text in asked.items())
    command = [sys.executable, "manage.py", "ask", "--base", "demo", "--engine", "extractive"]
    run = subprocess.run(
        command, input=lines, cwd=ROOT, env=server.environment, capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == len(asked) == 50
    unlike = [one for one in answers if one["id"] not in [source["ref"] for source in one["sources"]]]
    assert unlike == []
    assert {one["outcome"] for one in answers} <= {"faq", "answered"}
