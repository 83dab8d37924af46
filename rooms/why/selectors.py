"""Why an answer says what it says, from its ledger row and what stands around it. What is gone is shown as gone."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from chatbot import sites
from chatbot.answering import PROMPT_MESSAGES
from chatbot.engines import Prompt
from chatbot.engines.extractive import ExtractiveEngine
from chatbot.models import LedgerEntry, Message, Review
from chatbot.prompts import PROMPT_VERSION, Marks, build_messages
from chatbot.turn import Language, Role, Utterance
from console.rules import sites_of
from knowledge.differences import text_difference
from knowledge.models import Chunk, KnowledgeBase, Release, ReleaseItem
from knowledge.passages import Passage, Sentence

PAGE = 50
_HIDDEN = Marks("······", "······")
_BANDS = {"low": (None, 0.4), "middle": (0.4, 0.7), "high": (0.7, None)}
_STAGES = ("screen", "understand", "cache", "search", "write")


@dataclass(frozen=True)
class Used:
    """A passage as it was used. `state` says what has become of it: same, changed, withdrawn, off or gone.

    difference: its text in pieces ("=", "-" then only, "+" now only), where it was changed.
    """

    number: int
    score: float
    chunk: Chunk | None
    state: str
    cited: bool
    difference: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Why:
    """All that is on record about an answer; `entry` is None where the bot did not make it."""

    message: Message
    entry: LedgerEntry | None
    asked: tuple[Message, ...]
    review: Review | None
    release: Release | None
    published: Release | None
    used: tuple[Used, ...]


def answers(
    user: User,
    *,
    site: str = "",
    outcome: str = "",
    band: str = "",
    down: bool = False,
    degraded: bool = False,
    page: int = 1,
) -> tuple[list[LedgerEntry], bool]:
    """Return a page of the bot's answers on the reader's sites, newest first, and whether there is more."""
    found = LedgerEntry.objects.filter(message__conversation__site__in=sites_of(user))
    if site:
        found = found.filter(message__conversation__site__key=site)
    if outcome:
        found = found.filter(message__outcome=outcome)
    if band in _BANDS:
        least, most = _BANDS[band]
        found = found.exclude(passages=[])
        found = found.filter(confidence__gte=least) if least is not None else found
        found = found.filter(confidence__lt=most) if most is not None else found
    if down:
        found = found.filter(message__feedback__helpful=False)
    if degraded:
        found = found.filter(degraded=True)
    # First which, then all of them: sorting whole rows takes the database several times as long.
    newest = found.order_by("-created", "-message_id").values_list("pk", flat=True)
    keys = list(newest[PAGE * (page - 1) : PAGE * page + 1])
    joined = LedgerEntry.objects.select_related("message__conversation__site", "message__reply_to", "message__feedback")
    rows = joined.in_bulk(keys[:PAGE])
    return [rows[key] for key in keys[:PAGE] if key in rows], len(keys) > PAGE


def why(message: Message) -> Why:
    """Return what is on record about a message of the bot."""
    review = _review_of(message)
    entry = getattr(message, "ledger", None) or (getattr(review.reply, "ledger", None) if review else None)
    base = KnowledgeBase.objects.select_related("published").filter(slug=message.conversation.site.knowledge_base)
    known = base.first()
    release = None
    if known is not None and entry is not None and entry.knowledge_version:
        release = known.releases.filter(number=entry.knowledge_version).first()
    published = known.published if known else None
    used = _used(entry, message, published) if entry is not None else ()
    return Why(message, entry, _asked(message), review, release, published, used)


def times(entry: LedgerEntry) -> list[tuple[str, float]]:
    """Return the stages of a turn and their milliseconds, in order."""
    return [(stage, entry.milliseconds[stage]) for stage in _STAGES if stage in entry.milliseconds]


def prompt(shown: Why) -> list[dict[str, str]] | None:
    """Return the messages of the prompt, made again; None where there was none, or its template is not there any more.

    Secret marks are hidden. Passages that are gone are missing.
    """
    entry = shown.entry
    if entry is None or entry.prompt_version != PROMPT_VERSION:
        return None
    passages = tuple(_passage(used.chunk) for used in shown.used if used.chunk is not None)
    language: Language = "zh" if shown.message.language == "zh" else "en"
    question = entry.question or "\n".join(one.text for one in shown.asked)
    asked = Prompt(
        question,
        np.zeros(1, dtype=np.float32),
        passages,
        language,
        _history(shown),
        sites.persona(shown.message.conversation.site),
    )
    return build_messages(asked, _HIDDEN)


def had_prompt(entry: LedgerEntry) -> bool:
    """Whether an engine that takes a prompt has written it."""
    return bool(entry.engine) and entry.prompt_version not in ("", ExtractiveEngine.prompt_version)


def question_of(shown: Why) -> str:
    """Return the question that can be asked again, "" for none."""
    if shown.entry is not None and shown.entry.question:
        return shown.entry.question
    return "\n".join(one.text for one in shown.asked if one.text)


def texts_of(ids: Sequence[int]) -> dict[int, Chunk]:
    """Return those chunks that are still there."""
    return Chunk.objects.select_related("version__document").in_bulk(list(ids))


def _used(entry: LedgerEntry, message: Message, published: Release | None) -> tuple[Used, ...]:
    rows = [(int(key), float(score)) for key, score in entry.passages]
    chunks = texts_of([key for key, _ in rows])
    numbers = {source.get("number") for source in message.sources}
    documents = {chunk.version.document_id for chunk in chunks.values()}
    now = dict(ReleaseItem.objects.filter(release=published, document__in=documents).values_list("document", "version"))
    moved = set(now.values()) - {chunk.version_id for chunk in chunks.values()}
    rivals: dict[int, list[Chunk]] = {}
    for other in Chunk.objects.filter(version__in=moved).only(
        "version_id", "position", "ref", "heading", "text", "question", "origin", "enabled"
    ):
        rivals.setdefault(other.version_id, []).append(other)
    found = []
    for number, (key, score) in enumerate(rows, start=1):
        chunk = chunks.get(key)
        state, difference = _state(chunk, now, rivals)
        found.append(Used(number, score, chunk, state, number in numbers, difference))
    return tuple(found)


def _state(
    chunk: Chunk | None, now: dict[int, int], rivals: dict[int, list[Chunk]]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What has become of a chunk, and its text's difference where it was changed."""
    if chunk is None:
        return "gone", ()
    version = now.get(chunk.version.document_id)
    if version is None:
        return "withdrawn", ()
    if version == chunk.version_id:
        return ("same" if chunk.enabled else "off"), ()
    others = rivals.get(version, [])
    for name in ("text", "origin", "question", "ref"):
        value = getattr(chunk, name)
        match = next((one for one in others if value and getattr(one, name) == value), None)
        if match is None:
            continue
        if not match.enabled:
            return "off", ()
        if match.text == chunk.text:
            return "same", ()
        return "changed", text_difference(chunk.text, match.text)
    return "withdrawn", ()


def _asked(message: Message) -> tuple[Message, ...]:
    """The customer's messages that were answered together, oldest first."""
    if message.reply_to is None:
        return ()
    last = message.reply_to
    before = _before(last).exclude(role=Message.Role.SYSTEM)[:PROMPT_MESSAGES]
    found = [last]
    for one in before:
        if one.role != Message.Role.CUSTOMER:
            break
        found.append(one)
    return tuple(one for one in reversed(found) if one.deleted is None)


def _history(shown: Why) -> tuple[Utterance, ...]:
    if not shown.asked:
        return ()
    said = list(_before(shown.asked[0]).filter(deleted=None).exclude(role=Message.Role.SYSTEM)[:PROMPT_MESSAGES])
    return tuple(Utterance(cast(Role, one.role), one.text) for one in reversed(said) if one.text)


def _before(message: Message) -> QuerySet[Message]:
    earlier = Q(created__lt=message.created) | Q(created=message.created, id__lt=message.pk)
    return Message.objects.filter(earlier, conversation=message.conversation_id).order_by("-created", "-id")


def _review_of(message: Message) -> Review | None:
    """The review of a reply, or the one after which this message went out."""
    with contextlib.suppress(Review.DoesNotExist):
        return message.review
    if message.reply_to_id is None or getattr(message, "ledger", None) is not None:
        return None
    found = Review.objects.select_related("reply__ledger", "decided_by")
    return found.filter(reply__reply_to=message.reply_to_id, final=message.text).order_by("-created").first()


def _passage(chunk: Chunk) -> Passage:
    return Passage(
        chunk_id=chunk.pk,
        document=chunk.version.document.name,
        ref=chunk.ref,
        heading=chunk.heading,
        text=chunk.text,
        question=chunk.question,
        language=chunk.language,
        sentences=tuple(
            Sentence(chunk.text[one["start"] : one["end"]], one["verdict"]["action"] == "pass")
            for one in chunk.sentences
        ),
        sentence_vectors=np.zeros((0, 1), dtype=np.float32),
    )
