"""What a manager publishes of the shop's own contacts is shown, asked and told everywhere; what is masked, nowhere."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from chatbot import services, worker_wiring
from chatbot.engines.extractive import ExtractiveEngine
from chatbot.guards import Guards
from chatbot.knowledge_bases import KnowledgeBases
from chatbot.models import Conversation, Site
from chatbot.pipeline import Assistant
from chatbot.turn import Conclusion, Turn, Utterance
from config.environment import config
from desk import wiring
from guardrails.personal_data.detector import Detector
from guardrails.release import Release
from guardrails.screening import screen_message
from knowledge import editing, importing
from knowledge.loading import Loader
from knowledge.models import DocumentVersion
from knowledge.retrieval import Retriever
from tests.fakes import FakeEngine, lexicon, understanding
from tests.knowledge.tooling import made

pytestmark = [pytest.mark.models, pytest.mark.django_db]
MOBILE, SPELLED, THEIRS = "13812340099", "138-1234-0099", "13955550001"
PAGE = f"""# 报修

## 锅炉报修

锅炉报修请找王师傅，手机 {MOBILE}，全天都可以打。

## 配送

配送到市区需要两天，运费十二元。
"""


@dataclass
class Shop:
    """A base with a document, and an assistant over it with the guards of a worker."""

    bases: KnowledgeBases
    guards: Guards

    def ask(self, text: str, *history: Utterance, engine: Any = None) -> Conclusion:
        self.bases.look()
        assistant = Assistant(
            screen=lambda said: screen_message(said, lexicon(), self.guards.on_messages),
            understand=understanding(),
            search=self.bases.search,
            engine=engine or ExtractiveEngine(),
            release=Release(lexicon, self.guards.on_units),
            say=worker_wiring.say,
        )
        *_, last = assistant.answer(Turn(text, "zh", history), "shop", lambda: "")
        assert isinstance(last, Conclusion)
        return last


def said(conclusion: Conclusion) -> str:
    """Everything of it that a customer sees."""
    return "".join(unit.text for unit in conclusion.units) + str(conclusion.sources)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, detector: Detector, db: None) -> Shop:
    if not (config().models / "e5-small").is_dir():
        pytest.skip("the embedding model is not prepared: run `make models`")
    monkeypatch.setattr(wiring, "masking", lambda: detector)
    embedder = worker_wiring.embedder()
    bases = KnowledgeBases(
        lambda: Loader(embedder.model_id),
        lambda index, _: Retriever(index, worker_wiring.embed_query(), threshold=0.0),  # what is found, is answered
    )
    return Shop(bases, Guards(embedder, config().models))


def bring(then: str = "urgent", base: str = "shop") -> DocumentVersion:
    taken = importing.take_in(base, "repairs.md", PAGE.encode(), then=then)
    assert taken.version is not None
    return made(taken.version, wiring.tools("shop"))


def decide(version: DocumentVersion, decision: str) -> DocumentVersion:
    """As a manager does, for the number."""
    [finding] = [row for row in version.findings if row["entity"] == "CN_MOBILE"]
    new = editing.decide(version.document, version.number, {finding["id"]: decision}, then="urgent")
    return made(new, wiring.tools("shop"))


def conversation() -> Conversation:
    site = Site.objects.create(key="shop", name="Shop", knowledge_base="shop")
    return Conversation.objects.create(site=site, visitor=uuid.uuid4())


def test_a_number_is_masked_until_a_manager_publishes_it_and_again_when_it_is_masked(shop: Shop) -> None:
    question = "锅炉报修打哪个手机？"
    undecided = bring()
    assert MOBILE not in said(shop.ask(question))
    published = decide(undecided, "publish")
    assert MOBILE in said(shop.ask(question))
    assert shop.bases.contacts("shop") == {MOBILE}
    decide(published, "mask")
    assert MOBILE not in said(shop.ask(question))
    assert shop.bases.contacts("shop") == frozenset()


def test_what_is_published_is_not_masked_in_what_people_write(shop: Shop, detector: Detector) -> None:
    chat = conversation()
    version = bring()
    text = f"我的手机是{THEIRS}，你们的是{SPELLED}吗？"

    def masked() -> list[str]:
        _, findings = services.personal_data(chat, text, find=detector.find)
        return [text[one.start : one.end] for one in findings]

    assert masked() == [THEIRS, SPELLED]
    decide(version, "publish")
    assert masked() == [THEIRS]


def test_what_one_document_publishes_the_next_one_shows_in_any_spelling(shop: Shop) -> None:
    decide(bring(), "publish")
    page = f"# 值班\n\n值班表：王师傅 {SPELLED}，周三；李师傅 {THEIRS}，周四。\n"
    taken = importing.take_in("shop", "duty.md", page.encode())
    assert taken.version is not None
    version = made(taken.version, wiring.tools("shop"))
    numbers = [(row["value"], row["shown"]) for row in version.findings if row["entity"] == "CN_MOBILE"]
    assert numbers == [(SPELLED, True), (THEIRS, False)]


@pytest.mark.parametrize(
    ("reply", "is_shown"),
    [
        (f"您可以拨打 {MOBILE} 联系我们。", True),
        (f"您可以拨打 {SPELLED} 联系我们。", True),
        (f"您可以拨打 {THEIRS} 联系我们。", False),
        (f"您可以拨打 {MOBILE[:-1]}8 联系我们。", False),
        ("请写信到 wang.fang@mail.example。", False),
    ],
)
def test_a_model_may_tell_the_shops_number_whatever_was_found_and_nobody_elses(
    shop: Shop, reply: str, is_shown: bool
) -> None:
    decide(bring(), "publish")
    conclusion = shop.ask("配送到市区要几天？", engine=FakeEngine(reply))
    assert conclusion.outcome == ("answered" if is_shown else "handed_off")
    assert (reply in said(conclusion)) == is_shown


def test_what_another_base_publishes_is_not_told_as_this_ones(shop: Shop) -> None:
    decide(bring(base="other"), "publish")
    bring()
    shop.bases.search("报修电话", "other")
    conclusion = shop.ask("配送到市区要几天？", engine=FakeEngine(f"您可以拨打 {MOBILE} 联系我们。"))
    assert shop.bases.contacts("other") == {MOBILE}
    assert (conclusion.outcome, shop.bases.contacts("shop")) == ("handed_off", frozenset())


def test_a_number_that_is_published_no_longer_is_not_told_either(shop: Shop) -> None:
    decide(decide(bring(), "publish"), "mask")
    earlier = (Utterance("customer", "报修电话？"), Utterance("bot", f"请拨打 {MOBILE}。"))
    conclusion = shop.ask("配送到市区要几天？", *earlier, engine=FakeEngine(f"您可以拨打 {MOBILE} 联系我们。"))
    assert MOBILE not in said(conclusion)
