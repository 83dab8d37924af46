import json
import subprocess
import sys
from pathlib import Path

import pytest

from chatbot.management.commands.screen import screen_row
from config.jsonlines import RowError
from guardrails.lexicon import Lexicon

ROOT = Path(__file__).parents[2]


@pytest.mark.models
def test_screen_answers_every_line_in_order_and_reports_bad_ones() -> None:
    lines = [
        json.dumps({"id": 1, "text": "你好，请问运费多少？"}),
        json.dumps({"id": "b", "text": "ｆ.ｕ.ｃ.ｋ you"}),
        json.dumps({"id": 3, "text": "好的。出售枪支。再见。", "document": True}),
        json.dumps({"id": 4}),
        "not json",
    ]
    run = subprocess.run(
        [sys.executable, "manage.py", "screen", "--direction", "in"],
        cwd=ROOT,
        input="\n".join(lines),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, "b", 3, 4, None]
    assert answers[0] == {
        "id": 1, "verdict": "pass", "tier": None, "categories": [], "score": 0.0, "release": "你好，请问运费多少？",
    }  # fmt: skip
    assert (answers[1]["verdict"], answers[1]["tier"], answers[1]["release"]) == ("block", "lexicon", "")
    assert (answers[2]["verdict"], answers[2]["release"]) == ("block", "好的。再见。")
    assert set(answers[3]) == set(answers[4]) == {"id", "error"}
    assert run.returncode == 1


@pytest.mark.parametrize("row", [{"text": 1}, {}, {"text": "a", "document": "yes"}])
def test_a_row_of_another_shape_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(RowError):
        screen_row(row, Lexicon([]), "in")
