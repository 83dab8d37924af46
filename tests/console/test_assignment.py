"""Who is offered what."""

from dataclasses import replace

import pytest

from console.assignment import Candidate, Need, choose

ANN = Candidate(1, frozenset({1}), frozenset(), frozenset(), capacity=5, load=0)
BOB = replace(ANN, agent=2)
NEED = Need(site=1, language="zh", topic="payment", asked=None)


@pytest.mark.parametrize(
    ("need", "candidates", "chosen"),
    [
        (NEED, [], None),
        (NEED, [ANN], 1),
        (NEED, [replace(ANN, load=1), BOB], 2),
        (NEED, [replace(ANN, load=5), replace(BOB, load=4)], 2),
        (NEED, [replace(ANN, load=5)], None),
        (NEED, [replace(ANN, load=9, capacity=20), replace(BOB, load=3, capacity=4)], 1),
        (NEED, [replace(ANN, sites=frozenset({2})), BOB], 2),
        (NEED, [replace(ANN, sites=frozenset())], None),
        (NEED, [replace(ANN, sites=None)], 1),
        (NEED, [replace(ANN, languages=frozenset({"en"})), BOB], 2),
        (NEED, [replace(ANN, languages=frozenset({"en", "zh"}))], 1),
        (NEED, [replace(ANN, skills=frozenset({"shipping"}))], None),
        (NEED, [ANN, replace(BOB, skills=frozenset({"payment"}), load=4)], 2),
        (replace(NEED, topic=""), [replace(ANN, skills=frozenset({"shipping"}))], 1),
        (replace(NEED, asked=1), [ANN, replace(BOB, load=4)], 2),
        (replace(NEED, asked=1), [ANN], 1),
    ],
)
def test_the_agent_who_fits_and_has_least_to_do_is_chosen(
    need: Need, candidates: list[Candidate], chosen: int | None
) -> None:
    assert choose(need, candidates) == chosen
    assert choose(need, candidates[::-1]) == chosen
