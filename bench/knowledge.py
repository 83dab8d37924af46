"""Measures retrieval and "can this be answered?", and refits the few numbers behind them.

    python -m bench.knowledge --data FOLDER        tables of both; what must hold is marked, with yes or no
    python -m bench.knowledge --data FOLDER fit    fits knowledge/calibration.json anew, on the other halves

FOLDER (or `KEFU_BENCH_DATA`) holds retrieval/stackfaq.{faq,queries}.jsonl.gz and retrieval/esun.{faq,unanswerable}
.jsonl.gz; the models are in `KEFU_MODELS`. StackFAQ's queries are paraphrases by people. For E.SUN there are our own
paraphrases (bench/esun_paraphrases), and its titles without their stop words and a third of the others ("esun").
bench/cross_lingual asks in the other language than the passage's. Of these the half is shown that nothing is fitted on.
The development questions of the demo and of bench/shops count in both: there are too few of them to halve;
bench.answers has the figures of the held-out ones. Unanswerable are the sets' own such questions, and every question
against a base from which its document was taken out ("left out"): near misses, of which some other document often
answers a part, so nothing can reach 100 there.
"""

import argparse
import gzip
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from bench.answers import BASES, base, demo_rows, shop_rows
from bench.shops.facts import holds_all
from chatbot.encoder import search_encoder
from knowledge.answerability import TABLE, Calibration, Evidence, probability, shipped
from knowledge.chunking import Draft
from knowledge.embedding import Embedder, as_passage, as_query
from knowledge.followup import standalone
from knowledge.index import Candidate, Entry, Index
from knowledge.language import language_of
from knowledge.passages import Passage, Vectors
from knowledge.ranking import Ranked, Ranking, parallel, rank
from knowledge.retrieval import EVIDENCE, first_the_same, gather
from knowledge.sentences import sentence_spans
from knowledge.terms import STOP, fold, search_terms, words
from knowledge.vectors import title_of

ROOT = Path(__file__).resolve().parent.parent
FOLDS = 4
SEED = "kefu"
# What each set counts in the fit of the ranking, and of "can this be answered?".
RANKED = {"shops": 2.0, "demo": 1.0, "cross-lingual": 1.5, "esun paraphrased": 0.5, "esun": 0.5, "stackfaq": 1.0}
ANSWERED = {"shops": 2.0, "demo": 1.0, "esun paraphrased": 1.0, "esun": 1.0, "stackfaq": 0.5, "cross-lingual": 0.5}
ANSWERED_WRONGLY = 0.05  # share of the shops' and the demo's unanswerable questions that the threshold lets through
RIDGE = 0.002
MISSING_CODE = -1.0  # these sets have no codes, so this coefficient is set by hand
OWN_NEARER = -1.0  # by hand on the fitted halves: from -2 on the shops lose; fitted freely, E.SUN's refusals do
BOUNDS = {  # of coefficients in spreads of their feature; the others are positive
    "missing_codes": (0.0, 0.0),
    "foreign": (None, None),
}


@dataclass(frozen=True)
class Case:
    """A question to one base with the refs of the passages that answer it, or the facts; neither when nothing does."""

    source: str
    question: str
    refs: frozenset[str]
    base: Index
    facts: tuple[tuple[str, ...], ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether some passage answers."""
        return bool(self.refs or self.facts)

    def right(self, row: int) -> bool:
        """Whether that passage of the base answers."""
        passage = self.base.passages[row]
        return holds_all([passage.text], [*map(list, self.facts)]) if self.facts else passage.ref in self.refs


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
    paraphrased = read(ROOT / "bench" / "esun_paraphrases" / "questions.jsonl")
    sets = {
        "stackfaq": (stack, [(row["query"], row["ref"]) for row in asked]),
        "esun": (esun, [(worn(row["question"]), row["ref"]) for row in esun]),
    }
    cases: list[Case] = []
    for source, (rows, questions) in sets.items():
        whole = base_of(faq(rows), embed)
        cases += [Case(source, question, frozenset([ref]), whole) for question, ref in questions]
        if source == "esun":
            cases += [Case("esun paraphrased", row["question"], frozenset([row["ref"]]), whole) for row in paraphrased]
            cases += [Case("esun paraphrased unanswerable", row["query"], frozenset(), whole) for row in refused]
        for number in range(FOLDS):
            less = base_of(faq(row for row in rows if in_fold(row["ref"]) != number), embed)
            cases += [
                Case(f"{source} left out", q, frozenset(), less) for q, ref in questions if in_fold(ref) == number
            ]
    return cases


def cross_lingual_cases(embed: Vectoriser) -> list[Case]:
    """The cases of bench/cross_lingual."""
    folder = ROOT / "bench" / "cross_lingual"
    passages = [Draft(r["ref"], "", r["text"], "", r["language"]) for r in read(folder / "passages.jsonl")]
    whole = base_of([("passages", draft) for draft in passages], embed)
    rows = read(folder / "questions.jsonl")
    return [Case("cross-lingual", row["question"], frozenset([row["ref"]]), whole) for row in rows]


def shop_cases(embedder: Embedder) -> list[Case]:
    """The development questions of bench/shops and of the demo."""
    bases = {name: base(folder, embedder) for name, folder in BASES.items()}
    return [
        Case(
            source if row["facts"] else f"{source} unanswerable",
            standalone(row["question"], row["history"]),
            frozenset(),
            bases[row["base"]],
            tuple(tuple(fact) for fact in row["facts"]),
        )
        for source, rows in (("shops", shop_rows("dev")), ("demo", demo_rows("dev")))
        for row in rows
    ]


def found(case: Case, embed: Vectoriser) -> list[Candidate]:
    """The candidates of a case, unordered."""
    return case.base.find(embed([as_query(case.question)])[0], search_terms(case.question))


def ranked(case: Case, embed: Vectoriser, ranking: Ranking) -> list[Ranked]:
    """The passages of a case in the product's order."""
    vector = embed([as_query(case.question)])[0]
    best = rank(case.base, found(case, embed), case.question, vector, ranking, parallel(case.base))
    return first_the_same(best, case.question)


def place_of(case: Case, rows: Iterable[int]) -> int:
    """Where the first right passage stands; two passages that share a ref are one."""
    seen: dict[str, None] = {}
    for row in rows:
        if case.right(row):
            return len(seen)
        seen[case.base.passages[row].ref if case.refs else str(row)] = None
    return 10**6


def look(case: Case, embed: Vectoriser, ranking: Ranking) -> Outcome:
    """Searches one case as the product does."""
    best = ranked(case, embed, ranking)
    evidence = gather(case.base.lexical, best, case.question, search_terms(case.question))
    assert evidence is not None
    return Outcome(case, place_of(case, (one.candidate.row for one in best)), evidence)


def orders(case: Case, embed: Vectoriser, ranking: Ranking) -> dict[str, list[int]]:
    """The rows of the candidates, best first, by each way of ranking."""
    candidates = found(case, embed)
    dense = [one.row for one in sorted(candidates, key=lambda one: -one.z)]
    bm25 = [one.row for one in sorted(candidates, key=lambda one: -one.bm25)]
    fused = {row: 1 / (60 + place) for place, row in enumerate(dense)}
    for place, row in enumerate(bm25):
        fused[row] += 1 / (60 + place)
    ours = [one.candidate.row for one in ranked(case, embed, ranking)]
    return {"dense": dense, "BM25": bm25, "equal RRF": sorted(fused, key=lambda row: -fused[row]), "ours": ours}


def figures(places: Sequence[int]) -> tuple[float, float, float]:
    """R@1 and R@5 in per cent, and the mean reciprocal rank."""
    array = np.asarray(places)
    return 100 * float((array == 0).mean()), 100 * float((array < 5).mean()), float((1 / (array + 1)).mean())


def print_ranking(cases: Sequence[Case], embed: Vectoriser, ranking: Ranking) -> dict[str, tuple[float, float, float]]:
    """The table of rankings side by side, a set a line; gives the figures of ours by set."""
    ours: dict[str, tuple[float, float, float]] = {}
    for source in dict.fromkeys(case.source for case in cases if case.answerable):
        own = [case for case in cases if case.source == source]
        every = [(case, orders(case, embed, ranking)) for case in own]
        by_way = {way: figures([place_of(case, order[way]) for case, order in every]) for way in every[0][1]}
        if not ours:
            print(f"{'R@1 / R@5 / MRR':18}{'questions':>10}" + "".join(f"{way:>22}" for way in by_way))
        cells = (f"{first:.1f} / {five:.1f} / {mean:.3f}" for first, five, mean in by_way.values())
        print(f"{source:18}{len(own):>10}" + "".join(f"{cell:>22}" for cell in cells))
        ours[source] = by_way["ours"]
    return ours


def print_must_hold(
    ours: dict[str, tuple[float, float, float]], outcomes: Sequence[Outcome], table: Calibration
) -> None:
    """What must hold, and whether it does."""
    sure: dict[str, list[float]] = {}
    for outcome in outcomes:
        sure.setdefault(outcome.case.source, []).append(confidence(outcome, table))
    refused = np.array(sure["esun paraphrased unanswerable"])

    def rejected(source: str) -> float:
        return 100 * float(np.mean(refused < np.quantile(sure[source], 0.1)))

    print(f"\n{'must hold':58}{'wanted':>8}{'is':>8}")
    for what, wanted, value in (
        ("StackFAQ R@1", 88, ours["stackfaq"][0]),
        ("StackFAQ R@5", 98, ours["stackfaq"][1]),
        ("StackFAQ MRR", 0.92, ours["stackfaq"][2]),
        ("cross-lingual R@5", 90, ours["cross-lingual"][1]),
        ("E.SUN unanswerable rejected, 90 % of worn titles kept", 90, rejected("esun")),
        ("E.SUN unanswerable rejected, 90 % of paraphrases kept", 90, rejected("esun paraphrased")),
    ):
        print(f"{what:58}{wanted:>8}{value:>8.3g}  {'yes' if value >= wanted else 'NO'}")


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
        answerable = next(
            (n for n in sorted(sure, key=len, reverse=True) if n != source and source.startswith(n)), None
        )
        if answerable is None:
            print(f"{source:28}{len(own):>10}{kept:8.1f}")
        else:
            at_ninety = 100 * np.mean(np.array(own) < np.quantile(sure[answerable], 0.1))
            print(f"{source:28}{len(own):>10}{'':8}{100 - kept:12.1f}{at_ninety:24.1f}")


def print_speed(cases: Sequence[Case], embedder: Embedder, embed: Vectoriser, ranking: Ranking) -> None:
    """Milliseconds a question, one thread."""
    some = cases[:300]
    started = time.perf_counter()
    for case in some:
        embedder.embed([as_query(case.question)])
    embedding = time.perf_counter() - started
    started = time.perf_counter()
    for case in some:
        look(case, embed, ranking)
    searching = time.perf_counter() - started
    size = max(len(case.base) for case in some)
    print(
        f"\nms a question: embedding {1e3 * embedding / len(some):.2f}, "
        f"search {1e3 * searching / len(some):.2f} ({size} chunks)"
    )


def fit(cases: Sequence[Case], embed: Vectoriser) -> Calibration:
    """The calibration that suits these cases: the ranking, a logistic model a language, and the threshold."""
    ranking = shipped().ranking
    for _ in range(2):  # which of two translations counts hangs on the weights
        ranking = fit_ranking([case for case in cases if case.answerable and case.source in RANKED], embed, ranking)
    outcomes = [look(case, embed, ranking) for case in cases if family(case) in ANSWERED]
    of_language = {
        language: [o for o in outcomes if language_of(o.case.question) == language] for language in ("zh", "en")
    }
    calibration = Calibration(logistic(of_language["zh"]), logistic(of_language["en"]), 0.5, ranking)
    refused = [
        confidence(outcome, calibration)
        for outcome in outcomes
        if outcome.case.source in ("shops unanswerable", "demo unanswerable")
    ]
    return replace(calibration, threshold=round(float(np.quantile(refused, 1 - ANSWERED_WRONGLY)), 2))


def family(case: Case) -> str:
    """The set that a case belongs to, answerable or not."""
    return case.source.removesuffix(" unanswerable").removesuffix(" left out")


def fit_ranking(cases: Sequence[Case], embed: Vectoriser, before: Ranking) -> Ranking:
    """The weights under which a right passage is the likeliest first, each set counting its share."""
    count = Counter(case.source for case in cases)
    groups: list[tuple[Any, Any, float]] = []
    for case in cases:
        best = ranked(case, embed, before)
        right = np.array([case.right(one.candidate.row) for one in best])
        if right.any():
            groups.append((np.array([one.features for one in best]), right, RANKED[case.source] / count[case.source]))
    whole = sum(share for _, _, share in groups)

    def loss(weights: Any) -> tuple[float, Any]:
        total, slope = RIDGE * weights @ weights, 2 * RIDGE * weights
        for values, right, share in groups:
            scores = values @ weights
            every, good = logsumexp(scores), logsumexp(scores[right])
            total += share / whole * (every - good)
            chance = np.exp(scores - every)
            chance[right] -= np.exp(scores[right] - good)
            slope = slope + share / whole * chance @ values
        return float(total), slope

    bounds = [(OWN_NEARER,) * 2 if name == "own_nearer" else (None, None) for name in Ranking.__dataclass_fields__]
    fitted = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Ranking(*(round(float(one), 3) for one in fitted))


def logistic(outcomes: Sequence[Outcome]) -> tuple[float, ...]:
    """Intercept and coefficients of the model that tells the outcomes apart whose passage is among the first five.

    No coefficient may have the wrong sign (a better cosine never lowers the probability), whatever these sets say.
    """
    features = np.array([astuple(outcome.evidence) for outcome in outcomes])
    right = np.array([outcome.place < EVIDENCE for outcome in outcomes])
    families = np.array([family(outcome.case) for outcome in outcomes])
    weights = np.zeros(len(outcomes))
    for name, share in ANSWERED.items():
        for label in (True, False):
            own = (families == name) & (right == label)
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
    embedder = search_encoder(Path(options.models))
    embed = Vectoriser(embedder)
    public = [*public_cases(Path(options.data) / "retrieval", embed), *cross_lingual_cases(embed)]
    shops = shop_cases(embedder)
    embed(as_query(case.question) for case in (*public, *shops))
    calibration = shipped()
    if options.what == "fit":
        calibration = fit([*(case for case in public if not held_out(case.question)), *shops], embed)
        names = ("intercept", *Evidence.__dataclass_fields__)
        table = asdict(calibration) | {
            key: dict(zip(names, getattr(calibration, key), strict=True)) for key in ("chinese", "english")
        }
        TABLE.write_text(json.dumps(table, indent=2) + "\n")
        print(TABLE.read_text())
    cases = [*(case for case in public if held_out(case.question)), *shops]
    ours = print_ranking(cases, embed, calibration.ranking)
    outcomes = [look(case, embed, calibration.ranking) for case in cases]
    print_answerable(outcomes, calibration)
    print_must_hold(ours, outcomes, calibration)
    print_speed([case for case in cases if case.source == "esun"], embedder, embed, calibration.ranking)


if __name__ == "__main__":
    main()
