"""The console's frames: what is understood, and what is not."""

import json
from typing import get_args

import pytest

from console import protocol, rules
from console.consumers import StaffConsumer

ID, CHAT = "0b9f7f0e-7d9b-4c37-9a53-2f1a6a0f6f11", "7c0e9a52-66f1-4f63-8d0f-1d2f3a4b5c6d"


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "hello", "protocol": 1, "language": "zh"},
        {"type": "ping"},
        {"type": "inbox", "id": ID},
        {"type": "inbox", "id": ID, "view": "mine", "site": "demo", "before": "x"},
        {"type": "inbox", "id": ID, "language": "zh", "topic": "invoice", "wait": 300, "late": True, "sort": "wait"},
        {"type": "inbox", "id": ID, "sentiment": "negative", "tag": "vip", "query": "refund"},
        {"type": "counts", "id": ID, "site": "demo"},
        {"type": "team", "id": ID},
        {"type": "customer", "id": ID, "conversation": CHAT},
        {"type": "tag", "id": ID, "conversation": CHAT, "name": "vip", "on": False},
        {"type": "reviews", "id": ID},
        {"type": "decide", "id": ID, "review": CHAT, "decision": "approve"},
        {"type": "decide", "id": ID, "review": CHAT, "decision": "edit", "text": "你好"},
        {"type": "available", "id": ID, "available": True},
        {"type": "watch", "id": ID, "conversation": CHAT, "after": 7},
        {"type": "unwatch", "id": ID, "conversation": CHAT},
        {"type": "take", "id": ID, "conversation": CHAT},
        {"type": "transfer", "id": ID, "conversation": CHAT, "to": "mei"},
        {"type": "hand_back", "id": ID, "conversation": CHAT},
        {"type": "close", "id": ID, "conversation": CHAT},
        {"type": "reply", "id": ID, "conversation": CHAT, "text": "你好"},
        {"type": "note", "id": ID, "conversation": CHAT, "text": "vip"},
        {"type": "typing", "conversation": CHAT},
        {"type": "reveal", "id": ID, "conversation": CHAT, "placeholder": "<PHONE_1>", "why": "to call back"},
    ],
)
def test_a_frame_is_read(frame: dict[str, object]) -> None:
    read = protocol.read_frame(json.dumps(frame))
    assert read.type == frame["type"]


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "7", '"take"', "{", "{}", '{"type": null}', '{"type": ["take"]}', '{"type": "drop_tables"}',
        '{"type": "hello", "protocol": 2}',
        '{"type": "hello", "protocol": "1"}',
        '{"type": "take"}',
        f'{{"type": "take", "id": "{ID}"}}',
        f'{{"type": "take", "id": "{ID}", "conversation": "1"}}',
        f'{{"type": "take", "id": "{ID}", "conversation": "{CHAT}", "agent": 3}}',
        f'{{"type": "reply", "id": "{ID}", "conversation": "{CHAT}", "text": "  "}}',
        f'{{"type": "reply", "id": "{ID}", "conversation": "{CHAT}", "text": "a\\u0000b"}}',
        f'{{"type": "reply", "id": "{ID}", "conversation": "{CHAT}", "text": "x", "role": "bot"}}',
        f'{{"type": "reply", "id": "{ID}", "conversation": "{CHAT}", "text": "x", "confirmed": "yes"}}',
        f'{{"type": "watch", "id": "{ID}", "conversation": "{CHAT}", "after": -1}}',
        f'{{"type": "watch", "id": "{ID}", "conversation": "{CHAT}", "after": 1e400}}',
        f'{{"type": "available", "id": "{ID}", "available": 1}}',
        f'{{"type": "inbox", "id": "{ID}", "sort": "random"}}',
        f'{{"type": "inbox", "id": "{ID}", "wait": -1}}',
        f'{{"type": "inbox", "id": "{ID}", "query": "{"x" * 101}"}}',
        f'{{"type": "tag", "id": "{ID}", "conversation": "{CHAT}", "name": "  "}}',
        f'{{"type": "tag", "id": "{ID}", "conversation": "{CHAT}", "name": "two\\nlines"}}',
        f'{{"type": "decide", "id": "{ID}", "review": "{CHAT}", "decision": "edit"}}',
        f'{{"type": "decide", "id": "{ID}", "review": "{CHAT}", "decision": "approve", "text": "x"}}',
        f'{{"type": "decide", "id": "{ID}", "review": "{CHAT}", "decision": "expired"}}',
        f'{{"type": "reveal", "id": "{ID}", "conversation": "{CHAT}", "placeholder": "<PHONE_1>", "why": ""}}',
        '{"type": ' + "[" * 30_000 + "]" * 30_000 + "}",
        '{"type": "note", "x": ' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "}",
        "x" * (protocol.MOST_CHARACTERS + 1),
        '{"type": "take", "id": "\ud800"}',
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(protocol.FrameError):
        protocol.read_frame(text)


def test_a_refused_frame_is_answered_under_its_id_where_that_can_be_read() -> None:
    with pytest.raises(protocol.FrameError) as refused:
        protocol.read_frame(f'{{"type": "take", "id": "{ID}", "conversation": 1}}')
    assert refused.value.frame_id == ID


def test_every_command_has_a_handler_and_a_rule() -> None:
    commands = set(get_args(protocol.AnyFrame)) - {protocol.Hello, protocol.Ping}
    assert set(StaffConsumer.HANDLERS) == commands
    assert {command.action for command in commands} <= set(rules.RULES)
