"""Measures the radar: are statements that contradict each other found, and harmless neighbours left alone?

    python -m bench.radar          the tables, on pairs that nothing was fitted on
    python -m bench.radar --fit    fits desk/radar_weights.json on bench/radar_pairs, with cross-validated figures

`bench/contradictions` was written by somebody who has not seen the radar, and is only counted here. "Planted" has all
its sentences and the demo shop's documents in one base: every sentence is compared with all its neighbours, and what
is reported beside the 40 pairs counts as false, although some of it may differ indeed.
"""

import argparse
import json
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

from bench.figures import HEAD, Figure, tell
from desk.radar import FARTHEST, NEAREST, WEIGHTS, Found, Scorer, Source, comparable, look, shipped
from desk.statements import NAMES, Statement, compare, may_differ
from knowledge.chunking import chunk
from knowledge.embedding import Embedder, as_passage, load_embedder
from knowledge.language import language_of
from knowledge.passages import Vectors
from knowledge.readers import read_document
from knowledge.sentences import split_sentences

ROOT = Path(__file__).resolve().parent.parent
RIDGE = 0.005
FALSE_AT_MOST = 0.28
"""Of what is reported, cross-validated on the development pairs."""

HARMLESS = 2.0
"""Harmless pairs for each contradiction, for which the threshold is chosen."""

NEIGHBOURS_COUNT = 1.0
"""What all neighbours of the second shop count in the fit, against all pairs."""

SENTENCES = 10_000
TODAY = date(2026, 11, 22)

DEMO = ROOT / "demo" / "knowledge"
Row = dict[str, Any]


def read(folder: str) -> list[Row]:
    """The pairs of a folder."""
    return [json.loads(line) for line in (ROOT / "bench" / folder / "pairs.jsonl").read_text().splitlines()]


def statements(row: Row) -> tuple[Statement, Statement]:
    """The two of a pair."""
    return Statement.of(row["a"], row.get("a_context", "")), Statement.of(row["b"], row.get("b_context", ""))


def cosines(rows: Sequence[Row], embedder: Embedder) -> Vectors:
    """Of each pair's sentences."""
    vectors = np.asarray(embedder.embed([as_passage(row[side]) for row in rows for side in "ab"]), np.float32)
    near: Vectors = np.einsum("nd,nd->n", vectors[0::2], vectors[1::2])
    return near


def is_contradiction(rows: Sequence[Row]) -> np.ndarray[Any, Any]:
    """The labels."""
    return np.array([row["label"] == "contradiction" for row in rows])


def harmless(embedder: Embedder) -> list[tuple[Statement, Statement, float]]:
    """Neighbours in a whole base of which nothing contradicts anything: what most pairs in the world are like."""
    sources = sources_of(ROOT / "bench" / "shops" / "lantern")
    return [pair for pair in comparable(sources, embedded(sources, embedder)) if may_differ(pair[0], pair[1])]


def fit(rows: Sequence[Row], embedder: Embedder) -> None:
    """Fit the weights, choose the threshold on cross-validated probabilities, and write both."""
    taken = [statements(row) for row in rows]
    neighbours = harmless(embedder)
    near = np.concatenate([cosines(rows, embedder), np.array([cosine for *_, cosine in neighbours], np.float32)])
    labels = np.concatenate([is_contradiction(rows), np.zeros(len(neighbours), bool)])
    taken += [(one, other) for one, other, _ in neighbours]
    weight = np.where(np.arange(len(taken)) < len(rows), 1.0, NEIGHBOURS_COUNT * len(rows) / len(neighbours))
    values = np.array([compare(a, b, cosine) for (a, b), cosine in zip(taken, near, strict=True)])
    possible = np.array([may_differ(a, b) for a, b in taken]) & (near >= NEAREST)
    model = make_pipeline(
        StandardScaler(),
        FunctionTransformer(np.clip, kw_args={"a_min": -FARTHEST, "a_max": FARTHEST}),
        PolynomialFeatures(2, interaction_only=True, include_bias=False),
        StandardScaler(with_mean=False),
        LogisticRegression(C=RIDGE, max_iter=5000),
    )
    runs = [
        cross_val_predict(model, values, labels, cv=StratifiedKFold(10, shuffle=True, random_state=seed),
                          method="predict_proba", params={"logisticregression__sample_weight": weight})[:, 1]
        for seed in range(3)
    ]  # fmt: skip
    likely = np.mean(runs, 0) * possible
    own = np.arange(len(taken)) < len(rows)
    least = next(
        float(at)
        for at in np.unique(likely[possible & own])
        if _false(likely[own] >= at, labels[own], HARMLESS) <= FALSE_AT_MOST
    )
    for language in ("zh", "en"):
        some = np.array([row["language"] == language for row in rows])
        found, true = likely[own][some] >= least, labels[own][some]
        print(
            f"{language}: recall {found[true].mean():.3f}, false {_false(found, true, HARMLESS):.3f} (cross-validated)"
        )
    print(f"lantern: {int((likely[~own] >= least).sum())} of {len(neighbours)} neighbours reported (cross-validated)")
    model.fit(values, labels, logisticregression__sample_weight=weight)
    scaler, logistic = model[0], model[4]
    weights = logistic.coef_[0] / model[3].scale_
    stored = {
        "features": list(NAMES),
        "mean": [round(float(one), 5) for one in scaler.mean_],
        "scale": [round(float(one), 5) for one in scaler.scale_],
        "weights": [round(float(one), 5) for one in weights[: len(NAMES)]],
        "products": [round(float(one), 5) for one in weights[len(NAMES) :]],
        "bias": round(float(logistic.intercept_[0]), 5),
        "least": round(least, 4),
    }
    WEIGHTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    shipped.cache_clear()
    print(f"{len(rows)} pairs, threshold {least:.3f}; written to {WEIGHTS.relative_to(ROOT)}")


def _false(reported: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], harmless: float | None = None) -> float:
    """Share of what is reported; as if there were `harmless` times as many harmless pairs as contradictions."""
    weight = 1.0 if harmless is None else harmless * labels.sum() / (~labels).sum()
    wrong = weight * (reported & ~labels).sum()
    return float(wrong / max(1, wrong + (reported & labels).sum()))


def of_pairs(name: str, rows: Sequence[Row], embedder: Embedder, *, must: bool) -> Iterator[Figure]:
    """Recall and share of false reports when each pair is judged alone."""
    scorer: Scorer = shipped()
    labels = is_contradiction(rows)
    near = cosines(rows, embedder)
    likely = np.array(
        [scorer.probability(*statements(row), float(cosine)) for row, cosine in zip(rows, near, strict=True)]
    )
    reported = (likely >= scorer.least) & (near >= NEAREST)
    for language in ("", "zh", "en"):
        some = np.array([language in ("", row["language"]) for row in rows])
        data = f"{name} {language}".strip()
        recall, false = float(reported[some & labels].mean()), _false(reported[some], labels[some])
        held = must and not language
        yield Figure(
            "contradictions found", data, int((some & labels).sum()), f"{recall:.3f}", "≥ .80" if held else "",
            recall >= 0.8 if held else None,
        )  # fmt: skip
        yield Figure(
            "false, of what is reported", data, int(reported[some].sum()), f"{false:.3f}", "≤ .30" if held else "",
            false <= 0.3 if held else None,
        )  # fmt: skip


def sources_of(folder: Path) -> list[Source]:
    """The chunks of a folder's documents."""
    sources: list[Source] = []
    for path in sorted(folder.iterdir()):
        for draft in chunk(read_document(path.name, path.read_bytes())):
            context = "\n".join(filter(None, (draft.heading, draft.question)))
            sentences = tuple(split_sentences(draft.text))
            sources.append(Source(len(sources), path.name, draft.language, context, sentences))
    return sources


def planted_sources(rows: Sequence[Row], first: int) -> list[Source]:
    """Each pair's sentences as a passage of a document of its own."""
    return [
        Source(first + 2 * number + side, f"{row['id']}-{'ab'[side]}", language_of(row["ab"[side]]), "",
               (row["ab"[side]],))
        for number, row in enumerate(rows)
        for side in (0, 1)
    ]  # fmt: skip


def embedded(sources: Sequence[Source], embedder: Embedder) -> Vectors:
    """The vectors of all sentences in order."""
    return np.asarray(embedder.embed([as_passage(one) for source in sources for one in source.sentences]), np.float32)


def planted(rows: Sequence[Row], embedder: Embedder, name: str) -> Iterator[Figure]:
    """All sentences in one base with the demo's documents."""
    demo = sources_of(DEMO)
    added = planted_sources(rows, len(demo))
    vectors = embedded([*demo, *added], embedder)
    alone = look(demo, vectors[: sum(len(one.sentences) for one in demo)], today=TODAY)
    for kind in ("contradiction", "duplicate", "expired"):
        yield Figure(f"reported in the demo's documents alone: {kind}", "demo", len(demo), str(_count(alone, kind)))
    found = [one for one in look([*demo, *added], vectors, today=TODAY) if one.kind == "contradiction"]
    wanted = {
        frozenset((len(demo) + 2 * number, len(demo) + 2 * number + 1))
        for number, row in enumerate(rows)
        if row["label"] == "contradiction"
    }
    hits = {frozenset(one.chunks) for one in found} & wanted
    within = sum(min(one.chunks) >= len(demo) for one in found) - len(hits)
    total = len(vectors)
    yield Figure("planted contradictions found among all sentences", name, total, f"{len(hits)} of {len(wanted)}")
    yield Figure("other reports: between planted sentences", name, total, str(within))
    yield Figure("other reports: with the demo's", name, total, str(len(found) - len(hits) - within))
    for most in (20, 40, 60):
        right = sum(frozenset(one.chunks) in wanted for one in found[:most])
        yield Figure(f"right among the {most} surest reports", name, total, f"{right} of {min(most, len(found))}")


def _count(found: Sequence[Found], kind: str) -> int:
    return sum(one.kind == kind for one in found)


def speed(embedder: Embedder) -> Iterator[Figure]:
    """Seconds for many sentences: the demo's and the development pairs', with other numbers, their vectors moved."""
    dice = random.Random(7)
    noise = np.random.default_rng(7)
    sources = sources_of(DEMO)
    sources += planted_sources(read("radar_pairs"), len(sources))
    vectors = embedded(sources, embedder)
    texts = [(source, one) for source in sources for one in source.sentences]
    chosen = [dice.randrange(len(texts)) for _ in range(SENTENCES)]
    moved = vectors[chosen] + noise.normal(0, 0.02, (SENTENCES, vectors.shape[1])).astype(np.float32)
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    many = [
        Source(number, texts[row][0].document, texts[row][0].language, texts[row][0].context,
               (re.sub(r"\d+", lambda _: str(dice.randint(1, 400)), texts[row][1]),))
        for number, row in enumerate(chosen)
    ]  # fmt: skip
    start = time.perf_counter()
    found = look(many, moved, today=TODAY)
    seconds = time.perf_counter() - start
    yield Figure(f"seconds for {SENTENCES:,} sentences", "made up", SENTENCES, f"{seconds:.0f} ({len(found)} reports)")


def main() -> int:
    """Print the tables; status 1 when something that must hold does not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="fit the weights, and do not look at bench/contradictions")
    arguments = parser.parse_args()
    embedder = load_embedder(Path(os.environ.get("KEFU_MODELS", "models")) / "e5-small")
    own = read("radar_pairs")
    if arguments.fit:
        fit(own, embedder)
        print(HEAD)
        tell(planted(own, embedder, "development pairs and demo"))
        return 0
    print(HEAD)
    short = tell(of_pairs("development pairs (fitted on)", own, embedder, must=False))
    rows = read("contradictions")
    short += tell(of_pairs("bench/contradictions", rows, embedder, must=True))
    short += tell(planted(rows, embedder, "bench/contradictions and demo"))
    tell(speed(embedder))
    return 1 if short else 0


if __name__ == "__main__":
    raise SystemExit(main())
