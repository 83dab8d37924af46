"""The Django application that holds the vault's tables."""

from django.apps import AppConfig


class GuardrailsConfig(AppConfig):
    """Guards on what comes in and what goes out."""

    name = "guardrails"
    verbose_name = "Guardrails"
