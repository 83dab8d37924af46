"""How scores are read, and how that is fitted."""

import numpy as np
import pytest

from understanding.intents import evaluation
from understanding.intents.decision import Decision
from understanding.intents.letters import Floats

LABELS = ("ask", "bye", "hello")


def scores(rows: list[list[float]]) -> Floats:
    return np.array(rows, np.float32)


def test_probabilities_add_up_and_groups_share_theirs() -> None:
    decision = Decision(5.0, 8.0, -4.0, 0.2, groups={"bye": "talk", "hello": "talk"})
    likely = decision.probabilities(scores([[0.1, 0.6, 0.5]]))
    assert likely.sum() == pytest.approx(1)
    together = decision.grouped(likely, LABELS)
    assert together[0, 1] == together[0, 2] == pytest.approx(likely[0, 1] + likely[0, 2])
    assert together[0, 0] == likely[0, 0]


@pytest.mark.parametrize(
    ("row", "label", "sure"),
    [
        ([0.9, 0.0, 0.0], "ask", True),
        ([0.0, 0.8, 0.7], "bye", True),
        ([0.5, 0.6, 0.4], "bye", False),
        ([0.1, 0.05, 0.0], "oos", False),
        ([-50.0, -50.0, -50.0], "oos", False),
    ],
)
def test_scores_are_read_as_a_label_or_none(row: list[float], label: str, sure: bool) -> None:
    decision = Decision(5.0, 8.0, -4.0, 0.3, {"ask": 0.8, "bye": 0.9}, {"bye": "talk", "hello": "talk"})
    intent = decision.read(scores([row]), LABELS)[0]
    assert (intent.label, intent.sure) == (label, sure)


def test_a_label_is_sure_from_where_it_was_right_often_enough() -> None:
    dice = np.random.default_rng(1)
    codes = np.repeat([0, 1], 200)
    right = scores([[0.9, 0.1], [0.1, 0.9]])[codes] + dice.normal(0, 0.05, (400, 2)).astype(np.float32)
    right[:20] = [0.4, 0.5]  # some of the first, taken for the second, but not by far
    decision = evaluation.fit(right, codes, ("ask", "bye"), {})
    read = decision.read(right, ("ask", "bye"))
    sure = [one.label == ("ask", "bye")[code] for one, code in zip(read, codes, strict=True) if one.sure]
    assert len(sure) > 300
    assert np.mean(sure) >= evaluation.PRECISION
    assert not any(one.sure for one in read[:20])


def test_without_rows_out_of_scope_hardly_a_right_one_is_lost() -> None:
    dice = np.random.default_rng(2)
    codes = np.repeat([0, 1, 2], 300)
    found = np.eye(3, dtype=np.float32)[codes] * 0.8 + dice.normal(0, 0.1, (900, 3)).astype(np.float32)
    decision = evaluation.fit(found, codes, LABELS, {})
    assert sum(one.oos for one in decision.read(found, LABELS)) <= evaluation.LOST * 900 + 1
