"""Trains and measures the grounding check on bench/grounding: is a sentence supported by its passages?

    python -m bench.grounded               figures on the development half, near-copies, extractive replies, cost
    python -m bench.grounded --train       fits guardrails/grounding/weights.json on the training half first
    python -m bench.grounded --held-out    reports sentences.held_out.jsonl, too: never tune on it

sentences.jsonl is halved shop by shop, by a hash of the shop's passages. To the training half are added near-copies of
its own passages (politely led in; a number changed; turned round by a negation; another shop's), since the written
sentences reword everything and a model mostly does not. Thresholds are set on the development half and on the training
half, of which each shop is judged by weights fitted without it. Vectors are the
search's (chatbot/encoder.py), with models from `KEFU_MODELS`.
"""

import argparse
import csv
import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import confusion_matrix, f1_score  # type: ignore[import-untyped]

from bench.answers import DEMO, base
from chatbot.encoder import search_encoder
from chatbot.engines import Prompt
from chatbot.engines.extractive import compose
from guardrails.grounding.check import ACROSS, Grounding
from guardrails.grounding.evidence import Evidence, Vectors
from guardrails.grounding.features import NAMES, Floats, features
from guardrails.grounding.model import LABELS, WEIGHTS, Model
from guardrails.units import split_units
from knowledge.embedding import Embedder, as_passage, as_query
from knowledge.retrieval import Retriever

SETS = Path(__file__).parent / "grounding"
SEEDS = {"zh": "1", "en": "2"}
"""Of the halving, one a language, so that neither half lacks one."""

STRENGTH, COPY_WEIGHT = 0.1, 0.2
"""Inverse regularisation and the weight of a near-copy, by cross-validation over the training half's shops: written
sentences alone teach that what keeps the passages' words contradicts them.
"""

MOST_BLOCKED, MOST_STOPPED = 0.03, 0.20
"""Of the supported sentences that thresholds are set on, that the model may block, and block or have reviewed. Rules
block some, too.
"""


@dataclass(frozen=True)
class Row:
    """One labelled sentence with its passages; `shop` names the group of passages that it belongs to."""

    passages: tuple[str, ...]
    sentence: str
    label: str
    language: str
    shop: str
    weight: float = 1.0


def read(file: Path) -> list[Row]:
    """The rows of a set, each with its shop: passages that ever stand together are one shop's."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    leader: dict[str, str] = {}

    def lead(passage: str) -> str:
        while leader.setdefault(passage, passage) != passage:
            passage = leader[passage]
        return passage

    for line in lines:
        for passage in line["passages"]:
            first, other = sorted((lead(line["passages"][0]), lead(passage)))
            leader[other] = first
    return [
        Row(tuple(line["passages"]), line["sentence"], line["label"], line["language"], lead(line["passages"][0]))
        for line in lines
    ]


def is_for_training(row: Row) -> bool:
    """Which half of sentences.jsonl a row is in."""
    return int(sha256((SEEDS[row.language] + row.shop).encode()).hexdigest(), 16) % 2 == 0


_LEAD_INS = {
    "zh": ("您好，{}", "亲，{}", "根据我们的规定，{}", "请注意：{}", "{}哦", "您放心，{}", "是的，{}"),
    "en": ("Yes, {}", "According to our terms, {}", "Please note that {}", "As stated, {}", "Sure: {}", "{}"),
}
_TURNS = {
    "zh": (
        ("可以", "不可以"), ("不支持", "支持"), ("不可", "可"), ("免费", "收费"), ("不含", "含"), ("不收", "要收"),
        ("需提前", "无需提前"), ("无需", "需要"), ("不提供", "提供"), ("不回收", "回收"), ("须提前", "不用提前"),
        ("不包括", "包括"), ("不在", "在"), ("包含", "不包含"),
    ),
    "en": (
        ("cannot", "can"), ("can be", "cannot be"), ("is free", "is not free"), ("are free", "are charged"),
        ("does not", "does"), ("do not", "do"), ("included", "not included"), ("not covered", "covered"),
        ("must be", "need not be"), ("may be", "may not be"), ("are refunded", "are not refunded"),
    ),
}  # fmt: skip
_SMALL_FIRST = ("The", "A", "We", "You", "It", "If", "Please", "All", "Every")


def near_copies(rows: Sequence[Row], seed: int = 1) -> list[Row]:
    """Sentences of the rows' own passages, hardly changed: led in politely, with another number, turned round, and set
    against another shop's passages.
    """
    dice = random.Random(seed)
    shops: dict[str, list[str]] = {}
    language = {row.shop: row.language for row in rows}
    for row in rows:
        shops.setdefault(row.shop, []).extend(one for one in row.passages if one not in shops.get(row.shop, ()))
    made = []
    for shop, passages in shops.items():
        tongue = language[shop]
        others = [one for one, its in language.items() if its == tongue and one != shop]
        for sentence in (one.strip() for passage in passages for one in split_units((passage,), 400)):
            if len(sentence) < 6:
                continue
            beside = tuple(dict.fromkeys((next(p for p in passages if sentence in p), dice.choice(passages))))

            def add(text: str, label: str, against: tuple[str, ...] = beside, own: str = shop) -> None:
                made.append(Row(against, text, label, language[own], own, COPY_WEIGHT))

            add(_led_in(sentence, tongue, dice), "supported")
            if clause := _half(sentence, dice):
                add(_led_in(clause, tongue, dice), "supported")
            if changed := _with_another_number(sentence, dice):
                add(changed if dice.random() < 0.5 else _led_in(changed, tongue, dice), "contradicted")
            if turned := next((sentence.replace(a, b, 1) for a, b in _TURNS[tongue] if a in sentence), ""):
                add(_led_in(turned, tongue, dice), "contradicted")
            if others:
                add(sentence, "unsupported", tuple(shops[dice.choice(others)][:3]))
    return made


def _led_in(sentence: str, language: str, dice: random.Random) -> str:
    plain = sentence.rstrip("。.")
    if plain.split()[0] in _SMALL_FIRST:
        plain = plain[0].lower() + plain[1:]
    return dice.choice(_LEAD_INS[language]).format(plain) + ("。" if language == "zh" else ".")


def _half(sentence: str, dice: random.Random) -> str:
    """One clause or two of several, which still say something."""
    clauses = [one for one in re.split(r"[，；;]|, ", sentence.rstrip("。.")) if len(one) > 7]
    return dice.choice(clauses) if len(clauses) > 1 else ""


def _with_another_number(sentence: str, dice: random.Random) -> str:
    numbers = list(re.finditer(r"(?<![\d.:/A-Za-z-])\d+(?![\d.:]|\.\d)", sentence))
    if not numbers or "http" in sentence:
        return ""
    chosen = dice.choice(numbers)
    value = int(chosen[0])
    other = dice.choice([value + 1, value * 2, value + 5, value * 10, max(1, value // 2) if value > 2 else value + 3])
    return sentence[: chosen.start()] + str(other) + sentence[chosen.end() :]


class Memory:
    """Embeds each text once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self._known = embedder, dict[str, Vectors]()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.embed([as_passage(text) for text in new]), strict=True))
        return np.stack([self._known[text] for text in texts])


def table_of(rows: Sequence[Row], embed: Callable[[Sequence[str]], Vectors]) -> tuple[Floats, Any]:
    """Features (n, features) and label numbers (n,)."""
    values = []
    for row in rows:
        evidence = Evidence(row.passages)
        vectors = embed([sentence.text for sentence in evidence.sentences])
        values.append(features(row.sentence, evidence, embed([row.sentence])[0], vectors)[0])
    return np.array(values), np.array([LABELS.index(row.label) for row in rows])


@dataclass(frozen=True)
class Fit:
    """Weights of some rows; see `Model`."""

    mean: Floats
    scale: Floats
    weights: Floats
    bias: Floats

    @classmethod
    def of(cls, values: Floats, labels: Any, counts: Floats) -> "Fit":
        """`counts`: how much each row does."""
        mean, scale = values.mean(axis=0), np.maximum(values.std(axis=0), 0.05)
        model = LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced")
        model.fit((values - mean) / scale, labels, sample_weight=counts)
        return cls(mean, scale, model.coef_, model.intercept_)

    def probabilities(self, values: Floats, temperature: float) -> Floats:
        """See `Model.probabilities`."""
        return Model(**vars(self), temperature=temperature, least=0, block=0).probabilities(values)


def train(rows: Sequence[Row], held: Sequence[Row], embed: Callable[[Sequence[str]], Vectors]) -> None:
    """Fit the weights on `rows` with their near-copies; thresholds and calibration on `held`, and on each shop of
    `rows` by what the others teach. Writes weights.json.
    """
    everything = [*rows, *near_copies(rows)]
    values, labels = table_of(everything, embed)
    held_values, held_labels = table_of(held, embed)
    counts, shops = np.array([row.weight for row in everything]), np.array([row.shop for row in everything])
    fit = Fit.of(values, labels, counts)
    written = np.arange(len(everything)) < len(rows)
    judges = [(fit, held_values, held_labels)]
    for shop in dict.fromkeys(shops):
        own = shops == shop
        judges.append((Fit.of(values[~own], labels[~own], counts[~own]), values[own & written], labels[own & written]))
    truth = np.concatenate([its for _, _, its in judges])

    def probabilities(temperature: float) -> Floats:
        return np.concatenate([judge.probabilities(some, temperature) for judge, some, _ in judges])

    def surprise(temperature: float) -> float:
        return -float(np.log(probabilities(temperature)[np.arange(len(truth)), truth]).mean())

    temperature = float(min(np.arange(0.4, 2.01, 0.1), key=surprise))
    sure = np.sort(probabilities(temperature)[truth == 0, 0])

    def threshold(share: float) -> float:
        """Halfway between two sentences, so that what neighbours in a batch do to a vector decides no verdict."""
        place = int(share * len(sure))
        return round(float(sure[place - 1 : place + 1].mean()), 3)

    stored: dict[str, Any] = {"features": NAMES, "labels": LABELS, **vars(fit), "temperature": round(temperature, 2)}
    stored |= {"block": threshold(MOST_BLOCKED), "least": threshold(MOST_STOPPED)}
    stored = {name: np.round(one, 5).tolist() if isinstance(one, np.ndarray) else one for name, one in stored.items()}
    WEIGHTS.write_text(json.dumps(stored, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Judged:
    """What became of the sentences of a set in one language, or in both: arrays of one entry a sentence."""

    language: str
    labels: Any
    guessed: Any
    actions: Any

    def f1(self) -> tuple[float, float, float]:
        """Macro-F1 of the three classes, of "supported or not" as the model guesses, and as the check passes."""
        supported = self.labels == 0
        three = f1_score(self.labels, self.guessed, average="macro")
        two = f1_score(supported, self.guessed == 0, average="macro")
        return three, two, f1_score(supported, self.actions == "pass", average="macro")

    def share(self, label: str, *actions: str) -> float:
        """Of the sentences with this label, the share for which the check did one of these."""
        return float(np.mean(np.isin(self.actions[self.labels == LABELS.index(label)], actions)))


def judged(rows: Sequence[Row], embed: Callable[[Sequence[str]], Vectors]) -> Iterator[Judged]:
    """Judge a set: each language that it has, then both."""
    check = Grounding(embed)
    values, labels = table_of(rows, embed)
    guessed = Model.load().probabilities(values).argmax(axis=1)
    actions = np.array([check(row.sentence, row.passages).action for row in rows])
    for language in ("zh", "en", "both"):
        own = np.array([language in (row.language, "both") for row in rows])
        if own.any():
            yield Judged(language, labels[own], guessed[own], actions[own])


def report(title: str, rows: Sequence[Row], embed: Callable[[Sequence[str]], Vectors]) -> None:
    """Print the figures of a set: classes as the model guesses them, and what the check does."""
    print(f"\n{title}: {len(rows)} sentences of {len({row.shop for row in rows})} shops")
    for one in judged(rows, embed):
        three, two, passed = one.f1()
        told = []
        for label in LABELS:
            shares = (f"{action} {one.share(label, action):.0%}" for action in ("pass", "review", "block"))
            told.append(f"{label} {' '.join(shares)}")
        print(f"  {one.language}: macro-F1 {three:.3f}, supported or not {two:.3f}; passed or not {passed:.3f}")
        print("    " + "; ".join(told))
    table = confusion_matrix(one.labels, one.guessed).tolist()
    print("  " + str(table), "rows: labels, columns: guesses,", ", ".join(LABELS))


def extractive(embedder: Embedder, embed: Callable[[Sequence[str]], Vectors]) -> None:
    """Print how many units of the extractive engine's replies on the demo base pass, and how many do as quotes."""
    retriever = Retriever(base(DEMO / "knowledge", embedder), lambda question: embedder.embed([as_query(question)])[0])
    check, units, quotes, passed, replies, whole = Grounding(embed), 0, 0, 0, 0, 0
    for name in ("questions.dev.jsonl", "questions.held_out.jsonl", "bench_questions.jsonl"):
        for line in (DEMO / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found = retriever.search(row["question"])
            language = "zh" if re.search(r"[\u4e00-\u9fff]", row["question"]) else "en"
            prompt = Prompt(row["question"], found.question_vector, found.passages, language)  # type: ignore[arg-type]
            evidence = tuple(passage.text for passage in found.passages)
            good = True
            for unit in split_units(compose(prompt)):
                units += 1
                quoted = check.taken_apart(evidence).quotes(unit)
                fine = check(unit, evidence).action == "pass"
                quotes, passed, good = quotes + quoted, passed + fine, good and fine
                if not fine:
                    print("  not passed:", unit.strip())
            replies, whole = replies + 1, whole + good
    share = f"{passed}/{units} units pass ({passed / units:.2%})"
    print(f"\nExtractive replies: {share}, {quotes} as quotes; {whole}/{replies} replies whole")


def across(embed: Callable[[Sequence[str]], Vectors]) -> None:
    """Print the shares of answers' sentences that are alike enough to the same FAQ told in the other language, and to
    five other FAQs; ACROSS was chosen on the even ones.
    """
    found: dict[str, dict[str, Evidence]] = {}
    for language in ("zh", "en"):
        with (DEMO / "knowledge" / f"faq-{language}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found[language] = {row["id"].split("-")[-1]: Evidence((f"{row['question']}\n{row['answer']}",)) for row in rows}
    keys = sorted(found["zh"])
    for half, name in ((0, "chosen on"), (1, "held out")):
        same, other = [], []
        for place, key in enumerate(keys):
            for own, foreign in (("zh", "en"), ("en", "zh")) if int(key) % 2 == half else ():
                near = [key, *(keys[(place + step) % len(keys)] for step in (1, 7, 13, 19, 29))]
                vectors = [embed([one.text for one in found[foreign][its].sentences]) for its in near]
                for sentence in found[own][key].sentences[1:]:  # without the question
                    cosines = [float((some @ embed([sentence.text])[0]).max()) for some in vectors]
                    same.append(cosines[0] >= ACROSS)
                    other += [cosine >= ACROSS for cosine in cosines[1:]]
        shares = f"{np.mean(same):.0%} of {len(same)} true sentences pass, {np.mean(other):.1%} of {len(other)} others"
        print(f"\nAcross languages, {name}: {shares}")


def cost(rows: Sequence[Row], embedder: Embedder) -> None:
    """Print milliseconds a unit: rules, and one embedding."""
    memory = Memory(embedder)
    prepared = []
    for row in rows:
        evidence = Evidence(row.passages)
        vectors = memory([sentence.text for sentence in evidence.sentences])
        features(row.sentence, evidence, vectors[0], vectors)  # takes the evidence apart
        prepared.append((row.sentence, evidence, memory([row.sentence])[0], vectors))
    rules, embeddings = [], []
    for sentence, evidence, vector, vectors in prepared:
        started = time.thread_time()
        features(sentence, evidence, vector, vectors)
        rules.append(1000 * (time.thread_time() - started))
    for row in rows[:60]:
        started = time.perf_counter()
        embedder.embed([as_passage(row.sentence)])
        embeddings.append(1000 * (time.perf_counter() - started))
    for name, times in (("rules", rules), ("embedding", embeddings)):
        print(f"{name}: p50 {np.percentile(times, 50):.2f} ms, p95 {np.percentile(times, 95):.2f} ms a unit")


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    embedder = search_encoder(Path(os.environ.get("KEFU_MODELS", "models")))
    embed = Memory(embedder)
    rows = read(SETS / "sentences.jsonl")
    inside, outside = [row for row in rows if is_for_training(row)], [row for row in rows if not is_for_training(row)]
    if options.train:
        train(inside, outside, embed)
    report("Training half", inside, embed)
    report("Development half", outside, embed)
    report("Near-copies of the development half's passages", near_copies(outside, seed=2), embed)
    extractive(embedder, embed)
    across(embed)
    cost(outside, embedder)
    if options.held_out:
        report("Held out", read(SETS / "sentences.held_out.jsonl"), embed)


if __name__ == "__main__":
    main()
