"""The Django application that holds labels, utterances and the versions of what was learned from them."""

from django.apps import AppConfig


class UnderstandingConfig(AppConfig):
    """What customers want, and how they feel."""

    name = "understanding"
    verbose_name = "Understanding"
