"""`manage.py intents`: from lines in a file to a model that is used, and back."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chatbot.management.commands import intents
from tests.understanding.intents.examples import embed, utterances
from understanding import services, shipped

pytestmark = pytest.mark.django_db

Run = Any


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(shipped, "utterances", lambda: [])
    monkeypatch.setattr(intents, "search_folder", lambda models: models)
    monkeypatch.setattr(intents, "embed", lambda texts, _folder, at_once: embed(texts))

    def command(*arguments: str) -> list[dict[str, Any]]:
        call_command("intents", *arguments)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return command


@pytest.fixture
def file(tmp_path: Path) -> str:
    rows = [{"text": text, "label": label} for text, label in zip(*utterances(), strict=True)]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in [*rows, {"text": "x", "label": "A B"}]))
    return str(tmp_path / "rows.jsonl")


def test_utterances_are_imported_trained_activated_and_rolled_back(run: Run, file: str) -> None:
    done = run("import", file, "--make-labels")[0]
    assert (done["added"], done["duplicates"], done["rejected"]) == (len(utterances()[0]), 0, {"no label A B": 1})
    assert {row["text"] for row in run("export")} == set(utterances()[0])
    trained = run("train")[0]
    assert (trained["model"], trained["active"]) == (1, False)
    assert trained["accuracy"] > 0.9
    assert run("report", "1")[0]["confusions"] == trained["confusions"]
    assert run("train", "--activate")[0]["active"]
    assert [row["active"] for row in run("list") if "model" in row] == [True, False, False]
    assert run("activate", "1") == [{"model": 1, "active": True}]
    assert run("rollback") == [{"model": 2, "active": True}]
    assert services.load("e5-search").version == "2"
    assert {row["label"]: row["utterances"] for row in run("list") if "label" in row}["bye"] > 10


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["activate", "7"], "no model 7"),
        (["rollback"], "no other model"),
        (["import", "none.jsonl"], "none.jsonl"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Run, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*arguments)


def test_a_line_that_cannot_be_read_is_named_and_nothing_is_imported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "a", "label": "greeting"}\nno json\n')
    with pytest.raises(CommandError, match="line 2"):
        run("import", str(tmp_path / "bad.jsonl"))
    assert services.newest() == 0
