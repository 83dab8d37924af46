"""What a program or a manager asks the desk worker for, besides documents."""

import uuid
from typing import ClassVar

from django.db import models

from knowledge.models import KnowledgeBase


class Job(models.Model):
    """A preview, a purge, a proof that something is gone or a training of intents: how it is doing, and for a while
    what came of it.
    """

    class Kind(models.TextChoices):
        PREVIEW = "preview"
        PURGE = "purge"
        PROOF = "proof"
        TRAIN = "train"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    UNFINISHED = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    base = models.ForeignKey(
        KnowledgeBase, null=True, on_delete=models.CASCADE, related_name="jobs", help_text="none: it is about all"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    wanted = models.JSONField(help_text="what exactly: see desk/jobs.py")
    result = models.JSONField(null=True, blank=True)
    percent = models.PositiveSmallIntegerField(default=0, help_text="how far a training is")
    reason_code = models.CharField(max_length=32, blank=True)
    reason = models.TextField(blank=True, help_text="why it failed, for a person")
    author = models.CharField(max_length=150, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    holder = models.CharField(max_length=32, blank=True, help_text="who does it")
    beat = models.DateTimeField(null=True, blank=True, help_text="the holder's last sign of life")
    created = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "created"], name="jobs_that_wait")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
