"""Who may call the API."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from knowledge.models import KnowledgeBase


class ApiToken(models.Model):
    """A program's key to one base. Only a digest is kept: the token is 32 random bytes, so no salt is needed."""

    class Scope(models.TextChoices):
        READ = "read"
        EDIT = "edit"
        PUBLISH = "publish"
        PURGE = "purge"

    name = models.CharField(max_length=150)
    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="api_tokens")
    scope = models.CharField(
        max_length=8, choices=Scope.choices, help_text="edit reads, too, publish edits; purge reads and purges"
    )
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token")
    hint = models.CharField(max_length=12, help_text="its first characters, by which people tell tokens apart")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True, help_text="to the minute")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name"], condition=Q(revoked=None), name="one_token_a_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"
