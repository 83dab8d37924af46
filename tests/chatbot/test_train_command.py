"""`manage.py train`: files in, a folder and a report out."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chatbot import learning
from chatbot.management.commands.classify import classify_row
from tests.guardrails.classification.fakes import injection_rows, toxicity_rows
from tests.knowledge.fakes import FakeEmbedder


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "OnnxEmbedder", lambda _folder: FakeEmbedder())
    monkeypatch.setattr(learning, "search_folder", lambda models: models)
    monkeypatch.setattr(learning, "mood_encoder", lambda _models, _base: FakeEmbedder())


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps({"text": row.text, "label": row.label}) + "\n" for row in rows)


@pytest.mark.parametrize("task", ["toxicity", "injection", "intent", "sentiment"])
def test_a_classifier_is_trained_and_classifies(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = injection_rows() if task == "injection" else toxicity_rows()
    (tmp_path / "a.jsonl").write_text(lines(rows[:9]))
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write(lines(rows[9:]) + "\n" + lines(rows[9:10]))
    files = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl.gz")]
    call_command("train", "--task", task, "--data", *files, "--out", str(tmp_path / "model"))
    report = json.loads(capsys.readouterr().out)
    assert report["task"] == task
    assert report["rows"] == len(rows)
    assert report["accuracy"] > 0.7
    assert 0 < report["macro_f1"] <= 1
    classify = learning.TASKS[task].load(tmp_path / "model", tmp_path)
    assert classify_row({"text": rows[0].text}, classify)["label"] == "safe"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"text": "a"}', "line 1: 'label' is missing"),
        ('\n{"text": 1, "label": "safe"}', "line 2: 'text' is missing or not a string"),
        ("no json", "line 1: not valid JSON"),
        ('{"text": "a", "label": "safe"}', "offensive"),
        ("", "offensive"),
    ],
)
def test_what_cannot_be_trained_on_is_said_in_one_line(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(CommandError, match=says):
        call_command("train", "--task", "toxicity", "--data", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "m"))
    assert not (tmp_path / "m").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.jsonl"):
        call_command("train", "--task", "intent", "--data", str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "m"))


def test_rows_out_of_scope_are_learned_for_intents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": row.text, "label": row.label} for row in toxicity_rows()]
    rows += [{"text": text, "label": "oos"} for text in ("capital of peru", "写一首诗", "nine times nine")]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    call_command("train", "--task", "intent", "--data", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "model"))
    assert json.loads(capsys.readouterr().out)["out_of_scope"] == 3
    classify = learning.TASKS["intent"].load(tmp_path / "model", tmp_path)
    label, score = classify("zzz qqq 9")
    assert label == "oos"
    assert 0 <= score <= 1


@pytest.mark.parametrize("task", ["toxicity", "injection"])
def test_a_checkpoint_is_refused_where_none_is_of_use(task: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines(toxicity_rows()))
    options = ["--data", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "m"), "--checkpoint", str(tmp_path)]
    with pytest.raises(CommandError, match="takes no checkpoint"):
        call_command("train", "--task", task, *options)
