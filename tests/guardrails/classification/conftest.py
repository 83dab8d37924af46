from dataclasses import replace

import pytest

from guardrails.classification.classifier import Classifier
from guardrails.classification.training import train, with_windows
from tests.guardrails.classification.fakes import FakeEmbed, injection_rows, toxicity_rows


@pytest.fixture(scope="session")
def toxicity() -> Classifier:
    rows, embed = toxicity_rows(), FakeEmbed()
    classifier, _ = train("toxicity", rows, embed([row.text for row in rows]))
    return replace(classifier, embed=FakeEmbed())


@pytest.fixture(scope="session")
def injection() -> Classifier:
    rows, embed = with_windows(injection_rows()), FakeEmbed()
    classifier, _ = train("injection", rows, embed([row.text for row in rows]))
    return replace(classifier, embed=FakeEmbed())
