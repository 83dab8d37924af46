"""Fits a classifier to labelled texts and their vectors, and reports what it can do on rows it has not seen.

The same code for every task; scikit-learn does the fitting and is imported nowhere else. Knows nothing of files.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import accuracy_score, f1_score  # type: ignore[import-untyped]

from guardrails.classification.classifier import BAD, SAFE, Classifier, Task, Thresholds, discounted
from guardrails.classification.heads import Blend, VectorHead
from guardrails.classification.ngrams import Counts, Floats, NgramHead, count, inverse_frequency, weigh
from guardrails.classification.pieces import WHOLE, pieces

Labels = npt.NDArray[np.int64]

FOLDS = 3
LEAST = FOLDS
"""Rows that a label needs, one a fold."""

WIDE = 200
"""Characters of the windows that are trained on. Of much shorter ones it is not even known that they are harmless."""

SIZE_OF_TWO, SIZE_OF_MANY = 2**17, 2**14
"""Buckets for n-grams: with many labels each bucket costs a weight a label."""


class TrainingError(Exception):
    """Rows that cannot be trained on; says why."""


@dataclass(frozen=True)
class Row:
    """A text, its label, and how much it counts."""

    text: str
    label: str
    weight: float = 1.0
    family: str = ""
    """Rows of one family are so alike (of one template, say) that they are held out together."""
    parent: int = -1
    """Rows of one parent are parts of one text, which is judged by the worst of them."""


@dataclass(frozen=True)
class Given:
    """A vector head that was fitted elsewhere, together with its encoder.

    logits: of the rows, by a head that had not seen them, (n, columns). folds: of the rows, (n,).
    """

    head: VectorHead
    logits: Floats
    folds: Labels


def with_windows(rows: Sequence[Row]) -> list[Row]:
    """For injection: harmless texts also window by window, each text a family.

    Not so attacks, whose windows need not be attacks.
    """
    result = []
    for number, row in enumerate(rows):
        whole = replace(row, text=row.text[:WHOLE], family=row.family or f"text {number}", parent=number)
        result.append(whole)
        if row.label == SAFE:
            result += [replace(whole, text=part, weight=row.weight / 2) for part in pieces(row.text, WIDE)[1:]]
    return result


@dataclass(frozen=True)
class Report:
    """Figures on rows that were held out, each once (cross-validation)."""

    rows: int
    labels: dict[str, int]
    accuracy: float
    macro_f1: float


def train(
    task: Task, rows: Sequence[Row], vectors: Floats, encoder: str = "", seed: int = 1, given: Given | None = None
) -> tuple[Classifier, Report]:
    """Fit a classifier to `rows`; `vectors` are theirs, (n, d).

    Both heads are fitted `FOLDS` times to leave each row out once: those predictions weigh the heads against each
    other and make the report. Then the heads are fitted to all rows. With a head that is given, only the other one is
    fitted, and `vectors` may be empty. Raises TrainingError.
    """
    labels = label_order(task, rows)
    codes = np.array([labels.index(row.label) for row in rows])
    weights = np.array([row.weight for row in rows], np.float32)
    grams = Grams.of([row.text for row in rows], SIZE_OF_TWO if len(labels) == 2 else SIZE_OF_MANY)
    columns = 1 if len(labels) == 2 else len(labels)
    by_vector, by_gram = np.zeros((len(rows), columns), np.float32), np.zeros((len(rows), columns), np.float32)
    fold = given.folds if given else folds(codes, [row.family or str(n) for n, row in enumerate(rows)], seed)
    for number in range(FOLDS):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if given is None:
            by_vector[outside] = fit_vectors(vectors[inside], codes[inside], weights[inside]).logits(vectors[outside])
        by_gram[outside] = grams.some(outside).logits(fit_grams(grams.some(inside), codes[inside], weights[inside]))
    if given:
        by_vector = given.logits
    blend = fit_blend(by_vector, by_gram, codes, weights, len(labels))
    guesses = blend.probabilities(by_vector, by_gram)
    thresholds = Thresholds()
    guessed, truth = guesses.argmax(axis=1), codes
    if task in BAD:
        parents = np.array([row.parent if row.parent >= 0 else -1 - number for number, row in enumerate(rows)])
        _, first, member = np.unique(parents, return_index=True, return_inverse=True)
        worst, truth = np.zeros(len(first), np.float32), codes[first]
        is_window = first[member] != np.arange(len(rows))
        np.maximum.at(worst, member, np.where(is_window, discounted(guesses[:, 1]), guesses[:, 1]))
        thresholds = Thresholds(label=best_threshold(worst, truth))
        guessed = (worst >= thresholds.label).astype(int)
    report = Report(
        len(truth),
        {label: int((truth == code).sum()) for code, label in enumerate(labels)},
        float(accuracy_score(truth, guessed)),
        float(f1_score(truth, guessed, average="macro")),
    )
    vector_head = given.head if given else fit_vectors(vectors, codes, weights)
    ngram_head = fit_grams(grams, codes, weights)
    thresholds = replace(thresholds, review=max(0.5, thresholds.label), block=max(0.9, thresholds.label))
    return Classifier(task, labels, vector_head, ngram_head, blend, thresholds, encoder), report


def label_order(task: Task, rows: Sequence[Row]) -> tuple[str, ...]:
    """The labels in the order of the columns. Raises TrainingError for labels that the task has not, and rare ones."""
    counts = Counter(row.label for row in rows)
    if task in BAD and set(counts) != {SAFE, BAD[task]}:
        raise TrainingError(
            f"{task} needs the labels {SAFE} and {BAD[task]}, not {', '.join(sorted(counts)) or 'none'}"
        )
    if len(counts) < 2:
        raise TrainingError("at least two labels are needed")
    rare = [label for label, times in counts.items() if times < LEAST]
    if rare:
        raise TrainingError(f"each label needs {LEAST} rows; too few of: {', '.join(sorted(rare)[:10])}")
    return (SAFE, BAD[task]) if task in BAD else tuple(sorted(counts))


def folds(codes: Labels, families: Sequence[str], seed: int) -> Labels:
    """A fold for each row, (n,): the families of each label are dealt out in turn, in random order."""
    kinds, first, member = np.unique(families, return_index=True, return_inverse=True)
    dealt = np.empty(len(kinds), np.int64)
    dice = np.random.default_rng(seed)
    for code in np.unique(codes):
        of_label = np.flatnonzero(codes[first] == code)
        dealt[dice.permutation(of_label)] = np.arange(len(of_label)) % FOLDS
    return dealt[member]


@dataclass(frozen=True)
class Grams:
    """Counted n-grams of some texts, as a sparse matrix whose values are not weighed yet."""

    matrix: csr_matrix
    size: int

    @classmethod
    def of(cls, texts: Sequence[str], size: int) -> "Grams":
        counts = count(texts, size)
        return cls(csr_matrix((counts.times, counts.buckets, counts.starts), shape=(len(texts), size)), size)

    def some(self, rows: npt.NDArray[np.int64]) -> "Grams":
        return Grams(self.matrix[rows], self.size)

    def weighed(self, idf: Floats) -> csr_matrix:
        matrix = self.matrix
        return csr_matrix((weigh(_counts(matrix), idf), matrix.indices, matrix.indptr), shape=matrix.shape)

    def logits(self, head: NgramHead) -> Floats:
        logits: Floats = self.weighed(head.idf) @ head.weights + head.bias
        return logits


def fit_vectors(vectors: Floats, codes: Labels, weights: Floats) -> VectorHead:
    """Logistic regression; labels count alike however many rows they have."""
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    model = LogisticRegression(C=0.05, max_iter=500, class_weight="balanced")
    model.fit((vectors - mean) / scale, codes, sample_weight=weights)
    return VectorHead(mean, scale, ((_columns(model.coef_), model.intercept_.astype(np.float32)),))


def fit_grams(grams: Grams, codes: Labels, weights: Floats) -> NgramHead:
    """The same on n-grams."""
    idf = inverse_frequency(_counts(grams.matrix), grams.size)
    solver = "liblinear" if int(codes.max()) == 1 else "lbfgs"
    model = LogisticRegression(C=5, max_iter=100, tol=1e-3, solver=solver, class_weight="balanced")
    model.fit(grams.weighed(idf), codes, sample_weight=weights)
    return NgramHead(idf, _columns(model.coef_), model.intercept_.astype(np.float32))


def fit_blend(by_vector: Floats, by_gram: Floats, codes: Labels, weights: Floats, classes: int) -> Blend:
    """The weights of the two heads, and for two classes a bias, under which the labels are likeliest."""
    right = (np.arange(len(codes)), codes)

    def blend(values: npt.NDArray[np.float64]) -> Blend:
        bias = np.zeros(classes, np.float32)
        if classes == 2:
            bias[1] = values[2]
        return Blend(float(values[0]), float(values[1]), bias)

    def surprise(values: npt.NDArray[np.float64]) -> float:
        likely = blend(values).probabilities(by_vector, by_gram)[right]
        return float(-(weights * np.log(np.maximum(likely, 1e-9))).mean())

    return blend(minimize(surprise, np.array([0.7, 0.7, 0.0]), method="Nelder-Mead", options={"maxiter": 150}).x)


def best_threshold(scores: Floats, codes: Labels) -> float:
    """The threshold (in steps of .01) with the best macro-F1."""
    steps = np.arange(0.05, 0.96, 0.01)
    return float(max(steps, key=lambda step: f1_score(codes, scores >= step, average="macro")))


def least_threshold(scores: Floats, share: float) -> float:
    """The least threshold that at most `share` of these scores reach."""
    if not len(scores):
        return 0.0
    allowed = math.floor(share * len(scores))
    ordered = np.sort(scores)[::-1]
    return float(np.nextafter(ordered[allowed], np.float32(2), dtype=np.float32)) if allowed < len(ordered) else 0.0


def _columns(coefficients: npt.NDArray[np.float64]) -> Floats:
    return np.ascontiguousarray(coefficients.T, np.float32)


def _counts(matrix: csr_matrix) -> Counts:
    return Counts(matrix.indices.astype(np.int64), matrix.data.astype(np.float32), matrix.indptr.astype(np.int64))
