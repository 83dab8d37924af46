"""When a conversation needs a person: why, since when, who took it, how it ended. A state, never a word in a text.

Whoever calls is in a transaction and holds the conversation's row (or creates it), so a conversation has one open
hand-off at most. Every change tells all processes, when it is committed, that the site's queue has moved: a nudge
`queue {site}`. Knows nothing of who may write: ownership.py does.
"""

import contextlib
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, get_args

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from chatbot import sites, wording
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Conversation, Handoff, Message
from chatbot.turn import Language

Reason = Literal[
    "requested",  # the customer asked for a person
    "no_answer",  # the documents do not hold the answer
    "refused_twice",  # the bot could not help twice in a row
    "upset",  # an answer made the customer angry
    "file",  # the customer sent a file, which the bot does not read
    "engine_failed",
    "guard_failed",
    "timeout",
    "failed",  # the turn was given up after two attempts
    "message_review",
    "reply_review",
    "review_timeout",
    "agent",  # an agent stepped in unasked
    "absent",  # the agent who had it is not there any more
]
Result = Literal["handed_back", "closed", "expired", "approved", "absent"]
REASONS: tuple[str, ...] = get_args(Reason)


MOST_REOPENED = 500

AreThere = Callable[[Sequence[uuid.UUID]], Sequence[bool]]
"""(visitors) -> whether each has the chat open. Raises LogUnavailable."""


def request(conversation: Conversation, reason: str, *, log: EventLog, topic: str = "") -> Handoff:
    """Put the conversation into the queue; one that is in it, or with an agent, stays as it is.

    Outside the site's hours the customer may leave a message, and a message of the system says when people are back.
    Announce it with what is said besides (services.announce_rest).
    """
    now = timezone.now()
    hours = sites.hours_of(conversation.site)
    is_open = hours is None or hours.is_open(now)
    handoff = of(conversation)
    if handoff is None:
        state = Handoff.State.WAITING if is_open else Handoff.State.MESSAGE
        handoff = Handoff.objects.create(conversation=conversation, state=state, reason=reason, topic=topic)
        if hours is not None and not is_open:
            _say_closed(conversation, now, hours.next_opening(now))
    elif is_open and handoff.state == Handoff.State.MESSAGE:
        handoff.state = Handoff.State.WAITING
        handoff.save(update_fields=["state"])
    else:
        return handoff
    _tell(conversation.pk, conversation.site_id, log)
    return handoff


def take(conversation: Conversation, agent: User, *, log: EventLog) -> Handoff:
    """Note that the agent has it now; an agent may step in where nobody has asked."""
    handoff = of(conversation) or Handoff(conversation=conversation, reason="agent")
    handoff.state, handoff.agent = Handoff.State.TAKEN, agent
    handoff.offered_to = handoff.offered = None
    handoff.taken = handoff.taken or timezone.now()
    handoff.save()
    _tell(conversation.pk, conversation.site_id, log)
    return handoff


def end(conversation: Conversation, result: Result, *, log: EventLog) -> None:
    """Note that no person is needed any more."""
    ended = (
        Handoff.objects.filter(conversation=conversation)
        .exclude(state=Handoff.State.ENDED)
        .update(state=Handoff.State.ENDED, result=result, ended=timezone.now(), offered_to=None, offered=None)
    )
    if ended:
        _tell(conversation.pk, conversation.site_id, log)


def rest(conversation: Conversation, *, unanswered: bool, log: EventLog) -> None:
    """The conversation rests: what nobody took or answered stays as a message left, all else has ended."""
    handoff = of(conversation)
    if handoff is None and unanswered:
        handoff = Handoff(conversation=conversation, reason="failed")
    if handoff is None or (handoff.state == Handoff.State.TAKEN and not unanswered):
        end(conversation, "expired", log=log)
        return
    handoff.state, handoff.offered_to, handoff.offered = Handoff.State.MESSAGE, None, None
    handoff.save()
    _tell(conversation.pk, conversation.site_id, log)


def reopen_messages(now: datetime, *, are_there: AreThere, log: EventLog) -> int:
    """Put those who left a message into the queue, if they have the chat open and people are back; return how many.

    For the sweep. Raises LogUnavailable; then the next one does it.
    """
    left = Handoff.objects.filter(state=Handoff.State.MESSAGE, conversation__closed=None)
    rows = left.select_related("conversation__site").order_by("created")[:MOST_REOPENED]
    is_open: dict[int, bool] = {}
    found = []
    for handoff in rows:
        site = handoff.conversation.site
        if site.pk not in is_open:
            hours = sites.hours_of(site)
            is_open[site.pk] = hours is None or hours.is_open(now)
        if is_open[site.pk]:
            found.append(handoff)
    count = 0
    there = are_there([handoff.conversation.visitor for handoff in found]) if found else []
    for handoff, here in zip(found, there, strict=True):
        # Compare and set: an agent may have taken it meanwhile.
        if here and left.filter(pk=handoff.pk).update(state=Handoff.State.WAITING):
            _tell(handoff.conversation_id, handoff.conversation.site_id, log)
            count += 1
    return count


def of(conversation: Conversation) -> Handoff | None:
    """Return the open hand-off."""
    return Handoff.objects.filter(conversation=conversation).exclude(state=Handoff.State.ENDED).first()


def reason_for(conversation: Conversation, outcome: str, reason: str) -> str:
    """Return why a turn that is about to be recorded needs a person, "" when it needs none."""
    if outcome in ("handed_off", "review"):
        return reason
    return "refused_twice" if failed_again(conversation, outcome) else ""


def failed_again(conversation: Conversation, outcome: str) -> bool:
    """Say whether the bot could not help, and could not the time before either."""
    if outcome != "refused":
        return False
    said = Message.objects.filter(conversation=conversation, role=Message.Role.BOT).order_by("-created")
    return said.values_list("outcome", flat=True).first() == "refused"


def _say_closed(conversation: Conversation, now: datetime, opening: datetime | None) -> None:
    spoken = Conversation.objects.values_list("language", flat=True).get(pk=conversation.pk)  # a turn may change it
    language: Language = "zh" if spoken == "zh" else "en"
    if opening is None:
        text = wording.say("closed", language)
    else:
        text = wording.say("closed.until", language, opening=wording.moment(opening, now, language))
    Message.objects.create(
        conversation=conversation, role=Message.Role.SYSTEM, text=text, reason="closed", language=language
    )


def _tell(conversation_id: uuid.UUID, site_id: int, log: EventLog) -> None:
    def tell() -> None:
        with contextlib.suppress(LogUnavailable):  # whoever waits is told when redis is back
            log.nudge(conversation_id, "queue", {"site": site_id})

    transaction.on_commit(tell)
