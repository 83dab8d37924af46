"""`manage.py classify`: labels for JSON lines."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chatbot.learning import TASKS
from guardrails.classification.classifier import ClassifierError
from guardrails.classification.shipped import SHIPPED

ROOT = Path(__file__).parents[2]


def run(task: str, lines: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "classify", "--task", task, *options],
        cwd=ROOT,
        input="\n".join(lines),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.models
def test_every_line_is_answered_in_order_and_bad_ones_are_reported() -> None:
    lines = [
        json.dumps({"id": 1, "text": "请问运费多少？"}),
        json.dumps({"id": "b", "text": "你们都是猪狗不如的东西，去死吧"}),
        json.dumps({"id": 3}),
        "not json",
    ]
    done = run("toxicity", lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, "b", 3, None]
    assert [answer.get("label") for answer in answers[:2]] == ["safe", "offensive"]
    assert all(0.5 <= answer["score"] <= 1 for answer in answers[:2])
    assert set(answers[2]) == set(answers[3]) == {"id", "error"}
    assert done.returncode == 1


def test_a_task_without_a_model_is_said_in_one_line(tmp_path: Path) -> None:
    done = run("sentiment", ['{"id": 1, "text": "好"}'], "--model", str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no classifier in" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_classifier_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match="not of injection"):
        TASKS["injection"].load(SHIPPED / "toxicity", tmp_path)
