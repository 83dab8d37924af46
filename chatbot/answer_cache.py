"""Which answers are kept for whom: what a kept answer hangs on, what it holds, and what is never looked up or kept.

Knows nothing of redis, engines or guards: what is found here is a text that passes release again, like any other.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import orjson

from chatbot.same_question import normalised
from chatbot.turn import Conclusion, Language, Record, Turn
from guardrails.placeholders import PLACEHOLDER
from knowledge.passages import Passage, Retrieved, Vectors

VERSION = 2  # of what is written below; other versions are not read
LARGEST = 32_768  # bytes of a kept answer
_NO_VECTOR: Vectors = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Versions:
    """What an answer is made with, besides the question. `knowledge` stands for a base's release, its own threshold and
    what filters go by, with `release` its number; "" when no release is loaded. `engine` ("name:model") is the one that
    should write: what another one wrote in its place is not kept.
    """

    knowledge: str
    release: int
    guards: str
    prompt: str
    engine: str


@dataclass(frozen=True)
class Key:
    """An answer is found by those alone whose key is the same. `persona` is the site's manner of
    speaking, `manner` what else shapes a reply."""

    base: str
    versions: Versions
    persona: str
    language: Language
    manner: str = ""

    @property
    def digest(self) -> str:
        """32 hexadecimal digits."""
        v = self.versions
        made_with = (v.knowledge, v.guards, v.prompt, v.engine)
        parts = (VERSION, self.base, *made_with, self.persona, self.language, self.manner)
        return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]


@dataclass(frozen=True, eq=False)
class Answer:
    """A kept answer: its masked text, the passages that it was written from, and what its ledger entry said.

    `question` is kept for the semantic level alone, else empty; `vector` is its vector, shape (dimension,).
    `seconds` is what searching and writing took.
    """

    text: str
    found: Retrieved
    intent: str
    engine: str
    prompt_version: str
    seconds: float
    conversation: str = ""
    question: str = ""
    vector: Vectors | None = field(default=None, repr=False)
    level: str = ""

    def record(self, record: Record) -> Record:
        """Return the ledger's row of a turn that is answered with this."""
        return replace(
            record,
            engine=f"cache-{self.level}:{self.engine}",
            prompt_version=self.prompt_version,
            knowledge_version=self.found.knowledge_version,
            confidence=self.found.confidence,
            passages=tuple((one.chunk_id, round(one.score, 4)) for one in self.found.passages),
        )


@dataclass(frozen=True, eq=False)
class Look:
    """One look into the cache: what was asked, and the answer, if there is one. Without a key nothing is kept, nor when
    answers were dropped since `epoch`; None while redis is away.
    """

    question: str = ""
    intent: str = ""
    conversation: str = ""
    key: Key | None = None
    epoch: int | None = None
    vector: Vectors | None = field(default=None, repr=False)
    answer: Answer | None = None

    @property
    def name(self) -> str:
        """The question's digest: 32 hexadecimal digits."""
        return hashlib.sha256(normalised(self.question).encode("utf-8", "replace")).hexdigest()[:32]


class AnswerCache(Protocol):
    """Keeps answers. Raises nothing: where it cannot be reached, nothing is found."""

    def look(self, turn: Turn, base: str, question: str, intent: str, manner: str = "") -> Look:
        """Look for an answer to the standalone `question` of a turn that is to be spoken in that `manner`."""
        ...

    def keep(self, look: Look, found: Retrieved, conclusion: Conclusion) -> None:
        """Keep what that look did not find, if it may be kept."""
        ...

    def withhold(self, look: Look) -> None:
        """Drop the answer that a look has found: release does not let it pass any more."""
        ...


class NoCache:
    """Finds nothing and keeps nothing."""

    def look(self, turn: Turn, base: str, question: str, intent: str, manner: str = "") -> Look:
        """See AnswerCache."""
        return Look()

    def keep(self, look: Look, found: Retrieved, conclusion: Conclusion) -> None:
        """See AnswerCache."""

    def withhold(self, look: Look) -> None:
        """See AnswerCache."""


def why_not_looked(turn: Turn, question: str, versions: Versions) -> str:
    """Return why no other customer's answer may serve this turn, nor its own be kept: "" when it may.

    "history" (it may lean on what was said before), "personal" (placeholders), "files", "approved" (a person let it
    pass), "empty", "knowledge" (no release is loaded).
    """
    if turn.history:
        return "history"
    if PLACEHOLDER.search(turn.text) or PLACEHOLDER.search(question):
        return "personal"
    if turn.files:
        return "files"
    if turn.approved:
        return "approved"
    if not normalised(question):
        return "empty"
    return "" if versions.knowledge else "knowledge"


def why_not_kept(look: Look, found: Retrieved, conclusion: Conclusion) -> str:
    """Return why an answer is not kept: "" when it may be.

    "outcome" (no answer from documents, or it waits for review), "interrupted", "personal" (it names placeholders),
    "engine" (another one wrote it than the key says), "release" (another release was searched).
    """
    assert look.key is not None
    if conclusion.outcome not in ("faq", "answered") or conclusion.held:
        return "outcome"
    if conclusion.reason:
        return "interrupted"
    if any(PLACEHOLDER.search(unit.text) for unit in conclusion.units):
        return "personal"
    if conclusion.record.engine not in ("", look.key.versions.engine):
        return "engine"
    return "" if found.knowledge_version == look.key.versions.release else "release"


def answer_of(look: Look, found: Retrieved, conclusion: Conclusion, *, semantic: bool) -> Answer:
    """Return what is to be kept of a finished answer."""
    record = conclusion.record
    return Answer(
        text="".join(unit.text for unit in conclusion.units),
        found=found,
        intent=look.intent,
        engine=record.engine,
        prompt_version=record.prompt_version,
        seconds=(record.milliseconds.get("search", 0.0) + record.milliseconds.get("write", 0.0)) / 1000,
        conversation=look.conversation,
        question=look.question if semantic else "",
        vector=look.vector if semantic else None,
    )


def written(answer: Answer) -> bytes:
    """Return an answer as JSON."""
    found = answer.found
    return orjson.dumps(
        {
            "version": VERSION,
            "text": answer.text,
            "intent": answer.intent,
            "engine": answer.engine,
            "prompt": answer.prompt_version,
            "seconds": round(answer.seconds, 4),
            "conversation": answer.conversation,
            "question": answer.question,
            "vector": None if answer.vector is None else [round(float(x), 4) for x in answer.vector],
            "knowledge": found.knowledge_version,
            "confidence": found.confidence,
            "exact": found.exact,
            "contacts": sorted(found.contacts),
            "passages": [
                [p.chunk_id, p.document, p.ref, p.heading, p.text, p.question, p.language, p.score]
                for p in found.passages
            ],
        }
    )


def read(stored: bytes) -> Answer | None:
    """Return the answer that `written` made JSON of; None for anything else."""
    try:
        row: dict[str, Any] = orjson.loads(stored)
        if row["version"] != VERSION:
            return None
        found = Retrieved(
            question=row["question"],
            question_vector=_NO_VECTOR,
            passages=tuple(_passage(one) for one in row["passages"]),
            answerable=True,
            confidence=float(row["confidence"]),
            exact=bool(row["exact"]),
            knowledge_version=int(row["knowledge"]),
            contacts=frozenset(row["contacts"]),
        )
        return Answer(
            text=str(row["text"]),
            found=found,
            intent=str(row["intent"]),
            engine=str(row["engine"]),
            prompt_version=str(row["prompt"]),
            seconds=float(row["seconds"]),
            conversation=str(row["conversation"]),
            question=str(row["question"]),
            vector=None if row["vector"] is None else np.asarray(row["vector"], np.float32),
        )
    except (ValueError, TypeError, KeyError):
        return None


def _passage(row: Sequence[Any]) -> Passage:
    chunk, document, ref, heading, text, question, language, score = row
    return Passage(int(chunk), document, ref, heading, text, question, language, (), _NO_VECTOR, score=float(score))
