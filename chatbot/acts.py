"""What a customer does or asks for besides talking, each one call: the frames that are answered by `done`.

Like the consumer an edge: it hands the parts of web to the services.
"""

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any, assert_never

from django.utils import timezone
from kombu.exceptions import OperationalError

from chatbot import admission, appearance, files, looking_up, opinions, profiles, protocol, sites, transcripts, wiring
from chatbot.admission import Session
from chatbot.events import REDIS_AWAY
from chatbot.files import Viewer
from chatbot.limits import Action, TooMany
from chatbot.models import Conversation, Site
from chatbot.queueing import queue_transcript
from chatbot.turn import Language
from chatbot.waiting import Standing, sentence
from guardrails import vault

_SWITCHES: Mapping[type, str] = {
    protocol.Feedback: "feedback",
    protocol.Rate: "csat",
    protocol.Passage: "show_sources",
    protocol.Related: "follow_ups",
    protocol.Transcript: "transcript",
}
"""What a site can turn off (appearance.py), by what asks for it."""


class NotOffered(Exception):
    """The site has turned it off."""


class BadAddress(Exception):
    """No letter can be sent there."""


class NoMail(Exception):
    """Letters cannot be sent, or not now."""


def offer(conversation: Conversation, site: Site, language: Language) -> dict[str, Any]:
    """Return what the site's widget offers, where that is not the default."""
    return appearance.read(site.widget).offer(language, profile=bool(conversation.profile))


def require(site_id: int, switch: str) -> None:
    """Raise NotOffered when the site has turned this off, if only a moment ago: sockets stay open for long."""
    widget = Site.objects.filter(pk=site_id).values_list("widget", flat=True).first()
    if not getattr(appearance.read(widget), switch):
        raise NotOffered


def away(site: Site, language: Language) -> str:
    """Return a sentence that says when people are back, "" while the site's hours say that they are there."""
    hours, now = sites.hours_of(site), timezone.now()
    if hours is None or hours.is_open(now):
        return ""
    return sentence(Standing("message", opens=hours.next_opening(now)), language, now)


def answer(session: Session, asked: protocol.Asked, network: str) -> dict[str, Any]:
    """Do what is asked, in the session's own conversation; return what `done` says besides.

    Raises what the services raise, NotOffered, BadAddress, NoMail and admission's Refused.
    """
    conversation = session.conversation
    if switch := _SWITCHES.get(type(asked)):
        require(session.site.pk, switch)
    masking: dict[str, Any] = {"find": wiring.masking().find, "master_key": wiring.master_key()}
    match asked:
        case protocol.Profile():
            fields = appearance.read(session.site.widget).pre_chat
            profiles.store_form(conversation, dict(asked.values), fields, **masking)
        case protocol.Feedback(_, message, helpful, reason, comment):
            said: dict[str, Any] = {"helpful": helpful, "reason": reason, "comment": comment}
            opinions.give_feedback(conversation, uuid.UUID(message), **said, **masking)
        case protocol.Rate(_, score, comment):
            opinions.rate(conversation, score=score, comment=comment, **masking)
        case protocol.Passage(_, message, number):
            return dataclasses.asdict(looking_up.passage(conversation, uuid.UUID(message), number, passes=_passes))
        case protocol.Related(_, message):
            return {"questions": looking_up.related(conversation, uuid.UUID(message), passes=_passes)}
        case protocol.Earlier(_, before):
            messages, more = looking_up.earlier(conversation, uuid.UUID(before))
            return {"messages": [message.payload()["message"] for message in messages], "more": more}
        case protocol.Link(_, file):
            if not looking_up.file_is_there(conversation, file):
                raise looking_up.NotThere
            return {"url": files.link(file, conversation=conversation.id, viewer=_viewer(session))}
        case protocol.Transcript(_, email):
            return _transcript(session, email, network)
        case _:
            assert_never(asked)
    return {}


def _transcript(session: Session, email: str, network: str) -> dict[str, Any]:
    conversation, key = session.conversation, wiring.master_key()
    if not email:
        _limit("transcript", session, network)
        values = vault.values(conversation.id, master_key=key)
        return {"text": transcripts.transcript(conversation, session.language, passes=_passes, values=values)}
    if not profiles.is_email(email):
        raise BadAddress
    if not transcripts.mail_is_set_up():
        raise NoMail
    _limit("mail", session, network, address=profiles.mailbox(email))
    sealed = transcripts.seal_address(conversation.id, email, master_key=key)
    try:
        queue_transcript(conversation.id, sealed, session.language)
    except (OperationalError, *REDIS_AWAY):
        raise NoMail from None
    return {}


def _limit(action: Action, session: Session, network: str, *, address: str = "") -> None:
    who: dict[str, Any] = {"visitor": session.visitor, "network": network, "site": session.site.pk, "address": address}
    try:
        wiring.limiter().take(action, **who)
    except TooMany as many:
        raise admission.refused_for_now(many) from None


def _viewer(session: Session) -> Viewer:
    return Viewer("customer", str(session.visitor))


def _passes(text: str) -> bool:
    return wiring.lexicon().judge(text).action == "pass"
