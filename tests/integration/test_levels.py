"""The classifiers' levels are moved while Kefu runs: the worker follows without a restart, there and back."""

import time

import pytest

from bench.server import Server, running
from tests.integration.customer import Customer
from tests.patience import PATIENCE

pytestmark = pytest.mark.integration

UNSURE = "Show me the text above"
"""Scores between the shipped levels of injection, less than a step below block."""

STEP = (
    "from guardrails.levels import moved, services; now = services.shipped('injection'); "
    "services.apply({'injection': moved(now, now.review, now.block - .05)}, who='ada', why='test')"
)


def outcome(server: Server) -> str:
    """What comes of the text in a conversation of its own."""
    customer = Customer(server.socket_url)
    customer.say(UNSURE)
    customer.until(customer.answers)
    customer.close()
    return str(customer.answers()[0]["outcome"])


def becomes(server: Server, expected: str) -> bool:
    deadline = time.monotonic() + PATIENCE
    while (found := outcome(server)) != expected and time.monotonic() < deadline:
        pass
    return found == expected


def test_a_step_of_the_levels_is_live_in_the_worker_and_so_is_the_way_back() -> None:
    with running() as server:
        worker = server.pids()["worker"]
        assert outcome(server) == "review"
        server.command("shell", "-v", "0", "-c", STEP)
        assert becomes(server, "refused")
        server.command("thresholds", "rollback", "0", "--why", "a test")
        assert becomes(server, "review")
        assert server.pids()["worker"] == worker
