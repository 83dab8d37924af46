"""The websocket edge: frame in, one service call; event in, frame out.

Knows nothing of how answers come about. A socket has one reader (this consumer) and one writer task (following.py), so
events leave in order and a slow socket waits for itself alone.
"""

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import orjson
from django.utils import timezone

from attachments import services as attachments
from chatbot import (
    acts,
    admission,
    editing,
    files,
    looking_up,
    metrics,
    opinions,
    profiles,
    protocol,
    selectors,
    services,
    sites,
    tokens,
    transcripts,
    wiring,
    wording,
)
from chatbot.admission import Door, Refused, Session
from chatbot.events import Event, LogUnavailable
from chatbot.files import Viewer
from chatbot.following import Follower
from chatbot.language import language_of
from chatbot.limits import TokenBucket, TooMany
from chatbot.models import Conversation, Message
from chatbot.peers import Network, client_network
from chatbot.queueing import enqueue_turn
from chatbot.sockets import HELLO_SECONDS, Socket
from chatbot.threads import in_thread
from chatbot.traditional import traditional
from chatbot.turn import Language
from chatbot.waiting import NONE, Standing, sentence
from guardrails import vault
from guardrails.personal_data.pool import MaskingUnavailable
from guardrails.placeholders import PLACEHOLDER, restore

logger = logging.getLogger(__name__)
T = TypeVar("T")

CLOSE_INTERNAL = 1011
RECEIVING_THREADS = 4
RECEIVING_WAITING = 32

# Masking takes long and may be asked for often: it must not keep hellos and catching up waiting.
_receiving = ThreadPoolExecutor(RECEIVING_THREADS, thread_name_prefix="receive")
_places = asyncio.BoundedSemaphore(RECEIVING_THREADS + RECEIVING_WAITING)


NOT_DONE: dict[type[Exception], str] = {
    attachments.NotSendable: "files_gone",
    services.DuplicateId: "duplicate_id",
    editing.UnknownMessage: "unknown_message",
    editing.TooLate: "too_late",
    profiles.FormIncomplete: "form_incomplete",
    opinions.NothingToRate: "not_there",
    looking_up.NotThere: "not_there",
    acts.NotOffered: "not_offered",
    acts.BadAddress: "bad_email",
    acts.NoMail: "mail_unavailable",
}
"""What cannot be done, and the wording that says so."""


class ChatConsumer(Socket):
    """One customer's socket."""

    async def connect(self) -> None:
        self.session: Session | None = None
        self.language: Language = "en"
        self.traditional = False
        self.follower: Follower | None = None
        self.standing = self.told_standing = NONE
        self.values: dict[str, str] = {}  # this customer's own data by placeholder
        self.shown: dict[str, str] = {}  # of running replies, masked
        self.withheld: set[str] = set()  # running replies that hold what has been forbidden since
        self.without_sources = False
        limits = wiring.limits()
        self.longest = limits.message_characters
        self.name, self.network = uuid.uuid4().hex, self._network(limits.trusted_proxies)
        self.frames = TokenBucket(600 + 2 * limits.messages_per_minute, burst=60)
        if not await self.open(wiring.silent_sockets(), self.network, self.name, self._close_silent):
            await self._error("too_many_sockets", retry_after=HELLO_SECONDS)
            await self.close(protocol.CLOSE_TOO_MANY)

    def _network(self, trusted: Sequence[Network]) -> str:
        forwarded = [value.decode("latin-1") for name, value in self.scope["headers"] if name == b"x-forwarded-for"]
        return client_network((self.scope.get("client") or ("",))[0], forwarded, trusted)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.frames.take():
            await self._error("too_fast", fatal=True)
            await self.close(protocol.CLOSE_TOO_FAST)
            return
        try:
            if text_data is None:
                raise protocol.FrameError("binary")
            frame = protocol.read_frame(text_data, longest=self.longest, most_files=wiring.uploads().per_message)
            if self.session is None and not isinstance(frame, protocol.Hello):
                raise protocol.FrameError("bad_hello")
        except protocol.FrameError as error:
            await self._error(error.code, error.frame_id, fatal=error.code == "bad_hello")
            if error.code == "bad_hello":
                await self.close(protocol.CLOSE_BAD_HELLO)
            return
        match frame:
            case protocol.Hello():
                await self._hello(frame)
            case protocol.Say():
                await self._say(frame)
            case protocol.Edit() | protocol.Delete():
                assert self.session is not None
                await self._receive(frame.id, partial(change, self.session, frame))
            case protocol.Stop():
                await self._stop()
            case protocol.Ping():
                await self.send(protocol.frame("pong"))
            case _:
                await self._ask(frame)

    # --- frames in

    async def _hello(self, hello: protocol.Hello) -> None:
        if self.session is not None:
            await self._error("unknown_type")
            return
        self.hello_timer.cancel()
        self.language, self.traditional = hello.language, hello.traditional
        headers = {name: value.decode("latin-1") for name, value in self.scope["headers"]}
        door = Door(headers.get(b"origin", ""), headers.get(b"host", ""), self.network, self.name)
        try:
            session = await in_thread(partial(open_session, hello, door))
        except Refused as refused:
            await self._error(refused.code, retry_after=refused.retry_after, fatal=refused.retry_after is None)
            await self.close(refused.close)
            return
        except Exception:  # the outermost frame: the customer gets a code, the log gets the trace
            logger.exception("a hello failed")
            await self._error("internal", retry_after=5.0)
            await self.close(CLOSE_INTERNAL)
            return
        self.session, self.language = session, session.language
        self.give_up_seat()
        conversation, place = session.conversation, admission.place_of(session.visitor)
        self.goodbye.callback(wiring.leaving().leave, conversation.id, place)
        self.goodbye.push_async_callback(in_thread, partial(wiring.seats().leave, place, self.name))
        token = tokens.issue(tokens.Visitor(session.visitor, session.conversation.id, session.site.key, door.origin))
        offer = acts.offer(session.conversation, session.site, session.language)
        self.without_sources = "show_sources" in offer.get("off", ())
        await self.send(
            protocol.frame(
                "welcome",
                protocol=protocol.VERSION,
                conversation=str(session.conversation.id),
                token=token,
                seq=session.newest,
                limit=self.longest,
                language=session.language,
                languages=session.site.languages,
                site=session.site.name,
                bot=session.site.bot_name,
                fresh=session.fresh,
                widget=self._words(offer),
                mail=transcripts.mail_is_set_up(),
                away=self._words(acts.away(session.site, session.language)),
            )
        )
        self.follower = Follower(
            session.cursor, read=partial(read_events, session), show=partial(self._show, session), live=self._live
        )
        wiring.leaving().back(conversation.id)
        wiring.feed().watch(conversation.id, self.follower)
        self.goodbye.callback(wiring.feed().unwatch, conversation.id, self.follower)
        wiring.waiting_room().enter(session.site.pk, conversation.id, self)
        self.goodbye.callback(wiring.waiting_room().leave, session.site.pk, conversation.id, self)
        writer = asyncio.get_running_loop().create_task(self._write(self.follower), name="socket writer")
        self.goodbye.callback(writer.cancel)

    async def _say(self, say: protocol.Say) -> None:
        assert self.session is not None
        start = time.perf_counter()
        language = sites.spoken(self.session.site, language_of(say.text, self.session.language))
        await self._receive(say.id, partial(receive, self.session.conversation, say, language))
        metrics.RECEIVE.observe(time.perf_counter() - start)

    async def _ask(self, asked: protocol.Asked) -> None:
        """Do, or look up, what is answered by `done`."""
        assert self.session is not None
        answer = await self._receive(asked.id, partial(acts.answer, self.session, asked, self.network))
        if answer is None:
            return
        for message in answer.get("messages", ()):
            await self._make_personal(self.session, message)
        if isinstance(asked, protocol.Passage | protocol.Related):
            answer = self._words(answer)
        await self.send(protocol.frame("done", id=asked.id, **answer))

    async def _receive(self, frame_id: str, call: Callable[[], T]) -> T | None:
        """Let the customer say or change something; what is refused is answered with an error, and None returned."""
        assert self.session is not None
        try:
            await in_thread(partial(limit_message, self.session, self.network))
            if _places.locked():
                raise MaskingUnavailable("too many messages wait")
            async with _places:
                return await in_thread(call, _receiving)
        except Refused as refused:
            await self._error(refused.code, frame_id, retry_after=refused.retry_after)
        except services.ConversationGone:
            await self._error("expired", frame_id, fatal=True)
            await self.close(protocol.CLOSE_GONE)
        except tuple(NOT_DONE) as error:
            await self._error(NOT_DONE[type(error)], frame_id)
        except LogUnavailable:
            await self._error("service_unavailable", frame_id, retry_after=2.0)
        except MaskingUnavailable:
            logger.warning("masking is unavailable; a message was refused")
            await self._error("masking_unavailable", frame_id, retry_after=2.0)
        except Exception:  # the outermost frame: the customer gets a code, the log gets the trace
            logger.exception("a message could not be received")
            await self._error("internal", frame_id, retry_after=5.0)
        return None

    async def _stop(self) -> None:
        assert self.session is not None
        stop = partial(services.request_stop, conversation_id=self.session.conversation.id, log=wiring.event_log())
        try:
            await in_thread(stop)
        except LogUnavailable:
            await self._error("service_unavailable", retry_after=2.0)

    # --- events out

    def on_waiting(self, standing: Standing) -> None:
        """Called by the waiting room. The newest standing counts, so it travels in no event."""
        self.standing = standing
        if standing != self.told_standing and self.follower is not None:
            self.follower.on_event(Event(0, "waiting", b"{}"))

    async def _write(self, follower: Follower) -> None:
        """Send every event once, in order."""
        try:
            await follower.run()
        except OSError:  # the client went while something was sent to it
            return
        except Exception:  # the outermost frame of this task
            logger.exception("a socket's writer failed; the widget reconnects")
            await self.close(CLOSE_INTERNAL)

    async def _live(self, live: bool) -> None:
        await self.send(protocol.frame("service", state="ok" if live else "degraded"))

    async def _show(self, session: Session, event: Event) -> None:
        if event.seq == 0:
            await self._show_nudge(session, event)
        elif event.type == "status":
            await self.send(event.frame())
        else:
            await self.send(await self._personal(session, event))

    async def _show_nudge(self, session: Session, event: Event) -> None:
        match event.type:
            case "waiting" if self.standing != self.told_standing:
                self.told_standing = self.standing
                text = self._words(sentence(self.standing, session.language, timezone.now()))
                await self.send(protocol.frame("waiting", **self.standing.payload(), text=text))
            case "typing":
                await self.send(protocol.frame("typing", author=event.data()["author"]))
            case "gone":
                await self._error("expired", fatal=True)
                await self.close(protocol.CLOSE_GONE)

    async def _personal(self, session: Session, event: Event) -> str:
        """Return the event's frame with this customer's own data put back, screened against today's word list."""
        data = event.data()
        await self._make_personal(session, data["message"] if event.type == "message" else data)
        return Event(event.seq, event.type, orjson.dumps(data)).frame()

    async def _make_personal(self, session: Session, holder: dict[str, Any]) -> None:
        """Do that to a message or to a part of a reply."""
        text: str = holder["text"]
        before, part = "", "reply" in holder
        if part:
            before = "" if holder["replace"] else self.shown.get(holder["reply"], "")
            self.shown[holder["reply"]] = before + text
        else:
            self.shown.pop(holder["id"], None)
            self.withheld.discard(holder["id"])
        ours = part or holder["role"] != "customer"
        if "sources" in holder:
            holder["sources"] = [] if self.without_sources else self._words(self._screened(holder["sources"]))
        for file in holder.get("files", ()):
            viewer = Viewer("customer", str(session.visitor))
            file["url"] = files.link(file["id"], conversation=session.conversation.id, viewer=viewer)
            if "_" in file["name"]:
                file["name"] = await self._restored(session, file["name"], "")
        if ours and wiring.lexicon().judge(before + text).action != "pass":
            text = holder["text"] = self._withhold(holder, session.language)
        if part or holder["role"] in ("bot", "system"):  # what people write stays as they wrote it
            text = holder["text"] = self._words(text)
        if "_" in text:  # every placeholder has one, damaged ones too
            holder["text"] = await self._restored(session, text, before)

    def _withhold(self, holder: dict[str, Any], language: Language) -> str:
        """Return what is said instead; of a running reply once, and nothing in place of its later parts."""
        reply = holder.get("reply")
        if reply in self.withheld:
            return ""
        if reply is not None:
            self.withheld.add(reply)
        return wording.say("withheld", language)

    @staticmethod
    def _screened(sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for source in sources:
            for name in ("heading", "excerpt"):
                if wiring.lexicon().judge(source[name]).action != "pass":
                    source[name] = ""
        return sources

    async def _restored(self, session: Session, text: str, before: str) -> str:
        restored = restore(text, self.values, before)
        if PLACEHOLDER.search(restored) or not self.values:
            self.values = await in_thread(partial(own_values, session.conversation.id))
            restored = restore(text, self.values, before)
        return restored

    async def _error(
        self, code: str, frame_id: str | None = None, *, retry_after: float | None = None, fatal: bool = False
    ) -> None:
        metrics.REFUSED_FRAMES.labels(code).inc()
        message = self._words(wording.say(code, self.language, limit=self.longest, seconds=math.ceil(retry_after or 1)))
        await self.send(
            protocol.frame("error", code=code, message=message, id=frame_id, retry_after=retry_after, fatal=fatal)
        )

    def _words(self, told: T) -> T:
        """Return what is told, in traditional characters where the customer reads those."""
        if not self.traditional:
            return told
        words: T = orjson.loads(traditional(orjson.dumps(told).decode()))
        return words

    async def _close_silent(self) -> None:
        await self._error("no_hello", fatal=False)
        await self.close(protocol.CLOSE_NO_HELLO)


def receive(conversation: Conversation, say: protocol.Say, language: Language) -> services.Received:
    """Hand a message to the one service for messages."""
    if say.files:
        acts.require(conversation.site_id, "uploads")
    return services.receive_message(
        conversation=conversation,
        client_id=say.id,
        text=say.text,
        language=language,
        find=wiring.masking().find,
        master_key=wiring.master_key(),
        log=wiring.event_log(),
        enqueue=enqueue_turn,
        files=[uuid.UUID(file) for file in say.files],
    )


async def read_events(session: Session, after: int) -> selectors.CaughtUp:
    """Return what came after a number, in the session's conversation."""
    return await in_thread(partial(selectors.events_after, session.conversation.id, after, log=wiring.event_log()))


def change(session: Session, asked: protocol.Edit | protocol.Delete) -> Message:
    """Hand an edit or a withdrawal to its service."""
    common: dict[str, Any] = {
        "conversation": session.conversation,
        "client_id": asked.id,
        "log": wiring.event_log(),
        "enqueue": enqueue_turn,
    }
    if isinstance(asked, protocol.Delete):
        return editing.withdraw_message(**common)
    return editing.edit_message(
        **common,
        text=asked.text,
        language=sites.spoken(session.site, language_of(asked.text, session.language)),
        find=wiring.masking().find,
        master_key=wiring.master_key(),
    )


def own_values(conversation_id: uuid.UUID) -> dict[str, str]:
    """Return the personal data of this conversation by placeholder, for its own customer."""
    return vault.values(conversation_id, master_key=wiring.master_key())


def open_session(hello: protocol.Hello, door: Door) -> Session:
    """Hand a hello to the checks. Raises Refused."""
    checks = admission.Admission(
        log=wiring.event_log(),
        limiter=wiring.limiter(),
        seats=wiring.seats(),
        replays=wiring.replays(),
        find=wiring.masking().find,
        master_key=wiring.master_key,
        secret=wiring.secret("users"),
    )
    return checks.open(hello, door)


def limit_message(session: Session, network: str) -> None:
    """Count a message. Raises Refused."""
    try:
        wiring.limiter().take("message", visitor=session.visitor, network=network, site=session.site.pk)
    except TooMany as many:
        raise admission.refused_for_now(many) from None
