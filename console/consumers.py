"""The consoles' websocket: frame in, one service call; event in, frame out. Knows nothing of how anything is done.

Who one is comes from the session's cookie, so a page of another origin must not open it: the origin is checked against
the host. What one may do is looked up anew for every frame.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.utils import timezone

from chatbot import metrics, ownership, reviewing, selectors
from chatbot import services as conversations
from chatbot import wiring as chat
from chatbot.events import Event, LogUnavailable
from chatbot.following import Follower
from chatbot.judging import GuardsUnavailable
from chatbot.limits import TokenBucket
from chatbot.ownership import NotOwner
from chatbot.peers import client_network
from chatbot.sockets import Socket
from chatbot.summary import summary
from chatbot.threads import in_thread
from console import protocol, rules, services, wiring
from console import selectors as desk
from console.customers import customer
from console.hub import Rows
from console.services import Actor
from console.team import team
from console.wording import TEXTS, Language
from guardrails.personal_data.pool import MaskingUnavailable

logger = logging.getLogger(__name__)

FRAMES_PER_MINUTE = 600
MOST_WATCHED = 20
OUTBOX = 1_000
SESSION_SECONDS = 15
CLOSE_INTERNAL = 1011
FILTERS = {field.name for field in fields(desk.Filters)}


class StaffConsumer(Socket):
    """One console's socket. Frames are handled one after another; one task sends."""

    async def connect(self) -> None:
        self.user_id: int | None = None
        self.language: Language = "en"
        self.sites: frozenset[int] | None = frozenset()
        self.watched: dict[uuid.UUID, Watched] = {}
        self.outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX)
        self.tasks: list[asyncio.Task[None]] = []
        self.frames = TokenBucket(FRAMES_PER_MINUTE, burst=60)
        forwarded = [v.decode("latin-1") for name, v in self.scope["headers"] if name == b"x-forwarded-for"]
        peer = (self.scope.get("client") or ("",))[0]
        self.address = client_network(peer, forwarded, chat.limits().trusted_proxies)
        self.name = uuid.uuid4().hex
        too_late = partial(self.close, protocol.CLOSE_NO_HELLO)
        admitted = await self.open(chat.silent_sockets(), self.address, self.name, too_late)
        self.goodbye.push_async_callback(self._leave)
        if not admitted:
            await self._refuse("too_fast", None)
            await self.close(protocol.CLOSE_TOO_FAST)

    async def _leave(self) -> None:
        wiring.hub().leave(self)
        for task in self.tasks:
            task.cancel()
        for conversation in tuple(self.watched):
            self._forget(conversation)
        if self.user_id is not None and not wiring.hub().is_here(self.user_id):
            await in_thread(partial(wiring.leave, self.user_id))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.frames.take():
            await self._refuse("too_fast", None)
            await self.close(protocol.CLOSE_TOO_FAST)
            return
        try:
            frame = protocol.read_frame(text_data or "")
        except protocol.FrameError as error:
            await self._refuse("bad_frame", error.frame_id)
            return
        if isinstance(frame, protocol.Hello):
            await self._hello(frame)
        elif self.user_id is None:
            await self._refuse("bad_frame", None)
            await self.close(protocol.CLOSE_BAD_HELLO)
        elif isinstance(frame, protocol.Ping):
            await self.send(protocol.frame("pong"))
        else:
            await self._handle(frame)

    async def _handle(self, frame: Any) -> None:
        frame_id = str(frame.id) if isinstance(frame, protocol.Command) else None
        try:
            actor = await in_thread(partial(actor_of, self.scope, self.address))
            answer = await self.HANDLERS[type(frame)](self, actor, frame)
        except Exception as error:  # the outermost frame: staff get a code, the log gets what is no refusal
            code, more = _code_of(error)
            if code == "internal":
                logger.exception("a staff frame failed")
            await self._refuse(code, frame_id, **more)
            return
        then = answer.pop("then", lambda: None)  # what must not come before the answer
        if frame_id is not None:
            await self.send(protocol.frame("done", id=frame_id, **answer))
        then()

    async def _refuse(self, code: str, frame_id: str | None, **more: Any) -> None:
        metrics.REFUSED_FRAMES.labels(f"staff_{code}").inc()
        if code == "guards_unavailable":
            texts = TEXTS[self.language]
            more["message"] = texts["guards_unavailable"]
        await self.send(protocol.frame("error", code=code, id=frame_id, **more))

    # --- frames in

    async def _hello(self, hello: protocol.Hello) -> None:
        if self.user_id is not None:
            await self._refuse("bad_frame", None)
            return
        who = await in_thread(partial(identify, self.scope)) if self._own_page() else None
        if who is None:
            await self._refuse("not_allowed", None)
            await self.close(protocol.CLOSE_REFUSED)
            return
        self.hello_timer.cancel()
        self.give_up_seat()
        self.user_id, self.sites, self.language = who["id"], who["site_ids"], hello.language
        await self.send(protocol.frame("welcome", protocol=protocol.VERSION, **who["shown"]))
        loop = asyncio.get_running_loop()
        self.tasks = [
            loop.create_task(self._write(), name="staff writer"),
            loop.create_task(self._stay(who), name="staff session"),
        ]
        wiring.hub().join(self)
        chat.feed().observe(wiring.hub())

    def _own_page(self) -> bool:
        headers = dict(self.scope["headers"])
        origin, host = headers.get(b"origin", b"").decode("latin-1"), headers.get(b"host", b"").decode("latin-1")
        try:
            return bool(host) and urlsplit(origin).netloc == host
        except ValueError:
            return False

    async def _inbox(self, actor: Actor, frame: protocol.Inbox) -> dict[str, Any]:
        page = await in_thread(partial(list_conversations, actor, frame))
        return {"conversations": page.rows, "more": page.more}

    async def _counts(self, actor: Actor, frame: protocol.Counts) -> dict[str, Any]:
        return {"counts": await in_thread(partial(count_conversations, actor, frame.site))}

    async def _team(self, actor: Actor, frame: protocol.Team) -> dict[str, Any]:
        return await in_thread(partial(list_team, actor))

    async def _reviews(self, actor: Actor, frame: protocol.Reviews) -> dict[str, Any]:
        return {"reviews": await in_thread(partial(list_reviews, actor))}

    async def _decide(self, actor: Actor, frame: protocol.Decide) -> dict[str, Any]:
        decide = partial(
            services.decide,
            actor,
            frame.review,
            choice=frame.decision,
            text=frame.text or "",
            tools=wiring.tools(),
        )
        return {"decision": (await in_thread(decide, wiring.masking_threads())).decision}

    async def _available(self, actor: Actor, frame: protocol.Available) -> dict[str, Any]:
        await in_thread(partial(services.set_available, actor, frame.available))
        wiring.queue_moved()
        return {"available": frame.available}

    async def _watch(self, actor: Actor, frame: protocol.Watch) -> dict[str, Any]:
        site, opened = await in_thread(partial(open_conversation, actor, frame.conversation))
        if frame.conversation in self.watched:
            self._forget(frame.conversation)
        elif len(self.watched) >= MOST_WATCHED:
            self._forget(next(iter(self.watched)))
        follower = Follower(
            min(frame.after, opened.pop("newest")),
            read=partial(_read_events, frame.conversation),
            show=partial(self._show, frame.conversation),
            live=self._live,
        )
        chat.feed().watch(frame.conversation, follower)
        answered = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._follow(follower, answered), name="staff follower")
        self.watched[frame.conversation] = Watched(site, follower, task)
        return {**opened, "then": answered.set}

    async def _unwatch(self, actor: Actor, frame: protocol.Unwatch) -> dict[str, Any]:
        self._forget(frame.conversation)
        return {}

    async def _customer(self, actor: Actor, frame: protocol.Customer) -> dict[str, Any]:
        return await in_thread(partial(look_at_customer, actor, frame.conversation))

    async def _tag(self, actor: Actor, frame: protocol.PutTag) -> dict[str, Any]:
        put = partial(services.tag, actor, frame.conversation, frame.name, on=frame.on, tools=wiring.tools())
        await in_thread(put, wiring.masking_threads())
        return {}

    async def _take(self, actor: Actor, frame: protocol.Take) -> dict[str, Any]:
        taken = await in_thread(partial(services.take, actor, frame.conversation, tools=wiring.tools()))
        return {"draft": taken.draft}

    async def _transfer(self, actor: Actor, frame: protocol.Transfer) -> dict[str, Any]:
        await in_thread(partial(services.transfer, actor, frame.conversation, to=frame.to, tools=wiring.tools()))
        return {}

    async def _hand_back(self, actor: Actor, frame: protocol.HandBack) -> dict[str, Any]:
        await in_thread(partial(services.hand_back, actor, frame.conversation, tools=wiring.tools()))
        return {}

    async def _close_conversation(self, actor: Actor, frame: protocol.Close) -> dict[str, Any]:
        await in_thread(partial(services.hand_back, actor, frame.conversation, tools=wiring.tools(), closing=True))
        return {}

    async def _reply(self, actor: Actor, frame: protocol.Reply) -> dict[str, Any]:
        send = partial(
            services.reply,
            actor,
            frame.conversation,
            client_id=frame.id,
            text=frame.text,
            confirmed=frame.confirmed,
            tools=wiring.tools(),
        )
        sent = await in_thread(send, wiring.masking_threads())
        if sent.message is None:
            raise Withheld(sent.screened.verdict, sent.screened.categories)
        return {"message": str(sent.message.id)}

    async def _note(self, actor: Actor, frame: protocol.WriteNote) -> dict[str, Any]:
        write = partial(
            services.note, actor, frame.conversation, client_id=frame.id, text=frame.text, tools=wiring.tools()
        )
        await in_thread(write, wiring.masking_threads())
        return {}

    async def _typing(self, actor: Actor, frame: protocol.Typing) -> dict[str, Any]:
        await in_thread(partial(services.typing, actor, frame.conversation, tools=wiring.tools()))
        return {}

    async def _reveal(self, actor: Actor, frame: protocol.Reveal) -> dict[str, Any]:
        show = partial(
            services.reveal,
            actor,
            frame.conversation,
            placeholder=frame.placeholder,
            why=frame.why,
            tools=wiring.tools(),
        )
        return {"value": await in_thread(show, wiring.masking_threads())}

    HANDLERS: ClassVar[dict[type[protocol.Frame], Callable[..., Awaitable[dict[str, Any]]]]] = {
        protocol.Inbox: _inbox,
        protocol.Counts: _counts,
        protocol.Team: _team,
        protocol.Reviews: _reviews,
        protocol.Decide: _decide,
        protocol.Available: _available,
        protocol.Watch: _watch,
        protocol.Unwatch: _unwatch,
        protocol.Customer: _customer,
        protocol.PutTag: _tag,
        protocol.Take: _take,
        protocol.Transfer: _transfer,
        protocol.HandBack: _hand_back,
        protocol.Close: _close_conversation,
        protocol.Reply: _reply,
        protocol.WriteNote: _note,
        protocol.Typing: _typing,
        protocol.Reveal: _reveal,
    }

    # --- events out

    def on_rows(self, rows: Rows) -> None:
        """Called by the hub with rows that changed."""
        for site, row in rows:
            if self.sites is None or site in self.sites:
                self._put(protocol.frame("conversation", row=row))

    def on_nudge(self, conversation: uuid.UUID, type_: str) -> None:
        """Called by the hub."""
        if type_ == "note" and conversation in self.watched:
            self._later(self._send_notes(conversation))

    def on_feed(self, up: bool) -> None:
        """Called by the hub: rows may have changed unseen while redis was away."""
        self._put(protocol.frame("service", state="ok" if up else "degraded"))
        if up:
            self.on_reload()

    def on_reload(self) -> None:
        """Called by the hub when it could not say what changed."""
        self._put(protocol.frame("reload"))

    def _put(self, frame: str) -> None:
        """A console that does not read for so long is cut off; it connects again and loads its lists."""
        try:
            self.outbox.put_nowait(frame)
        except asyncio.QueueFull:
            self._later(self.close(protocol.CLOSE_TOO_FAST))

    def _later(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(call, name="staff")
        self.tasks = [t for t in self.tasks if not t.done()] + [task]

    async def _write(self) -> None:
        while True:
            await self.send(await self.outbox.get())

    async def _follow(self, follower: Follower, answered: asyncio.Event) -> None:
        try:
            await answered.wait()
            await follower.run()
        except OSError:  # the console went while something was sent to it
            return
        except Exception:  # the outermost frame of this task
            logger.exception("a console's follower failed; the console connects again")
            await self.close(CLOSE_INTERNAL)

    async def _show(self, conversation: uuid.UUID, event: Event) -> None:
        if event.seq:
            await self.send(f'{{"type":"event","conversation":"{conversation}","event":{event.frame()}}}')
        elif event.type == "typing":
            await self.send(protocol.frame("typing", conversation=str(conversation), author=event.data()["author"]))

    async def _live(self, live: bool) -> None:
        await self.send(protocol.frame("service", state="ok" if live else "degraded"))

    async def _send_notes(self, conversation: uuid.UUID) -> None:
        notes = await in_thread(partial(desk.notes, conversation))
        self._put(protocol.frame("notes", conversation=str(conversation), notes=notes))

    async def _stay(self, who: dict[str, Any]) -> None:
        """Say that one is here, if one may take conversations; go when the session ends or the account has no rights.

        What cannot be looked up is not allowed: the console connects again.
        """
        try:
            while True:
                if who["takes"]:
                    await in_thread(partial(wiring.report, who["id"], self.sites))
                await asyncio.sleep(SESSION_SECONDS)
                now = await in_thread(partial(identify, self.scope))
                if now is None or now["id"] != who["id"]:
                    await self._refuse("not_allowed", None)
                    await self.close(protocol.CLOSE_REFUSED)
                    return
                who = now
                self._see_only(who["site_ids"])
        except Exception:  # the outermost frame of this task
            logger.exception("a console's session could not be looked up; the console connects again")
            await self.close(CLOSE_INTERNAL)

    def _see_only(self, sites: frozenset[int] | None) -> None:
        """Watch no conversation of other sites any more."""
        if sites == self.sites:
            return
        self.sites = sites
        for conversation, watched in tuple(self.watched.items()):
            if sites is not None and watched.site not in sites:
                self._forget(conversation)
        self.on_reload()

    def _forget(self, conversation: uuid.UUID) -> None:
        watched = self.watched.pop(conversation, None)
        if watched is not None:
            chat.feed().unwatch(conversation, watched.follower)
            watched.task.cancel()


@dataclass(frozen=True)
class Watched:
    """A conversation that a console follows."""

    site: int
    follower: Follower
    task: asyncio.Task[None]


class Withheld(Exception):
    """The guards held an agent's reply back."""

    def __init__(self, verdict: str, categories: tuple[str, ...]) -> None:
        super().__init__(verdict)
        self.verdict, self.categories = verdict, categories


def _code_of(error: Exception) -> tuple[str, dict[str, Any]]:
    match error:
        case services.NotFound():
            return "not_found", {}
        case services.NotAllowed():
            return "not_allowed", {}
        case services.PersonalData():
            return "personal_data", {}
        case NotOwner():
            return "not_owner", {"owner": error.owner}
        case Withheld():
            return ("blocked" if error.verdict == "block" else "review"), {"categories": error.categories}
        case reviewing.Blocked():
            return "blocked", {"categories": error.screened.categories}
        case reviewing.Conflict():
            return "conflict", {"decision": error.decision}
        case reviewing.NotEditable():
            return "bad_frame", {}
        case conversations.DuplicateId():
            return "conflict", {}
        case MaskingUnavailable():
            return "masking_unavailable", {}
        case GuardsUnavailable():
            return "guards_unavailable", {}
        case LogUnavailable():
            return "service_unavailable", {}
        case _:
            return "internal", {}


async def _read_events(conversation: uuid.UUID, after: int) -> selectors.CaughtUp:
    return await in_thread(partial(selectors.events_after, conversation, after, log=chat.event_log()))


def actor_of(scope: dict[str, Any], address: str) -> Actor:
    """Return who acts, as session and account are now. Raises NotAllowed when either has ended."""
    user = wiring.user_of(scope)
    if user is None:
        raise services.NotAllowed
    return Actor(user, address)


def identify(scope: dict[str, Any]) -> dict[str, Any] | None:
    """Return who the session's cookie says this is, as the account is now; None when they may see no conversation."""
    user = wiring.user_of(scope)
    if user is None or not rules.may(user, "see_conversation"):
        return None
    sites, roles = list(rules.sites_of(user)), rules.roles_of(user)
    return {
        "id": user.pk,
        "takes": rules.may(user, "take"),
        "site_ids": site_ids(user),
        "shown": {
            "user": user.get_username(),
            "name": ownership.shown_name(user),
            "roles": sorted(roles),
            "sites": [{"key": s.key, "name": s.name, "languages": s.languages} for s in sites],
            "may": sorted(action for action, rule in rules.RULES.items() if roles & rule.roles),
            "available": bool(getattr(user, "staff_member", None) and user.staff_member.available),
        },
    }


def site_ids(user: User) -> frozenset[int] | None:
    """Return the sites whose conversations they may see, None for all."""
    if rules.Role.ADMINISTRATOR in rules.roles_of(user):
        return None
    return frozenset(rules.sites_of(user).values_list("pk", flat=True))


def list_conversations(actor: Actor, asked: protocol.Inbox) -> desk.Page:
    """Return a page of what the actor may see now. Raises NotAllowed."""
    services.require(actor, "see_conversation")
    filters = desk.Filters(**asked.model_dump(include=FILTERS))
    sites = site_ids(actor.user)
    return desk.inbox(actor.user, sites, asked.view, filters=filters, sort=asked.sort, before=asked.before)


def count_conversations(actor: Actor, site: str) -> dict[protocol.View, int]:
    """Return how many conversations there are in each view of the actor's. Raises NotAllowed."""
    services.require(actor, "see_conversation")
    return desk.counts(actor.user, site_ids(actor.user), site=site)


def list_team(actor: Actor) -> dict[str, Any]:
    """Return who works on the actor's sites, and what waits there. Raises NotAllowed."""
    services.require(actor, "see_team")
    return team(site_ids(actor.user), present=chat.presence().agents(), now=timezone.now())


def look_at_customer(actor: Actor, conversation_id: uuid.UUID) -> dict[str, Any]:
    """Return what stands beside a conversation. Raises NotFound."""
    return customer(services.conversation_for(actor, "see_conversation", conversation_id))


def list_reviews(actor: Actor) -> list[dict[str, Any]]:
    """Return what waits for the actor's decision. Raises NotAllowed."""
    services.require(actor, "review")
    return desk.reviews(site_ids(actor.user))


def open_conversation(actor: Actor, conversation_id: uuid.UUID) -> tuple[int, dict[str, Any]]:
    """Return a conversation's site, and what a console shows of it at first. Raises NotFound."""
    found = services.conversation_for(actor, "see_conversation", conversation_id)
    [(_, row)] = desk.rows([conversation_id])
    may_read_notes = rules.may(actor.user, "see_notes", found)
    return found.site_id, {
        "row": row,
        "summary": asdict(summary(found)),
        "notes": desk.notes(conversation_id) if may_read_notes else [],
        "draft": found.draft,
        "newest": selectors.newest_seq(conversation_id, log=chat.event_log()),
    }
