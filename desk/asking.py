"""Search for who has no model: web asks a worker what it finds for a question, and what it would say.

The question goes as it was typed by staff or a program of the shop's own, not by a customer.
"""

from typing import Any

import orjson
import redis
from celery import current_app
from django.conf import settings

from chatbot.asking import Asking, Unanswered
from chatbot.once import Once
from chatbot.queueing import JUDGING

__all__ = ["EXPLAIN", "SECONDS", "Unanswered", "connection", "tried", "why"]

EXPLAIN = "desk.tasks.explain"
SECONDS = 5.0


def why(
    base: str, question: str, history: list[str], top: int, filters: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    """Ask a worker; return what explaining.told gives. Raises Unanswered: its `why` may be "failed", too."""
    return _told({"base": base, "question": question, "history": history, "top": top, "filters": filters})


def tried(base: str, question: str, history: list[str], top: int, *, draft: bool) -> dict[str, Any]:
    """As `why`, of what is published or of the `draft`, with the guards' verdicts on question and answer."""
    wanted = {"base": base, "question": question, "history": history, "top": top}
    return _told({**wanted, "draft": draft, "judged": True})


def _told(wanted: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(_asking().ask(orjson.dumps(wanted)))
    if "error" in found:
        raise Unanswered("failed")
    return found


@Once
def connection() -> redis.Redis:
    """For questions and answers."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=SECONDS + 0.5, socket_connect_timeout=0.5, max_connections=50, retry=None
    )


def _queue(id_: str) -> None:
    current_app.send_task(EXPLAIN, (id_,), queue=JUDGING, retry=False, expires=SECONDS)


@Once
def _asking() -> Asking:
    return Asking(connection(), _queue, queue_name=JUDGING, seconds=SECONDS)
