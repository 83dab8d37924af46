"""What is done about an intent, and that only what is sure leads away from the search."""

import pytest

from understanding.intents.decision import Intent
from understanding.intents.routing import Behaviour, Route, Understanding, groups

BEHAVIOURS = {
    "greeting": Behaviour("small_talk", {"en": "Hello!"}, tone="warm", temperature=0.9),
    "bye": Behaviour("small_talk"),
    "person": Behaviour("human"),
    "payment": Behaviour(filter={"topic": "payment"}, tone="exact"),
    "other": Behaviour(),
}
UNDERSTANDING = Understanding(None, BEHAVIOURS, "1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("label", "sure", "route", "filter", "tone"),
    [
        ("greeting", True, "small_talk", {}, "warm"),
        ("greeting", False, "search", {}, "warm"),
        ("person", True, "human", {}, "plain"),
        ("person", False, "search", {}, "plain"),
        ("payment", True, "search", {"topic": "payment"}, "exact"),
        ("payment", False, "search", {}, "exact"),
        ("other", True, "search", {}, "plain"),
        ("deleted", True, "search", {}, "plain"),
        ("oos", False, "search", {}, "plain"),
    ],
)
def test_only_a_sure_intent_leads_away_from_the_search(
    label: str, sure: bool, route: Route, filter: dict[str, str], tone: str
) -> None:
    understood = UNDERSTANDING.act(Intent(label, 0.9, label, sure))
    assert (understood.does.route, dict(understood.does.filter), understood.does.tone) == (route, filter, tone)
    assert understood.oos is (label == "oos")


def test_labels_that_lead_to_the_same_place_may_be_taken_for_one_another() -> None:
    assert groups(BEHAVIOURS) == {"greeting": "small_talk", "bye": "small_talk", "person": "human"}
