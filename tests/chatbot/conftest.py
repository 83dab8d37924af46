"""A shop, a conversation with it, and the event log on a real redis."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis

from chatbot import services
from chatbot.events import EventLog
from chatbot.models import Conversation, Message, Site
from guardrails.sealing import MasterKey
from tests.fakes import FakeFind, FakeQueue

MASTER_KEY = MasterKey(b"k" * 32)
Say = Callable[..., Message]


@pytest.fixture
def log(redis_client: redis.Redis) -> EventLog:
    return EventLog(redis_client)


@pytest.fixture
def site(db: None) -> Site:
    return Site.objects.create(
        key="shop", name="The Shop", knowledge_base="shop", allowed_origins=["https://shop.example"]
    )


@pytest.fixture
def chat(site: Site, log: EventLog) -> Conversation:
    return services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log)


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def say(chat: Conversation, log: EventLog, queue: FakeQueue) -> Say:
    """Receive a customer's message."""

    def receive(text: str = "How long do returns take?", **options: Any) -> Message:
        arguments: dict[str, Any] = {
            "conversation": chat,
            "client_id": uuid.uuid4().hex,
            "language": "en",
            "find": FakeFind(),
            "master_key": MASTER_KEY,
            "log": log,
            "enqueue": queue,
        }
        return services.receive_message(text=text, **{**arguments, **options}).message

    return receive
