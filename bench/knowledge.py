"""Measures retrieval and "can this be answered?", and refits the few numbers behind them.

    KEFU_BENCH_DATA=FOLDER python -m bench.knowledge        tables of both, over the halves that nothing was fitted on
    KEFU_BENCH_DATA=FOLDER python -m bench.knowledge fit    fits knowledge/calibration.json anew

The fit uses the other halves and demo/questions.dev.jsonl.

The folder holds retrieval/stackfaq.{faq,queries}.jsonl.gz and retrieval/esun.{faq,unanswerable}.jsonl.gz; the model is
`e5-small` in `KEFU_MODELS`. StackFAQ's queries are paraphrases by people. E.SUN has none, so its titles stand in,
without their stop words and a third of the others ("esun"). Unanswerable are E.SUN's own such queries, the demo's, and
every question against a base from which its document was taken out ("left out"): near misses, of which some other
document often answers a part, so nothing can reach 100 there.
"""

import argparse
import gzip
import json
import os
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from knowledge.answerability import TABLE, Calibration, Evidence, probability, shipped
from knowledge.chunking import HEADING_SEPARATOR, Draft, chunk
from knowledge.embedding import Embedder, as_passage, as_query, load_embedder
from knowledge.index import Candidate, Entry, Index
from knowledge.language import language_of
from knowledge.passages import Passage, Vectors
from knowledge.readers import read_document
from knowledge.retrieval import gather, rank
from knowledge.sentences import sentence_spans
from knowledge.terms import STOP, fold, search_terms, words
from knowledge.vectors import title_of

ROOT = Path(__file__).resolve().parent.parent
FOLDS = 4
SEED = "kefu"
WORDS_WEIGHTS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
SHARES = {"stackfaq": 1.0, "esun": 1.0, "demo": 2.0}  # what each set counts in the fit
KEPT = 0.75  # share of the demo's questions with a passage that the threshold lets through
RIDGE = 0.002
MISSING_CODE = -1.0  # these sets have no codes, so this coefficient is set by hand
BOUNDS = {  # of coefficients in spreads of their feature; the others are positive
    "missing_codes": (0.0, 0.0),
    "foreign": (None, None),
    "coverage": (
        0.3,
        None,
    ),  # the demo's chatty questions alone would make it 0, at the cost of E.SUN's unanswerable ones
}


@dataclass(frozen=True)
class Case:
    """A question to one base; `refs` name the passages that answer it, none when nothing does."""

    source: str
    question: str
    refs: frozenset[str]
    base: Index


@dataclass(frozen=True)
class Outcome:
    """What the search made of a case; `place` is that of the first right document, 0 for the first, 10**6 for none."""

    case: Case
    place: int
    evidence: Evidence


class Vectoriser:
    """Embeds each text once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}

    def __call__(self, texts: Iterable[str]) -> Vectors:
        """The vectors of the texts, in order."""
        texts = list(texts)
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        self._known.update(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a .jsonl or .jsonl.gz file."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        return [json.loads(line) for line in lines]


def held_out(question: str) -> bool:
    """Whether a question belongs to the half that nothing is fitted on."""
    return sha256(f"{SEED} {question}".encode()).digest()[0] % 2 == 1


def in_fold(ref: str) -> int:
    """The fold of a document, for leaving it out."""
    return sha256(ref.encode()).digest()[1] % FOLDS


def base_of(drafts: Sequence[tuple[str, Draft]], embed: Vectoriser) -> Index:
    """An index of (document, chunk) pairs."""
    texts = embed(as_passage("\n".join(p for p in (d.question or d.heading, d.text) if p)) for _, d in drafts)
    titles = [title_of(draft.question, draft.heading) for _, draft in drafts]
    of_titles = embed(as_query(title) for title in titles)
    spans = [[d.text[start:end] for start, end in sentence_spans(d.text)] or [d.text] for _, d in drafts]
    of_sentences = embed(as_passage(sentence) for one in spans for sentence in one)
    ends = np.cumsum([len(one) for one in spans])
    entries = [
        Entry(
            Passage(
                number,
                document,
                d.ref,
                d.heading,
                d.text,
                d.question,
                d.language,
                (),
                of_sentences[end - len(own) : end],
            ),
            text,
            title[None, :] if titles[number] else np.empty((0, len(text)), np.float32),
        )
        for number, ((document, d), text, title, own, end) in enumerate(
            zip(drafts, texts, of_titles, spans, ends, strict=True)
        )
    ]
    return Index(entries, version=1, dimension=texts.shape[1])


def faq(rows: Iterable[dict[str, Any]]) -> list[tuple[str, Draft]]:
    """FAQ rows as chunks."""
    return [
        ("faq", Draft(r["ref"], "", r["answer"], r["question"], language_of(r["question"] + r["answer"]))) for r in rows
    ]


def demo() -> list[tuple[str, Draft]]:
    """The demo base's chunks."""
    files = sorted((ROOT / "demo" / "knowledge").iterdir())
    return [(file.name, draft) for file in files for draft in chunk(read_document(file.name, file.read_bytes()))]


def worn(question: str) -> str:
    """A stand-in for a paraphrase: the question without its stop words and a third of the others."""
    rest = [word for word in words(fold(question)) if word not in STOP]
    dice = random.Random(question)
    kept = [word for word in rest if dice.random() > 1 / 3]
    return "".join(kept if len(kept) > 1 else rest) or question


def public_cases(folder: Path, embed: Vectoriser) -> list[Case]:
    """All cases of the public sets, of both halves."""
    stack, asked = read(folder / "stackfaq.faq.jsonl.gz"), read(folder / "stackfaq.queries.jsonl.gz")
    esun, refused = read(folder / "esun.faq.jsonl.gz"), read(folder / "esun.unanswerable.jsonl.gz")
    sets = {
        "stackfaq": (stack, [(row["query"], row["ref"]) for row in asked]),
        "esun": (esun, [(worn(row["question"]), row["ref"]) for row in esun]),
    }
    cases: list[Case] = []
    for source, (rows, questions) in sets.items():
        whole = base_of(faq(rows), embed)
        cases += [Case(source, question, frozenset([ref]), whole) for question, ref in questions]
        if source == "esun":
            cases += [Case("esun unanswerable", row["query"], frozenset(), whole) for row in refused]
        for number in range(FOLDS):
            less = base_of(faq(row for row in rows if in_fold(row["ref"]) != number), embed)
            cases += [
                Case(f"{source} left out", q, frozenset(), less) for q, ref in questions if in_fold(ref) == number
            ]
    return cases


def demo_cases(name: str, base: Index) -> list[Case]:
    """The cases of demo/questions.NAME.jsonl."""
    rows = read(ROOT / "demo" / f"questions.{name}.jsonl")
    return [
        Case(f"demo {name}" if r["refs"] else f"demo {name} unanswerable", r["question"], frozenset(r["refs"]), base)
        for r in rows
    ]


def found(case: Case, embed: Vectoriser) -> list[Candidate]:
    """The candidates of a case, unordered."""
    return case.base.find(embed([as_query(case.question)])[0], search_terms(case.question))


def place_of(case: Case, rows: Iterable[int]) -> int:
    """Where the first right document stands among the documents of those passages, best first."""
    seen: dict[str, None] = {}
    for row in rows:
        passage = case.base.passages[row]
        names = {
            passage.ref,
            *(f"{passage.document}#{part}" for part in [passage.ref, *passage.heading.split(HEADING_SEPARATOR)]),
        }
        if names & case.refs:
            return len(seen)
        seen[passage.ref] = None
    return 10**6


def look(case: Case, embed: Vectoriser, words_weight: float) -> Outcome:
    """Searches one case as the product does."""
    ranked = rank(case.base, found(case, embed), case.question, words_weight)
    vector = embed([as_query(case.question)])[0]
    evidence = gather(case.base, ranked, case.question, vector, search_terms(case.question))
    assert evidence is not None
    return Outcome(case, place_of(case, (one.candidate.row for one in ranked)), evidence)


def orders(case: Case, embed: Vectoriser, words_weight: float) -> dict[str, list[int]]:
    """The rows of the candidates, best first, by each way of ranking."""
    candidates = found(case, embed)
    dense = [one.row for one in sorted(candidates, key=lambda one: -one.z)]
    bm25 = [one.row for one in sorted(candidates, key=lambda one: -one.bm25)]
    fused = {row: 1 / (60 + place) for place, row in enumerate(dense)}
    for place, row in enumerate(bm25):
        fused[row] += 1 / (60 + place)
    blend = [one.candidate.row for one in rank(case.base, candidates, case.question, words_weight)]
    return {"dense": dense, "BM25": bm25, "equal RRF": sorted(fused, key=lambda row: -fused[row]), "blend": blend}


def figures(places: Sequence[int]) -> tuple[float, float, float]:
    """R@1 and R@5 in per cent, and the mean reciprocal rank."""
    array = np.asarray(places)
    return 100 * float((array == 0).mean()), 100 * float((array < 5).mean()), float((1 / (array + 1)).mean())


def print_ranking(cases: Sequence[Case], embed: Vectoriser, words_weight: float) -> None:
    """The table of rankings by set."""
    print(f"{'set':22}{'questions':>10}  {'ranking':12}{'R@1':>7}{'R@5':>7}{'MRR':>8}")
    for source in dict.fromkeys(case.source for case in cases if case.refs):
        own = [case for case in cases if case.source == source]
        every = [(case, orders(case, embed, words_weight)) for case in own]
        for way in every[0][1]:
            first, five, reciprocal = figures([place_of(case, order[way]) for case, order in every])
            print(f"{source:22}{len(own):>10}  {way:12}{first:7.1f}{five:7.1f}{reciprocal:8.3f}")


def confidence(outcome: Outcome, calibration: Calibration) -> float:
    """The probability that the case's question can be answered."""
    return probability(outcome.evidence, language_of(outcome.case.question), calibration)


def print_answerable(outcomes: Sequence[Outcome], calibration: Calibration) -> None:
    """The table of what is kept and rejected: at the shipped threshold, and rejected where 90 % of the set is kept."""
    sure: dict[str, list[float]] = {}
    for outcome in outcomes:
        sure.setdefault(outcome.case.source, []).append(confidence(outcome, calibration))
    print(f"\n{'set':28}{'questions':>10}{'kept %':>8}{'rejected %':>12}{'rejected % at 90 kept':>24}")
    for source, own in sure.items():
        kept = 100 * np.mean(np.array(own) >= calibration.threshold)
        answerable = next((name for name in sure if name != source and source.startswith(name)), None)
        if answerable is None:
            print(f"{source:28}{len(own):>10}{kept:8.1f}")
        else:
            at_ninety = 100 * np.mean(np.array(own) < np.quantile(sure[answerable], 0.1))
            print(f"{source:28}{len(own):>10}{'':8}{100 - kept:12.1f}{at_ninety:24.1f}")


def print_speed(cases: Sequence[Case], embedder: Embedder, embed: Vectoriser, words_weight: float) -> None:
    """Milliseconds a question, one thread."""
    some = cases[:300]
    started = time.perf_counter()
    for case in some:
        embedder.embed([as_query(case.question)])
    embedding = time.perf_counter() - started
    started = time.perf_counter()
    for case in some:
        look(case, embed, words_weight)
    searching = time.perf_counter() - started
    size = max(len(case.base) for case in some)
    print(
        f"\nms a question: embedding {1e3 * embedding / len(some):.2f}, "
        f"search {1e3 * searching / len(some):.2f} ({size} chunks)"
    )


def fit(cases: Sequence[Case], embed: Vectoriser) -> Calibration:
    """The calibration that suits these cases.

    The words weight by mean reciprocal rank; then a logistic model a language, each set counting its share; last the
    threshold that keeps `KEPT` of the demo's questions whose passage is found.
    """

    def reciprocal(weight: float) -> float:
        looked = [look(case, embed, weight) for case in cases if case.refs]
        sources = {outcome.case.source for outcome in looked}
        return float(np.mean([figures([o.place for o in looked if o.case.source == source])[2] for source in sources]))

    words_weight = max(WORDS_WEIGHTS, key=reciprocal)
    outcomes = [look(case, embed, words_weight) for case in cases]
    of_language = {
        language: [o for o in outcomes if language_of(o.case.question) == language] for language in ("zh", "en")
    }
    calibration = Calibration(logistic(of_language["zh"]), logistic(of_language["en"]), 0.5, words_weight)
    sure = [
        confidence(outcome, calibration)
        for outcome in outcomes
        if outcome.case.source == "demo dev" and outcome.place < 5
    ]
    return replace(calibration, threshold=round(float(np.quantile(sure, 1 - KEPT)), 2))


def logistic(outcomes: Sequence[Outcome]) -> tuple[float, ...]:
    """Intercept and coefficients of the model that tells the outcomes apart whose passage is among the first five.

    No coefficient may have the wrong sign (a better cosine never lowers the probability), whatever these sets say.
    """
    features = np.array([astuple(outcome.evidence) for outcome in outcomes])
    right = np.array([outcome.place < 5 for outcome in outcomes])
    family = np.array([outcome.case.source.split()[0] for outcome in outcomes])
    weights = np.zeros(len(outcomes))
    for name, share in SHARES.items():
        for label in (True, False):
            own = (family == name) & (right == label)
            weights[own] = share / max(own.sum(), 1)
    weights /= weights.sum()
    mean, spread = features.mean(0), features.std(0) + 1e-9
    scaled = np.column_stack([np.ones(len(features)), (features - mean) / spread])

    def loss(coefficients: Vectors) -> float:
        margins = np.where(right, 1, -1) * (scaled @ coefficients)
        return float(weights @ np.logaddexp(0, -margins) + RIDGE * coefficients[1:] @ coefficients[1:])

    bounds = [(None, None), *(BOUNDS.get(name, (0, None)) for name in Evidence.__dataclass_fields__)]
    fitted = minimize(loss, np.zeros(scaled.shape[1]), method="L-BFGS-B", bounds=bounds).x
    coefficients = fitted[1:] / spread
    coefficients[list(Evidence.__dataclass_fields__).index("missing_codes")] = MISSING_CODE
    return tuple(round(float(value), 4) for value in (fitted[0] - coefficients @ mean, *coefficients))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["report", "fit"], default="report")
    parser.add_argument("--data", type=Path, default=os.environ.get("KEFU_BENCH_DATA"), help="folder of the data sets")
    parser.add_argument(
        "--models", type=Path, default=os.environ.get("KEFU_MODELS", "models"), help="folder of the prepared models"
    )
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder of the data sets: --data or KEFU_BENCH_DATA")
    embedder = load_embedder(Path(options.models) / "e5-small")
    embed = Vectoriser(embedder)
    shop = base_of(demo(), embed)
    public = public_cases(Path(options.data) / "retrieval", embed)
    embed(as_query(case.question) for case in public)
    calibration = shipped()
    if options.what == "fit":
        calibration = fit([*(case for case in public if not held_out(case.question)), *demo_cases("dev", shop)], embed)
        names = ("intercept", *Evidence.__dataclass_fields__)
        table = asdict(calibration) | {
            key: dict(zip(names, getattr(calibration, key), strict=True)) for key in ("chinese", "english")
        }
        TABLE.write_text(json.dumps(table, indent=2) + "\n")
        print(TABLE.read_text())
    cases = [
        *(case for case in public if held_out(case.question)),
        *demo_cases("dev", shop),
        *demo_cases("held_out", shop),
    ]
    print_ranking(cases, embed, calibration.words_weight)
    print_answerable([look(case, embed, calibration.words_weight) for case in cases], calibration)
    print_speed([case for case in cases if case.source == "esun"], embedder, embed, calibration.words_weight)


if __name__ == "__main__":
    main()
