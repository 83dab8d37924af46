"""An agent's day over real processes: log in through the form, be offered a conversation, take it, write, hand back."""

import json
import time
import uuid
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bench.agents import session_cookie
from bench.server import Server, running
from tests.integration.customer import Customer
from tests.patience import PATIENCE

pytestmark = pytest.mark.integration


class Agent:
    """A console over a real socket."""

    def __init__(self, server: Server, cookie: str) -> None:
        self.socket: ClientConnection = connect(
            server.socket_url.replace("/chat/", "/staff/"),
            origin=server.address,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
            compression=None,
            max_queue=None,  # whoever does not read for a while still answers pings
        )
        self.frames: list[dict[str, Any]] = []
        self.socket.send(json.dumps({"type": "hello", "protocol": 1}))
        self.wait_for("welcome")

    def command(self, type_: str, **fields: Any) -> dict[str, Any]:
        frame = self.ask(type_, **fields)
        assert frame["type"] == "done", frame
        return frame

    def ask(self, type_: str, **fields: Any) -> dict[str, Any]:
        """Send a command and return its answer; what could not be judged in two seconds is sent again, as people do."""
        given = {"type": type_, "id": str(uuid.uuid4()), **fields}
        deadline = time.monotonic() + PATIENCE
        while True:
            frame = self.ask_once(given)
            if frame.get("code") != "guards_unavailable" or time.monotonic() > deadline:
                return frame

    def ask_once(self, given: dict[str, Any]) -> dict[str, Any]:
        self.socket.send(json.dumps(given))
        while True:
            frame = self.next()
            if frame.get("id") == given["id"]:
                return frame

    def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout=PATIENCE))
        self.frames.append(frame)
        return frame

    def wait_for(self, type_: str) -> dict[str, Any]:
        while True:
            frame = self.next()
            if frame["type"] == type_:
                return frame


def account(server: Server, name: str) -> str:
    """Make an agent of the demo site and return the cookie of its session."""
    made = json.loads(server.command("staff", "add", name, "--role", "agent", "--site", "demo"))
    return session_cookie(server.address, name, made["password"])


def test_an_agent_is_offered_a_conversation_takes_it_and_gives_it_back() -> None:
    with running() as server:
        cookie = account(server, "mei")
        agent = Agent(server, cookie)
        agent.command("available", available=True)
        customer = Customer(server.socket_url)
        customer.say("I want to talk to a person")
        row: dict[str, Any] = {}
        while row.get("offered_to") != "mei":
            row = agent.wait_for("conversation")["row"]
        assert (row["state"], row["reason"]) == ("waiting", "requested")
        chat = row["conversation"]
        agent.command("watch", conversation=chat)
        agent.command("take", conversation=chat)
        agent.command("reply", conversation=chat, text="Good morning, this is Mei.")
        customer.until(lambda: any(m["role"] == "agent" for m in customer.transcript.values()))
        customer.say("Thank you!")
        texts = [m["text"] for m in customer.transcript.values() if m["role"] == "agent"]
        assert texts == ["Good morning, this is Mei."]
        agent.command("hand_back", conversation=chat)
        customer.until(lambda: list(customer.transcript.values())[-1]["role"] == "bot")
        assert list(customer.transcript.values())[-1]["outcome"] == "chitchat"
        session = cookie.partition("=")[2]
        logs = "".join(file.read_text(errors="replace") for file in (server.var / "logs").glob("*"))
        assert session not in logs
        agent.socket.close()


def test_a_page_of_another_origin_cannot_use_an_agents_session() -> None:
    with running() as server:
        cookie = account(server, "mei")
        with connect(
            server.socket_url.replace("/chat/", "/staff/"),
            origin="https://evil.example",  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
        ) as socket:
            socket.send(json.dumps({"type": "hello", "protocol": 1}))
            assert json.loads(socket.recv(timeout=PATIENCE))["code"] == "not_allowed"
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=PATIENCE)
