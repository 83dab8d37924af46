"""Bad input over a real socket: a clear error event or a correct answer, never a socket that drops without a reason."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bench.server import Server, running
from tests.integration.customer import Customer

pytestmark = pytest.mark.integration
ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running({"KEFU_MESSAGES_PER_MINUTE": "10000"}) as server:
        yield server


def say(text: str, id_: str = ID) -> str:
    return json.dumps({"type": "say", "id": id_, "text": text})


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (say("x" * 10_000_000), "too_long"),
        (b"\x00\x01\x02", "binary"),
        ("{not json", "invalid_json"),
        ("[1, 2]", "invalid_json"),
        ("null", "invalid_json"),
        (json.dumps({"type": "dance"}), "unknown_type"),
        (json.dumps({"type": "say"}), "unknown_type"),
        (json.dumps({"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": 7}), "empty"),
        (say(""), "empty"),
        (say("\u200b" * 10_000), "too_long"),
        (say("\u200b" * 3_000), "empty"),
        (say("\x00\x00"), "empty"),
        ('{"type": "say", "id": "00000000-0000-4000-8000-000000000001", "text": "\\ud800"}', "invalid_json"),
        ("[" * 20_000, "invalid_json"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_frame_gets_its_error_and_the_socket_goes_on(server: Server, frame: str | bytes, code: str) -> None:
    customer = Customer(server.socket_url, "zh")
    customer.send(frame)
    customer.until(lambda: customer.errors)
    assert customer.errors[0]["code"] == code
    assert customer.errors[0]["message"]
    assert "Traceback" not in json.dumps(customer.errors)
    id_ = customer.say("你好")
    customer.until(lambda: customer.confirmed(id_) and customer.answers())
    assert customer.reconnects == 0
    customer.close()


@pytest.mark.parametrize(
    "text",
    ["<CN_MOBILE_1> and PHONE_1 and <person_2>", "a\u0000b", "😀" * 500, "‮abc‬", "<script>alert(1)</script>", "{{7*7}}"],
)
def test_odd_text_is_received_and_shown_to_its_writer(server: Server, text: str) -> None:
    customer = Customer(server.socket_url)
    id_ = customer.say(text)
    customer.until(lambda: customer.confirmed(id_) and customer.answers())
    assert not customer.errors
    customer.close()


def test_personal_data_comes_back_to_its_owner_and_lies_nowhere_else(server: Server) -> None:
    mobile, email, card = "13912345678", "zhu.min@example.com", "6222020200112233448"
    customer = Customer(server.socket_url, "zh")
    id_ = customer.say(f"我的手机{mobile}邮箱{email}谢谢卡号{card}退款多久")
    customer.until(lambda: customer.confirmed(id_) and customer.answers())
    [mine] = [m for m in customer.transcript.values() if m["client_id"] == id_]
    assert mobile in mine["text"]
    assert email in mine["text"]
    for path in server.var.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            for value in (mobile, email):
                assert value.encode() not in data, f"{value} lies in {path}"
    customer.close()


def test_a_stranger_with_another_token_gets_a_conversation_of_their_own(server: Server) -> None:
    first, second = Customer(server.socket_url), Customer(server.socket_url)
    id_ = first.say("How long does a refund take?")
    first.until(lambda: first.answers())
    second.token = first.token[:-3] + ("abc" if not first.token.endswith("abc") else "abd")
    second.close()
    with pytest.raises(AssertionError):  # the customer of these tests expects its own conversation back
        second._connect()
    welcome: dict[str, Any] = second.read(1) or {}
    assert not second.confirmed(id_)
    assert welcome.get("type") != "message"
