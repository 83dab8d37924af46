"""A program with tokens, in front of the real routes."""

import pytest
from django.test import Client

from api import tokens
from knowledge.models import KnowledgeBase
from tests.chatbot.conftest import log

__all__ = ["base", "log", "program"]


@pytest.fixture
def base() -> KnowledgeBase:
    return KnowledgeBase.objects.create(slug="shop", name="Shop")


def program(scope: str, base: str = "shop", name: str = "") -> Client:
    return Client(headers={"authorization": f"Bearer {tokens.make(name or f'{base} {scope}', base, scope)}"})
