"""Who may open a conversation, and whose: site, origin, visitor's token or signed user, limits. Knows no socket.

An anonymous visitor is who holds the last token; it opens one conversation, on the site and origin where it was given.
A known user is whom the site's signature names, on any device; their token alone opens nothing, so that nobody finds
their conversation on a shared computer when they have logged out. What was said before logging in stays with the
anonymous visitor. A signed token belongs to the device (browser) that brings it first: it may come again from there,
in any tab, and from nowhere else. Where redis has lost its memory, that begins anew.
"""

import logging
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.http.request import split_domain_port, validate_host

from chatbot import protocol, selectors, services, sites, tokens, users
from chatbot.events import EventLog
from chatbot.limits import Action, Limiter, TooMany
from chatbot.models import Conversation, Site
from chatbot.profiles import store_profile
from chatbot.replays import Replays
from chatbot.seats import Seats
from chatbot.services import FindPersonalData
from chatbot.turn import Language
from chatbot.users import KnownUser, UserRefused
from guardrails.personal_data.pool import MaskingUnavailable
from guardrails.sealing import MasterKey, VaultError

logger = logging.getLogger(__name__)


@dataclass
class Session:
    """What a socket knows once it has said hello. `cursor` is the number of the last event that the client has,
    `newest` that of the last one there was at hello. `fresh`: this is not the conversation that the client's token
    named.
    """

    conversation: Conversation
    site: Site
    visitor: uuid.UUID
    language: Language
    fresh: bool
    cursor: int = 0
    newest: int = 0


@dataclass(frozen=True)
class Door:
    """Where a hello comes in: the page's origin, the host that it called, the client's network, the socket's name."""

    origin: str
    host: str
    network: str
    socket: str


class Refused(Exception):
    """The hello is not accepted; `code` names the wording, `close` is the socket's close code.

    With `retry_after` it may be said again after so many seconds.
    """

    def __init__(self, code: str, close: int = protocol.CLOSE_REFUSED, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code, self.close, self.retry_after = code, close, retry_after


@dataclass(frozen=True)
class Admission:
    """The checks of one installation with all that they need."""

    log: EventLog
    limiter: Limiter
    seats: Seats
    replays: Replays
    find: FindPersonalData
    master_key: Callable[[], MasterKey]
    secret: bytes

    def open(self, hello: protocol.Hello, door: Door) -> Session:
        """Find or start the visitor's conversation and take a seat for the socket. Raises Refused."""
        site = Site.objects.filter(key=hello.key).first()
        allowed = site is not None and origin_allowed(site, door.origin, door.host)
        if site is None or not allowed:
            self._limit("hello", door=door)
            raise Refused("bad_key" if site is None else "bad_origin")
        token = tokens.read(hello.token, site=site.key, origin=door.origin) if hello.token else None
        try:
            user, new = self._user(hello, site) if hello.user else (None, False)
        except UserRefused as refused:
            self._limit("hello", door=door, site=site)
            raise Refused(refused.code) from None
        if user is not None:
            visitor = users.visitor_id(site.pk, user.subject, secret=self.secret)
            conversation = _newest(site, visitor)
        else:
            conversation = _of_token(site, token)
            # An erased conversation takes its visitor with it: nothing leads from the old token to the new one.
            visitor = conversation.visitor if conversation is not None else uuid.uuid4()
        actions: tuple[Action, ...] = ("hello",) if conversation is not None else ("hello", "conversation")
        self._limit(*actions, door=door, site=site, visitor=visitor)
        language = sites.spoken(site, hello.language)
        resumed, seat = conversation is not None, place_of(visitor)
        if not self.seats.take(seat, door.socket):
            raise Refused("too_many_sockets", protocol.CLOSE_TOO_MANY)
        try:
            if conversation is None:
                conversation = self._start(site, visitor, language)
            if user is not None and user.profile and (new or not conversation.profile):
                self._store(conversation, user)
            fresh = token is None or token.conversation != conversation.id
            newest = selectors.newest_seq(conversation.id, log=self.log) if resumed else 0
        except BaseException:
            self.seats.leave(seat, door.socket)
            raise
        # A number above the newest is none of ours: such a client gets everything.
        cursor = hello.after if not fresh and hello.after <= newest else 0
        return Session(conversation, site, visitor, language, fresh, cursor, newest)

    def _limit(self, *actions: Action, door: Door, site: Site | None = None, visitor: uuid.UUID | None = None) -> None:
        try:
            self.limiter.take(*actions, visitor=visitor, network=door.network, site=site and site.pk)
        except TooMany as many:
            raise refused_for_now(many) from None

    def _user(self, hello: protocol.Hello, site: Site) -> tuple[KnownUser, bool]:
        """Return the signed user, and whether the token is seen for the first time. Raises UserRefused."""
        try:
            secret = sites.user_secret(site, master_key=self.master_key()) if site.user_secret else ""
        except VaultError:
            logger.exception("the user secret of site %s does not open", site.pk)
            secret = ""
        if not secret:
            raise UserRefused("user_invalid")
        user = users.read_user(hello.user, secret=secret, site=site.key)
        seen = self.replays.claim(
            f"{site.pk} {user.token_id}",
            f"{hello.device} {user.subject}",
            until=user.expires + users.LEEWAY_SECONDS,
        )
        if seen == "replayed":
            raise UserRefused("user_replayed")
        return user, seen == "new"

    def _start(self, site: Site, visitor: uuid.UUID, language: Language) -> Conversation:
        if not users.is_known(visitor):
            return services.start_conversation(site=site, visitor=visitor, language=language, log=self.log)
        with transaction.atomic():  # a user who opens two tabs at once has one conversation
            Site.objects.select_for_update().get(pk=site.pk)
            return _newest(site, visitor) or services.start_conversation(
                site=site, visitor=visitor, language=language, log=self.log
            )

    def _store(self, conversation: Conversation, user: KnownUser) -> None:
        try:
            store_profile(conversation, user.profile, find=self.find, master_key=self.master_key())
        except MaskingUnavailable:
            logger.warning("masking is unavailable; a user's profile was not stored")


def refused_for_now(many: TooMany) -> Refused:
    """Return the refusal that says who is too fast, and how long to wait (to a tenth of a second, never too short)."""
    code = {"site": "busy", "address": "mail_often"}.get(many.scope, "too_fast")
    return Refused(code, protocol.CLOSE_TOO_FAST, math.ceil(many.seconds * 10) / 10)


def place_of(visitor: uuid.UUID) -> str:
    """Return the name under which a visitor's sockets are counted."""
    return f"visitor:{visitor}"


def origin_allowed(site: Site, origin: str, host: str) -> bool:
    """Say whether a page of this origin may embed the site's chat; `host` is the one that the socket called."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return False
    own = parts.netloc == host and validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    return own or origin in site.allowed_origins


def _of_token(site: Site, token: tokens.Visitor | None) -> Conversation | None:
    if token is None or users.is_known(token.id):
        return None
    return Conversation.objects.filter(pk=token.conversation, visitor=token.id, site=site).first()


def _newest(site: Site, visitor: uuid.UUID) -> Conversation | None:
    return Conversation.objects.filter(site=site, visitor=visitor).order_by("-created").first()
