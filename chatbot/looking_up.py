"""What customers may look up in their own conversation: what stands behind a source, related questions, what was said
earlier. Reads only; all of it comes from the database, so no worker is asked.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from chatbot.models import Conversation, LedgerEntry, Message
from knowledge.models import Chunk, KnowledgeBase, ReleaseItem

PAGE = 50
MOST_RELATED = 3

Passes = Callable[[str], bool]
"""(text) -> whether today's word list lets it be shown."""


class NotThere(Exception):
    """The conversation has no such thing, or it is not published any more."""


@dataclass(frozen=True)
class Shown:
    """A published passage; `text` as it stands in the documents, without the sentences that the guards held back."""

    document: str
    heading: str
    ref: str
    text: str


def passage(conversation: Conversation, message_id: uuid.UUID, number: int, *, passes: Passes) -> Shown:
    """Return what stands behind source `number` of a message, if it answers customers still. Raises NotThere."""
    message = _message(conversation, message_id)
    if number not in [source["number"] for source in message.sources]:
        raise NotThere
    ids = _chunk_ids(message)
    chunk = _published(conversation).filter(pk=ids[number - 1]).first() if number <= len(ids) else None
    if chunk is None:
        raise NotThere
    text = _quotable(chunk)
    heading = chunk.question or chunk.heading
    if not (passes(text) and passes(heading)):
        raise NotThere
    return Shown(chunk.version.document.name, heading, chunk.ref, text)


def related(conversation: Conversation, message_id: uuid.UUID, *, passes: Passes) -> list[str]:
    """Return questions of the FAQs that were found beside what the message answers from, best first."""
    message = _message(conversation, message_id)
    used = {source["heading"] for source in message.sources}
    chunks = {chunk.pk: chunk for chunk in _published(conversation).filter(pk__in=_chunk_ids(message))}
    found = [chunks[pk] for pk in _chunk_ids(message) if pk in chunks]
    questions = [c.question for c in found if c.question and c.language == message.language and c.question not in used]
    return [question for question in dict.fromkeys(questions) if passes(question)][:MOST_RELATED]


def earlier(conversation: Conversation, before: uuid.UUID) -> tuple[list[Message], bool]:
    """Return the messages before that one, oldest first, and whether there are more before them. Raises NotThere."""
    edge = _message(conversation, before)
    rows = Message.objects.filter(conversation=conversation, sequence__isnull=False).filter(
        Q(created__lt=edge.created) | Q(created=edge.created, pk__lt=edge.pk)
    )
    found = list(rows.order_by("-created", "-id")[: PAGE + 1])
    return found[:PAGE][::-1], len(found) > PAGE


def file_is_there(conversation: Conversation, file: str) -> bool:
    """Say whether a message of the conversation has this file."""
    rows = Message.objects.filter(conversation=conversation).exclude(files=[]).values_list("files", flat=True)
    return any(one["id"] == file for files in rows for one in files)


def _message(conversation: Conversation, message_id: uuid.UUID) -> Message:
    message = Message.objects.filter(conversation=conversation, pk=message_id).first()
    if message is None:
        raise NotThere
    return message


def _chunk_ids(message: Message) -> list[int]:
    entry = LedgerEntry.objects.filter(message=message).only("passages").first()
    return [chunk_id for chunk_id, _ in entry.passages] if entry else []


def _published(conversation: Conversation) -> QuerySet[Chunk]:
    base = KnowledgeBase.objects.filter(slug=conversation.site.knowledge_base).first()
    if base is None or base.published_id is None:
        return Chunk.objects.none()
    versions = ReleaseItem.objects.filter(release=base.published_id).values("version")
    return Chunk.objects.filter(enabled=True, version__in=versions).select_related("version__document")


def _quotable(chunk: Chunk) -> str:
    text, end = "", 0
    for sentence in chunk.sentences:
        text += chunk.text[end : sentence["start"]]
        passed = sentence["verdict"]["action"] == "pass"
        text += chunk.text[sentence["start"] : sentence["end"]] if passed else "…"
        end = sentence["end"]
    return text + chunk.text[end:]
