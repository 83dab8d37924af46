"""Knowledge as rows: they are the truth, every index is made from them.

A file's content is a `DocumentVersion` with its chunks, never changed once it is ready. A `Release` says which version
of which document answers; publishing one is changing one reference, and so is going back.
"""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q


def new_key() -> str:
    """Return a key that nothing else has."""
    return uuid4().hex


class KnowledgeBase(models.Model):
    """The documents that one site answers from."""

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    published = models.ForeignKey(
        "Release", null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="what answers now"
    )
    releases_made = models.PositiveIntegerField(default=0, help_text="number of the newest release")
    threshold = models.FloatField(
        null=True, blank=True, help_text="probability from which a question is answered; empty: the shipped one"
    )
    losses_allowed = models.PositiveSmallIntegerField(
        default=0, help_text="golden questions that a release may lose and still be published"
    )
    publishes_itself = models.BooleanField(
        default=False, help_text="what is imported or edited is published as soon as the golden questions allow it"
    )
    decisions = models.JSONField(
        default=dict, blank=True, help_text="{key of a value: publish|mask}: personal data that a manager decided on"
    )
    described = models.PositiveIntegerField(default=0, help_text="rises with every change of a document's metadata")

    def __str__(self) -> str:
        return self.slug


class Document(models.Model):
    """A file by its name within a base; its content is in its versions."""

    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="documents")
    name = models.CharField(max_length=500)
    versions_made = models.PositiveIntegerField(default=0, help_text="number of the newest version")
    metadata = models.JSONField(default=dict, blank=True, help_text="{key: value}: what a search may be narrowed by")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["base", "name"], name="one_document_a_name")]

    def __str__(self) -> str:
        return self.name


class DocumentVersion(models.Model):
    """What a document says, from one upload or one edit; its chunks never change once it is ready."""

    class Stage(models.TextChoices):
        STORED = "stored"
        PARSED = "parsed"
        CHUNKED = "chunked"
        EMBEDDED = "embedded"
        READY = "ready"
        QUARANTINED = "quarantined"  # as ready, but it tries to give the model orders: a manager decides
        REFUSED = "refused"
        CANCELLED = "cancelled"

    UNFINISHED: ClassVar = ("stored", "parsed", "chunked", "embedded")

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="what was edited"
    )
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.STORED)
    reason_code = models.CharField(max_length=40, blank=True, help_text="why it was refused: a key of reasons.py")
    reason = models.TextField(blank=True, help_text="the same in plain words")
    done = models.PositiveIntegerField(default=0, help_text="of the running stage's work")
    total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="how often its making was begun")
    beat = models.DateTimeField(null=True, blank=True, help_text="last sign of life of whoever makes it")
    holder = models.CharField(max_length=32, blank=True, help_text="who makes it; anybody else's writing is refused")
    then = models.CharField(
        max_length=8, blank=True, help_text="what is still to be done once it is ready: publish, urgent"
    )
    twice = models.BooleanField(default=False, help_text="wanted although another document says the same")
    bytes = models.PositiveBigIntegerField(default=0)
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the file")
    content_key = models.CharField(max_length=64, blank=True, help_text="SHA-256 of its text, whatever the format")
    made_with = models.CharField(max_length=300, blank=True, help_text="reader, model and guard versions")
    parsed = models.JSONField(null=True, blank=True, help_text="blocks between the stages; empty once it is ready")
    findings = models.JSONField(
        default=list,
        blank=True,
        help_text="[{id, kind: personal_data|injection, chunk, field, start, end, entity, value, key, shown, "
        "decision: ''|publish|mask}, …]",
    )
    notices = models.JSONField(default=list, blank=True, help_text="[[code of reasons.NOTICES, detail], …]")
    edits = models.JSONField(
        default=list, blank=True, help_text="[{key, originals, replacement, placed, author}, …]: the pinned edits in it"
    )
    author = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=300, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["document", "number"], name="one_version_a_number")]
        indexes: ClassVar = [
            models.Index(
                fields=["created"],
                name="version_unfinished",
                condition=Q(stage__in=("stored", "parsed", "chunked", "embedded")),
            ),
            models.Index(fields=["created"], name="version_due", condition=~Q(then="")),
            models.Index(fields=["content_hash"], name="version_by_file"),
            models.Index(fields=["content_key"], name="version_by_content"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} version {self.number}"


class Chunk(models.Model):
    """A passage in the making.

    `sentences` is a list of {"start", "end", "verdict": {"action", "tier", "categories"}} in code points of `text`.
    """

    version = models.ForeignKey(DocumentVersion, on_delete=models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    ref = models.CharField(max_length=500)
    source = models.CharField(max_length=500, blank=True, help_text="where in the file: page, sheet and row, heading")
    heading = models.TextField(blank=True)
    text = models.TextField()
    question = models.TextField(blank=True)
    questions = models.JSONField(default=list, blank=True, help_text="more questions that it answers")
    language = models.CharField(max_length=2)
    sentences = models.JSONField(default=list)
    guard_version = models.CharField(max_length=100, help_text="version of the guards that gave the verdicts")
    origin = models.CharField(max_length=64, blank=True, help_text="key of what the reader made, before any edit")
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["version", "position"], name="one_chunk_a_position")]
        ordering: ClassVar = ["version", "position"]

    def __str__(self) -> str:
        return f"{self.version_id}#{self.position}"


class PinnedEdit(models.Model):
    """An edit of a document's chunks that every new reading of the file goes through again: the edits of the version
    that was ready last.

    `originals` are the chunks that the reader made, `replacement` what stands in their place: one for one is an edit,
    one for many a split, many for one a merge, one for none a removal.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="edits")
    key = models.CharField(max_length=32, default=new_key, help_text="`edit:<key>` is the origin of its chunks")
    originals = models.JSONField(help_text="[{origin, heading, text, question}, …], neighbours")
    replacement = models.JSONField(help_text="[{heading, text, question, questions, enabled}, …]")
    placed = models.BooleanField(default=True, help_text="whether the newest reading still has its place")
    author = models.CharField(max_length=150, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["document", "key"], name="one_edit_a_key")]

    def __str__(self) -> str:
        return f"edit of {self.document_id}"


class Release(models.Model):
    """Which version of which document answers. The one draft of a base changes; what was published never does."""

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"  # it answers, or has answered

    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="releases")
    number = models.PositiveIntegerField()
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=0, help_text="rises with every change of the draft")
    urgent = models.BooleanField(default=False, help_text="published before it was measured")
    author = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=300, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    contacts = models.JSONField(
        default=list, blank=True, help_text="values in it that look like personal data and are the shop's own"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["base", "number"], name="one_release_a_number"),
            models.UniqueConstraint(fields=["base"], condition=Q(state="draft"), name="one_draft_a_base"),
        ]

    def __str__(self) -> str:
        return f"{self.base_id} release {self.number}"


class ReleaseItem(models.Model):
    """One document of a release."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="items")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(DocumentVersion, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["release", "document"], name="one_version_a_release")]

    def __str__(self) -> str:
        return f"{self.release_id}: {self.version_id}"


class GoldenQuestion(models.Model):
    """A question whose right treatment is known: the examination of every release."""

    class Expects(models.TextChoices):
        ANSWER = "answer"
        REFUSAL = "refusal"

    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="golden")
    question = models.TextField()
    expects = models.CharField(max_length=8, choices=Expects.choices, default=Expects.ANSWER)
    document = models.CharField(max_length=500, blank=True, help_text="name of the document that answers it, if known")
    facts = models.JSONField(default=list, blank=True, help_text="words that a right answer holds")
    origin = models.CharField(max_length=20, default="typed", help_text="typed, thumbs_down, correction")
    active = models.BooleanField(default=True)
    author = models.CharField(max_length=150, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["base", "question"], name="one_golden_question")]

    def __str__(self) -> str:
        return self.question


class Examination(models.Model):
    """How a release answered the golden questions; of a draft, as it was at `revision`."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="examinations")
    revision = models.PositiveIntegerField()
    results = models.JSONField(help_text="[{question, expects, right, was_right, answerable, confidence, found}, …]")
    right = models.PositiveIntegerField()
    lost = models.PositiveIntegerField(help_text="right in what was published then, and wrong now")
    gained = models.PositiveIntegerField()
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.release_id} revision {self.revision}: {self.right} right"


class RadarFinding(models.Model):
    """Something in the documents that a manager should look at."""

    class Kind(models.TextChoices):
        DUPLICATE = "duplicate"
        CONTRADICTION = "contradiction"
        EXPIRED = "expired"
        UNUSED = "unused"

    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="radar")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    key = models.CharField(max_length=64, help_text="the same finding keeps it from scan to scan")
    chunks = models.JSONField(help_text="ids of the chunks it is about")
    detail = models.JSONField(default=dict)
    touched = models.PositiveIntegerField(default=0, help_text="conversations that met it")
    dismissed = models.CharField(max_length=150, blank=True, help_text="who said that it is nothing")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["base", "key"], name="one_finding_a_key")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key[:8]}"


class Gap(models.Model):
    """Questions alike that nobody could answer from the documents, masked; and the answer that somebody drafts."""

    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="gaps")
    question = models.TextField(help_text="the one in the middle of them")
    questions = models.JSONField(help_text="[{text, message}, …]; ids of messages")
    conversations = models.PositiveIntegerField(default=0)
    draft = models.JSONField(default=dict, blank=True, help_text="{question, answer, sources}")
    state = models.CharField(max_length=10, default="open", help_text="open, answered, dismissed")
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.question


class Purge(models.Model):
    """What was removed for good: hashes only, by which it can be shown that nothing of it is left."""

    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="purges")
    document = models.CharField(max_length=64, help_text="SHA-256 of the document's name")
    hashes = models.JSONField(help_text="{files: […], chunks: […], sentences: […], vectors: […]}, SHA-256")
    author = models.CharField(max_length=150, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.document[:12]


class Embedding(models.Model):
    """A vector by the text that it was made of; nothing is embedded twice."""

    text_hash = models.BinaryField(max_length=32, help_text="SHA-256 of the text with its prefix")
    model = models.CharField(max_length=200)
    vector = models.BinaryField(help_text="little-endian float16")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["model", "text_hash"], name="one_vector_a_text")]

    def __str__(self) -> str:
        return f"{self.model} {bytes(self.text_hash).hex()[:12]}"
