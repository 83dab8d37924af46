"""The vault's tables: a wrapped key a conversation, and its sealed values. Conversations are opaque UUIDs here."""

from django.db import models


class VaultKey(models.Model):
    """The data key of one conversation, wrapped by the master key named beside it. Without it the values are gone."""

    conversation_id = models.UUIDField(primary_key=True)
    wrapped = models.BinaryField()
    master_key_id = models.CharField(max_length=16, db_index=True)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"key of {self.conversation_id}"


class VaultEntry(models.Model):
    """One sealed value, `<ENTITY_number>` in the conversation's text; `lookup` is the HMAC that finds it again."""

    conversation_id = models.UUIDField()
    entity = models.CharField(max_length=32)
    number = models.PositiveIntegerField()
    lookup = models.CharField(max_length=64)
    ciphertext = models.BinaryField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("conversation_id", "entity", "number"), name="one_value_per_placeholder"),
            models.UniqueConstraint(fields=("conversation_id", "lookup"), name="one_placeholder_per_value"),
        )
        verbose_name_plural = "vault entries"

    def __str__(self) -> str:
        return f"<{self.entity}_{self.number}> of {self.conversation_id}"
