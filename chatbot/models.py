"""The truth about conversations. Text in these rows is masked; the originals are in the vault."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from chatbot import appearance, hours

MOST_PERSONA = 600
"""Characters of a site's persona: a small model's prompt must have room for passages."""


def default_languages() -> list[str]:
    """Return the languages of a new site."""
    return ["zh", "en"]


class Site(models.Model):
    """A shop (brand) that embeds the widget; `key` is public and stands in its script tag."""

    key = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    allowed_origins = models.JSONField(
        default=list, blank=True, help_text="origins that may embed it; empty: this host only"
    )
    knowledge_base = models.SlugField(max_length=100)
    contacts = models.JSONField(
        default=list, blank=True, help_text="the shop's own phone numbers and addresses: never masked"
    )
    user_secret = models.BinaryField(default=b"", help_text="what the site's server signs its users with; sealed")
    bot_name = models.CharField(max_length=60, blank=True, help_text="how the bot calls itself; empty: assistant")
    persona = models.TextField(blank=True, max_length=2000, help_text="manner of speaking; goes into the prompt")
    languages = models.JSONField(default=default_languages, help_text="zh and en, the preferred one first")
    hours = models.JSONField(default=dict, blank=True, help_text="when people answer (hours.py); empty: always")
    widget = models.JSONField(
        default=dict, blank=True, help_text="colour, place, greeting, form before the chat, … (appearance.py)"
    )
    answer_within = models.PositiveIntegerField(
        default=120, help_text="seconds within which a person should take who waits"
    )
    retention_days = models.PositiveIntegerField(
        default=0, help_text="conversations are erased so many days after their last message; 0: never"
    )
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse hours, looks and languages that nobody could act on."""
        try:
            hours.parse(self.hours)
        except ValueError as error:
            raise ValidationError({"hours": str(error)}) from None
        try:
            appearance.parse(self.widget)
        except ValueError as error:
            raise ValidationError({"widget": str(error)}) from None
        spoken = self.languages if isinstance(self.languages, list) else []
        if not spoken or any(language not in default_languages() for language in spoken):
            raise ValidationError({"languages": 'a list such as ["zh", "en"], the preferred one first'})
        if len(self.persona) > MOST_PERSONA:
            raise ValidationError({"persona": f"at most {MOST_PERSONA} characters"})


class Conversation(models.Model):
    """One customer's conversation with one site.

    Who may write is settled by two numbers, mirrored in redis (events.py): `fence` is raised by every change of owner,
    `attempt` by every claim of a turn. `sequence_ceiling` is the highest event number handed out to redis so far:
    after redis has lost its memory, numbers go on above it.
    """

    class Owner(models.TextChoices):
        BOT = "bot"
        AGENT = "agent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="conversations")
    visitor = models.UUIDField(db_index=True)
    language = models.CharField(max_length=8, default="en")
    owner = models.CharField(max_length=8, choices=Owner.choices, default=Owner.BOT)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations"
    )
    draft = models.TextField(blank=True, help_text="what the bot was saying when an agent took over; masked")
    profile = models.TextField(blank=True, help_text="what the site says about a known user; masked")
    fence = models.PositiveIntegerField(default=1)
    attempt = models.PositiveIntegerField(default=0)
    sequence_ceiling = models.PositiveBigIntegerField(default=0)
    closed = models.DateTimeField(null=True, blank=True, help_text="since when it rests; the next message opens it")
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-updated"], name="conversation_recent"),
            models.Index(fields=["updated"], name="conversation_awake", condition=models.Q(closed__isnull=True)),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Handoff(models.Model):
    """One time that a conversation needed a person, from the request to its end. At most one is open at a time."""

    class State(models.TextChoices):
        WAITING = "waiting"  # in the queue
        MESSAGE = "message"  # nobody is there: the customer left a message
        TAKEN = "taken"  # an agent owns the conversation
        ENDED = "ended"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="handoffs")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=40, help_text="requested, no_answer, refused_twice, …: see handoff.py")
    topic = models.CharField(max_length=64, blank=True, help_text="the intent, for agents' skills")
    offered_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    offered = models.DateTimeField(null=True, blank=True)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="handoffs"
    )
    created = models.DateTimeField(auto_now_add=True)
    taken = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    result = models.CharField(
        max_length=16, blank=True, help_text="how it ended: handed_back, closed, expired, approved"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation"], condition=~models.Q(state="ended"), name="one_open_handoff"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["created"], name="handoff_queue", condition=models.Q(state="waiting")),
            models.Index(fields=["-taken"], name="handoff_taken", condition=models.Q(taken__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.reason} ({self.state})"


class Message(models.Model):
    """One finished message; never a half one.

    `client_id` makes a customer's message idempotent. `sequence` is the number of the event that announced it, null
    until it is announced (the sweeper announces what a crash left). A customer's message is open until `outcome` is
    set.
    """

    class Role(models.TextChoices):
        CUSTOMER = "customer"
        BOT = "bot"
        AGENT = "agent"
        SYSTEM = "system"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    client_id = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001  null is "not from a widget"
    role = models.CharField(max_length=8, choices=Role.choices)
    text = models.TextField()
    author = models.CharField(max_length=150, blank=True, help_text="the agent's name as the customer sees it")
    language = models.CharField(max_length=8, blank=True)
    sources = models.JSONField(default=list, blank=True)
    outcome = models.CharField(max_length=16, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    reply_to = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="replies")
    sequence = models.PositiveBigIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="how often an answer to it was begun")
    files = models.JSONField(default=list, blank=True, help_text="[{id, name, type, size}, …]; names are masked")
    version = models.PositiveIntegerField(default=0, help_text="how often it was edited; each is announced anew")
    edited = models.DateTimeField(null=True, blank=True)
    deleted = models.DateTimeField(null=True, blank=True, help_text="withdrawn by the customer; the text is gone")
    created = models.DateTimeField(auto_now_add=True)

    OPEN: ClassVar = models.Q(role="customer", outcome="")
    """Customers' messages that nobody has answered yet."""

    class Meta:
        ordering: ClassVar = ["created", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "client_id"], name="message_once_per_client_id"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["conversation", "created"], name="message_history"),
            models.Index(fields=["created"], name="message_open", condition=models.Q(role="customer", outcome="")),
            models.Index(fields=["created"], name="message_unannounced", condition=models.Q(sequence__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.id}"

    def payload(self) -> dict[str, Any]:
        """Return the payload of the `message` event that shows it (protocol.py)."""
        own = self.role != self.Role.CUSTOMER
        return {
            "message": {
                "id": str(self.id),
                "client_id": self.client_id,
                "role": self.role,
                "author": self.author,
                "text": self.text,
                "at": self.created.isoformat(),
                "sources": self.sources,
                "outcome": self.outcome if own else "",
                "reason": self.reason if own else "",
                "reply_to": str(self.reply_to_id) if self.reply_to_id else None,
                "files": self.files,
                "edited": self.edited is not None,
                "deleted": self.deleted is not None,
            }
        }


class LedgerEntry(models.Model):
    """Why a reply says what it says: written with the reply, never changed."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="ledger")
    intent = models.CharField(max_length=64, blank=True)
    sentiment = models.CharField(max_length=16, blank=True, help_text="positive, neutral or negative")
    understanding = models.CharField(max_length=64, blank=True, help_text="the classifier of intents; empty: a rule")
    question = models.TextField(blank=True, help_text="the standalone question that was searched for; masked")
    engine = models.CharField(max_length=100, blank=True)
    degraded = models.BooleanField(default=False, help_text="a better engine was down or full")
    prompt_tokens = models.PositiveIntegerField(default=0)
    reply_tokens = models.PositiveIntegerField(default=0)
    prompt_version = models.CharField(max_length=64, blank=True)
    guard_version = models.CharField(max_length=64, blank=True)
    knowledge_version = models.PositiveIntegerField(default=0)
    confidence = models.FloatField(default=0.0)
    passages = models.JSONField(default=list, help_text="[[chunk id, score], …], best first")
    verdicts = models.JSONField(default=list)
    milliseconds = models.JSONField(default=dict, help_text="time of each stage")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "ledger entries"
        indexes: ClassVar = [models.Index(fields=["-created"], name="ledger_newest")]

    def __str__(self) -> str:
        return f"ledger of {self.message_id}"


class Review(models.Model):
    """What the guards would not decide, for a person to judge before the deadline; kept as a training row.

    Inbound the customer's `messages` are judged, which have no answer yet; outbound the rest of a reply, `held`.
    """

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"

    class Decision(models.TextChoices):
        PENDING = ""
        APPROVED = "approved"
        EDITED = "edited"
        REJECTED = "rejected"
        EXPIRED = "expired"  # nobody decided in time
        MOOT = "moot"  # an agent took over, the customer changed what was asked, or the conversation rests

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="reviews")
    reply = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="review", help_text="what was said")
    messages = models.ManyToManyField(Message, related_name="reviews", help_text="what the customer asked")
    direction = models.CharField(max_length=3, choices=Direction.choices)
    held = models.TextField(blank=True, help_text="what was not shown of the reply; masked")
    sources = models.JSONField(default=list, blank=True, help_text="what the reply cites")
    tier = models.CharField(max_length=16, blank=True)
    categories = models.JSONField(default=list, blank=True)
    score = models.FloatField(default=0.0)
    created = models.DateTimeField(auto_now_add=True)
    deadline = models.DateTimeField()
    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.PENDING, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided = models.DateTimeField(null=True, blank=True)
    final = models.TextField(blank=True, help_text="what was said in the end; masked")
    overtaken = models.BooleanField(
        default=False, help_text="the customer has changed what was judged: an approval does not hold any more"
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["deadline"], name="review_pending", condition=models.Q(decision="")),
        ]

    def __str__(self) -> str:
        return f"{self.direction} ({self.decision or 'pending'})"


class Feedback(models.Model):
    """What a customer says of one answer: a thumb, and if it is down perhaps why."""

    class Reason(models.TextChoices):
        INCORRECT = "incorrect"
        INCOMPLETE = "incomplete"
        OUTDATED = "outdated"
        OFF_TOPIC = "off_topic"
        OTHER = "other"

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="feedback")
    helpful = models.BooleanField()
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    comment = models.TextField(blank=True, help_text="masked")
    created = models.DateTimeField(auto_now=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created"], name="feedback_created")]
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{'helpful' if self.helpful else self.reason or 'not helpful'} {self.message_id}"


class Rating(models.Model):
    """How satisfied a customer says they are with a conversation (CSAT), 1 to 5; the last word counts."""

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, primary_key=True, related_name="rating")
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True, help_text="masked")
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="ratings"
    )
    created = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(score__gte=1, score__lte=5), name="rating_from_1_to_5"),
        ]
        indexes: ClassVar = [models.Index(fields=["created"], name="rating_created")]

    def __str__(self) -> str:
        return f"{self.score} of 5"
