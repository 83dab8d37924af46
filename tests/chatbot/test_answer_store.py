"""Answers in a real redis: found again, bounded, dropped, and never missed when redis is away."""

import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import redis

from chatbot import answer_store
from chatbot.answer_cache import Answer, Look, Versions
from chatbot.answer_store import REST_SECONDS, AnswerStore, StoredAnswers
from chatbot.events import LogUnavailable
from chatbot.turn import Conclusion, Outcome, Record, Turn
from knowledge.batching import BatcherFull
from knowledge.passages import Retrieved, Vectors
from tests.fakes import Clock, passage, released, retrieved

FOUND = retrieved(passage("Returns take seven days.", chunk_id=7))
QUESTION = "How long do returns take?"


def unit(degrees: float) -> Vectors:
    return np.asarray([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def finished(text: str = "Seven days [1].", outcome: Outcome = "answered") -> Conclusion:
    record = Record(engine="fake:none", prompt_version="v1", milliseconds={"search": 20.0, "write": 480.0})
    return Conclusion(outcome, "", released(text), record=record)


@dataclass
class Process:
    """The cache of one worker, and what it reported."""

    client: redis.Redis
    embed: Callable[[str], Vectors] | None = None
    clock: Clock = field(default_factory=Clock)
    versions: Versions = field(default_factory=lambda: Versions("3 None", 3, "g1", "v1", "fake:none"))
    reports: list[tuple[str, str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = AnswerStore(self.client)
        self.cache = StoredAnswers(
            self.store,
            lambda base: self.versions,
            embed=self.embed,
            report=lambda *report: self.reports.append(report),
            clock=self.clock,
        )

    def look(
        self, question: str = QUESTION, *, intent: str = "other", base: str = "shop", manner: str = "", **turn: Any
    ) -> Look:
        return self.cache.look(Turn(question, "en", **turn), base, question, intent, manner)

    def answer(
        self, question: str = QUESTION, text: str = "Seven days [1].", found: Retrieved = FOUND, **turn: Any
    ) -> Look:
        """Look, and answer what is not found."""
        look = self.look(question, **turn)
        self.cache.keep(look, found, finished(text))
        return look


def text_of(look: Look) -> str | None:
    return look.answer and look.answer.text


def test_the_same_question_finds_the_answer_in_every_process(redis_client: redis.Redis) -> None:
    one, other = Process(redis_client), Process(redis_client)
    assert one.answer().answer is None
    look = other.look("how long do returns take")
    assert look.answer is not None
    assert (look.answer.text, look.answer.level, look.answer.intent) == ("Seven days [1].", "exact", "other")
    assert [p.chunk_id for p in look.answer.found.passages] == [7]
    assert one.reports == [("look", "miss", 0.0), ("keep", "kept", 0.0)]
    assert other.reports == [("look", "exact", 0.5)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda process: process.look("How long do refunds take?"),
        lambda process: process.look(base="bank"),
        lambda process: process.look(intent="shipping"),
        lambda process: process.look(persona="Your name is Pine."),
        lambda process: process.look(manner="sorry"),
    ],
)
def test_another_question_base_intent_persona_or_manner_finds_nothing(
    redis_client: redis.Redis, ask: Callable[[Process], Look]
) -> None:
    process = Process(redis_client)
    process.answer()
    assert ask(process).answer is None
    assert text_of(process.look()) == "Seven days [1]."


@pytest.mark.parametrize("name", ["knowledge", "guards", "prompt", "engine"])
def test_nothing_made_with_other_versions_is_found(redis_client: redis.Redis, name: str) -> None:
    process = Process(redis_client)
    process.answer()
    process.versions = replace(process.versions, **{name: "another"})
    assert process.look().answer is None


def test_what_is_skipped_says_why_and_leaves_nothing(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.answer("Ring <CN_MOBILE_1>")
    process.cache.keep(process.look(), FOUND, finished(outcome="handed_off"))
    process.cache.keep(process.look(), FOUND, finished("x" * 40_000))
    assert [(what, result) for what, result, _ in process.reports] == [
        ("look", "personal"), ("look", "miss"), ("keep", "outcome"), ("look", "miss"), ("keep", "large"),
    ]  # fmt: skip
    assert not redis_client.keys("kefu:answers:*")


def test_only_json_with_an_end_lies_in_redis(redis_client: redis.Redis) -> None:
    Process(redis_client).answer()
    names = [name.decode() for name in redis_client.keys("kefu:answers:*")]
    [answer] = [name for name in names if name.count(":") == 3]
    assert (redis_client.get(answer) or b"").startswith(b'{"version":2,')
    assert 0 < redis_client.ttl(answer) <= 24 * 3600
    assert b"How long" not in (redis_client.get(answer) or b"")


def test_of_too_many_answers_of_a_key_the_oldest_go(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.cache._store = AnswerStore(redis_client, of_a_key=3, clock=iter(range(1, 100)).__next__)
    for number in range(5):
        process.answer(f"Question number {number}?")
    assert [process.look(f"Question number {number}?").answer is not None for number in range(5)] == [
        False, False, True, True, True,
    ]  # fmt: skip
    process.answer("Of another base?", base="bank")
    assert process.look("Question number 2?").answer is not None


def test_of_too_many_bytes_the_oldest_go_whatever_their_key(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.cache._store = AnswerStore(redis_client, in_all=3_000, clock=iter(range(1, 100)).__next__)
    for number in range(10):
        process.answer(f"Question number {number}?", "x" * 400, base=f"shop{number % 3}")
    kept = [process.look(f"Question number {number}?", base=f"shop{number % 3}").answer for number in range(10)]
    assert kept[0] is None
    assert kept[9] is not None
    sizes = {name: int(size) for name, size in redis_client.hgetall("kefu:answers:sizes").items()}
    assert sizes.pop(b"all") == sum(sizes.values()) <= 3_000
    assert len(sizes) == sum(one is not None for one in kept) == redis_client.zcard("kefu:answers:names")


def test_an_answer_takes_its_own_place_when_it_is_kept_again(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    for text in ("Six days.", "Seven days, but not on Sundays."):
        process.cache.keep(replace(process.look(), answer=None), FOUND, finished(text))
    assert text_of(process.look()) == "Seven days, but not on Sundays."
    sizes = redis_client.hgetall("kefu:answers:sizes")
    assert len(sizes) == 2
    assert len(set(sizes.values())) == 1


def test_what_has_run_out_leaves_no_trace_in_the_bounds(redis_client: redis.Redis) -> None:
    clock = Clock(1_000.0)
    process = Process(redis_client)
    process.cache._store = AnswerStore(redis_client, seconds=60, clock=clock)
    process.answer("The first?")
    clock.now += 61
    process.answer("The second?")
    assert redis_client.zcard("kefu:answers:names") == 1
    assert len(redis_client.hgetall("kefu:answers:sizes")) == 2


# --- dropping


def test_an_erased_conversation_takes_its_answers_with_it(redis_client: redis.Redis) -> None:
    process, mine, anothers = Process(redis_client), uuid.uuid4(), uuid.uuid4()
    process.answer("Mine?", conversation=str(mine))
    process.answer("Another's?", conversation=str(anothers))
    assert process.store.drop_conversation(mine) == 1
    assert process.look("Mine?").answer is None
    assert process.look("Another's?").answer is not None
    assert process.store.drop_conversation(mine) == 0


def test_a_bad_answer_goes_from_under_every_question(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.answer("One?", "Bad.")
    process.answer("Two?", "Bad.")
    process.answer("Three?", "Good.")
    assert process.store.drop_text("Bad.") == 2
    assert [text_of(process.look(q)) for q in ("One?", "Two?", "Three?")] == [None, None, "Good."]


def test_a_purged_chunk_takes_the_answers_from_it(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.answer("One?", found=retrieved(passage("a", chunk_id=1), passage("b", chunk_id=2)))
    process.answer("Two?", found=retrieved(passage("c", chunk_id=3)))
    assert process.store.drop_chunks([2, 9]) == 1
    assert [process.look(q).answer is not None for q in ("One?", "Two?")] == [False, True]


def test_everything_can_go(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_store, "BATCH", 2)
    process = Process(redis_client)
    for number in range(5):
        process.answer(f"Question number {number}?")
    assert process.store.drop_all() == 5
    assert redis_client.hgetall("kefu:answers:sizes") == {b"all": b"0"}
    assert set(redis_client.keys("kefu:answers*")) == {b"kefu:answers:sizes", b"kefu:answers:epoch"}


DROPS: list[Callable[[AnswerStore], int]] = [
    lambda store: store.drop_conversation("c1"),
    lambda store: store.drop_text("Bad."),
    lambda store: store.drop_chunks([9]),
    lambda store: store.drop_all(),
]


@pytest.mark.parametrize("drop", DROPS)
def test_an_answer_that_was_being_written_while_others_were_dropped_is_not_kept(
    redis_client: redis.Redis, drop: Callable[[AnswerStore], int]
) -> None:
    process = Process(redis_client)
    look = process.look(conversation="c1")
    drop(process.store)
    process.cache.keep(look, FOUND, finished())
    assert process.look().answer is None
    assert process.reports[1] == ("keep", "dropped", 0.0)
    process.answer(conversation="c2")
    assert text_of(process.look()) == "Seven days [1]."


def test_an_erased_conversation_keeps_nothing_more_and_others_do(redis_client: redis.Redis) -> None:
    process, other = Process(redis_client), Process(redis_client)
    running = other.look("Another's?", conversation="c2")
    process.store.drop_conversation("c1")
    process.answer("Mine?", conversation="c1")
    other.cache.keep(running, FOUND, finished())
    assert process.look("Mine?").answer is None
    assert process.look("Another's?").answer is not None
    assert 0 < redis_client.ttl("kefu:answers-of:c1") <= answer_store.GONE_SECONDS


def test_an_erased_conversation_reads_its_own_answers_alone(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(redis_client)
    for number in range(5):
        process.answer(f"Question number {number}?", conversation=f"c{number % 2}")
    monkeypatch.setattr(process.store, "many", None)
    monkeypatch.setattr(process.store, "get", None)
    assert process.store.drop_conversation("c1") == 2
    assert [process.look(f"Question number {number}?").answer is not None for number in range(5)] == [
        True, False, True, False, True,
    ]  # fmt: skip


def test_what_a_conversation_has_left_is_named_as_long_as_it_is_there(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.cache._store = AnswerStore(redis_client, of_a_key=2, clock=iter(range(1, 100)).__next__)
    for number in range(3):
        process.answer(f"Question number {number}?", conversation=f"c{number}")
    assert not redis_client.exists("kefu:answers-of:c0")
    assert redis_client.scard("kefu:answers-of:c1") == 1
    assert 0 < redis_client.ttl("kefu:answers-of:c1") <= 24 * 3600
    process.cache.keep(replace(process.look("Question number 2?", conversation="c3"), answer=None), FOUND, finished())
    assert not redis_client.exists("kefu:answers-of:c2")
    assert process.store.drop_conversation("c2") == 0
    assert process.look("Question number 2?").answer is not None
    process.store.drop_all()
    assert not redis_client.exists("kefu:answers-of:c1", "kefu:answers-of:c3", "kefu:answers:askers")


def test_an_answer_that_release_withholds_is_dropped(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.answer()
    process.cache.withhold(process.look())
    assert process.look().answer is None
    process.cache.withhold(process.look("Never asked?"))


# --- redis away


def away() -> redis.Redis:
    return redis.Redis(unix_socket_path="/nowhere/redis.sock", retry=None)


def test_while_redis_is_away_nothing_is_found_and_nothing_fails(redis_client: redis.Redis) -> None:
    process = Process(away())
    process.answer()
    assert [(what, result) for what, result, _ in process.reports] == [("look", "away"), ("keep", "away")]
    process.cache.withhold(replace(process.look(), answer=None))
    process.clock.now += REST_SECONDS
    look = process.look()
    process.cache._store = Process(redis_client).store
    process.clock.now += REST_SECONDS
    process.cache.keep(look, FOUND, finished())
    assert process.reports[-1] == ("keep", "away", 0.0)
    with pytest.raises(LogUnavailable):
        process.store.drop_conversation("c1")


def test_redis_is_asked_again_only_after_a_rest(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.answer()
    process.cache._store = AnswerStore(away())
    assert process.look().answer is None
    process.cache._store = process.store
    assert process.look().answer is None
    process.clock.now += REST_SECONDS
    assert process.look().answer is not None


def test_what_somebody_else_wrote_there_is_no_answer(redis_client: redis.Redis) -> None:
    process = Process(redis_client)
    process.answer()
    [name] = [name for name in redis_client.keys("kefu:answers:*") if name.count(b":") == 3]
    redis_client.set(name, b"\x80\x04")
    assert process.look().answer is None
    redis_client.delete(name)
    redis_client.lpush(name, "a list")
    assert process.look().answer is None


# --- the semantic level

ANGLES = {QUESTION: 0.0, "How long does a return take?": 3.0, "How long don't returns take?": 3.0, "Pets?": 80.0}


def embed(question: str) -> Vectors:
    return unit(ANGLES[question])


def test_another_wording_finds_the_answer_when_vector_intent_and_facts_agree(redis_client: redis.Redis) -> None:
    one, other = Process(redis_client, embed), Process(redis_client, embed)
    one.answer()
    look = other.look("How long does a return take?")
    assert look.answer is not None
    assert (look.answer.text, look.answer.level) == ("Seven days [1].", "semantic")
    assert len(look.answer.found.passages) == 1
    assert other.look("Pets?").answer is None
    assert other.look("How long don't returns take?").answer is None
    assert other.look("How long does a return take?", intent="shipping").answer is None
    assert other.look("How long does a return take?", base="bank").answer is None
    assert [result for _, result, _ in other.reports] == ["semantic", "miss", "miss", "miss", "miss"]


def test_without_the_semantic_level_another_wording_finds_nothing(redis_client: redis.Redis) -> None:
    Process(redis_client, embed).answer()
    assert Process(redis_client).look("How long does a return take?").answer is None


def test_what_is_dropped_is_not_found_by_another_wording(redis_client: redis.Redis) -> None:
    one, other = Process(redis_client, embed), Process(redis_client, embed)
    one.answer()
    assert other.look("How long does a return take?").answer is not None
    one.store.drop_all()
    assert other.look("How long does a return take?").answer is None
    one.answer()
    assert other.look("How long does a return take?").answer is not None


def test_an_embedder_that_is_too_busy_makes_a_miss(redis_client: redis.Redis) -> None:
    def busy(question: str) -> Vectors:
        raise BatcherFull

    process = Process(redis_client, busy)
    process.answer()
    assert [(what, result) for what, result, _ in process.reports] == [("look", "miss"), ("keep", "kept")]


def test_a_process_holds_the_questions_of_so_many_keys(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_store, "MIRRORS", 2)
    monkeypatch.setattr(answer_store, "OF_A_KEY", 2)
    process = Process(redis_client, lambda question: unit(float(len(question))))
    for base in ("a", "b", "c"):
        for number in range(4):
            process.answer("?" * number + "x", base=base)
    assert len(process.cache._mirrors) == 2
    assert all(len(mirror._rows) <= 2 for mirror in process.cache._mirrors.values())


def test_two_that_ask_at_once_do_not_wait_for_each_others_reading(redis_client: redis.Redis) -> None:
    Process(redis_client, embed).answer()
    process, both = Process(redis_client, embed), threading.Barrier(2, timeout=5)

    class Slow(AnswerStore):
        def many(self, names: Sequence[str]) -> list[Answer | None]:
            both.wait()
            return super().many(names)

    process.cache._store = Slow(redis_client)
    with ThreadPoolExecutor(2) as threads:
        looks = list(threads.map(lambda _: process.look("How long does a return take?"), range(2)))
    assert [text_of(look) for look in looks] == ["Seven days [1]."] * 2
