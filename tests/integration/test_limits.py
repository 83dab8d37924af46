"""Limits as they hold from outside: in all web processes together, whatever address a client claims to have."""

import json

import pytest
from websockets.sync.client import connect

from bench.server import running
from tests.patience import PATIENCE

pytestmark = pytest.mark.integration


def test_two_web_processes_share_a_limit_and_believe_no_forwarded_address() -> None:
    """uvicorn by itself believes X-Forwarded-For from this machine."""
    codes = []
    with running({"KEFU_WEB_PROCESSES": "2", "KEFU_CONVERSATIONS_PER_MINUTE_IP": "1"}) as server:
        for n in range(12):
            headers = {"X-Forwarded-For": f"203.0.113.{n}"}
            with connect(server.socket_url, origin=server.address, additional_headers=headers) as websocket:  # type: ignore[arg-type]
                websocket.send(json.dumps({"type": "hello", "protocol": 1, "key": "demo"}))
                frame = json.loads(websocket.recv(timeout=PATIENCE))
                codes.append(frame.get("code", frame["type"]))
    assert 1 <= codes.count("welcome") <= 7, "five at once and one a minute, of which the start has used some"
    assert set(codes) == {"welcome", "too_fast"}
