"""What is found in the draft, and what the guards say of question and answer, with a search that needs no model."""

from types import SimpleNamespace
from typing import Any

import pytest

from chatbot import worker_wiring
from desk import explaining
from guardrails.release import Withheld
from guardrails.verdict import PASS, Verdict
from knowledge import releases
from knowledge.loading import Loader
from knowledge.models import KnowledgeBase
from knowledge.retrieval import Retriever
from tests.knowledge.fakes import FakeEmbedder
from tests.knowledge.tooling import bring

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = FakeEmbedder()
    loader = Loader(embedder.model_id)

    def embed(text: str) -> Any:
        return embedder.embed([f"query: {text}"])[0]

    monkeypatch.setattr(worker_wiring, "knowledge_loader", lambda: loader)
    monkeypatch.setattr(worker_wiring, "embed_query", lambda: embed)
    monkeypatch.setattr(worker_wiring, "rerank", lambda: None)
    live = SimpleNamespace(
        retriever=lambda base: Retriever(loader.load(base), embed, threshold=0.0), contacts=lambda base: ()
    )
    monkeypatch.setattr(worker_wiring, "knowledge_bases", lambda: live)
    monkeypatch.setattr(explaining, "screen_message", lambda *_: SimpleNamespace(verdict=Verdict("review", "lexicon")))
    monkeypatch.setattr(worker_wiring, "guards", lambda: SimpleNamespace(on_messages=()))
    monkeypatch.setattr(explaining, "lexicon", lambda: None)
    explaining._searching.cache_clear()


def found(draft: bool) -> list[str]:
    told = explaining.found_for("shop", "parcel costs?", [], 5, draft=draft)
    return [one["text"] for one in told["passages"]]


def test_the_draft_is_searched_as_it_is_now_and_without_one_what_is_published() -> None:
    bring("A parcel costs 12 yuan.", then="urgent")
    assert found(draft=False) == found(draft=True) == ["A parcel costs 12 yuan."]
    bring("A parcel costs 15 yuan.")
    assert (found(draft=False), found(draft=True)) == (["A parcel costs 12 yuan."], ["A parcel costs 15 yuan."])
    bring("A parcel costs 18 yuan.")
    assert found(draft=True) == ["A parcel costs 18 yuan."]


@pytest.mark.parametrize(("said", "action"), [((), "pass"), (Withheld(Verdict("block", "grounding"), "x"), "block")])
def test_the_guards_say_what_they_think_of_question_and_answer(
    monkeypatch: pytest.MonkeyPatch, said: Any, action: str
) -> None:
    bring("A parcel costs 12 yuan.", then="urgent")
    KnowledgeBase.objects.update(threshold=0.01)
    monkeypatch.setattr(worker_wiring, "release", lambda: SimpleNamespace(whole=lambda *_: said))
    monkeypatch.setattr(explaining.examination, "answer", lambda _: "12 yuan.")
    told = explaining.found_for("shop", "parcel costs?", [], 5, judged=True)
    assert told["verdicts"]["question"] == {"action": "review", "tier": "lexicon", "categories": []}
    assert told["verdicts"]["answer"]["action"] == (action if told["answer"] else PASS.action)
    assert told["passages"][0]["held"] == []
    assert releases.draft("shop").number == 2
