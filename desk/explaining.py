"""What is found for a question, and why: the worker's side of asking.py, and of `knowledge why`. Needs the model."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

from chatbot import asking, worker_wiring
from chatbot.pipeline import evidence_of
from chatbot.wiring import lexicon
from desk import examination
from desk.asking import SECONDS, connection
from guardrails.release import Withheld
from guardrails.screening import screen_message
from guardrails.verdict import PASS, Verdict
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.filters import Filters
from knowledge.followup import standalone
from knowledge.models import Release
from knowledge.passages import Passage, Retrieved
from knowledge.retrieval import Retriever


def explain(id_: str) -> None:
    """Answer who waits behind an id. Raises what redis' client raises."""
    asking.answer(id_, _explained, client=connection(), seconds=SECONDS)


def found_for(
    base: str,
    question: str,
    history: list[str],
    top: int,
    filters: Filters | None = None,
    *,
    draft: bool = False,
    judged: bool = False,
) -> dict[str, Any]:
    """Search what `filters` let through of a base, or of its `draft` if it has one; return what was found, as JSON
    values, and what the guards say of it where it is to be `judged`. Raises knowledge's errors.
    """
    retriever = draft_retriever(base) if draft else None
    retriever = retriever or worker_wiring.knowledge_bases().retriever(base)
    found = retriever.search(standalone(question, history), top, filters=filters)
    found = replace(found, contacts=worker_wiring.knowledge_bases().contacts(base))
    said = told(found)
    return said | {"verdicts": _verdicts(question, found, said["answer"])} if judged else said


def draft_retriever(base_slug: str) -> Retriever | None:
    """Return what searches the draft of a base as it is now; the one tried last is kept. Raises knowledge's errors."""
    draft = Release.objects.filter(base__slug=base_slug, state=Release.State.DRAFT).select_related("base").first()
    if draft is None:
        return None
    return _searching(base_slug, draft.number, draft.revision, draft.base.described, draft.base.threshold)


@lru_cache(1)
def _searching(base: str, number: int, revision: int, described: int, threshold: float | None) -> Retriever:
    index = worker_wiring.knowledge_loader().load(base, number=number)
    return Retriever(index, worker_wiring.embed_query(), threshold=threshold, rerank=worker_wiring.rerank())


def _verdicts(question: str, found: Retrieved, answer: str) -> dict[str, Any]:
    """What the guards say of the question as a customer's, and of the answer as the bot's."""
    asked = screen_message(question, lexicon(), worker_wiring.guards().on_messages).verdict
    said = worker_wiring.release().whole(answer, evidence_of(found)) if answer else ()
    return {"question": _as_json(asked), "answer": _as_json(said.verdict if isinstance(said, Withheld) else PASS)}


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {"action": verdict.action, "tier": verdict.tier, "categories": list(verdict.categories)}


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
    held = {"held": [one.text for one in passage.sentences if not one.quotable], "chunk": passage.chunk_id}
    return texts | scores | held | {"rerank": None if passage.rerank is None else round(passage.rerank, 4)}


def _explained(wanted: bytes) -> bytes:
    try:
        return orjson.dumps(found_for(**orjson.loads(wanted)))
    except (BaseMissing, VectorsMissing, TimeoutError) as error:
        return orjson.dumps({"error": type(error).__name__})
