"""The event log of live conversations, in redis: who may write, in what order, and what was said since.

Every event gets the next number of its conversation from one Lua script, which refuses stale writers. A conversation's
stream holds its recent events; one feed stream carries the events of all conversations to the web processes. What is
finished is in the database: this log may be lost at any time, and its numbers never go back.
Knows nothing of sockets, tasks or what the events mean.
"""

import contextlib
import functools
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
import redis

BLOCK = 1000  # event numbers handed to redis at a time
LOG_LENGTH = 200  # what is older comes from the database
FEED_LENGTH = 4_000  # seconds at the highest rate; who falls further behind reads the log
KEEP_SECONDS = 3600
LEASE_MILLISECONDS = 8_000
FEED = "kefu:feed"
_WORKERS = "kefu:workers"

_FOLDER = Path(__file__).parent
_APPEND = (_FOLDER / "append.lua").read_text()
_RESTORE = (_FOLDER / "restore.lua").read_text()
_RELEASE_LEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end"
_RENEW_LEASES = """
for i, key in ipairs(KEYS) do
  local holder = redis.call('GET', key)
  if not holder or holder == ARGV[i + 1] then redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1]) end
end
"""

REDIS_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.OutOfMemoryError)
"""What the redis client raises when redis cannot be reached, or is full."""
_T = TypeVar("_T")


class LogUnavailable(Exception):
    """Redis cannot be reached, or is full; its text names the client's error and may be shown to operators."""


class Stale(Exception):
    """The writer no longer owns the conversation or the turn, or it was erased; its text must not be shown."""


class StateLost(Exception):
    """Redis holds no numbers for this conversation, or has used them up: restore them, then append again."""


@dataclass(frozen=True)
class Writer:
    """The numbers that a writer was given. None is not compared: what the database has accepted may be announced."""

    conversation: uuid.UUID
    fence: int | None = None
    attempt: int | None = None


@dataclass(frozen=True)
class Event:
    """One event as it stands in the log; `payload` is a JSON object without `type` and `seq`.

    `seq` 0 is a nudge: it is not in the log, and nobody misses it.
    """

    seq: int
    type: str
    payload: bytes

    def frame(self) -> str:
        """Return the websocket frame."""
        rest = self.payload[1:].decode()
        return f'{{"type":"{self.type}","seq":{self.seq}{"," if rest != "}" else ""}{rest}'

    def data(self) -> dict[str, Any]:
        """Return the payload as a dict."""
        data: dict[str, Any] = orjson.loads(self.payload)
        return data


@dataclass(frozen=True)
class FeedEntry:
    """One entry of the feed: an event and the conversation that it belongs to."""

    id: str
    conversation: uuid.UUID
    event: Event


def _says_unavailable(log: type[_T]) -> type[_T]:
    """Make every public method of the class raise LogUnavailable where the redis client raises its own errors."""

    def wrapped(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*arguments: Any, **options: Any) -> Any:
            try:
                return method(*arguments, **options)
            except REDIS_AWAY as error:
                raise LogUnavailable(type(error).__name__) from error

        return call

    for name, method in list(vars(log).items()):
        if callable(method) and not name.startswith("_"):
            setattr(log, name, wrapped(method))
    return log


@_says_unavailable
class EventLog:
    """The log of all conversations behind one redis client. Thread-safe.

    Every method raises LogUnavailable when redis cannot be reached.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._append = client.register_script(_APPEND)
        self._restore = client.register_script(_RESTORE)
        self._release_lease = client.register_script(_RELEASE_LEASE)
        self._renew_leases = client.register_script(_RENEW_LEASES)

    def append(
        self,
        writer: Writer,
        type_: str,
        payload: dict[str, Any],
        *,
        once: str = "",
        version: int = 0,
        follows: str = "",
    ) -> int:
        """Append an event and return its number.

        With `once`, a second append under that id returns the first one's number, unless its `version` is higher: then
        it takes the first one's place, under a number of its own. With `follows`, the event makes sense only after the
        one under that id: when redis has forgotten that one, the state counts as lost.
        Raises Stale, StateLost.
        """
        keys = [_state(writer.conversation), _log(writer.conversation), FEED]
        numbers: list[str | int] = ["" if number is None else number for number in (writer.fence, writer.attempt)]
        limits = [LOG_LENGTH, KEEP_SECONDS, FEED_LENGTH]
        event: list[str | bytes] = [once, type_, orjson.dumps(payload)]
        arguments = [str(writer.conversation), *numbers, *event, *limits, follows, version]
        status, seq = self._script(self._append, keys, arguments)
        if status == b"stale":
            raise Stale(str(writer.conversation))
        if status in (b"lost", b"full"):
            raise StateLost(str(writer.conversation))
        return int(seq)

    def nudge(self, conversation: uuid.UUID, type_: str, payload: dict[str, Any] | None = None) -> None:
        """Tell all web processes something that nobody needs to know later; it gets no number (seq 0)."""
        row: Any = {"conversation": str(conversation), "seq": 0, "type": type_, "payload": orjson.dumps(payload or {})}
        self._redis.xadd(FEED, row, maxlen=FEED_LENGTH, approximate=True)

    def restore(self, conversation: uuid.UUID, *, fence: int, attempt: int, after: int, ceiling: int) -> bool:
        """Put back or raise the conversation's numbers; return whether redis had none.

        `after` counts only then: the next event gets `after` + 1. Nothing is ever lowered.
        """
        arguments = [fence, attempt, after, ceiling, KEEP_SECONDS]
        return bool(self._script(self._restore, [_state(conversation)], arguments))

    def read(self, conversation: uuid.UUID, after: int) -> tuple[list[Event], int]:
        """Return the log's events numbered above `after`, in order, and the last number given out (0: none known)."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.xrange(_log(conversation), min=f"({after}-0")
        pipe.hget(_state(conversation), "seq")
        rows, last = pipe.execute()
        events = [Event(int(i.split(b"-")[0]), row[b"type"].decode(), row[b"payload"]) for i, row in rows]
        return events, int(last or 0)

    def forget(self, conversation: uuid.UUID) -> None:
        """Delete the conversation's numbers and events."""
        self._redis.delete(_state(conversation), _log(conversation))

    def bury(self, conversation: uuid.UUID) -> None:
        """Forget the conversation, and let nobody who is still writing bring it back."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.delete(_state(conversation), _log(conversation))
        pipe.hset(_state(conversation), "erased", "1")
        pipe.expire(_state(conversation), KEEP_SECONDS)
        pipe.execute()

    def drop_from_feed(self, matches: Callable[[bytes], bool]) -> set[uuid.UUID]:
        """Delete the feed's entries whose payload matches; return the conversations that have such in feed or log."""
        client: Any = self._redis
        found = set()
        for row_id, row in client.xrange(FEED):
            if matches(row.get(b"payload", b"")):
                client.xdel(FEED, row_id)
                found.add(uuid.UUID(row[b"conversation"].decode()))
        for key in client.scan_iter(_log("*"), count=500):
            if any(matches(row.get(b"payload", b"")) for _, row in client.xrange(key)):
                found.add(uuid.UUID(key.decode().rsplit(":", 1)[1]))
        return found

    def attempt_of(self, conversation: uuid.UUID) -> int:
        """Return the running (or last) attempt, 0 when none is known."""
        return int(self._redis.hget(_state(conversation), "attempt") or 0)

    def numbers_of(self, conversation: uuid.UUID) -> tuple[int, int]:
        """Return fence and attempt, 0 where none is known."""
        fence, attempt = self._redis.hmget(_state(conversation), "fence", "attempt")
        return int(fence or 0), int(attempt or 0)

    def request_stop(self, conversation: uuid.UUID, attempt: int) -> None:
        """Ask whoever answers in this attempt to stop."""
        self._redis.set(_stop(conversation), attempt, ex=120)

    def stops(self, conversations: Sequence[uuid.UUID]) -> list[int]:
        """Return the attempt that was asked to stop, conversation by conversation; 0 for none."""
        return [int(value or 0) for value in self._redis.mget([_stop(c) for c in conversations])]

    def take_lease(self, conversation: uuid.UUID, holder: str) -> bool:
        """Take the right to answer this conversation, if nobody holds it."""
        return bool(self._redis.set(_lease(conversation), holder, nx=True, px=LEASE_MILLISECONDS))

    def renew_leases(self, holders: dict[uuid.UUID, str]) -> None:
        """Prolong leases that the caller holds, or that redis has forgotten; somebody else's stay as they are."""
        self._renew_leases(keys=[_lease(c) for c in holders], args=[LEASE_MILLISECONDS, *holders.values()])

    def drop_lease(self, conversation: uuid.UUID, holder: str) -> None:
        """Give the lease back, unless somebody else holds it by now."""
        self._release_lease(keys=[_lease(conversation)], args=[holder])

    def leased(self, conversations: Sequence[uuid.UUID]) -> list[bool]:
        """Return, conversation by conversation, whether somebody is answering it."""
        if not conversations:
            return []
        return [value is not None for value in self._redis.mget([_lease(c) for c in conversations])]

    def first_call(self, name: str, seconds: int) -> bool:
        """Return true for the first caller of `name` within `seconds`."""
        return bool(self._redis.set(f"kefu:first:{name}", 1, nx=True, ex=seconds))

    def report_worker(self, name: str, seconds: int) -> None:
        """Say that the worker `name` is ready to answer, for the next `seconds`."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.zadd(_WORKERS, {name: time.time() + seconds})
        pipe.zremrangebyscore(_WORKERS, 0, time.time())
        pipe.execute()

    def workers_alive(self) -> int:
        """Return how many workers have said so lately."""
        return int(self._redis.zcount(_WORKERS, time.time(), "+inf"))

    def queue_lengths(self, queues: Sequence[str]) -> dict[str, int]:
        """Return how many tasks wait in each of the broker's queues."""
        pipe = self._redis.pipeline(transaction=False)
        for queue in queues:
            pipe.llen(queue)
        return dict(zip(queues, map(int, pipe.execute()), strict=True))

    def check(self) -> None:
        """Return when redis can be written to."""
        self._redis.set("kefu:check", 1, ex=60)

    def _script(self, script: Any, keys: list[str], args: list[Any]) -> Any:
        """Run a script. A redis that is full refuses it with an error of another class than a plain command."""
        try:
            return script(keys=keys, args=args)
        except redis.ResponseError as error:
            if "OOM" in str(error):
                raise redis.exceptions.OutOfMemoryError("redis is full") from error
            raise


def feed_entries(rows: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> Iterator[FeedEntry]:
    """Return what an XREAD of the feed brought; a row that cannot be read is left out."""
    for row_id, row in rows:
        with contextlib.suppress(KeyError, ValueError):
            event = Event(int(row[b"seq"]), row[b"type"].decode(), row[b"payload"])
            yield FeedEntry(row_id.decode(), uuid.UUID(row[b"conversation"].decode()), event)


def _state(conversation: uuid.UUID) -> str:
    return f"kefu:state:{conversation}"


def _log(conversation: uuid.UUID | str) -> str:
    return f"kefu:log:{conversation}"


def _lease(conversation: uuid.UUID) -> str:
    return f"kefu:lease:{conversation}"


def _stop(conversation: uuid.UUID) -> str:
    return f"kefu:stop:{conversation}"
