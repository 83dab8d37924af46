"""What agents write is judged by a worker, over real processes: passed, warned of, blocked, or not sent at all."""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bench.server import Server, running
from chatbot.prompts import instructions
from tests.integration.customer import Customer
from tests.integration.test_staff import Agent, account

pytestmark = pytest.mark.integration

INSULT = "You are worthless and everybody would be glad if you were dead, you pathetic creature."


def reply_once(agent: Agent, chat: str, text: str, id_: str = "") -> dict[str, Any]:
    """Send a reply; its answer, an error or not."""
    return agent.ask_once({"type": "reply", "id": id_ or str(uuid.uuid4()), "conversation": chat, "text": text})


@contextmanager
def frozen(server: Server, name: str) -> Iterator[None]:
    """Stop a process as a machine without breath would."""
    pid = server.pids()[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def taken(server: Server) -> tuple[Agent, Customer, str]:
    """An agent who has a conversation."""
    agent = Agent(server, account(server, "mei"))
    customer = Customer(server.socket_url)
    customer.say("I want to talk to a person")
    chat = agent.wait_for("conversation")["row"]["conversation"]
    agent.command("take", conversation=chat)
    return agent, customer, chat


def test_what_agents_write_is_judged_by_the_workers_models_or_not_sent() -> None:
    with running() as server:
        agent, customer, chat = taken(server)
        agent.command("reply", conversation=chat, text="Good morning, how can I help you?")
        blocked = agent.ask("reply", conversation=chat, text=INSULT, confirmed=True)
        assert (blocked["code"], blocked["categories"]) == ("blocked", ["toxicity"])
        leaked = agent.ask("reply", conversation=chat, text=next(iter(instructions()))[:400], confirmed=True)
        assert (leaked["code"], leaked["categories"]) == ("blocked", ["instructions"])

        kept, sent = str(uuid.uuid4()), str(uuid.uuid4())
        agent.command("reply", conversation=chat, text="One moment.")
        first = agent.command("reply", id=sent, conversation=chat, text="Here it is.")
        with frozen(server, "worker"):
            late = reply_once(agent, chat, "And the other one.", kept)
            assert (late["code"], "was not sent" in late["message"]) == ("guards_unavailable", True)
            again = reply_once(agent, chat, "Here it is.", sent)
            assert again["message"] == first["message"]
        agent.command("reply", id=kept, conversation=chat, text="And the other one.")

        server.kill("worker")
        dead = reply_once(agent, chat, "While nobody can judge.")
        assert dead["code"] == "guards_unavailable"
        with frozen(server, "redis"):
            gone = reply_once(agent, chat, "While redis is away.")
            assert gone["code"] == "guards_unavailable"
        agent.command("reply", conversation=chat, text="Back again.")
        said = ["Good morning, how can I help you?", "One moment.", "Here it is.", "And the other one.", "Back again."]
        customer.until(lambda: [m["text"] for m in customer.transcript.values() if m["role"] == "agent"] == said)
        agent.socket.close()
