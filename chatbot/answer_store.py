"""Kept answers in redis: JSON, bounded in number, bytes and time, shared by all workers; and the cache made of them.

The store knows nothing of turns. While redis is away nothing is found and nothing kept; only dropping raises, because
whoever erases must know.
"""

import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import redis

from chatbot.answer_cache import (
    LARGEST,
    Answer,
    Key,
    Look,
    Versions,
    answer_of,
    read,
    why_not_kept,
    why_not_looked,
    written,
)
from chatbot.events import REDIS_AWAY, LogUnavailable
from chatbot.same_question import same_facts
from chatbot.turn import Conclusion, Turn
from knowledge.batching import BatcherClosed, BatcherFull
from knowledge.passages import Retrieved, Vectors

logger = logging.getLogger(__name__)

SAME = 0.96
"""Cosine from which two questions with the same facts may share an answer (`python -m bench.cache`)."""

OF_A_KEY = 1_000  # answers
IN_ALL = 32_000_000  # bytes
REST_SECONDS = 1.0
NEAREST = 5  # questions that are looked at more closely
MIRRORS = 32  # keys whose questions a process holds
OVERLAP_SECONDS = 5.0  # by which clocks of workers may differ
BATCH = 500

GONE_SECONDS = 3600  # longer than a turn takes

_PREFIX = "kefu:answers:"
_NAMES, _SIZES, _ASKERS, _EPOCH = (_PREFIX + name for name in ("names", "sizes", "askers", "epoch"))
_ASKER = "kefu:answers-of:"  # a conversation: the names of its answers, or _GONE
_GONE = b"gone"
_KEEP = (Path(__file__).parent / "keep_answer.lua").read_text()
_DROP_ONE = """
local function drop(name)
  redis.call('ZREM', KEYS[1], name)
  redis.call('ZREM', string.match(name, '^(.*):'), name)
  local size, asker = redis.call('HGET', KEYS[2], name), redis.call('HGET', KEYS[3], name)
  if size then redis.call('HINCRBY', KEYS[2], 'all', -size) end
  if asker then redis.call('SREM', asker, name) end
  redis.call('HDEL', KEYS[2], name)
  redis.call('HDEL', KEYS[3], name)
  return redis.call('UNLINK', name)
end
"""
_DROP = """
local count = 0
for i = 4, #KEYS do count = count + drop(KEYS[i]) end
return count
"""

Report = Callable[[Literal["look", "keep"], str, float], None]
"""(what was done, what came of it, seconds that it spared)."""


class AnswerStore:
    """The answers of all keys behind one redis client. Thread-safe.

    `seconds` is how long an answer is kept. Raises what the client raises, but for the `drop_…` methods.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        seconds: int = 24 * 3600,
        of_a_key: int = OF_A_KEY,
        in_all: int = IN_ALL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis, self._clock = client, clock
        self._seconds, self._of_a_key, self._in_all = seconds, of_a_key, in_all
        self._keep, self._drop = client.register_script(_DROP_ONE + _KEEP), client.register_script(_DROP_ONE + _DROP)

    def get(self, name: str) -> Answer | None:
        """Return the answer of that name."""
        stored: Any = self._redis.get(name)
        return None if stored is None else read(stored)

    def many(self, names: Sequence[str]) -> list[Answer | None]:
        """Return the answers of those names, in order."""
        stored: Any = self._redis.mget([*names]) if names else []
        return [None if one is None else read(one) for one in stored]

    def read(self, name: str) -> tuple[Answer | None, int]:
        """Return the answer of that name and the epoch, which every `drop_…` but that of a conversation ends."""
        found: Any = self._redis.mget([name, _EPOCH])
        stored, epoch = found
        return None if stored is None else read(stored), int(epoch or 0)

    def put(self, name: str, stored: bytes, *, epoch: int, conversation: str = "") -> bool:
        """Keep what `written` made, and drop the oldest where there are too many; return whether it is kept: not when
        the epoch is another one now, nor when the conversation's answers were dropped.
        """
        keys = [_NAMES, _SIZES, _ASKERS, _EPOCH, name, name.rpartition(":")[0]]
        if conversation:
            keys.append(_ASKER + conversation)
        args: list[Any] = [stored, self._seconds, self._clock(), self._of_a_key, self._in_all, epoch]
        return bool(self._keep(keys=keys, args=args))

    def names_since(self, key: str, when: float) -> list[tuple[str, float]]:
        """Return the names of a key's answers since then with their times, oldest first."""
        found: Any = self._redis.zrange(_PREFIX + key, when, "+inf", byscore=True, withscores=True)
        return [(name.decode(), score) for name, score in found]

    def remove(self, names: Sequence[str]) -> int:
        """Drop the answers of those names; return how many were there."""
        return sum(int(self._drop(keys=[_NAMES, _SIZES, _ASKERS, *some])) for some in _batched(names))

    def drop_conversation(self, conversation: object) -> int:
        """Drop what a conversation's turns have left, and keep nothing more of it: a turn may be running; return how
        many. Reads its own answers alone. Raises LogUnavailable.
        """
        own = f"{_ASKER}{conversation}"
        try:
            pipe = self._redis.pipeline()
            pipe.sadd(own, _GONE)
            pipe.expire(own, GONE_SECONDS)
            pipe.smembers(own)
            return self.remove([name.decode() for name in pipe.execute()[-1] - {_GONE}])
        except REDIS_AWAY as error:
            raise LogUnavailable(type(error).__name__) from error

    def drop_text(self, text: str) -> int:
        """Drop the answers with this very text, whoever asked: it was bad. Raises LogUnavailable."""
        return self._drop_where(lambda answer: answer.text == text)

    def drop_chunks(self, chunks: Collection[int]) -> int:
        """Drop the answers that were written with one of these chunks. Raises LogUnavailable."""
        wanted = frozenset(chunks)
        return self._drop_where(lambda answer: any(one.chunk_id in wanted for one in answer.found.passages))

    def drop_all(self) -> int:
        """Drop every answer. Raises LogUnavailable."""
        return self._drop_where(lambda answer: True)

    def _drop_where(self, matches: Callable[[Answer], bool]) -> int:
        count = 0
        try:
            self._redis.incr(_EPOCH)  # first: what is being written now is not kept
            every: Any = self._redis.zrange(_NAMES, 0, -1)
            for names in _batched([name.decode() for name in every]):
                answers = self.many(names)
                meant = [name for name, one in zip(names, answers, strict=True) if one is not None and matches(one)]
                count += len(meant)
                self.remove([*meant, *(name for name, one in zip(names, answers, strict=True) if one is None)])
        except REDIS_AWAY as error:
            raise LogUnavailable(type(error).__name__) from error
        return count


class _Questions:
    """The questions of one key that a process has seen, with their vectors. Not thread-safe: one owner."""

    def __init__(self) -> None:
        self.seen = 0.0
        self._rows: OrderedDict[str, Answer] = OrderedDict()
        self._matrix: Vectors | None = None

    def unknown(self, names: list[str]) -> list[str]:
        """Return those that are not here."""
        return [name for name in names if name not in self._rows]

    def add(self, name: str, answer: Answer) -> None:
        """Add one; of too many the oldest goes. Its text and passages are not held here."""
        if answer.vector is None:
            return
        self._rows[name] = replace(answer, text="", found=replace(answer.found, passages=()))
        while len(self._rows) > OF_A_KEY:
            self._rows.popitem(last=False)
        self._matrix = None

    def forget(self, name: str) -> None:
        """Remove one that redis no longer has."""
        if self._rows.pop(name, None) is not None:
            self._matrix = None

    def nearest(self, vector: Vectors, least: float) -> list[tuple[str, Answer]]:
        """Return the nearest from that cosine on, nearest first."""
        if not self._rows:
            return []
        if self._matrix is None:
            self._matrix = np.stack([one.vector for one in self._rows.values() if one.vector is not None])
        cosines = self._matrix @ vector
        names = list(self._rows)
        best = np.argsort(-cosines)[:NEAREST]
        return [(names[row], self._rows[names[row]]) for row in best if cosines[row] >= least]


class StoredAnswers:
    """The answer cache of a worker (chatbot.answer_cache.AnswerCache). Thread-safe.

    versions: of a base, now. embed: makes a question's vector, shape (dimension,), L2-normalised; without it only
    questions spelled alike share an answer. least: cosine from which two questions may.
    """

    def __init__(
        self,
        store: AnswerStore,
        versions: Callable[[str], Versions],
        *,
        embed: Callable[[str], Vectors] | None = None,
        least: float = SAME,
        report: Report = lambda what, result, seconds: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._versions, self._embed, self._least = store, versions, embed, least
        self._report, self._clock = report, clock
        self._mirrors: OrderedDict[str, _Questions] = OrderedDict()
        self._lock = threading.Lock()
        self._away_until = -float("inf")

    def look(self, turn: Turn, base: str, question: str, intent: str, manner: str = "") -> Look:
        """See AnswerCache."""
        versions = self._versions(base)
        why = why_not_looked(turn, question, versions)
        if why:
            self._report("look", why, 0.0)
            return Look()
        key = Key(base, versions, turn.persona, turn.language, manner)
        look = Look(question, intent, turn.conversation, key)
        if self._clock() < self._away_until:
            self._report("look", "away", 0.0)
            return look
        try:
            look = self._found(look, key.digest)
        except redis.RedisError as error:
            self._rest(error)
            self._report("look", "away", 0.0)
            return look
        if look.answer is None:
            self._report("look", "miss", 0.0)
        else:
            self._report("look", look.answer.level, look.answer.seconds)
        return look

    def keep(self, look: Look, found: Retrieved, conclusion: Conclusion) -> None:
        """See AnswerCache."""
        if look.key is None or look.answer is not None:
            return
        why = why_not_kept(look, found, conclusion)
        if not why and (look.epoch is None or self._clock() < self._away_until):
            why = "away"
        if not why:
            stored = written(answer_of(look, found, conclusion, semantic=self._embed is not None))
            why = "large" if len(stored) > LARGEST else ""
        if not why and look.epoch is not None:
            try:
                name = _name(look.key.digest, look)
                kept = self._store.put(name, stored, epoch=look.epoch, conversation=look.conversation)
                why = "" if kept else "dropped"
            except redis.RedisError as error:
                self._rest(error)
                why = "away"
        self._report("keep", why or "kept", 0.0)

    def withhold(self, look: Look) -> None:
        """See AnswerCache."""
        if look.answer is None:
            return
        self._report("look", "withheld", 0.0)
        with contextlib.suppress(LogUnavailable):  # it is not released the next time either
            self._store.drop_text(look.answer.text)

    def _found(self, look: Look, key: str) -> Look:
        """The same with the epoch, the answer and, for the semantic level, the question's vector. Raises RedisError."""
        answer, epoch = self._store.read(_name(key, look))
        look = replace(look, epoch=epoch)
        if answer is not None and answer.intent == look.intent:
            return replace(look, answer=replace(answer, level="exact"))
        if self._embed is None:
            return look
        try:
            vector = self._embed(look.question)
        except (BatcherFull, BatcherClosed, TimeoutError):  # the search that follows says so, too
            return look
        look = replace(look, vector=vector)
        for name, kept in self._near(key, vector):
            if kept.intent != look.intent or not same_facts(kept.question, look.question):
                continue
            answer = self._store.get(name)
            if answer is not None:
                return replace(look, answer=replace(answer, level="semantic"))
            with self._lock:
                if key in self._mirrors:
                    self._mirrors[key].forget(name)
        return look

    def _near(self, key: str, vector: Vectors) -> list[tuple[str, Answer]]:
        with self._lock:
            questions = self._mirrors.setdefault(key, _Questions())
            self._mirrors.move_to_end(key)
            if len(self._mirrors) > MIRRORS:
                self._mirrors.popitem(last=False)
            since = questions.seen - OVERLAP_SECONDS
        named = self._store.names_since(key, since)
        with self._lock:
            new = questions.unknown([name for name, _ in named])
        answers = self._store.many(new)  # two that ask at once fetch the same: neither waits for the other
        with self._lock:
            for name, answer in zip(new, answers, strict=True):
                if answer is not None:
                    questions.add(name, answer)
            questions.seen = max([questions.seen, *(when for _, when in named)])
            return questions.nearest(vector, self._least)

    def _rest(self, error: redis.RedisError) -> None:
        self._away_until = self._clock() + REST_SECONDS
        logger.warning("redis cannot be reached (%s): answers are neither found nor kept", type(error).__name__)


def _name(key: str, look: Look) -> str:
    return f"{_PREFIX}{key}:{look.name}"


def _batched(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]
