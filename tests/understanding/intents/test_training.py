"""Training and what comes of it: labels, out of scope, reports, files."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.understanding.intents.examples import STRANGE, embed, utterances
from understanding.errors import CannotTrain, ModelUnreadable
from understanding.intents import training
from understanding.intents.classifier import ABOUT, WEIGHTS, IntentClassifier
from understanding.intents.evaluation import Report
from understanding.intents.training import train

Trained = tuple[IntentClassifier, Report]


@pytest.fixture(scope="module")
def trained() -> Trained:
    texts, labels = utterances()
    texts, labels = [*texts, *STRANGE], [*labels, *["oos"] * len(STRANGE)]
    return train(texts, labels, embed(texts), "fake", {"bye": "small_talk"})


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("your hours on sunday", "opening"),
        ("包裹什么时候送到", "delivery"),
        ("bye please", "bye"),
        ("write me a sonnet about volcanoes", "oos"),
        ("", "oos"),
    ],
)
def test_a_text_gets_the_label_that_fits_or_none(trained: Trained, text: str, label: str) -> None:
    intent = trained[0].classify([text], embed([text]))[0]
    assert intent.label == label
    assert intent.oos is (label == "oos")
    assert 0 <= intent.score <= 1
    assert intent.nearest in trained[0].labels


def test_no_texts_give_no_intents(trained: Trained) -> None:
    assert trained[0].classify([], embed([])) == []


def test_the_report_says_what_held_out_rows_got(trained: Trained) -> None:
    report = trained[1]
    texts, labels = utterances()
    assert (report.rows, report.out_of_scope) == (len(texts), len(STRANGE))
    assert report.accuracy > 0.9
    assert (report.out_of_scope_found or 0) > 0.5
    assert {one.label: one.rows for one in report.classes} == {label: labels.count(label) for label in set(labels)}
    kept = [step.right for step in report.thresholds]
    assert kept == sorted(kept, reverse=True)
    json.dumps(asdict(report))


def test_rows_of_a_wrong_label_show_up_as_a_confused_pair() -> None:
    texts, labels = utterances()
    labels[0] = "bye"
    report = train(texts, labels, embed(texts), "fake")[1]
    pairs = {(pair.label, pair.taken_for): pair.examples for pair in report.confusions}
    assert pairs["bye", "opening"] == (texts[0],)


def test_scores_of_held_out_rows_are_those_of_a_classifier_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(3)
    points, wanted = dice.normal(size=(30, 4)), np.eye(3)[dice.integers(0, 3, 30)]
    kernel = points @ points.T + np.eye(30)
    monkeypatch.setattr(training, "STEP", 7)
    every = np.arange(30)
    unseen = training.solve(lambda some: kernel[some], every, wanted)[1]
    for row in (0, 13, 29):
        others = np.delete(every, row)
        ridged = kernel[np.ix_(others, others)] + training.RIDGE * np.eye(29)
        expected = kernel[row, others] @ np.linalg.solve(ridged, wanted[others])
        assert unseen[row] == pytest.approx(expected, abs=1e-2)


def test_of_many_rows_landmarks_are_drawn_from_each_label_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "LANDMARKS", 30)
    codes = np.array([0] * 200 + [1] * 12 + [2] * 40 + [-1] * 5)
    drawn = codes[training.draw(codes, 1)]
    assert len(drawn) == 30
    assert [int((drawn == label).sum()) for label in (-1, 1)] == [5, 8]
    texts, labels = utterances()
    classifier, report = train(texts, labels, embed(texts), "fake")
    assert len(classifier.landmarks) == 30
    assert report.accuracy_without_scope > 0.8


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["a", "a", "a"], "at least two labels"),
        (["a", "a", "oos"], "at least two labels"),
        (["a", "a", "b"], "too few of: b"),
        ([], "at least two labels"),
    ],
)
def test_rows_that_nothing_can_be_learned_from_are_refused(labels: list[str], says: str) -> None:
    texts = [str(number) for number in range(len(labels))]
    with pytest.raises(CannotTrain, match=says):
        train(texts, labels, embed(texts), "fake")


def test_a_folder_classifies_as_what_was_saved(trained: Trained, tmp_path: Path) -> None:
    classifier, report = trained
    classifier.save(tmp_path / "model", asdict(report))
    loaded = IntentClassifier.load(tmp_path / "model")
    texts = utterances()[0]
    before, after = (one.classify(texts, embed(texts)) for one in (classifier, loaded))
    assert [one.label for one in before] == [one.label for one in after]
    assert [one.score for one in before] == pytest.approx([one.score for one in after], abs=0.02)
    assert loaded.encoder == "fake"
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == sorted([ABOUT, WEIGHTS])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (ABOUT, None),
        (WEIGHTS, None),
        (ABOUT, b"no json"),
        (ABOUT, b"[]"),
        (ABOUT, b"{}"),
        (ABOUT, b'{"format": 9, "kind": "kernel"}'),
        (WEIGHTS, b""),
        (WEIGHTS, b"\x80\x04pickle"),
    ],
)
def test_a_folder_that_cannot_be_read_says_so(
    trained: Trained, tmp_path: Path, name: str, content: bytes | None
) -> None:
    trained[0].save(tmp_path, {})
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelUnreadable):
        IntentClassifier.load(tmp_path)


def test_vectors_of_another_encoder_are_refused(trained: Trained) -> None:
    with pytest.raises(ModelUnreadable, match="shape"):
        trained[0].classify(["hello"], np.ones((1, 7), np.float32))
