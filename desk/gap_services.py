"""Gathers what the bot could not answer, puts questions alike together, and drafts an answer from what agents said.

What leaves a conversation holds none of its customer's data: placeholders are taken out, sentences with one dropped.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chatbot.models import LedgerEntry, Message
from guardrails.grounding import wording
from guardrails.placeholders import PLACEHOLDER
from knowledge.embedding import Embedder, as_query
from knowledge.errors import BaseMissing
from knowledge.gaps import MOST, SAME, Group, Unanswered, group
from knowledge.models import Chunk, Gap, KnowledgeBase
from knowledge.passages import Vectors
from knowledge.purging import ANSWERS, without_messages
from knowledge.sentences import split_sentences

DAYS = 30
UNSURE = 0.45
"""An answer that was given with less confidence counts as a gap, too; the shipped threshold is .35."""

OPEN, ANSWERED, DISMISSED = "open", "answered", "dismissed"
AGENTS_SAID, PASSAGES_FOUND = "agents", "passages"
_LEAST_LETTERS = 4
_MOST_ANSWER = 1_000
_PASSAGES = 3
_COURTESY = re.compile(
    r"^(?:(?:您好|你好|请问(?:一下)?|想问(?:一下)?|麻烦问(?:一下)?"
    r"|hi|hello|hey|good (?:morning|afternoon|evening)|excuse me|please)"
    r"(?:\s*[,，。.!！~～、:：]\s*|\s+|(?<=[\u4e00-\u9fff])))+",
    re.IGNORECASE,
)


class Answering(Protocol):
    """What a search returns, as far as it matters here."""

    @property
    def answerable(self) -> bool: ...


Search = Callable[[str], Answering]
"""Searches the published release for a question."""

Store = Callable[[str, bytes], object]
"""(name, content) of a document that is to be taken in: `importing.take_in` with its base."""


@dataclass(frozen=True)
class Collected:
    """What a run made of the questions. `closed`: gaps that the published release answers now."""

    questions: int = 0
    gaps: int = 0
    new: int = 0
    closed: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class _Asked:
    question: Unanswered
    at: datetime
    passages: tuple[tuple[int, float], ...]


def collect(
    base_slug: str,
    *,
    embedder: Embedder,
    search: Search | None = None,
    days: int = DAYS,
    unsure: float = UNSURE,
    now: datetime | None = None,
) -> Collected:
    """Gather the questions of the last `days`, group them and write the gaps, each with a draft of an FAQ pair.

    A gap keeps its row as long as a question of it is in the group, or the group asks the same. `search` closes gaps
    that are answered by now. What erased conversations asked is forgotten. Raises BaseMissing.
    """
    base = KnowledgeBase.objects.filter(slug=base_slug).first()
    if base is None:
        raise BaseMissing(f"there is no knowledge base {base_slug!r}")
    now = now or timezone.now()
    while (collected := _collected(base, embedder, search, now - timedelta(days=days), unsure)) is None:
        pass  # somebody was erased meanwhile
    return collected


def _collected(
    base: KnowledgeBase, embedder: Embedder, search: Search | None, since: datetime, unsure: float
) -> Collected | None:
    """As `collect`; None, and nothing is written, when a message was erased that was read."""
    asked, left_out = _asked(base.slug, since, unsure)
    vectors = _embed(embedder, [one.question.text for one in asked])
    groups = group([one.question for one in asked], vectors)
    by_message = {one.question.message: one for one in asked}
    drafts = [_draft(each, by_message, embedder) for each in groups]
    closed = [search is not None and search(each.questions[0].text).answerable for each in groups]
    read = {*by_message, *(one["message"] for draft in drafts for one in draft["sources"] if "message" in one)}
    with transaction.atomic():
        KnowledgeBase.objects.select_for_update().get(pk=base.pk)
        if read - _there(read).keys():
            return None
        _forget_erased(base)
        new = _write(base, groups, drafts, closed, by_message, embedder)
    return Collected(len(asked), len(groups), new, sum(closed), left_out)


def gaps(base_slug: str, *, state: str = OPEN) -> QuerySet[Gap]:
    """The gaps of a base in a state ("": in any), those that most conversations met first."""
    rows = Gap.objects.filter(base__slug=base_slug)
    return (rows.filter(state=state) if state else rows).order_by("-conversations", "-changed", "pk")


def dismiss(gap: int, who: str) -> bool:
    """Say that nobody needs an answer to it; false when it is not open. Questions that come later change nothing."""
    return _settle(gap, DISMISSED, who, (OPEN,))


def reopen(gap: int, who: str) -> bool:
    """Take a dismissal or an answer back."""
    return _settle(gap, OPEN, who, (DISMISSED, ANSWERED))


def redraft(gap: int, question: str, answer: str, who: str) -> bool:
    """Keep what a manager wrote; later runs leave it as it is. False when there is no such gap."""
    with transaction.atomic():
        row = Gap.objects.select_for_update().filter(pk=gap).first()
        if row is None:
            return False
        row.draft = row.draft | {"question": question, "answer": answer, "author": who}
        row.save(update_fields=["draft", "changed"])
    return True


def answer(gap: int, question: str, text: str, who: str, *, store: Store) -> bool:
    """Have a manager's answer taken in as a document of one FAQ pair, and mark the gap as answered.

    False when it is not open. Raises ValueError for an empty text or one with a customer's placeholder in it, and
    whatever `store` raises; then the gap stays open.
    """
    question, text = question.strip(), text.strip()
    if not question or not text:
        raise ValueError("a question and an answer are needed")
    if PLACEHOLDER.search(question + text):
        raise ValueError("there is a placeholder of a customer's data in it")
    with transaction.atomic():
        row = Gap.objects.select_for_update().filter(pk=gap, state=OPEN).first()
        if row is None:
            return False
        store(f"{ANSWERS}{row.pk}.csv", as_document(question, text))
        row.draft = row.draft | {"question": question, "answer": text, "author": who}
        row.state = ANSWERED
        row.draft["settled"] = timezone.now().isoformat()
        row.save(update_fields=["draft", "state", "changed"])
    return True


def as_document(question: str, text: str) -> bytes:
    """A CSV file of one FAQ pair."""
    file = io.StringIO()
    csv.writer(file).writerows([("question", "answer"), (question, text)])
    return file.getvalue().encode()


def without_data(text: str) -> str:
    """A question without placeholders and courtesy."""
    plain = " ".join(PLACEHOLDER.sub(" ", text).split())
    return _COURTESY.sub("", plain).strip(" ,，、;；") or plain


def sayable(reply: str) -> str:
    """What of an agent's reply holds for everybody: no sentence with a customer's data, no greeting, no deed."""
    kept = []
    for sentence in split_sentences(reply):
        folded = wording.fold(sentence)
        if PLACEHOLDER.search(sentence) or wording.claims_nothing(folded) or wording.claims_a_deed(folded):
            continue
        kept.append(sentence)
    return " ".join(kept)[:_MOST_ANSWER]


def _settle(gap: int, state: str, who: str, before: Sequence[str]) -> bool:
    with transaction.atomic():
        row = Gap.objects.select_for_update().filter(pk=gap, state__in=before).first()
        if row is None:
            return False
        row.state = state
        row.draft = row.draft | {"settled": timezone.now().isoformat(), "settler": who}
        row.save(update_fields=["state", "draft", "changed"])
    return True


def _asked(base_slug: str, since: datetime, unsure: float) -> tuple[list[_Asked], int]:
    """The newest questions without an answer, and how many older ones were left out."""
    nothing = Q(message__outcome="handed_off", message__reason="no_answer")
    doubtful = Q(message__outcome="answered", message__reason="", confidence__lt=unsure)
    rows = (
        LedgerEntry.objects.filter(nothing | doubtful, message__conversation__site__knowledge_base=base_slug)
        .filter(created__gte=since)
        .exclude(question="")
        .order_by("-created")
        .values_list("question", "message_id", "message__conversation_id", "created", "passages")
    )
    found = []
    for question, message, conversation, created, passages in rows[: MOST + 1]:
        text = without_data(question)
        if sum(map(str.isalpha, text)) >= _LEAST_LETTERS:
            scored = tuple((int(chunk), float(score)) for chunk, score in passages)
            found.append(_Asked(Unanswered(text, str(message), str(conversation)), created, scored))
    return found[:MOST], max(0, rows.count() - MOST)


def _embed(embedder: Embedder, questions: Sequence[str]) -> Vectors:
    if not questions:
        return np.empty((0, embedder.dimension), np.float32)
    different = list(dict.fromkeys(questions))
    vectors = embedder.embed([as_query(one) for one in different])
    row = {text: number for number, text in enumerate(different)}
    return np.asarray(vectors[[row[text] for text in questions]], np.float32)


def _draft(each: Group, by_message: Mapping[str, _Asked], embedder: Embedder) -> dict[str, Any]:
    """An FAQ pair: the middle question, and the agents' reply that is nearest to it and to the others."""
    question = each.questions[0].text
    replies = _replies(each, by_message)
    if replies:
        vectors = _embed(embedder, [question, *(text for _, text in replies)])
        alike = vectors[1:] @ vectors[0] + (vectors[1:] @ vectors[1:].mean(0) if len(replies) > 2 else 0)
        message, text = replies[int(np.argmax(alike))]
        return {"question": question, "answer": text, "sources": [{"message": message}], "from": AGENTS_SAID}
    scores: dict[int, float] = defaultdict(float)
    for one in each.questions:
        for chunk, score in by_message[one.message].passages:
            scores[chunk] += score
    best = sorted(scores, key=lambda chunk: -scores[chunk])[:_PASSAGES]
    rows = Chunk.objects.filter(pk__in=best).select_related("version__document").in_bulk()
    sources = [
        {"chunk": pk, "document": rows[pk].version.document.name, "ref": rows[pk].ref, "text": rows[pk].text}
        for pk in best
        if pk in rows
    ]
    return {"question": question, "answer": "", "sources": sources, "from": PASSAGES_FOUND if sources else ""}


def _replies(each: Group, by_message: Mapping[str, _Asked]) -> list[tuple[str, str]]:
    """(message, what of it holds for everybody) of agents, after the question was handed over."""
    since: dict[UUID, datetime] = {}
    for one in each.questions:
        conversation = UUID(one.conversation)
        at = by_message[one.message].at
        since[conversation] = min(at, since.get(conversation, at))
    rows = Message.objects.filter(conversation_id__in=since, role=Message.Role.AGENT, deleted__isnull=True)
    return [
        (str(pk), said)
        for pk, conversation, created, text in rows.values_list("pk", "conversation_id", "created", "text")
        if created >= since[conversation] and (said := sayable(text))
    ]


def _forget_erased(base: KnowledgeBase) -> None:
    """Take out what messages asked that are not there any more: whatever erased them took it out already, as a rule."""
    rows = list(Gap.objects.select_for_update().filter(base=base))
    named = {str(one["message"]) for row in rows for one in (*row.questions, *_said(row))}
    gone = named - _there(named).keys()
    for row in rows:
        if gone and without_messages(row, gone) and row.pk:
            row.conversations = len(set(_there(one["message"] for one in row.questions).values()))
            row.save(update_fields=["conversations"])


def _said(row: Gap) -> list[dict[str, Any]]:
    return [one for one in row.draft.get("sources", []) if one.get("message")]


def _there(messages: Iterable[str]) -> dict[str, UUID]:
    """The messages that exist, each with its conversation."""
    wanted = sorted(set(messages))
    found: dict[str, UUID] = {}
    for start in range(0, len(wanted), MOST):
        rows = Message.objects.filter(pk__in=wanted[start : start + MOST]).values_list("pk", "conversation_id")
        found.update((str(pk), conversation) for pk, conversation in rows)
    return found


def _write(
    base: KnowledgeBase,
    groups: Sequence[Group],
    drafts: Sequence[dict[str, Any]],
    closed: Sequence[bool],
    by_message: Mapping[str, _Asked],
    embedder: Embedder,
) -> int:
    """Update the row of each group, or make one; return how many are new."""
    rows = list(Gap.objects.select_for_update().filter(base=base))
    matched = _match(groups, rows, embedder)
    taken = {one.message: number for number, each in enumerate(groups) for one in each.questions}
    new = 0
    for number, (each, draft, is_closed) in enumerate(zip(groups, drafts, closed, strict=True)):
        row = matched.get(number)
        if row is None:
            row, new = Gap(base=base), new + 1
        older = [one for one in row.questions or [] if taken.get(one["message"], number) == number]
        asked = {one.message: one.text for one in each.questions}
        row.questions = [{"text": text, "message": message} for message, text in asked.items()]
        row.questions += [one for one in older if one["message"] not in asked]
        row.conversations = len(set(_there(one["message"] for one in row.questions).values()))
        row.question = each.questions[0].text
        settled = row.draft.get("settled", "")
        if "author" not in row.draft:
            row.draft = draft | {name: row.draft[name] for name in ("settled", "settler") if name in row.draft}
        newest = max(by_message[one.message].at for one in each.questions)
        if row.state != DISMISSED:
            if is_closed:
                row.state = ANSWERED
            elif row.state != ANSWERED or newest.isoformat() > settled:
                row.state = OPEN
        row.save()
    for row in rows:
        if row not in matched.values():
            left = [one for one in row.questions if one["message"] not in taken]
            if not left:
                row.delete()
            elif len(left) < len(row.questions):
                row.questions = left
                row.conversations = len(set(_there(one["message"] for one in left).values()))
                row.save()
    return new


def _match(groups: Sequence[Group], rows: Sequence[Gap], embedder: Embedder) -> dict[int, Gap]:
    """The row of each group that has one: by the messages in both, most first; else by the same question."""
    owner = {one["message"]: row for row in rows for one in row.questions}
    overlaps: dict[tuple[int, int], int] = defaultdict(int)
    for number, each in enumerate(groups):
        for one in each.questions:
            if one.message in owner:
                overlaps[number, owner[one.message].pk] += 1
    by_pk = {row.pk: row for row in rows}
    matched: dict[int, Gap] = {}
    for (number, pk), _ in sorted(overlaps.items(), key=lambda item: (-item[1], item[0])):
        if number not in matched and pk in by_pk:
            matched[number] = by_pk.pop(pk)
    left = [number for number in range(len(groups)) if number not in matched]
    if left and by_pk:
        free = list(by_pk.values())
        theirs = _embed(embedder, [row.question for row in free])
        mine = _embed(embedder, [groups[number].questions[0].text for number in left])
        near = mine @ theirs.T
        for place, number in enumerate(left):
            best = int(np.argmax(near[place]))
            if near[place, best] >= 1 - SAME and free[best].pk in by_pk:
                matched[number] = by_pk.pop(free[best].pk)
    return matched
