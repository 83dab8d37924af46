"""What `train` and `classify` do for each task: a table, so that every task may have its own kind of classifier.

`TASKS` is the place to add one. Knows nothing of command lines.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chatbot.encoder import BOTH, SEARCH, mood_encoder, search_folder, with_mood
from guardrails.classification import training
from guardrails.classification.classifier import Classifier, ClassifierError, Task
from guardrails.classification.shipped import SHIPPED, encoder_folder
from guardrails.classification.training import TrainingError
from knowledge.embedding import ModelMissing, OnnxEmbedder, as_query
from understanding import shipped
from understanding.errors import UnderstandingError
from understanding.intents import training as intents
from understanding.intents import transformer
from understanding.intents.classifier import IntentClassifier, read_about
from understanding.intents.decision import Intent
from understanding.intents.routing import groups
from understanding.sentiment.model import SHIPPED as SENTIMENT
from understanding.sentiment.model import SentimentModel
from understanding.sentiment.training import train_sentiment

ENCODER = "e5-small"
BATCH = 2_000

CANNOT = (ModelMissing, ClassifierError, TrainingError, UnderstandingError)
"""What the functions below raise: one line that says what is missing or wrong."""

Labelled = tuple[str, str]
"""A text and its label."""
Classify = Callable[[str], tuple[str, float]]
"""A text to its label and the probability of it."""


@dataclass(frozen=True)
class Learner:
    """How a task is learned and used.

    train: labelled texts, the folder to write, the folder of encoders and a checkpoint to fine-tune or None, to a
    report. load: the folder of a classifier (None: the one that ships) and that of encoders, to what classifies.
    """

    train: Callable[[Sequence[Labelled], Path, Path, Path | None], dict[str, Any]]
    load: Callable[[Path | None, Path], Classify]


def embed(texts: Sequence[str], folder: Path, at_once: int = BATCH) -> npt.NDArray[np.float32]:
    """Vectors of many texts as questions, by the encoder in `folder`. Raises ModelMissing.

    at_once: an int8 graph scales a batch's activations together, so vectors differ a little with their neighbours
    (cosine .992); 1 makes them as a customer's single message gets them, and takes no longer.
    """
    embedder = OnnxEmbedder(folder)
    queries = [as_query(text) for text in texts]
    vectors = [embedder.embed(queries[at : at + at_once]) for at in range(0, len(queries), at_once)]
    return np.concatenate(vectors or [np.empty((0, 0), np.float32)])


def train_guard(
    task: Task, labelled: Sequence[Labelled], out: Path, models: Path, checkpoint: Path | None
) -> dict[str, Any]:
    """Train one of the guards' classifiers."""
    if checkpoint is not None:
        raise TrainingError(f"{task} takes no checkpoint")
    rows = [training.Row(*pair) for pair in labelled]
    if task == "injection":
        rows = training.with_windows(rows)
    vectors = embed([row.text for row in rows], models / ENCODER)
    classifier, report = training.train(task, rows, vectors, ENCODER)
    classifier.save(out, {"held_out": asdict(report)})
    return asdict(report)


def load_guard(task: Task, folder: Path | None, models: Path) -> Classify:
    """One of the guards' classifiers, with its encoder."""
    folder = folder or SHIPPED / task
    classifier = Classifier.load(folder)
    if classifier.task != task:
        raise ClassifierError(f"{folder} holds a classifier of {classifier.task}, not of {task}")
    embedder = OnnxEmbedder(encoder_folder(classifier.encoder, models))
    classifier = classifier.with_encoder(lambda texts: embedder.embed([as_query(text) for text in texts]))
    return lambda text: classifier.classify([text])[0]


def guard(task: Task) -> Learner:
    return Learner(partial(train_guard, task), partial(load_guard, task))


def train_intent(labelled: Sequence[Labelled], out: Path, models: Path, checkpoint: Path | None) -> dict[str, Any]:
    """Train a classifier of intents, or fine-tune a checkpoint; rows labelled `oos` are out of scope."""
    texts, labels = [text for text, _ in labelled], [label for _, label in labelled]
    alike = groups({row["slug"]: shipped.behaviour(row) for row in shipped.labels()})
    started = time.monotonic()
    if checkpoint is not None:
        tuned, report = transformer.train(texts, labels, checkpoint, alike)
        tuned.save(out, asdict(report))
        return asdict(report)
    intents.code(labels)  # what cannot be trained on is said before anything is embedded
    vectors = embed(texts, search_folder(models), at_once=1)
    classifier, report = intents.train(texts, labels, vectors, SEARCH, alike)
    classifier.save(out, asdict(report))
    return {**asdict(report), "seconds_with_vectors": round(time.monotonic() - started, 1)}


def load_intent(folder: Path | None, models: Path) -> Classify:
    """A classifier of intents, with its encoder."""
    folder = folder or shipped.MODEL
    if read_about(folder).get("kind") == transformer.KIND:
        tuned = transformer.FineTuned.load(folder)
        return lambda text: _said(tuned.classify([text])[0])
    classifier, embedder = IntentClassifier.load(folder), OnnxEmbedder(search_folder(models))
    return lambda text: _said(classifier.classify([text], embedder.embed([as_query(text)]))[0])


def _said(intent: Intent) -> tuple[str, float]:
    return intent.label, intent.score


def train_mood(labelled: Sequence[Labelled], out: Path, models: Path, checkpoint: Path | None) -> dict[str, Any]:
    """Train a model of sentiment."""
    if checkpoint is not None:
        raise TrainingError("sentiment takes no checkpoint")
    return train_sentiment(labelled, mood_vectors(models), out, BOTH)


def load_mood(folder: Path | None, models: Path) -> Classify:
    """A model of sentiment, with its encoders."""
    model, vectors = SentimentModel.load(folder or SENTIMENT), mood_vectors(models)
    return lambda text: model.judge([text], vectors([text]))[0]


def mood_vectors(models: Path) -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
    """Embeds texts as the worker does for the model of sentiment. Raises ModelMissing."""
    searched = OnnxEmbedder(search_folder(models))
    return with_mood(lambda text: searched.embed([as_query(text)])[0], mood_encoder(models, searched))


TASKS: dict[str, Learner] = {
    "intent": Learner(train_intent, load_intent),
    "sentiment": Learner(train_mood, load_mood),
    "toxicity": guard("toxicity"),
    "injection": guard("injection"),
}
