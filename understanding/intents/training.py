"""Fits a classifier of intents to labelled texts and their sentence vectors. Knows nothing of files or encoders.

Kernel ridge regression has a solution, and the score of each row by a classifier that has not seen it comes from the
same matrix: nothing is fitted twice to hold rows out.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import scipy.linalg
from scipy.sparse import csr_matrix

from understanding.errors import CannotTrain
from understanding.intents import evaluation
from understanding.intents.classifier import IntentClassifier, Shape, centred, similarity
from understanding.intents.decision import OOS
from understanding.intents.evaluation import Codes, Report
from understanding.intents.letters import BUCKETS, Floats, count, rarity, weigh

Doubles = npt.NDArray[np.float64]

RIDGE = 0.4
SHAPES = (Shape(6.0, 3), Shape(10.0, 5))
"""The one with the smaller squared error on rows held out is taken. Found on Banking77's, SMP's and our own rows."""
LANDMARKS = 3_000
"""Rows that others are compared with; of more rows they are drawn, from each label alike."""
LEAST = 2
"""Rows that a label needs."""
STEP = 2_000


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    vectors: Floats,
    encoder: str,
    groups: Mapping[str, str] = MappingProxyType({}),
    seed: int = 1,
) -> tuple[IntentClassifier, Report]:
    """Fit a classifier; `vectors` are those of the texts, (n, d), as `encoder` makes them.

    Rows labelled `oos` teach what no label stands for, and where the threshold lies. groups: see `Decision`. Raises
    CannotTrain.
    """
    started = time.monotonic()
    names, codes = code(labels)
    mean = vectors[codes >= 0].mean(axis=0)
    angles, counts = centred(vectors, mean), count(texts)
    rare = rarity(counts)
    weighed = weigh(counts, rare)
    rows = csr_matrix((weighed.values, weighed.buckets, weighed.starts), shape=(len(texts), BUCKETS))
    landmarks = draw(codes, seed)
    base = rows[landmarks].T.tocsr()

    wanted = np.equal.outer(codes, np.arange(len(names))).astype(np.float64)

    def kernel(shape: Shape, some: Codes) -> Doubles:
        by_vector = similarity(angles[some], angles[landmarks], shape)
        return np.asarray(by_vector + (rows[some] @ base).toarray(), np.float64)

    tried = {shape: solve(partial(kernel, shape), landmarks, wanted) for shape in SHAPES}
    shape = min(tried, key=lambda one: float(((tried[one][1] - wanted) ** 2).sum()))
    weights, unseen = tried[shape]
    decision = evaluation.fit(unseen, codes, names, groups)
    found = evaluation.report(unseen, codes, names, decision, texts)
    classifier = IntentClassifier(
        names, encoder, mean, angles[landmarks], weights, rare, np.asarray(base @ weights, np.float32), shape, decision
    )
    return classifier, replace(found, seconds=round(time.monotonic() - started, 3))


def code(labels: Sequence[str]) -> tuple[tuple[str, ...], Codes]:
    """The labels in the order of the columns, and the column of each row, -1 for out of scope. Raises CannotTrain."""
    names = tuple(sorted(set(labels) - {OOS}))
    if len(names) < 2:
        raise CannotTrain("at least two labels are needed")
    if few := [label for label in evaluation.rare(labels, LEAST) if label != OOS]:
        raise CannotTrain(f"each label needs {LEAST} rows; too few of: {', '.join(few[:10])}")
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places.get(label, -1) for label in labels], np.int64)


def draw(codes: Codes, seed: int) -> Codes:
    """The rows that others are compared with, in order: all, or of more than `LANDMARKS` equally many of each label."""
    if len(codes) <= LANDMARKS:
        return np.arange(len(codes))
    dice = np.random.default_rng(seed)
    places = np.empty(len(codes), np.int64)
    for label in np.unique(codes):
        rows = np.flatnonzero(codes == label)
        places[dice.permutation(rows)] = np.arange(len(rows))
    return np.sort(np.lexsort((dice.random(len(codes)), places))[:LANDMARKS])


def solve(kernel: Callable[[Codes], Doubles], landmarks: Codes, wanted: Doubles) -> tuple[Floats, Floats]:
    """The landmarks' weights, (m, labels), and the scores of each row had it not been in, (n, labels).

    kernel: of rows (by their numbers) with the landmarks. wanted: the scores that rows should get.
    """
    steps = np.split(np.arange(len(wanted)), range(STEP, len(wanted), STEP))
    normal = RIDGE * kernel(landmarks)
    right = np.zeros((len(landmarks), wanted.shape[1]))
    for step in steps:
        part = kernel(step)
        normal += part.T @ part
        right += part.T @ wanted[step]
    normal[np.diag_indices_from(normal)] += 1e-4  # the same text may be there twice
    factor = scipy.linalg.cholesky(normal, lower=True, overwrite_a=True, check_finite=False)
    weights = scipy.linalg.cho_solve((factor, True), right, check_finite=False)
    unseen = []
    for step in steps:
        part = kernel(step)
        reach = scipy.linalg.solve_triangular(factor, part.T, lower=True, check_finite=False)
        own = np.minimum((reach * reach).sum(axis=0), 0.999)[:, None]  # how far a row decides its own score
        unseen.append((part @ weights - own * wanted[step]) / (1 - own))
    return weights.astype(np.float32), np.concatenate(unseen).astype(np.float32)
