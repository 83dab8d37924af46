"""What staff do, one function an act: checked against the rules, done, and written into the audit log, all or nothing.

Knows nothing of sockets. An act on another site's conversation is answered as if there were no such conversation.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from chatbot import ownership, reviewing, services
from chatbot.events import EventLog
from chatbot.models import Conversation, Review
from chatbot.ownership import NotOwner, Sent
from chatbot.services import Enqueue, FindPersonalData
from console import audit, rules
from console.models import Note, StaffMember, Tag
from console.rules import Action
from guardrails import placeholders, vault
from guardrails.personal_data.masking import replaced
from guardrails.screening import Screened
from guardrails.sealing import MasterKey


class NotAllowed(Exception):
    """This member of staff may not do this."""


class NotFound(Exception):
    """There is no such thing, or none that this member of staff may know of."""


class PersonalData(Exception):
    """What would be kept outside the conversation holds somebody's personal data."""


@dataclass(frozen=True)
class Tools:
    """What the services are handed by wiring.py."""

    log: EventLog
    master_key: Callable[[], MasterKey]
    find: FindPersonalData
    screen: Callable[[str], Screened]
    enqueue: Enqueue


@dataclass(frozen=True)
class Actor:
    """Who acts (as the session and the account are now), and from where."""

    user: User
    address: str = ""


def conversation_for(actor: Actor, action: Action, conversation_id: uuid.UUID) -> Conversation:
    """Return the conversation, if the actor may do this to it. Raises NotFound, NotAllowed."""
    found = Conversation.objects.select_related("site", "agent").filter(pk=conversation_id).first()
    if found is None or not rules.may(actor.user, "see_conversation", found):
        raise NotFound
    if not rules.may(actor.user, action, found):
        raise NotAllowed
    return found


def take(actor: Actor, conversation_id: uuid.UUID, *, tools: Tools) -> Conversation:
    """Take a conversation over. Raises as `ownership.take_over` does."""
    conversation_for(actor, "take", conversation_id)
    return ownership.take_over(
        conversation_id=conversation_id, agent=actor.user, log=tools.log, also=_audited(actor, "take")
    )


def transfer(actor: Actor, conversation_id: uuid.UUID, *, to: str, tools: Tools) -> Conversation:
    """Give a conversation to another agent, who must be allowed to have it. Raises NotFound for anybody else."""
    found = conversation_for(actor, "transfer", conversation_id)
    other = User.objects.select_related("staff_member").filter(username=to, is_active=True).first()
    if other is None or not rules.could(other, "take", found):
        raise NotFound
    return ownership.transfer(
        conversation_id=conversation_id,
        agent=_speaker(actor, found),
        to=other,
        log=tools.log,
        also=_audited(actor, "transfer", {"to": to}),
    )


def hand_back(actor: Actor, conversation_id: uuid.UUID, *, tools: Tools, closing: bool = False) -> Conversation:
    """Give a conversation back to the bot; `closing` says that the matter is settled."""
    action: Action = "close" if closing else "hand_back"
    found = conversation_for(actor, action, conversation_id)
    return ownership.hand_back(
        conversation_id=conversation_id,
        agent=_speaker(actor, found),
        log=tools.log,
        enqueue=tools.enqueue,
        closing=closing,
        also=_audited(actor, action),
    )


def reply(
    actor: Actor, conversation_id: uuid.UUID, *, client_id: uuid.UUID, text: str, confirmed: bool, tools: Tools
) -> Sent:
    """Send a reply to the customer. Raises as `ownership.send_reply` does.

    One that was sent before is answered as it was then, whoever has the conversation now.
    """
    sent = ownership.was_sent(conversation_id=conversation_id, agent=actor.user, client_id=str(client_id))
    conversation_for(actor, "see_conversation" if sent else "reply", conversation_id)
    return ownership.send_reply(
        conversation_id=conversation_id,
        agent=actor.user,
        client_id=str(client_id),
        text=text,
        screen=tools.screen,
        find=tools.find,
        master_key=tools.master_key(),
        log=tools.log,
        confirmed=confirmed,
        also=_audited(actor, "reply", {"confirmed": True} if confirmed else {}),
    )


def note(actor: Actor, conversation_id: uuid.UUID, *, client_id: uuid.UUID, text: str, tools: Tools) -> None:
    """Write something for other staff, once per `client_id`.

    Raises guardrails' MaskingUnavailable, and DuplicateId for another text under a used id.
    """
    found = conversation_for(actor, "note", conversation_id)
    safe = placeholders.escape_lookalikes(text)
    findings = services.without_contacts(safe, tools.find(safe), services.contacts_of(found.site))
    written = ""
    try:
        with transaction.atomic():
            # First of all, as in every change: a row that points to the conversation would lock it last.
            if Conversation.objects.select_for_update().filter(pk=found.pk).first() is None:
                raise NotFound
            masked = vault.mask(found.id, safe, findings, master_key=tools.master_key())
            written = masked.text
            Note.objects.create(
                conversation=found,
                author=actor.user,
                author_name=ownership.shown_name(actor.user),
                client_id=client_id,
                text=masked.text,
            )
            _audited(actor, "note")(found)
    except IntegrityError:
        before = Note.objects.filter(client_id=client_id, conversation=found, author=actor.user).first()
        if before is None:
            raise NotFound from None
        if before.text != written:
            raise services.DuplicateId from None
    tools.log.nudge(conversation_id, "note")


def tag(actor: Actor, conversation_id: uuid.UUID, name: str, *, on: bool, tools: Tools) -> None:
    """Put a tag on a conversation, or take it off; what is so already stays so.

    Raises PersonalData where the name holds any, and guardrails' MaskingUnavailable.
    """
    found = conversation_for(actor, "note", conversation_id)
    if tools.find(name) or placeholders.escape_lookalikes(name) != name:
        raise PersonalData
    with transaction.atomic():
        if Conversation.objects.select_for_update().filter(pk=found.pk).first() is None:
            raise NotFound
        wanted = Tag.objects.get_or_create(name=name)[0] if on else Tag.objects.filter(name=name).first()
        if wanted is None or wanted.conversations.filter(pk=found.pk).exists() == on:
            return
        (wanted.conversations.add if on else wanted.conversations.remove)(found)
        _audited(actor, "tag" if on else "untag", {"tag": name})(found)
    tools.log.nudge(conversation_id, "tag")


def typing(actor: Actor, conversation_id: uuid.UUID, *, tools: Tools) -> None:
    """Let the customer see that the agent is writing."""
    found = conversation_for(actor, "reply", conversation_id)
    if found.agent_id == actor.user.pk:
        tools.log.nudge(conversation_id, "typing", {"author": ownership.shown_name(actor.user)})


def reveal(actor: Actor, conversation_id: uuid.UUID, *, placeholder: str, why: str, tools: Tools) -> str:
    """Return the original behind a placeholder; who saw what and why is kept before it is shown.

    Raises NotFound, and guardrails' MaskingUnavailable: the reason is masked.
    """
    found = conversation_for(actor, "reveal", conversation_id)
    if not placeholders.PLACEHOLDER.fullmatch(placeholder):
        raise NotFound
    value = vault.values(conversation_id, master_key=tools.master_key()).get(placeholder)
    if value is None:
        raise NotFound
    _audited(actor, "reveal", {"placeholder": placeholder, "why": _masked(why, value, tools.find)})(found)
    return value


def require(actor: Actor, action: Action) -> None:
    """Raises NotAllowed unless the actor may do this anywhere."""
    if not rules.may(actor.user, action):
        raise NotAllowed


def decide(actor: Actor, review_id: uuid.UUID, *, choice: reviewing.Choice, text: str, tools: Tools) -> Review:
    """Decide what the guards would not. Raises as `reviewing.decide` does, and NotOwner while an agent speaks."""
    review = Review.objects.filter(pk=review_id).first()
    if review is None:
        raise NotFound
    found = conversation_for(actor, "review", review.conversation_id)
    if found.agent is not None:  # what was pending is moot
        raise NotOwner(found.agent.get_username())
    try:
        return reviewing.decide(
            review_id=review_id,
            choice=choice,
            reviewer=actor.user,
            text=text,
            screen=tools.screen,
            find=tools.find,
            master_key=tools.master_key(),
            log=tools.log,
            enqueue=tools.enqueue,
            also=_audited(actor, "review", {"review": str(review_id), "decision": choice}),
        )
    except Review.DoesNotExist:
        raise NotFound from None


def set_available(actor: Actor, available: bool) -> None:
    """Say whether the actor wants to be offered conversations."""
    if not rules.may(actor.user, "take"):
        raise NotAllowed
    with transaction.atomic():
        StaffMember.objects.filter(user=actor.user).update(available=available)
        audit.record(actor.user, "available" if available else "away", address=actor.address)


def _speaker(actor: Actor, conversation: Conversation) -> User:
    """Return whose right is used: one's own, or as a supervisor that of the agent who has the conversation."""
    if conversation.agent is not None and conversation.agent != actor.user:
        return conversation.agent
    return actor.user


def _audited(actor: Actor, action: str, details: Mapping[str, Any] | None = None) -> Callable[[Conversation], None]:
    def write(conversation: Conversation) -> None:
        audit.record(
            actor.user,
            action,
            site=conversation.site,
            target=("conversation", conversation.id),
            details=details or {},
            address=actor.address,
        )

    return write


def _masked(why: str, value: str, find: FindPersonalData) -> str:
    """A reason may quote what it was asked for, in parts too; the audit log, where nothing is ever erased, must not."""
    text, _ = replaced(why, find(why), lambda entity, _: f"<{entity}>")
    return re.sub(r"\d(?:[\s().-]*\d){3,}", "…", text.replace(value, "…"))
