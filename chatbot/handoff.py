"""When a conversation needs a person: why, since when, who took it, how it ended. A state, never a word in a text.

Whoever calls holds the conversation's row (or creates it), so a conversation has one open hand-off at most.
Knows nothing of who may write: ownership.py does.
"""

from typing import Literal, get_args

from django.contrib.auth.models import User
from django.utils import timezone

from chatbot.models import Conversation, Handoff, Message

Reason = Literal[
    "requested",  # the customer asked for a person
    "no_answer",  # the documents do not hold the answer
    "refused_twice",  # the bot could not help twice in a row
    "anger",
    "file",  # the customer sent a file, which the bot does not read
    "engine_failed",
    "guard_failed",
    "timeout",
    "failed",  # the turn was given up after two attempts
    "message_review",
    "reply_review",
    "review_timeout",
    "agent",  # an agent stepped in unasked
]
Result = Literal["handed_back", "closed", "expired"]
REASONS: tuple[str, ...] = get_args(Reason)


def request(conversation: Conversation, reason: str, *, topic: str = "") -> Handoff:
    """Put the conversation into the queue; one that is in it, or with an agent, stays as it is."""
    handoff = of(conversation)
    if handoff is None:
        handoff = Handoff.objects.create(conversation=conversation, reason=reason, topic=topic)
    return handoff


def take(conversation: Conversation, agent: User) -> Handoff:
    """Note that the agent has it now; an agent may step in where nobody has asked."""
    handoff = of(conversation) or Handoff(conversation=conversation, reason="agent")
    handoff.state, handoff.agent = Handoff.State.TAKEN, agent
    handoff.offered_to = handoff.offered = None
    handoff.taken = handoff.taken or timezone.now()
    handoff.save()
    return handoff


def end(conversation: Conversation, result: Result) -> None:
    """Note that no person is needed any more."""
    Handoff.objects.filter(conversation=conversation).exclude(state=Handoff.State.ENDED).update(
        state=Handoff.State.ENDED, result=result, ended=timezone.now(), offered_to=None, offered=None
    )


def of(conversation: Conversation) -> Handoff | None:
    """Return the open hand-off."""
    return Handoff.objects.filter(conversation=conversation).exclude(state=Handoff.State.ENDED).first()


def failed_again(conversation: Conversation, outcome: str) -> bool:
    """Say whether the bot could not help, and could not the time before either."""
    if outcome != "refused":
        return False
    said = Message.objects.filter(conversation=conversation, role=Message.Role.BOT).order_by("-created")
    return said.values_list("outcome", flat=True).first() == "refused"
