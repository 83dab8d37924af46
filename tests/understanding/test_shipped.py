"""What ships fits together, and understands plain wishes."""

from pathlib import Path

import pytest

from chatbot.encoder import search_folder
from knowledge.embedding import OnnxEmbedder, as_query
from understanding import shipped
from understanding.intents.classifier import WEIGHTS
from understanding.intents.routing import ROUTES, TONES
from understanding.services import _FIELDS

MODELS = Path(__file__).resolve().parents[2] / "models"


def test_labels_utterances_and_model_name_the_same_labels() -> None:
    slugs = {row["slug"] for row in shipped.labels()}
    assert slugs == {row["label"] for row in shipped.utterances()} == set(shipped.understanding().classifier.labels)
    for row in shipped.labels():
        assert row["route"] in ROUTES
        assert row["tone"] in TONES
        assert 0.3 <= row["temperature"] <= 0.9
        assert set(row) <= set(_FIELDS)


def test_the_model_was_trained_on_the_utterances_that_ship() -> None:
    assert shipped.report()["rows"] == len(shipped.utterances())


def test_the_model_is_small() -> None:
    assert (shipped.MODEL / WEIGHTS).stat().st_size < 3 * 2**20


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder(search_folder(MODELS))


@pytest.mark.models
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("我的包裹到哪里了", "order_status"),
        ("can I send these shoes back and get my money", "return_refund"),
        ("开一张增值税专用发票", "invoice"),
        ("which cards do you accept", "payment"),
        ("how do I change my password", "account"),
        ("谢谢你，再见", "thanks_goodbye"),
    ],
)
def test_plain_wishes_are_understood(embedder: OnnxEmbedder, text: str, label: str) -> None:
    vector = embedder.embed([as_query(text)])[0]
    assert shipped.understanding()(text, vector).intent == label
