"""The parts that every process shares, and those of web; built once a process, when first asked for.

What a worker needs besides is in worker_wiring.py, so that web loads no index and no model. The two are the only places
that choose the real parts.
"""

import contextlib
import hmac
import threading
import uuid
from collections.abc import Sequence
from functools import partial

import redis
from django.conf import settings

from attachments.rules import Rules
from attachments.scanning import Clamd
from chatbot import admission, metrics, transcripts
from chatbot.answer_store import AnswerStore
from chatbot.events import EventLog, LogUnavailable
from chatbot.feed import Feed
from chatbot.judging import SECONDS, Judging
from chatbot.leaving import Leaving, stop_if_left
from chatbot.limits import Action, Limiter, Rate, Scope
from chatbot.once import Once
from chatbot.presence import Presence
from chatbot.queueing import JUDGING, queue_judging
from chatbot.replays import Replays
from chatbot.seats import Seats, SharedSeats
from chatbot.threads import in_thread
from chatbot.waiting import Board
from chatbot.waiting_room import WaitingRoom
from config.environment import Config, config
from guardrails import lists, vault
from guardrails.lexicon.live import LiveLexicon
from guardrails.personal_data.pool import MaskingPool
from guardrails.sealing import MasterKey

# --- shared by all processes


def limits() -> Config:
    """What customers may send."""
    return config()


@Once
def event_log() -> EventLog:
    """The event log of live conversations."""
    return EventLog(
        redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2, max_connections=200, retry=None
        )
    )


lexicon = LiveLexicon(lists.Loader(), lists.newest, report=lambda result: metrics.WORD_LISTS.labels(result).inc())
"""Tier 1's word lists; an edit is live here within a second or two."""


@Once
def master_key() -> MasterKey:
    """The vault's master key; refuses to start when it is missing and the vault is not empty."""
    return vault.load_master_key(config().master_key or config().var / "master.key")


@Once
def judging_redis() -> redis.Redis:
    """For texts that a worker judges for web, and the verdicts on them."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=SECONDS + 0.5, socket_connect_timeout=0.5, max_connections=100, retry=None
    )


# --- web


@Once
def judging() -> Judging:
    """Asks a worker for verdicts on what staff write."""
    return Judging(
        judging_redis(),
        partial(queue_judging, seconds=SECONDS),
        queue_name=JUDGING,
        report=lambda result, seconds: metrics.JUDGING.labels(result).observe(seconds),
    )


@Once
def feed() -> Feed:
    """The feed of this web process."""
    return Feed(settings.REDIS_URL)


@Once
def masking() -> MaskingPool:
    """The masking processes of this web process."""
    return MaskingPool(processes=config().masking_processes, queue=64, seconds=config().masking_seconds)


@Once
def _checks_redis() -> redis.Redis:
    """For what is asked at every message and has another answer when redis is slow."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5, max_connections=100, retry=None
    )


@Once
def answer_store() -> AnswerStore:
    """The answers that are kept for other customers."""
    return AnswerStore(_checks_redis(), seconds=max(1, int(config().cache_hours * 3600)))


REFUSED_TOKENS_PER_MINUTE = 60
"""API requests with no token of ours, from one address."""


def rates(options: Config) -> dict[tuple[Action, Scope], Rate]:
    """Return the rates of all token buckets."""
    per_minute: dict[tuple[Action, Scope], int] = {
        ("message", "visitor"): options.messages_per_minute,
        ("message", "ip"): options.messages_per_minute_ip,
        ("message", "site"): options.messages_per_minute_site,
        ("hello", "visitor"): options.hellos_per_minute,
        ("hello", "ip"): options.hellos_per_minute_ip,
        ("hello", "site"): options.hellos_per_minute_site,
        ("upload", "visitor"): options.uploads_per_minute,
        ("upload", "ip"): options.uploads_per_minute_ip,
        ("upload", "site"): options.uploads_per_minute_site,
        ("api", "visitor"): options.api_per_minute,
        ("api", "ip"): REFUSED_TOKENS_PER_MINUTE,
        ("conversation", "ip"): options.conversations_per_minute_ip,
        ("conversation", "site"): options.conversations_per_minute_site,
    }
    return {bucket: Rate.of(number) for bucket, number in per_minute.items()} | transcripts.RATES


@Once
def limiter() -> Limiter:
    """The token buckets."""
    return Limiter(_checks_redis(), rates(config()), secret=secret("limits"))


def uploads() -> Rules:
    """What customers may upload."""
    options = config()
    return Rules(
        most_bytes=options.upload_megabytes * 1_000_000,
        per_message=options.uploads_per_message,
        per_day=options.uploads_per_day,
        visitor_bytes=options.upload_quota_megabytes * 1_000_000,
        most_pixels=options.upload_megapixels * 1_000_000,
    )


def scanner() -> Clamd | None:
    """The virus scanner; None when there is none."""
    return Clamd(config().clamd) if config().clamd else None


@Once
def seats() -> SharedSeats:
    """The sockets of each visitor."""
    return SharedSeats(_checks_redis(), config().sockets_per_visitor)


def present(visitors: Sequence[uuid.UUID]) -> list[bool]:
    """Return, visitor by visitor, whether they have the chat open anywhere. Raises LogUnavailable."""
    return seats().occupied([admission.place_of(visitor) for visitor in visitors])


@Once
def waiting_room() -> WaitingRoom:
    """Tells the customers of this web process how the queue moves."""
    board = Board(presence())
    room = WaitingRoom(lambda site, conversations: in_thread(partial(board.look, site, conversations)))
    feed().observe(room)
    return room


@Once
def leaving() -> Leaving:
    """Stops answers that nobody reads any more."""

    async def left(conversation: uuid.UUID, place: str) -> None:
        with contextlib.suppress(LogUnavailable):
            await in_thread(partial(stop_if_left, conversation, place, seats=seats(), log=event_log()))

    return Leaving(left, seconds=config().leave_seconds)


@Once
def silent_sockets() -> Seats:
    """The sockets of each address that have not said hello to this process."""
    return Seats(config().waiting_sockets_per_ip)


@Once
def presence() -> Presence:
    """The agents who are at their consoles."""
    return Presence(_checks_redis())


@Once
def replays() -> Replays:
    """The signed users' tokens that have been seen."""
    return Replays(_checks_redis())


def secret(purpose: str) -> bytes:
    """Return a secret of this installation for one purpose."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"kefu.{purpose}".encode(), "sha256")


def warm_web() -> None:
    """Start loading what the first message needs, without holding up the start."""
    metrics.forget_dead_processes()
    threading.Thread(target=lambda: lexicon().version, name="load word list", daemon=True).start()
    threading.Thread(target=lambda: masking().warm(), name="warm maskers", daemon=True).start()
