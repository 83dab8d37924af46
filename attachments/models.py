"""Files that customers send. The bytes lie sealed outside the database. Conversations are opaque UUIDs here."""

import uuid
from typing import ClassVar

from django.db import models


class Attachment(models.Model):
    """One file of one conversation. Where its sealed bytes lie follows from its ids (storage.py)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation_id = models.UUIDField()
    visitor = models.UUIDField()
    name = models.TextField(help_text="as it may be shown; personal data is masked")
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="bytes, as they are served")
    sent = models.BooleanField(default=False, help_text="a message names it; what nobody sends is swept away")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["conversation_id"], name="attachment_of"),
            models.Index(fields=["visitor", "created"], name="attachment_by"),
            models.Index(fields=["created"], name="attachment_unsent", condition=models.Q(sent=False)),
        ]

    def __str__(self) -> str:
        return f"{self.media_type} {self.id}"
