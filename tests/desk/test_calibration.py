"""What the last examination says of thresholds."""

import pytest

from desk.calibration import ERRORS, calibration, shipped_threshold
from knowledge import answerability
from knowledge.calibrating import LEAST
from knowledge.models import Examination, GoldenQuestion, KnowledgeBase, Release

pytestmark = pytest.mark.django_db


@pytest.fixture
def base() -> KnowledgeBase:
    return KnowledgeBase.objects.create(slug="shop", name="Shop")


def examined(base: KnowledgeBase, confidences: dict[str, list[float]]) -> None:
    rows = []
    for expects, values in confidences.items():
        for number, value in enumerate(values):
            GoldenQuestion.objects.create(base=base, question=f"{expects} {number}", expects=expects)
            rows.append({"question": f"{expects} {number}", "confidence": value})
    release = Release.objects.create(base=base, number=1)
    Examination.objects.create(release=release, revision=0, results=rows, right=0, lost=0, gained=0)


def test_without_an_examination_nothing_is_said(base: KnowledgeBase) -> None:
    found = calibration(base, 0.5)
    assert (found.answerable, found.unanswerable, found.now, found.choices) == (0, 0, None, ())


def test_the_threshold_that_stands_is_told_by_few_questions_and_others_suggested_by_enough(base: KnowledgeBase) -> None:
    examined(base, {"answer": [0.4, 0.9], "refusal": [0.1, 0.6]})
    few = calibration(base, 0.5)
    assert few.now is not None
    assert (few.now.answered_wrongly, few.now.kept, few.choices) == (0.5, 0.5, ())


def test_with_enough_questions_each_choice_keeps_to_its_error(base: KnowledgeBase) -> None:
    share = [number / LEAST for number in range(LEAST)]
    examined(base, {"answer": [0.3 + one / 2 for one in share], "refusal": share})
    found = calibration(base, 0.5)
    assert [one.error for one in found.choices] == list(ERRORS)
    assert all(one.error is not None and one.answered_wrongly <= one.error for one in found.choices)


def test_questions_that_were_dropped_since_do_not_count(base: KnowledgeBase) -> None:
    examined(base, {"answer": [0.4], "refusal": [0.1]})
    GoldenQuestion.objects.filter(expects="refusal").update(active=False)
    assert (calibration(base, 0.5).answerable, calibration(base, 0.5).unanswerable) == (1, 0)


def test_the_threshold_that_ships_is_the_one_that_answers() -> None:
    assert shipped_threshold() == answerability.shipped().threshold
