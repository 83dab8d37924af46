"""Knowledge as rows: they are the truth, every index is made from them."""

from django.db import models


class KnowledgeBase(models.Model):
    """The documents that one site answers from. `version` rises with every change that can change an answer."""

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.slug


class Document(models.Model):
    """A file by its name within a base. Only the chunks of live documents answer."""

    class State(models.TextChoices):
        LIVE = "live"
        REFUSED = "refused"
        RETIRED = "retired"

    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="documents")
    name = models.CharField(max_length=500)
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the file")
    made_with = models.CharField(max_length=300, help_text="reader, model and guard versions that made the chunks")
    state = models.CharField(max_length=20, choices=State.choices)
    reason = models.TextField(blank=True, help_text="why it was refused, in plain words")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["base", "name"], name="one_document_a_name"),)

    def __str__(self) -> str:
        return self.name


class Chunk(models.Model):
    """A passage in the making.

    `sentences` is a list of {"start", "end", "verdict": {"action", "tier", "categories"}} in code points of `text`.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    ref = models.CharField(max_length=500)
    heading = models.TextField(blank=True)
    text = models.TextField()
    question = models.TextField(blank=True)
    language = models.CharField(max_length=2)
    sentences = models.JSONField(default=list)
    guard_version = models.CharField(max_length=100, help_text="version of the guards that gave the verdicts")
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["document", "position"], name="one_chunk_a_position"),)
        ordering = ("document", "position")

    def __str__(self) -> str:
        return f"{self.document_id}#{self.position}"


class Embedding(models.Model):
    """A vector by the text that it was made of; nothing is embedded twice."""

    text_hash = models.BinaryField(max_length=32, help_text="SHA-256 of the text with its prefix")
    model = models.CharField(max_length=200)
    vector = models.BinaryField(help_text="little-endian float16")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["model", "text_hash"], name="one_vector_a_text"),)

    def __str__(self) -> str:
        return f"{self.model} {bytes(self.text_hash).hex()[:12]}"
