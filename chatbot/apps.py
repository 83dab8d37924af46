"""The conversation."""

from django.apps import AppConfig


class ChatbotConfig(AppConfig):
    """Conversations, messages, and everything that answers them."""

    name = "chatbot"
