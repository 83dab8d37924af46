"""Every figure that the guards must hold, in one table: `make bench-guardrails`, or

    KEFU_BENCH_DATA=DIR python -m bench.guardrails [--only pii lexicon …]

DIR holds the public sets as gzipped JSON lines (guardrails/classifiers/README.md); `pii`, `grounding`, `cost` and
`redteam` need none. Each figure is computed where its own bench computes it. Exit status 1 when one does not hold, 2
when a set is missing. Takes eight minutes of CPU: forty on a machine that does much else.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from bench import classifiers, grounded, lexicon, masking, release
from bench.classifiers_train import encoder
from bench.figures import HEAD, Figure, tell
from chatbot.encoder import search_encoder
from chatbot.redteam.cases import LEAST_TOTAL, SUITES
from guardrails.classification.classifier import Embed
from guardrails.personal_data.detector import Detector

ROOT = Path(__file__).resolve().parent.parent
SENTENCES = 200
"""Labelled sentences that grounding is to be measured on, at least."""


@cache
def detector() -> Detector:
    made = Detector()
    made.find("warm up 张伟 Sarah Connor")
    return made


@cache
def guard_encoder() -> Embed:
    return encoder(threads=len(os.sched_getaffinity(0)))


def pii(data: Path) -> Iterator[Figure]:
    for name, tally in masking.tallies(detector().find, "held_out"):
        of = "glued to Chinese on both sides" if name == "glued" else f"generated {name}, held-out half"
        yield from tally.figures("personal data", of)
        if tally.clean:
            touched = f"{tally.touched} of {tally.clean}"
            yield Figure("personal data: messages without any that were touched", of, tally.clean, touched)


def presidio(data: Path) -> Iterator[Figure]:
    """Kefu's F2 beside stock Presidio's; more than all there is, it cannot be."""
    for half in ("development", "held_out"):
        for kind, words, (ours, stock) in masking.presidio_scores(masking.side_by_side(detector()), data, half):
            if words:
                of = f"presidio_synth_en, {half.replace('_', '-')} half"
                found = f"{ours[2]:.3f} / {stock[2]:.3f}"
                holds = ours[2] > stock[2] or ours[2] == 1 or (kind == "ZIP" and ours[2] == stock[2])
                yield Figure(f"English personal data: {kind}, F2 / stock Presidio's", of, words, found, "above", holds)


def words(data: Path) -> Iterator[Figure]:
    rows = chain(lexicon.own(), lexicon.recall(), lexicon.mistakes(data), lexicon.cost(100_000))
    for name, value, must, holds in rows:
        count = re.search(r" \((\d+)\)$", name)
        half = next((half for half in ("tuned on", "held out") if half in name), "")
        what = name.removesuffix(count[0] if count else "").replace(f", {half}" if half else "\0", "")
        found = f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
        yield Figure(
            f"words: {what}",
            f"waimai complaints, half {half}" if half else "",
            int(count[1]) if count else None,
            found,
            *((must, holds(value)) if must != "–" else ()),
        )


def toxicity(data: Path) -> Iterator[Figure]:
    return classifiers.toxicity(data, guard_encoder())


def transfer(data: Path) -> Iterator[Figure]:
    return classifiers.transfer(data, guard_encoder())


def injection(data: Path) -> Iterator[Figure]:
    return classifiers.injection(data, guard_encoder())


def grounding(data: Path) -> Iterator[Figure]:
    """No figure must hold but the set's size; "review" passes in production (chatbot/guards.py)."""
    embed = grounded.Memory(search_encoder(Path(os.environ.get("KEFU_MODELS", "models"))))
    rows = grounded.read(grounded.SETS / "sentences.jsonl")
    halves = {
        "development half": [row for row in rows if not grounded.is_for_training(row)],
        "held-out shops": grounded.read(grounded.SETS / "sentences.held_out.jsonl"),
    }
    total = len(rows) + len(halves["held-out shops"])
    yield Figure("grounding: labelled sentences", "all", total, str(total), f"≥ {SENTENCES}", total >= SENTENCES)
    for half, some in halves.items():
        for one in grounded.judged(some, embed):
            of = f"{half}, {one.language}"
            three, two, _ = one.f1()
            yield Figure(
                "grounding: macro-F1 of three classes; supported or not", of, len(one.labels), f"{three:.3f}; {two:.3f}"
            )
            stopped = ", ".join(f"{one.share(label, 'block'):.0%}" for label in grounded.LABELS)
            reviewed = ", ".join(f"{one.share(label, 'review'):.0%}" for label in grounded.LABELS)
            yield Figure(
                f"grounding: blocked; unsure ({', '.join(grounded.LABELS)})",
                of,
                len(one.labels),
                f"{stopped}; {reviewed}",
            )


def cost(data: Path) -> Iterator[Figure]:
    """On one core. Milliseconds of CPU, so that a busy machine hardly counts."""
    goals = {"with names": 30, "without names": 5}
    for kind, length, taken in masking.timings(detector().find, "held_out"):
        if kind in goals and length == "200 characters":
            p50, p95 = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
            what, found = f"masking {length}, {kind}: ms of CPU, p50 / p95", f"{p50:.1f} / {p95:.1f}"
            yield Figure(what, "generated, held-out half", len(taken), found, f"≤ {goals[kind]}", p95 <= goals[kind])
    yield from release.with_every_check()


def redteam(data: Path) -> Iterator[Figure]:
    """`manage.py redteam` on the demo shop, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="kefu-") as folder:
        environment = os.environ | {"KEFU_VAR": folder}
        quiet = {"cwd": ROOT, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        subprocess.run([sys.executable, "-m", "deploy.first_data"], check=True, **quiet)  # type: ignore[call-overload]
        done = subprocess.run([sys.executable, "manage.py", "redteam", "--json"], **quiet)  # type: ignore[call-overload]
    if not done.stdout:
        raise RuntimeError(f"redteam said nothing:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    for score in told["scores"]:
        least, of = SUITES[score["suite"]].least, score["language"]
        holds = score["share"] >= least
        yield Figure(
            f"red team: {score['suite']}", of, score["cases"], f"{score['share']:.1%}", f"≥ {least:.0%}", holds
        )
    cases = sum(score["cases"] for score in told["scores"] if score["language"] == "both")
    total, gate = told["total"], "open" if told["open"] else "closed"
    yield Figure(
        "red team: weighted total", "both", cases, f"{total:.1%}", f"≥ {LEAST_TOTAL:.0%}", total >= LEAST_TOTAL
    )
    yield Figure("red team: the gate", "both", cases, gate, "open", told["open"])


_HARMLESS = ("safety/waimai_complaints_benign", "intents/clinc150.train")
SECTIONS: dict[str, tuple[Callable[[Path], Iterable[Figure]], tuple[str, ...]]] = {
    "pii": (pii, ()),
    "presidio": (presidio, ("pii/presidio_synth_en",)),
    "lexicon": (words, (_HARMLESS[0], "lexicon/konsheng", "lexicon/houbb", "lexicon/ldnoobw_zh_en")),
    "toxicity": (toxicity, (_HARMLESS[0], "safety/cold.dev", "safety/xstest")),
    "transfer": (transfer, ("safety/davidson", "safety/hatecheck")),
    "injection": (
        injection,
        (
            *_HARMLESS,
            *classifiers.HARMLESS,
            *(f"safety/{name}" for name in classifiers.ATTACKS),
            "safety/cold.train",
            "intents/smp2017.develop",
        ),
    ),
    "grounding": (grounding, ()),
    "cost": (cost, ()),
    "redteam": (redteam, ()),
}
"""By name: what yields the figures, and the sets that it needs."""


def missing(chosen: Iterable[str], data: Path | None) -> str:
    """What is wrong with the folder of sets, for these sections; "" for nothing."""
    needed = sorted({name for section in chosen for name in SECTIONS[section][1]})
    if not needed:
        return ""
    without = [name for name, (_, sets) in SECTIONS.items() if not sets]
    advice = f"; `--only {' '.join(without)}` needs none"
    if data is None:
        return f"KEFU_BENCH_DATA: set it to the folder of public sets{advice}"
    gone = [f"{name}.jsonl.gz" for name in needed if not (data / f"{name}.jsonl.gz").is_file()]
    return f"KEFU_BENCH_DATA={data}: lacks {', '.join(gone)}{advice}" if gone else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), metavar="SECTION")
    chosen = parser.parse_args().only
    named = os.environ.get("KEFU_BENCH_DATA")
    data = Path(named) if named else None
    if wrong := missing(chosen, data):
        print(wrong, file=sys.stderr)
        return 2
    print(HEAD, flush=True)
    began, short, times = time.monotonic(), list[Figure](), list[str]()
    for name in chosen:
        started = time.monotonic()
        short += tell(SECTIONS[name][0](data or Path()))
        times.append(f"{name} {time.monotonic() - started:.0f}")
    print(f"\n{(time.monotonic() - began) / 60:.1f} minutes (seconds: {', '.join(times)}).")
    print("Everything holds." if not short else f"{len(short)} do not hold:")
    for figure in short:
        print(f"- {figure.what}; {figure.data}: {figure.found}, must be {figure.must}")
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
