"""The tables of the vault, the word lists and the levels. Conversations are opaque UUIDs here, people are names."""

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


class WordList(models.Model):
    """A list of words and the version of it that is live; None switches it off. Versions are counted from 1."""

    name = models.SlugField(max_length=64, unique=True)
    active = models.PositiveIntegerField(null=True)
    newest = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class WordListVersion(models.Model):
    """What a list was at one time: who made it and how, and which evasions of its words are seen through."""

    words = models.ForeignKey(WordList, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    transforms = models.JSONField(default=list)
    size = models.PositiveIntegerField()
    what = models.CharField(max_length=200)
    made_by = models.CharField(max_length=150)
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("words", "number"), name="one_version_per_number"),)

    def __str__(self) -> str:
        return f"{self.words_id}, version {self.number}"


class WordListEntry(models.Model):
    """A word, or an allowed phrase, in the versions from `since` up to but not including `until`."""

    words = models.ForeignKey(WordList, models.CASCADE, related_name="entries")
    text = models.CharField(max_length=200)
    level = models.CharField(max_length=8)
    category = models.CharField(max_length=64)
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True)

    class Meta:
        indexes = (models.Index(fields=("words", "since"), name="word_by_version"),)
        verbose_name_plural = "word list entries"

    def __str__(self) -> str:
        return f"{self.text} ({self.level})"


class WordListChange(models.Model):
    """What was done to the lists, never changed or deleted; the number of rows tells processes to load anew."""

    name = models.CharField(max_length=64)
    action = models.CharField(max_length=16)
    version = models.PositiveIntegerField(null=True)
    what = models.CharField(max_length=200, blank=True)
    who = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.action} {self.name} by {self.who}"


class LevelChange(models.Model):
    """A step of the classifiers' levels, or back to an earlier version; the last one is live. Never changed or deleted.

    thresholds: {task: {"review", "block", "classifier"}} of the tasks that have others than shipped, all of them.
    evidence: what the levels do to the texts that people had decided on, by task.
    """

    number = models.PositiveIntegerField(unique=True)
    action = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    thresholds = models.JSONField(default=dict)
    evidence = models.JSONField(default=dict)
    why = models.CharField(max_length=500)
    who = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.action}, version {self.version}, by {self.who}"
