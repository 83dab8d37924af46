"""What web asks a worker, because it has no model: a question in bytes, an answer in bytes, in time or not at all.

Only a random id travels through the broker; question and answer lie in redis for seconds. Knows nothing of what is
asked.
"""

import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Any

import redis
from kombu.exceptions import OperationalError

from chatbot.events import REDIS_AWAY

MOST_WAITING = 64
"""Questions in the queue beyond which nobody asks any more: a worker is through with these in less than a second."""


class Unanswered(Exception):
    """There is no answer; `why` is "redis", "busy" or "late"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Asking:
    """Asks through one redis client, whose socket time-out is longer than `seconds`. Thread-safe.

    queue: hands an id to the worker (queueing.py). queue_name: where its tasks wait, to be counted.
    """

    def __init__(self, client: redis.Redis, queue: Callable[[str], None], *, queue_name: str, seconds: float) -> None:
        self._redis, self._queue, self._queue_name, self._seconds = client, queue, queue_name, seconds

    def ask(self, question: bytes) -> bytes:
        """Return the worker's answer; blocks for at most `seconds`. Raises Unanswered."""
        id_, deadline = secrets.token_hex(16), time.monotonic() + self._seconds
        try:
            pipe = self._redis.pipeline(transaction=False)
            pipe.llen(self._queue_name)
            pipe.set(_question(id_), question, px=int(self._seconds * 1000))
            waiting = pipe.execute()[0]
            if waiting >= MOST_WAITING:
                raise Unanswered("busy")
            self._queue(id_)
            answer: Any = self._redis.blpop([_answer(id_)], timeout=max(0.01, deadline - time.monotonic()))
        except (OperationalError, *REDIS_AWAY):
            raise Unanswered("redis") from None
        finally:
            with contextlib.suppress(*REDIS_AWAY):
                self._redis.delete(_question(id_))  # nobody needs to answer it any more
        if answer is None:
            raise Unanswered("late")
        return bytes(answer[1])


def answer(id_: str, work: Callable[[bytes], bytes], *, client: redis.Redis, seconds: float) -> bool:
    """Answer the question behind an id, for who waits `seconds` at most; False when nobody does any more.

    Raises what redis' client raises.
    """
    question: Any = client.getdel(_question(id_))
    if question is None:
        return False
    pipe = client.pipeline(transaction=True)
    pipe.rpush(_answer(id_), work(question))
    pipe.pexpire(_answer(id_), int(seconds * 1000))
    pipe.execute()
    return True


def _question(id_: str) -> str:
    return f"kefu:question:{id_}"


def _answer(id_: str) -> str:
    return f"kefu:answer:{id_}"
