"""The parts of the console, built once a process from those of the chat."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any
from uuid import UUID

import redis
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import parse_cookie
from kombu.exceptions import OperationalError

from chatbot import wiring as chat
from chatbot.events import LogUnavailable
from chatbot.once import Once
from chatbot.queueing import enqueue_turn
from chatbot.services import FindPersonalData
from chatbot.threads import in_thread
from console import accounts, selectors
from console.hub import Hub, Rows
from console.services import Tools
from guardrails.personal_data.masking import numbered_within
from guardrails.placeholders import escape_lookalikes
from guardrails.screening import Screened, screen
from guardrails.verdict import STRICTNESS

ASSIGN = "console.tasks.assign"
HERE_SECONDS = 45


def tools() -> Tools:
    """What the services need for one act."""
    find = cache(chat.masking().find)  # a reply is masked to be judged and masked to be stored
    return Tools(
        log=chat.event_log(),
        master_key=chat.master_key,
        find=find,
        screen=partial(_screen_reply, find=find),
        enqueue=enqueue_turn,
    )


def _screen_reply(text: str, *, find: FindPersonalData) -> Screened:
    """Judge what staff wrote: by the word lists here, then by a worker's models.

    Raises GuardsUnavailable, and guardrails' MaskingUnavailable: the worker gets the text masked.
    """
    words = screen(text, "in", lexicon=chat.lexicon())  # of the whole: a block may stand behind what is for review
    if words.verdict == "block":
        return words
    safe = escape_lookalikes(text)
    judged = chat.judging().ask(numbered_within(safe, find(safe)))
    return words if STRICTNESS[words.verdict] >= STRICTNESS[judged.action] else Screened.of(judged)


@Once
def hub() -> Hub:
    """The hub of this web process."""
    return Hub(_load_rows, queue_moved)


async def _load_rows(conversations: list[UUID]) -> Rows:
    return await in_thread(partial(selectors.rows, conversations))


@Once
def masking_threads() -> ThreadPoolExecutor:
    """Threads for what waits for the maskers, so that it holds up nothing else."""
    return ThreadPoolExecutor(4, thread_name_prefix="staff-text")


def queue_moved() -> None:
    """Have what waits offered to agents. When the broker cannot be reached, the clock does it."""
    with contextlib.suppress(OperationalError, LogUnavailable, redis.RedisError):
        current_app.send_task(ASSIGN, retry=False, expires=5)


def user_of(scope: dict[str, Any]) -> User | None:
    """Return the account behind a socket's session, as both are now; None when either has ended."""
    cookie = next((v for name, v in scope["headers"] if name == b"cookie"), b"").decode("latin-1")
    key = parse_cookie(cookie).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    user = accounts.session_user(SessionStore(key))
    return user if isinstance(user, User) and user.is_active else None


def report(user_id: int, sites: frozenset[int] | None) -> None:
    """Say that an agent is at their console."""
    chat.presence().report(user_id, sites, HERE_SECONDS)


def leave(user_id: int) -> None:
    """Say that an agent has closed their console."""
    chat.presence().leave(user_id)
