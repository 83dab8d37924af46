"""Learning to tell sentiments, keeping what was learned, and what ships."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.guardrails.classification.fakes import FakeEmbed
from understanding.errors import CannotTrain, ModelUnreadable
from understanding.sentiment.model import SHIPPED, SentimentModel, asks, probabilities, read
from understanding.sentiment.training import NEUTRAL_AS_NEGATIVE, fit, least_negative, train_sentiment

THINGS = ("lamp", "sofa", "kettle", "bike", "phone", "tent", "train", "hotel", "desk", "coat")
ROWS = [
    *((f"The {thing} is awful, what a shame", "negative") for thing in THINGS),
    *((f"这个{thing}太差了，失望", "negative") for thing in THINGS),
    *((f"What does the {thing} cost", "neutral") for thing in THINGS),
    *((f"{thing}多少钱", "neutral") for thing in THINGS),
    *((f"The {thing} is lovely, thank you", "positive") for thing in THINGS),
    *((f"{thing}太好了，谢谢", "positive") for thing in THINGS),
]
LABELS = ("negative", "neutral", "positive")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sentiment") / "model"
    report = train_sentiment(ROWS, FakeEmbed(), folder, "fake")
    assert report["rows"] == len(ROWS)
    assert report["labels"] == dict.fromkeys(LABELS, 20)
    assert report["accuracy"] > 0.9
    assert report["neutral_as_negative"] <= NEUTRAL_AS_NEGATIVE
    return folder


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The garden hose is awful, what a shame", "negative"),
        ("这条水管太差了，失望", "negative"),
        ("What does the garden hose cost", "neutral"),
        ("水管多少钱", "neutral"),
        ("The garden hose is lovely, thank you", "positive"),
        ("水管太好了，谢谢", "positive"),
    ],
)
def test_what_was_trained_and_kept_judges_messages_that_it_has_not_seen(folder: Path, text: str, label: str) -> None:
    found, score = SentimentModel.load(folder).judge([text], FakeEmbed()([text]))[0]
    assert found == label
    assert 0.33 < score <= 1


def test_a_model_that_was_kept_judges_as_it_did_before(folder: Path) -> None:
    model, _ = fit(ROWS, FakeEmbed()([text for text, _ in ROWS]), "fake")
    texts = [text for text, _ in ROWS]
    before, after = model.judge(texts, FakeEmbed()(texts)), SentimentModel.load(folder).judge(texts, FakeEmbed()(texts))
    assert [label for label, _ in before] == [label for label, _ in after]
    assert np.allclose([score for _, score in before], [score for _, score in after], atol=0.02)


def test_two_labels_are_enough_and_nothing_is_no_message() -> None:
    rows = [row for row in ROWS if row[1] != "neutral"]
    model, report = fit(rows, FakeEmbed()([text for text, _ in rows]), "fake")
    assert report.neutral_as_negative is None
    assert model.least_negative == (0, 0)
    assert model.judge([], np.empty((0, 32), np.float32)) == []
    assert model.judge([rows[0][0]], FakeEmbed()([rows[0][0]]))[0][0] == "negative"


@pytest.mark.parametrize("rows", [[], [("fine", "positive")] * 9, [*ROWS, ("hm", "mixed")]])
def test_rows_that_nothing_can_be_learned_from_are_refused_before_anything_is_embedded(
    rows: list[tuple[str, str]], tmp_path: Path
) -> None:
    embed = FakeEmbed()
    with pytest.raises(CannotTrain):
        train_sentiment(rows, embed, tmp_path, "fake")
    assert embed.calls == []


@pytest.mark.parametrize(
    ("likely", "least", "label"),
    [
        ((0.8, 0.1, 0.1), 0.7, "negative"),
        ((0.6, 0.3, 0.1), 0.7, "neutral"),
        ((0.6, 0.1, 0.3), 0.7, "positive"),
        ((0.2, 0.7, 0.1), 0.7, "neutral"),
        ((0.6, 0.3, 0.1), 0.0, "negative"),
    ],
)
def test_a_message_is_called_negative_only_when_that_is_likely_enough(
    likely: tuple[float, ...], least: float, label: str
) -> None:
    assert read(np.array([likely], np.float32), LABELS, [least])[0][0] == label


def test_the_least_probability_lets_through_as_many_neutral_messages_as_it_may() -> None:
    likely = probabilities(np.random.default_rng(3).normal(size=(400, 3)).astype(np.float32))
    for share in (NEUTRAL_AS_NEGATIVE, 0.0):
        least = least_negative(likely, LABELS, share)
        taken = sum(label == "negative" for label, _ in read(likely, LABELS, [least] * 400))
        assert taken == int(share * 400)
    assert least_negative(likely[:0], LABELS, 0.0) == 0


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Where is it? ", True),
        ("能退吗", True),
        ("什么时候发货呢。", True),
        ("真的可以么？", True),
        ("Where it is, nobody knows", False),
        ("呢子大衣", False),
        ("", False),
    ],
)
def test_a_question_is_seen_by_its_end(text: str, question: bool) -> None:
    assert asks(text) == question


def test_a_question_is_called_negative_only_when_that_is_likelier_than_elsewhere(folder: Path) -> None:
    model = replace(SentimentModel.load(folder), least_negative=(0.0, 1.1))
    for text, negative in (("The hose is awful, what a shame", True), ("Is the hose awful, what a shame?", False)):
        assert (model.judge([text], FakeEmbed()([text]))[0][0] == "negative") == negative


def test_vectors_of_another_shape_are_refused(folder: Path) -> None:
    with pytest.raises(ModelUnreadable, match="shape"):
        SentimentModel.load(folder).judge(["hello"], np.zeros((1, 5), np.float32))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda at: (at / "sentiment.json").unlink(), "no classifier in .* sentiment.json is missing"),
        (lambda at: (at / "weights.safetensors").unlink(), "no classifier in .* weights.safetensors is missing"),
        (lambda at: (at / "weights.safetensors").write_bytes(b"no"), "can be read"),
        (lambda at: (at / "sentiment.json").write_text("{"), "can be read"),
        (lambda at: (at / "sentiment.json").write_text('{"format": 9}'), "format 9"),
        (lambda at: (at / "sentiment.json").write_text('{"format": 1}'), "can be read"),
    ],
)
def test_a_folder_that_holds_no_model_says_why(folder: Path, tmp_path: Path, spoil: object, says: str) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    spoil(tmp_path)  # type: ignore[operator]
    with pytest.raises(ModelUnreadable, match=says):
        SentimentModel.load(tmp_path)


def test_what_ships_is_small_and_says_what_it_can_do() -> None:
    model = SentimentModel.load()
    assert model.labels == LABELS
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) <= 5_000_000
    held_out = json.loads((SHIPPED / "sentiment.json").read_text())["report"]["held_out"]
    assert held_out["rows"] == len(model.landmarks)
    assert held_out["accuracy"] > 0.8
