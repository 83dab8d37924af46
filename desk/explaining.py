"""What is found for a question, and why: the worker's side of asking.py, and of `knowledge why`. Needs the model."""

from typing import Any

import orjson

from chatbot import asking, worker_wiring
from desk import examination
from desk.asking import SECONDS, connection
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.filters import Filters
from knowledge.followup import standalone
from knowledge.passages import Passage, Retrieved


def explain(id_: str) -> None:
    """Answer who waits behind an id. Raises what redis' client raises."""
    asking.answer(id_, _explained, client=connection(), seconds=SECONDS)


def found_for(base: str, question: str, history: list[str], top: int, filters: Filters | None = None) -> dict[str, Any]:
    """Search what `filters` let through of a base; return what was found, as JSON values. Raises knowledge's errors."""
    retriever = worker_wiring.knowledge_bases().retriever(base)
    return told(retriever.search(standalone(question, history), top, filters=filters))


def told(found: Retrieved) -> dict[str, Any]:
    """Return what was found, as JSON values."""
    return {
        "question": found.question,
        "release": found.knowledge_version,
        "answerable": found.answerable,
        "confidence": round(found.confidence, 4),
        "exact": found.exact,
        "answer": examination.answer(found) if found.answerable else "",
        "passages": [_told(passage) for passage in found.passages],
    }


def _told(passage: Passage) -> dict[str, Any]:
    texts = {name: getattr(passage, name) for name in ("document", "ref", "heading", "question", "text")}
    scores = {name: round(float(getattr(passage, name)), 4) for name in ("score", "dense", "bm25")}
    return texts | scores | {"rerank": None if passage.rerank is None else round(passage.rerank, 4)}


def _explained(wanted: bytes) -> bytes:
    try:
        return orjson.dumps(found_for(**orjson.loads(wanted)))
    except (BaseMissing, VectorsMissing, TimeoutError) as error:
        return orjson.dumps({"error": type(error).__name__})
