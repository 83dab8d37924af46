"""Staff: who they are, what they noted, and a record of everything that they did."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class StaffMember(models.Model):
    """What an account may do here and for which sites, and what work suits it. Without one an account may do nothing.

    An administrator acts for all sites; everyone else for `sites` alone.
    """

    class Role(models.TextChoices):
        AGENT = "agent"
        REVIEWER = "reviewer"
        KNOWLEDGE_MANAGER = "knowledge_manager"
        SUPERVISOR = "supervisor"
        ADMINISTRATOR = "administrator"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff_member")
    roles = models.JSONField(default=list, help_text="one or more of agent, reviewer, knowledge_manager, …")
    sites = models.ManyToManyField("chatbot.Site", blank=True, related_name="staff")
    languages = models.JSONField(default=list, blank=True, help_text="zh, en; empty: all")
    skills = models.JSONField(default=list, blank=True, help_text="topics (intents) that suit; empty: all")
    capacity = models.PositiveSmallIntegerField(default=5, help_text="conversations at once")
    available = models.BooleanField(default=False, help_text="wants to be offered conversations")

    def __str__(self) -> str:
        return self.user.get_username()


class Note(models.Model):
    """What staff write about a conversation for each other; customers never see it. Masked."""

    conversation = models.ForeignKey("chatbot.Conversation", on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=150)
    client_id = models.UUIDField(unique=True, help_text="makes a repeated frame harmless")
    text = models.TextField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["created", "id"]

    def __str__(self) -> str:
        return f"note of {self.author_name}"


class CannedReply(models.Model):
    """A reply that agents need often; `{customer}`, `{agent}` and `{site}` in it are filled in when it is used."""

    site = models.ForeignKey(
        "chatbot.Site", null=True, blank=True, on_delete=models.CASCADE, related_name="canned", help_text="null: all"
    )
    language = models.CharField(max_length=8, blank=True, help_text="zh, en; empty: any")
    shortcut = models.SlugField(max_length=40, allow_unicode=True, help_text="what agents type after /")
    text = models.TextField(max_length=4000)
    author = models.CharField(max_length=150, blank=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["shortcut", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "language", "shortcut"], name="one_canned_reply_a_shortcut"),
            models.UniqueConstraint(
                fields=["language", "shortcut"], condition=models.Q(site=None), name="one_canned_reply_of_all_sites"
            ),
        ]
        verbose_name_plural = "canned replies"

    def __str__(self) -> str:
        return f"/{self.shortcut}"


class Tag(models.Model):
    """A word that staff put on conversations to find and count them."""

    name = models.CharField(max_length=40, unique=True)
    conversations = models.ManyToManyField("chatbot.Conversation", blank=True, related_name="tags")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class WrongAnswer(models.Model):
    """An answer that staff reported as wrong, why, and the golden question made of it."""

    class Reason(models.TextChoices):
        INCORRECT = "incorrect"
        INCOMPLETE = "incomplete"
        OUTDATED = "outdated"
        OFF_TOPIC = "off_topic"
        SHOULD_REFUSE = "should_refuse"
        OTHER = "other"

    message = models.OneToOneField("chatbot.Message", on_delete=models.CASCADE, primary_key=True, related_name="wrong")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    comment = models.TextField(blank=True, help_text="masked")
    golden = models.ForeignKey(
        "knowledge.GoldenQuestion", null=True, blank=True, on_delete=models.SET_NULL, related_name="reports"
    )
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-created"], name="wrong_answer_newest")]

    def __str__(self) -> str:
        return f"{self.reason} {self.message_id}"


class AuditEntry(models.Model):
    """One act of a member of staff, or of the system for them. The database refuses to change or delete it.

    `digest` covers the entry and the one before it, so that a gap or a change shows.
    """

    at = models.DateTimeField()
    actor = models.BigIntegerField(null=True, help_text="the account's key; null: the system, or nobody known")
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    site = models.BigIntegerField(null=True)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict, blank=True, help_text="never a customer's personal data")
    address = models.CharField(max_length=64, blank=True, help_text="where the act came from")
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action}"


class AuditHead(models.Model):
    """The end of the chain, one row: what the next entry goes on from. Locking it orders the writers."""

    ONLY: ClassVar = 1

    entry = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"up to entry {self.entry}"
