"""What staff teach Kefu: labels, utterances of customers, and the models that were trained on them.

`version` of a row counts its edits, so that nobody overwrites what they have not seen.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Label(models.Model):
    """A kind of wish, and what is done about it; used from the next message on."""

    slug = models.SlugField(max_length=64, unique=True)
    name_zh = models.CharField(max_length=100, blank=True)
    name_en = models.CharField(max_length=100, blank=True)
    route = models.CharField(max_length=16, help_text="small_talk, human, search or refuse")
    reply_zh = models.TextField(blank=True, help_text="what is said to small talk; empty: Kefu's own words")
    reply_en = models.TextField(blank=True)
    filter = models.JSONField(default=dict, blank=True, help_text="{key: value} that passages' metadata must have")
    tone = models.CharField(max_length=16, default="plain", help_text="plain, warm, sorry or exact")
    temperature = models.FloatField(default=0.3, help_text="of decoding, 0.3 to 0.9")
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.slug


class Utterance(models.Model):
    """Something that a customer may say, with what they want by it. `label` is a slug, or `oos` for out of scope."""

    text = models.CharField(max_length=500)
    key = models.CharField(max_length=64, unique=True, help_text="hash of the text, whatever its case and blanks")
    label = models.CharField(max_length=64, db_index=True)
    language = models.CharField(max_length=2)
    source = models.CharField(max_length=100, help_text="shipped, or who or what it came from")
    active = models.BooleanField(default=True, help_text="whether it is trained on")
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.label}: {self.text}"


class IntentModel(models.Model):
    """A trained classifier of intents, with what it can do on utterances that it had not seen. Never changed."""

    number = models.PositiveIntegerField(unique=True)
    about = models.JSONField(help_text="labels, thresholds and encoder; see intents/classifier.py")
    weights = models.BinaryField(help_text="a safetensors file")
    report = models.JSONField()
    trained_by = models.CharField(max_length=150)
    trained = models.DateTimeField(auto_now_add=True)
    active = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["active"], condition=Q(active=True), name="one_active_intent_model")
        ]

    def __str__(self) -> str:
        return f"intents, version {self.number}"


class IntentChange(models.Model):
    """What was done to labels, utterances and models; never changed. The newest id tells processes to load anew."""

    action = models.CharField(max_length=16)
    what = models.CharField(max_length=200, blank=True)
    number = models.PositiveIntegerField(null=True, help_text="of the model")
    who = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.action} {self.what} by {self.who}"
