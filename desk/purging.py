"""Removes a document everywhere, and shows that nothing of it is left: database, files, indexes, redis, logs.

Customers' own words stay as they are; what bot and staff said with a purged sentence loses it, also where it is on a
screen right now.
"""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import redis
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, models

from chatbot import services as chat
from chatbot.answer_store import AnswerStore
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Conversation, LedgerEntry, Message, Review
from console.models import Note
from desk.models import Job
from knowledge import loading, purging, snapshots
from knowledge.loading import VectorStore
from knowledge.models import Chunk, Document, DocumentVersion, Embedding, Purge
from knowledge.purging import clean_row
from knowledge.traces import Finder, strings

MARKERS = {"zh": "［内容已删除］", "en": "[removed]"}
LARGEST_FILE = 200 * 2**20
"""Bytes of a file beyond which it is not searched, but named."""

_BATCH = 1000
_COPIES: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (LedgerEntry, ("question", "verdicts")),
    (Review, ("held", "final", "sources")),
    (Conversation, ("draft",)),
    (Note, ("text",)),
)


@dataclass(frozen=True)
class Searched:
    """A store that was searched: how many entries it holds, where something was found."""

    store: str
    entries: int
    found: tuple[str, ...] = ()
    note: str = ""


def purge(
    document: Document,
    *,
    log: EventLog,
    answers: AnswerStore | None = None,
    store: VectorStore | None = None,
    author: str = "",
    force: bool = False,
) -> dict[str, Any]:
    """Remove a document for good and return what was removed, in numbers; may be killed, and called again.

    `answers` are all forgotten: they are made again in a moment. `store` has the vectors of large bases, where they are
    not in the snapshots' files.

    Raises Conflict while it is published, unless forced. When redis cannot be reached, what it holds stays until it
    forgets; `redis` and `answers` say so.
    """
    marked = purging.mark(document, author=author, force=force)
    replies, reached = _forget_replies(marked, document, log, answers)
    loading.forget(Path(settings.VAR) / "index", document.base.slug, marked.hashes["versions"], store)
    gone = purging.remove(document, marked)
    return {
        "versions": gone.versions,
        "chunks": gone.chunks,
        "vectors": gone.vectors,
        "files": gone.files,
        "replies": replies,
        "redis": "searched" if reached else "could not be reached",
        **finish(marked, answers),
    }


def finish(marked: Purge, answers: AnswerStore | None) -> dict[str, str]:
    """Do what follows once the document is gone, and say what became of kept answers and the database; may be called
    again.
    """
    forgotten = _forget_answers(answers)  # again: one may have been written from what was still there
    _forget_previews(marked)
    return {
        "answers": "forgotten" if forgotten else "redis could not be reached",
        "database": "overwritten" if _overwrite() else "deleted rows are not overwritten yet: vacuum it",
    }


def _forget_replies(marked: Purge, document: Document, log: EventLog, answers: AnswerStore | None) -> tuple[int, bool]:
    """Take the sentences out of what bot and staff said, and tell everybody who watches; the count, and whether redis
    could be reached.
    """
    finder = Finder(purging.traces_of(marked))
    touched: set[uuid.UUID] = set()
    said = Message.objects.exclude(role=Message.Role.CUSTOMER).select_related("conversation__site")
    count = 0
    for message in said.iterator(_BATCH):
        marker = MARKERS.get(message.language or message.conversation.language, MARKERS["en"])
        its_base = message.conversation.site.knowledge_base == document.base.slug
        text = finder.without(message.text, marker)
        sources = [one for one in message.sources if not (its_base and one.get("document") == document.name)]
        sources = finder.cleaned(sources, marker)
        if (text, sources) == (message.text, message.sources):
            continue
        # As an edit is: announced anew, under a number of its own.
        Message.objects.filter(pk=message.pk).update(
            text=text, sources=sources, version=models.F("version") + 1, sequence=None
        )
        touched.add(message.conversation_id)
        count += 1
    for model, names in _COPIES:
        for row in model.objects.iterator(_BATCH):
            if clean_row(row, names, finder, MARKERS["en"]) and isinstance(row, Conversation):
                touched.add(row.pk)
    try:
        log.check()
        if answers is not None:
            answers.drop_all()
        # Also what is being said right now, and was not recorded yet.
        touched |= log.drop_from_feed(lambda payload: bool(finder.find(payload.decode("utf-8", "replace"))))
        for conversation in touched:
            log.forget(conversation)
            chat.announce_rest(conversation, log=log)
    except LogUnavailable:
        return count, False
    return count, True


def _forget_answers(answers: AnswerStore | None) -> bool:
    try:
        if answers is not None:
            answers.drop_all()
    except LogUnavailable:
        return False
    return True


def _forget_previews(marked: Purge) -> None:
    """Drop what previews show of it; whoever looked at one can ask for another."""
    finder = Finder(purging.traces_of(marked))
    for job in Job.objects.filter(kind=Job.Kind.PREVIEW).exclude(result=None).iterator(_BATCH):
        if any(finder.find(text) for text in strings(job.result)):
            job.delete()


def _overwrite() -> bool:
    """Have the database forget the bytes of deleted rows; false when it was too busy for that."""
    if connection.in_atomic_block:
        return False
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return not cursor.fetchone()[0]
            for model in (Chunk, DocumentVersion, Embedding, Message):
                cursor.execute(f"VACUUM {connection.ops.quote_name(model._meta.db_table)}")
    except OperationalError:
        return False
    return True


def prove_gone(purge: Purge, *, client: redis.Redis | None) -> Iterator[Searched]:
    """Search every store for what was purged, by hashes alone."""
    finder = Finder(purging.traces_of(purge))
    yield from _search_database(purge, finder)
    yield _search_files(purge, Path(settings.DOCUMENTS), finder)
    yield _search_index(purge, Path(settings.VAR) / "index")
    yield from _search_rest(finder)
    yield _search_redis(client, finder)


def reachable_redis() -> redis.Redis | None:
    """A client of redis for `prove_gone`; None when it cannot be reached."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=30, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.RedisError:
        return None
    return client


def _search_database(purge: Purge, finder: Finder) -> Iterator[Searched]:
    for model in apps.get_models():
        if model is Purge:
            continue
        names = [
            one.attname
            for one in model._meta.concrete_fields
            if isinstance(one, models.CharField | models.TextField | models.JSONField)
        ]
        if not names:
            continue
        rows: Any = model._default_manager.all()
        note = ""
        if model is Message:
            rows, note = rows.exclude(role=Message.Role.CUSTOMER), "customers' own words are theirs"
        count, found = 0, []
        for row in rows.values_list("pk", *names).iterator(_BATCH):
            count += 1
            found += [
                f"{name} of {row[0]}"
                for name, value in zip(names, row[1:], strict=True)
                if any(finder.find(text) for text in strings(value))
            ]
        if model is DocumentVersion:
            left = model._default_manager.filter(content_hash__in=purge.hashes["files"])
            found += [f"content_hash of {pk}" for pk in left.values_list("pk", flat=True)]
        yield Searched(f"database: {model._meta.label}", count, tuple(found), note)
    keys = [bytes.fromhex(one) for one in purge.hashes["vectors"]]
    found = []
    for start in range(0, len(keys), _BATCH):
        there = Embedding.objects.filter(text_hash__in=keys[start : start + _BATCH])
        found += [f"vector {pk}" for pk in there.values_list("pk", flat=True)]
    yield Searched("database: vectors", Embedding.objects.count(), tuple(found))


def _search_files(purge: Purge, folder: Path, finder: Finder) -> Searched:
    wanted = set(purge.hashes["files"])
    files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    found = [path.name for path in files if path.name in wanted]
    found += [path.name for path in files if path.name not in wanted and path.suffix and _in_file(path, finder)]
    return Searched("documents", len(files), tuple(found))


def _search_index(purge: Purge, folder: Path) -> Searched:
    found, count = [], 0
    for snapshot in snapshots.found(folder / str(purge.base_id)):
        count += 1
        held = np.load(snapshot.folder / "versions.npy", mmap_mode="r")
        if np.isin(held, purge.hashes["versions"]).any():
            found.append(f"snapshot {snapshot.number}")
    return Searched("index", count, tuple(found))


def _search_rest(finder: Finder) -> Iterator[Searched]:
    """Everything else below KEFU_VAR: the database's own file, logs, what processes have left."""
    var = Path(settings.VAR)
    apart = {Path(settings.DOCUMENTS), var / "index", Path(settings.ATTACHMENTS)}
    found, large, count = [], [], 0
    for path in sorted(var.rglob("*")):
        if not path.is_file() or apart & set(path.parents):
            continue
        count += 1
        name = str(path.relative_to(var))
        if path.stat().st_size > LARGEST_FILE:
            large.append(name)
        elif _in_file(path, finder):
            found.append(name)
    yield Searched("files", count, tuple(found), f"too large to search: {', '.join(large)}" if large else "")


def _in_file(path: Path, finder: Finder) -> bool:
    with contextlib.suppress(OSError):
        return bool(finder.find(path.read_bytes().decode("utf-8", "ignore")))
    return False


def _search_redis(client: redis.Redis | None, finder: Finder) -> Searched:
    if client is None:
        return Searched("redis", 0, (), "not searched: it cannot be reached, so nothing is in it")
    found, count = [], 0
    try:
        for key in client.scan_iter(count=500):
            count += 1
            if any(finder.find(value.decode("utf-8", "ignore")) for value in _values(client, key)):
                found.append(key.decode("utf-8", "replace"))
    except redis.RedisError as error:
        return Searched("redis", count, tuple(found), f"not searched: {type(error).__name__}")
    return Searched("redis", count, tuple(found))


def _values(client: Any, key: bytes) -> Iterator[bytes]:
    kind = client.type(key)
    if kind == b"string":
        yield client.get(key) or b""
    elif kind == b"hash":
        for name, value in client.hgetall(key).items():
            yield from (name, value)
    elif kind == b"list":
        yield from client.lrange(key, 0, -1)
    elif kind == b"set":
        yield from client.smembers(key)
    elif kind == b"zset":
        yield from client.zrange(key, 0, -1)
    elif kind == b"stream":
        for _, fields in client.xrange(key):
            yield from fields.values()
