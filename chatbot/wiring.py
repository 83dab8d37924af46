"""The parts that every process shares, and those of web; built once a process, when first asked for.

What a worker needs besides is in worker_wiring.py, so that web loads no index and no model. The two are the only places
that choose the real parts.
"""

import threading
from pathlib import Path

import redis
from django.conf import settings

from chatbot import metrics
from chatbot.events import EventLog
from chatbot.feed import Feed
from chatbot.once import Once
from config.environment import Config, config
from guardrails import services as vault
from guardrails.lexicon import Lexicon
from guardrails.personal_data.pool import MaskingPool
from guardrails.vault import MasterKey

WORDLISTS = Path(__file__).resolve().parent.parent / "guardrails" / "wordlists"


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


@Once
def lexicon() -> Lexicon:
    """Tier 1's word list."""
    return Lexicon.load([WORDLISTS])


@Once
def master_key() -> MasterKey:
    """The vault's master key; refuses to start when it is missing and the vault is not empty."""
    return vault.load_master_key(config().master_key or config().var / "master.key")


# --- web


@Once
def feed() -> Feed:
    """The feed of this web process."""
    return Feed(settings.REDIS_URL)


@Once
def masking() -> MaskingPool:
    """The masking processes of this web process."""
    return MaskingPool(processes=config().masking_processes, queue=64, seconds=config().masking_seconds)


def warm_web() -> None:
    """Start loading what the first message needs, without holding up the start."""
    metrics.forget_dead_processes()
    threading.Thread(target=lexicon, name="load word list", daemon=True).start()
    threading.Thread(target=lambda: masking().warm(), name="warm maskers", daemon=True).start()
