"""The path of a message that was answered before: found, released anew, and told like any other answer."""

from dataclasses import dataclass, field, replace

import pytest

from chatbot.answer_cache import Answer, Key, Look, Versions, answer_of, why_not_kept
from chatbot.engines import EngineFailed
from chatbot.pipeline import Assistant
from chatbot.turn import Conclusion, Interruption, Part, Progress, Turn, TurnEvent, Utterance
from guardrails.lexicon import Lexicon, Word
from guardrails.release import Release
from guardrails.screening import screen_message
from knowledge.passages import Retrieved
from tests.chatbot.test_pipeline import RETURNS, SHIPPING, concluded, parts, say, text_of
from tests.fakes import WORDS, FakeEngine, FakeSearch, lexicon, passage, retrieved, understanding

KEY = Key("shop", Versions("3 None", 3, "g", "v1", "fake:none"), "", "en")
QUESTION = "How long do returns take?"


@dataclass
class FakeCache:
    """Answers by question; remembers what it was asked, handed and told to drop."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    offered: list[Conclusion] = field(default_factory=list)

    def look(self, turn: Turn, base: str, question: str, intent: str, tone: str = "") -> Look:
        self.asked.append((base, question, intent))
        if turn.history:
            return Look()
        return Look(question, intent, turn.conversation, KEY, answer=self.answers.get(question))

    def keep(self, look: Look, found: Retrieved, conclusion: Conclusion) -> None:
        self.offered.append(conclusion)
        if look.key and not look.answer and not why_not_kept(look, found, conclusion):
            kept = answer_of(look, found, conclusion, semantic=False)
            self.answers[look.question] = replace(kept, level="exact")

    def withhold(self, look: Look) -> None:
        del self.answers[look.question]


@dataclass
class Shop:
    """An assistant with a cache; the word list may change between two turns."""

    found: Retrieved = field(default_factory=lambda: retrieved(RETURNS, SHIPPING))
    deltas: tuple[str | EngineFailed, ...] = ("Returns take seven days [1]. ", "Shipping is free [2].")
    words: Lexicon = field(default_factory=lexicon)
    cache: FakeCache = field(default_factory=FakeCache)
    sentiment: str = "neutral"

    def __post_init__(self) -> None:
        self.search, self.engines = FakeSearch(self.found), 0

    def play(self, text: str = QUESTION, *said: Utterance, reason: Interruption = "") -> list[TurnEvent]:
        engine = FakeEngine(*self.deltas)
        assistant = Assistant(
            screen=lambda message: screen_message(message, self.words),
            understand=understanding(sentiment=self.sentiment),
            search=self.search,
            engine=engine,
            release=Release(lambda: self.words),
            say=say,
            cache=self.cache,
        )
        events = list(assistant.answer(Turn(text, "en", said), "shop", lambda: reason))
        self.engines += len(engine.prompts)
        return events


def test_an_answer_is_written_once_and_told_twice_the_same() -> None:
    shop = Shop()
    first, second = shop.play(), shop.play()
    assert shop.engines == len(shop.search.asked) == 1
    one, other = concluded(first), concluded(second)
    assert (other.outcome, other.reason, other.units, other.sources) == (one.outcome, "", one.units, one.sources)
    assert parts(second) == parts(first) == text_of(other)
    assert not [event for event in second if isinstance(event, Progress)]
    assert [source.ref for source in other.sources] == ["r7", "r8"]


def test_the_record_says_that_the_answer_was_kept() -> None:
    shop = Shop()
    shop.play()
    record = concluded(shop.play()).record
    assert (record.engine, record.prompt_version, record.knowledge_version) == ("cache-exact:fake:none", "v1", 3)
    assert (record.intent, record.question, record.confidence) == ("other", QUESTION, 0.8)
    assert record.passages == ((7, 0.9), (8, 0.9))
    assert set(record.milliseconds) == {"screen", "understand", "cache"}


def test_an_faqs_own_words_are_kept_and_told_as_such() -> None:
    faq = passage("Seven days, from the day of delivery.", question=QUESTION)
    shop = Shop(found=retrieved(faq, SHIPPING, exact=True))
    shop.play()
    end = concluded(shop.play())
    assert (end.outcome, text_of(end)) == ("faq", faq.text)
    assert [(s.number, s.heading) for s in end.sources] == [(1, QUESTION)]
    assert len(shop.search.asked) == 1


def test_a_kept_answer_that_todays_word_list_forbids_is_made_anew() -> None:
    shop = Shop()
    shop.play()
    shop.words = Lexicon((*WORDS, Word("seven", "block", "abuse")))
    shop.deltas = ("Within a week [1].",)
    events = shop.play()
    assert text_of(concluded(events)) == parts(events) == "Within a week [1]."
    assert (shop.engines, shop.cache.answers) == (2, {})


def test_of_a_kept_answer_nothing_forbidden_is_shown_when_it_cannot_be_made_anew() -> None:
    shop = Shop()
    shop.play()
    shop.words = Lexicon((*WORDS, Word("free", "block", "abuse")))
    end = concluded(shop.play())
    assert (end.outcome, text_of(end), end.sources) == ("refused", "{refused in en}", ())


def test_a_kept_answers_sources_are_released_anew() -> None:
    shop = Shop(found=retrieved(passage("Returns take seven days. Not in March.", chunk_id=7)))
    shop.deltas = ("Returns take seven days [1].",)
    shop.play()
    shop.words = Lexicon((*WORDS, Word("March", "block", "abuse")))
    end = concluded(shop.play())
    assert (text_of(end), [source.excerpt for source in end.sources]) == ("Returns take seven days [1].", [""])
    assert shop.engines == 1


@pytest.mark.parametrize("text", ["hello", "I want to talk to a human", "you badword, how long?", "of riskword"])
def test_what_needs_no_answer_from_documents_is_not_looked_up(text: str) -> None:
    shop = Shop()
    shop.play(text)
    assert shop.cache.asked == []


def test_what_is_looked_up_is_the_question_that_would_be_searched_for() -> None:
    shop = Shop()
    shop.play("Hello! How long do returns take?")
    shop.play("What about to Canada?", Utterance("customer", "How much is shipping?"))
    assert shop.cache.asked == [
        ("shop", QUESTION, "other"), ("shop", "How much is shipping? What about to Canada?", "other"),
    ]  # fmt: skip
    assert list(shop.cache.answers) == [QUESTION]


def test_without_an_answer_nothing_is_offered() -> None:
    for shop in (
        Shop(found=retrieved(RETURNS, answerable=False)),
        Shop(deltas=(EngineFailed("no memory", retryable=True),)),
        Shop(deltas=("You badword. ",)),
        Shop(deltas=("Seven days. ", "As riskword says. ")),
        Shop(deltas=()),
    ):
        shop.play()
        assert shop.cache.offered == []


@pytest.mark.parametrize("reason", ["stopped", "timeout", "lost"])
def test_what_was_interrupted_is_not_kept(reason: Interruption) -> None:
    shop = Shop(found=retrieved(passage("Seven days.", question=QUESTION), exact=True))
    shop.play(reason=reason)
    assert shop.cache.answers == {}


def test_parts_of_a_kept_answer_are_its_units() -> None:
    shop = Shop()
    shop.play()
    events = shop.play()
    assert tuple(event.unit for event in events if isinstance(event, Part)) == concluded(events).units


def test_what_was_kept_is_told_in_the_manner_of_who_asks_now() -> None:
    shop = Shop(sentiment="negative")
    assert text_of(concluded(shop.play())).startswith("{opening.sorry.1 in en} ")
    [kept] = shop.cache.answers.values()
    assert "opening" not in kept.text
    shop.sentiment = "positive"
    again = shop.play()
    assert text_of(concluded(again)).startswith("{opening.glad.1 in en} ")
    assert parts(again) == text_of(concluded(again))
