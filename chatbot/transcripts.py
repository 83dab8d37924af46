"""A conversation as a text for its own customer: to keep, or by e-mail.

The address is sealed while it waits, and neither stored nor logged.
"""

import smtplib
import uuid
from collections.abc import Callable, Mapping

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from chatbot import sites, wording
from chatbot.limits import Action, Rate, Scope
from chatbot.models import Conversation, Message
from chatbot.turn import Language
from guardrails import sealing, vault
from guardrails.placeholders import restore
from guardrails.sealing import MasterKey

MOST_MESSAGES, MOST_CHARACTERS = 1000, 200_000
RATES: dict[tuple[Action, Scope], Rate] = {
    ("mail", "visitor"): Rate(per_minute=0.05, burst=3),
    ("mail", "ip"): Rate(per_minute=0.5, burst=10),
    ("mail", "site"): Rate(per_minute=30, burst=60),
    ("mail", "address"): Rate(per_minute=3 / 1440, burst=2),
    ("transcript", "visitor"): Rate(per_minute=1, burst=3),
    ("transcript", "ip"): Rate(per_minute=5, burst=10),
}
"""Letters to addresses that nobody has proved to be theirs: few, and to each very few, whoever asks.
Texts to keep: few, for every message in them is judged anew."""

Passes = Callable[[str], bool]
"""(text) -> whether today's word list lets it be shown."""


class NotSent(Exception):
    """The mail server did not take it. Says nothing of whom it was for."""


def mail_is_set_up() -> bool:
    """Say whether letters can be sent."""
    return bool(_sender())


def _sender() -> str:
    sender: str = getattr(settings, "MAIL_FROM", "")
    return sender


def seal_address(conversation_id: uuid.UUID, address: str, *, master_key: MasterKey) -> str:
    """Return an address for the queue."""
    return sealing.seal_secret(address, _place(conversation_id), master_key).hex()


def send(conversation_id: uuid.UUID, sealed: str, language: Language, *, passes: Passes, master_key: MasterKey) -> None:
    """Send the conversation to a sealed address; nothing when it was erased meanwhile. Raises NotSent."""
    conversation = Conversation.objects.select_related("site").filter(pk=conversation_id).first()
    if conversation is None:
        return
    name = conversation.site.name
    text = transcript(
        conversation, language, passes=passes, values=vault.values(conversation_id, master_key=master_key)
    )
    letter = EmailMessage(
        " ".join(wording.say("transcript.subject", language, site=name).split()),  # a header is one line
        f"{text}\n-- \n{wording.say('transcript.foot', language, site=name)}\n",
        _sender(),
        [sealing.open_secret(bytes.fromhex(sealed), _place(conversation_id), master_key)],
    )
    try:
        letter.send()
    except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: an address that no letter can have
        raise NotSent(type(error).__name__) from None  # its own text may hold the address


def transcript(conversation: Conversation, language: Language, *, passes: Passes, values: Mapping[str, str]) -> str:
    """Return what was said, oldest first, the newest messages where there are very many, with the customer's own data
    put back.
    """
    hours = sites.hours_of(conversation.site)
    zone = hours.zone if hours is not None else timezone.get_default_timezone()
    rows = Message.objects.filter(conversation=conversation, sequence__isnull=False).order_by("-created", "-id")
    lines, length = list[str](), 0
    for message in rows[:MOST_MESSAGES]:
        at = message.created.astimezone(zone)
        lines.append(f"[{at:%Y-%m-%d %H:%M %Z}] {_said(message, language, passes, values)}")
        length += len(lines[-1])
        if length > MOST_CHARACTERS:
            break
    return "\n\n".join(reversed(lines)) + "\n"


def _said(message: Message, language: Language, passes: Passes, values: Mapping[str, str]) -> str:
    text = message.text
    if message.deleted is not None:
        text = wording.say("transcript.withdrawn", language)
    elif message.role != Message.Role.CUSTOMER and not passes(text):
        text = wording.say("withheld", language)
    text = "\n".join([restore(text, values), *(f"[{restore(file['name'], values)}]" for file in message.files)]).strip()
    if message.role == Message.Role.SYSTEM:
        return f"— {text}"
    author = message.author or wording.say(f"transcript.{message.role}", language)
    return f"{author}: {text}"


def _place(conversation_id: uuid.UUID) -> str:
    return f"transcript of {conversation_id}"
