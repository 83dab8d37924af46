"""What customers say of an answer (a thumb) and of a conversation (a rating). The last word counts.

Comments are masked.
"""

import uuid

from django.db import transaction

from chatbot import services
from chatbot.models import Conversation, Feedback, Handoff, Message, Rating
from chatbot.services import FindPersonalData
from guardrails import vault
from guardrails.sealing import MasterKey


class NothingToRate(Exception):
    """The conversation has no such answer of the bot's."""


def give_feedback(
    conversation: Conversation,
    message_id: uuid.UUID,
    *,
    helpful: bool,
    reason: str,
    comment: str,
    find: FindPersonalData,
    master_key: MasterKey,
) -> Feedback:
    """Keep a thumb on an answer of the bot's; a reason and a comment only when it is down.

    Raises NothingToRate, ConversationGone, guardrails' MaskingUnavailable and VaultError: then nothing was stored.
    """
    safe, findings = services.personal_data(conversation, "" if helpful else comment, find=find)
    with transaction.atomic():
        services.hold(conversation)
        answers = Message.objects.filter(conversation=conversation, role=Message.Role.BOT)
        message = answers.filter(pk=message_id).first()
        if message is None:
            raise NothingToRate
        masked = vault.mask(conversation.id, safe, findings, master_key=master_key)
        said = {"helpful": helpful, "reason": "" if helpful else reason, "comment": masked.text}
        return Feedback.objects.update_or_create(message=message, defaults=said)[0]


def rate(
    conversation: Conversation, *, score: int, comment: str, find: FindPersonalData, master_key: MasterKey
) -> Rating:
    """Keep how satisfied the customer is (1 to 5), and with which agent, if one took part.

    Raises NothingToRate when nobody has said anything to them yet; else as `give_feedback`.
    """
    safe, findings = services.personal_data(conversation, comment, find=find)
    with transaction.atomic():
        services.hold(conversation)
        heard = Message.objects.filter(conversation=conversation, role__in=(Message.Role.BOT, Message.Role.AGENT))
        if not heard.exists():
            raise NothingToRate
        masked = vault.mask(conversation.id, safe, findings, master_key=master_key)
        last = Handoff.objects.filter(conversation=conversation, agent__isnull=False).order_by("-taken", "-pk").first()
        said = {"score": score, "comment": masked.text, "agent": last.agent if last else None}
        return Rating.objects.update_or_create(conversation=conversation, defaults=said)[0]
