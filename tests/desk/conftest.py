"""A shop, a conversation with it, and the event log on a real redis."""

from tests.chatbot.conftest import chat, log, queue, say, site

__all__ = ["chat", "log", "queue", "say", "site"]
