"""The conversation."""

from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class ChatbotConfig(AppConfig):
    """Conversations, messages, and everything that answers them."""

    name = "chatbot"

    def ready(self) -> None:
        """Write the widget's files as they are served; before the part that serves static files looks for them."""
        from chatbot import minifying

        minifying.write(Path(self.path) / "static", settings.SMALL_STATIC)
