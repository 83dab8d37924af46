"""Files that customers send. The bytes lie sealed outside the database. Conversations are opaque UUIDs here."""

import uuid
from typing import ClassVar

from django.db import models


class Attachment(models.Model):
    """One file of one conversation; `path` is where its sealed bytes lie, below the private folder."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation_id = models.UUIDField()
    visitor = models.UUIDField(db_index=True)
    name = models.CharField(max_length=255, help_text="as it may be shown; personal data is masked")
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="bytes")
    path = models.CharField(max_length=200)
    sent = models.BooleanField(default=False, help_text="a message names it; what nobody sends is swept away")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["conversation_id", "created"], name="attachment_of")]

    def __str__(self) -> str:
        return f"{self.media_type} {self.id}"
