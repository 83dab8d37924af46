from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.answerability import Calibration, Evidence, probability, shipped

GOOD = Evidence(65.0, 0.8, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0)
POOR = Evidence(50.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_good_evidence_is_enough_and_poor_evidence_is_not(language: str) -> None:
    assert probability(GOOD, language, shipped()) > shipped().threshold > probability(POOR, language, shipped())  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "name", [field.name for field in fields(Evidence) if field.name not in ("missing_codes", "foreign")]
)
def test_better_evidence_never_lowers_the_probability(language: str, name: str) -> None:
    better = replace(POOR, **{name: getattr(GOOD, name)})
    assert probability(better, language, shipped()) >= probability(POOR, language, shipped())  # type: ignore[arg-type]


@given(st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=8))
def test_a_probability_is_one(values: list[float]) -> None:
    assert 0 <= probability(Evidence(*values), "zh", shipped()) <= 1


def test_each_language_has_its_own_model() -> None:
    calibration = Calibration((5.0, *[0.0] * 8), (-5.0, *[0.0] * 8), 0.5, shipped().ranking)
    assert probability(GOOD, "zh", calibration) > 0.9 > 0.1 > probability(GOOD, "en", calibration)
