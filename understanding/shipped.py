"""What ships: labels, utterances, and the model that was trained on them. Read from files; knows no tables."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from understanding.intents.classifier import IntentClassifier, read_about
from understanding.intents.routing import Behaviour, Understanding

HERE = Path(__file__).resolve().parent
MODEL = HERE / "intents" / "shipped"
LABELS = HERE / "data" / "labels.json"
UTTERANCES = (HERE / "data" / "intents.zh.jsonl", HERE / "data" / "intents.en.jsonl")

Row = dict[str, Any]


@cache
def labels() -> tuple[Row, ...]:
    """The labels as rows of the table: slug, names, route, tone, temperature and so on."""
    return tuple(json.loads(LABELS.read_text("utf-8")))


def utterances() -> list[Row]:
    """Rows of text, label and language."""
    return [json.loads(line) for path in UTTERANCES for line in path.read_text("utf-8").splitlines()]


@cache
def understanding() -> Understanding:
    """The shipped model with the shipped labels. Raises ModelUnreadable."""
    return Understanding(IntentClassifier.load(MODEL), {row["slug"]: behaviour(row) for row in labels()}, "shipped")


def report() -> dict[str, Any]:
    """What the shipped model can do. Raises ModelUnreadable."""
    found: dict[str, Any] = read_about(MODEL)["report"]
    return found


def behaviour(row: Row) -> Behaviour:
    """What a label does, of its row."""
    replies = {language: row[f"reply_{language}"] for language in ("zh", "en") if row.get(f"reply_{language}")}
    return Behaviour(row["route"], replies, row.get("filter", {}), row["tone"], row["temperature"])
