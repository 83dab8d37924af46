"""How the parts of this Kefu are, what waits, what it runs on and with which options. Secrets are never returned."""

import os
import platform
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import prometheus_client
import redis
from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Max, Min, Q
from django.db.utils import DatabaseError
from kombu.exceptions import OperationalError
from prometheus_client import multiprocess
from pydantic import SecretStr

from chatbot import wiring
from chatbot.events import REDIS_AWAY, LogUnavailable
from chatbot.models import Handoff, Review, Site
from config import celery_app
from guardrails.personal_data.pool import MaskingUnavailable
from knowledge.models import DocumentVersion, KnowledgeBase

QUEUES = ("turns", "judging", "desk", "sweep")
PATIENCE = 0.5
"""Seconds in which a worker should answer a ping."""
LITTLE_DISK = 2_000_000_000
"""Bytes below which documents and files may soon find no place."""
SECRET = frozenset({"secret_key", "secret_key_fallbacks", "engine_key", "database_url", "redis_url"})
_PACKAGES = ("Django", "celery", "redis", "onnxruntime", "faiss-cpu", "tokenizers", "transformers", "torch", "spacy")


@dataclass(frozen=True)
class Part:
    """One part: `name` is a code of the wording, `state` ok, warn or bad, `why` a code, `detail` facts, `seconds` how
    long it took to answer.
    """

    name: str
    state: str = "ok"
    why: str = ""
    detail: str = ""
    seconds: float | None = None

    @property
    def milliseconds(self) -> str:
        """How long it took, as it is shown."""
        return "" if self.seconds is None else f"{1000 * self.seconds:.0f}"


@dataclass(frozen=True)
class Rung:
    """An engine of the ladder, as the workers' metrics know it: None for what none has reported."""

    name: str
    open: bool | None = None
    limit: int | None = None
    replies: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Option:
    """An option in force; of a secret only whether it is set."""

    name: str
    value: str
    changed: bool
    secret: bool
    description: str


def parts() -> list[Part]:
    """Ask every part how it is. Takes half a second, because workers are given time to answer."""
    return [
        Part("web", detail=f"pid {os.getpid()}"),
        _database(),
        _redis(),
        _masking(),
        *_workers(),
        _disk(),
    ]


def waiting() -> list[tuple[str, int | None]]:
    """Return what waits: (code of the wording, how many); None where redis does not say."""
    try:
        lengths: dict[str, int] = wiring.event_log().queue_lengths(QUEUES)
    except LogUnavailable:
        lengths = {}
    return [
        *((f"queue_{queue}", lengths.get(queue)) for queue in QUEUES),
        ("waiting_people", Handoff.objects.filter(state=Handoff.State.WAITING).count()),
        ("waiting_messages", Handoff.objects.filter(state=Handoff.State.MESSAGE).count()),
        ("waiting_reviews", Review.objects.filter(decision=Review.Decision.PENDING).count()),
        ("waiting_documents", DocumentVersion.objects.filter(stage__in=DocumentVersion.UNFINISHED).count()),
    ]


def engines() -> list[Rung]:
    """Return the ladder as it is set, best first, with what the workers report; others that they report come after."""
    seen: dict[str, dict[str, float]] = {}
    for metric, labels, value in _samples():
        if metric in ("kefu_engine_open", "kefu_engine_limit", "kefu_engine_replies_total"):
            one = seen.setdefault(labels["engine"], {})
            good = labels.get("result") in ("written", "cut", "cancelled")
            code = metric if metric != "kefu_engine_replies_total" else ("replies" if good else "failed")
            one[code] = one.get(code, 0) + value
    names = list(wiring.limits().engine)
    order = sorted(seen, key=lambda title: names.index(kind) if (kind := title.partition(":")[0]) in names else 99)
    known = [_rung(title, seen[title]) for title in order]
    silent = [Rung(name) for name in names if not any(title.partition(":")[0] == name for title in seen)]
    return [*known, *silent]


def _rung(title: str, seen: dict[str, float]) -> Rung:
    limit = seen.get("kefu_engine_limit")
    return Rung(
        title,
        bool(seen.get("kefu_engine_open")),
        int(limit) if limit else None,
        int(seen.get("replies", 0)),
        int(seen.get("failed", 0)),
    )


def bases() -> list[Mapping[str, Any]]:
    """Return what each knowledge base has published, and what is not ready yet."""
    unfinished = Count("documents__versions", filter=Q(documents__versions__stage__in=DocumentVersion.UNFINISHED))
    return list(
        KnowledgeBase.objects.annotate(
            release=F("published__number"), since=F("published__published_at"), unfinished=unfinished
        )
        .order_by("slug")
        .values("slug", "name", "release", "since", "unfinished")[:100]
    )


def retention() -> list[Mapping[str, Any]]:
    """Return how long each site keeps conversations, how many there are and from when the oldest is."""
    return list(
        Site.objects.annotate(
            number=Count("conversations"), oldest=Min("conversations__updated"), newest=Max("conversations__updated")
        )
        .order_by("name")
        .values("pk", "name", "retention_days", "number", "oldest", "newest")[:200]
    )


@cache
def versions() -> list[tuple[str, str]]:
    """Return what this process runs on."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
    found = [("Kefu", str(project)), ("Python", platform.python_version()), (connection.vendor, _database_version())]
    for package in _PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return found


def models() -> list[str]:
    """Return which prepared models there are."""
    folder = Path(wiring.limits().models)
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def options() -> list[Option]:
    """Return every option and its value; of secrets whether they are set, of addresses that may hold one where to."""
    now = wiring.limits()
    found = []
    for name, field in type(now).model_fields.items():
        value = getattr(now, name)
        secret = name in SECRET or isinstance(value, SecretStr) or field.annotation in (SecretStr, SecretStr | None)
        shown = _place(value) if secret else _shown(value)
        found.append(Option(f"KEFU_{name.upper()}", shown, value != field.default, secret, field.description or ""))
    return found


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = "" if value is None else str(value)
    return _place(text) if "://" in text else text


def _place(value: object) -> str:
    """Return where an address leads without who goes there, "•••" for any other secret, "" for nothing."""
    text = value if isinstance(value, str) else ("x" if value else "")
    if "://" not in text:
        return "•••" if text else ""
    parts = urlsplit(text)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path if parts.scheme != 'unix' else '…'}"


def _timed(name: str, ask: Callable[[], str], broken: tuple[type[Exception], ...], why: str) -> Part:
    begun = time.perf_counter()
    try:
        detail = ask()
    except broken:
        return Part(name, "bad", why)
    return Part(name, detail=detail, seconds=time.perf_counter() - begun)


def _database() -> Part:
    def ask() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM chatbot_site LIMIT 1")
        return f"{connection.vendor} {_database_version()}"

    return _timed("database", ask, (DatabaseError,), "no_database")


def _database_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        return str(cursor.fetchone()[0])


def _redis() -> Part:
    def ask() -> str:
        wiring.event_log().check()
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        try:
            server: Any = client.info()
        finally:
            client.close()
        return f"{server.get('redis_version', '')}, {server.get('used_memory_human', '')}"

    return _timed("redis", ask, (LogUnavailable, *REDIS_AWAY), "no_redis")


def _masking() -> Part:
    def ask() -> str:
        wiring.masking().find("ready?")
        return str(wiring.limits().masking_processes)

    return _timed("masking", ask, (MaskingUnavailable,), "no_masking")


def _workers() -> list[Part]:
    """Those that answer turns report to redis on their own; the desk's is asked through the broker."""
    try:
        answering = wiring.event_log().workers_alive()
    except LogUnavailable:
        return [Part("worker", "bad", "no_redis"), Part("desk", "bad", "no_redis")]
    try:
        # as soon as all have answered: waiting out the time would cost a second
        replies = celery_app.control.broadcast("ping", reply=True, timeout=PATIENCE, limit=answering + 1) or []
    except (OperationalError, *REDIS_AWAY):
        replies = []
    names = sorted(name for reply in replies for name in reply)
    desks = [name for name in names if name.startswith("desk@")]
    return [
        Part("worker", "ok" if answering else "bad", "" if answering else "no_worker", str(answering or "")),
        Part("desk", "ok" if desks else "warn", "" if desks else "no_desk", ", ".join(desks)),
    ]


def _disk() -> Part:
    usage = shutil.disk_usage(wiring.limits().var)
    state = "ok" if usage.free > LITTLE_DISK else "warn"
    return Part(
        "disk", state, "" if state == "ok" else "little_disk", f"{usage.free / 1e9:.1f} / {usage.total / 1e9:.1f} GB"
    )


def _samples() -> Iterator[tuple[str, dict[str, str], float]]:
    """Return all processes' metrics."""
    registry: Any = prometheus_client.REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = prometheus_client.CollectorRegistry()
        collector: Any = multiprocess.MultiProcessCollector
        collector(registry)
    for metric in registry.collect():
        for sample in metric.samples:
            yield sample.name, dict(sample.labels), float(sample.value)
