"""The ladder: the best engine that works, has room and time writes; the next one takes over before the first word."""

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from bench.engine_server import EngineServer, Exchange, saying
from chatbot import metrics
from chatbot.engines import Draft, EngineFailed, Kind, Prompt
from chatbot.engines.breaker import Breaker
from chatbot.engines.extractive import ExtractiveEngine
from chatbot.engines.ladder import Attempt, Ladder, Rung
from chatbot.engines.limit import Limit
from chatbot.engines.openai_engine import OpenAIEngine, Patience
from tests.chatbot.engine_prompts import ask, passage
from tests.fakes import Clock, until
from tests.patience import PATIENCE

QUESTION = ask("How long does a refund take?", passage("Refunds take three days."))


def never() -> bool:
    return False


class Scripted:
    """Plays one list a reply, the last one again and again: texts are said, failures raised, the rest called."""

    prompt_version = "1"

    def __init__(self, name: str, *scripts: list[str | EngineFailed | Callable[[], object]]) -> None:
        self.name = self.model = name
        self.scripts = list(scripts)
        self.asked = 0
        self.cut = self.bounded = self.closed = False

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Draft:
        def write(draft: Draft) -> Generator[str, None, None]:
            self.asked += 1
            draft.cut = self.cut
            for step in self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]:
                if cancelled():
                    return
                if isinstance(step, EngineFailed):
                    raise step
                if isinstance(step, str):
                    draft.reply_tokens += 1
                    yield step
                else:
                    step()

        return Draft(self, write, bounded=self.bounded)

    def close(self) -> None:
        self.closed = True


def failing(kind: Kind = "connect") -> EngineFailed:
    return EngineFailed("it broke", retryable=True, kind=kind)


def test_the_first_rung_writes_and_is_named() -> None:
    attempts: list[Attempt] = []
    ladder = Ladder([Rung(Scripted("a", ["Three ", "days."])), Rung(Scripted("b", ["no"]))], attempts.append)
    draft = ladder.stream(QUESTION, never)
    assert list(draft) == ["Three ", "days."]
    assert (draft.writer, draft.prompt_version, draft.degraded, draft.reply_tokens) == ("a:a", "1", False, 2)
    assert [(a.engine, a.result, a.reply_tokens) for a in attempts] == [("a:a", "written", 2)]
    assert (ladder.name, ladder.model) == ("a", "a")  # what the answer cache keeps answers under


@pytest.mark.parametrize("kind", ["connect", "timeout", "dropped", "busy", "server", "protocol", "context", "refused"])
def test_the_next_rung_takes_over_before_the_first_word(kind: Kind) -> None:
    attempts: list[Attempt] = []
    ladder = Ladder([Rung(Scripted("a", [failing(kind)])), Rung(Scripted("b", ["Three days."]))], attempts.append)
    draft = ladder.stream(QUESTION, never)
    assert list(draft) == ["Three days."]
    assert (draft.writer, draft.degraded) == ("b:b", True)
    assert [(a.engine, a.result) for a in attempts] == [("a:a", kind), ("b:b", "written")]


def test_an_engine_that_says_nothing_is_passed_over() -> None:
    assert list(Ladder([Rung(Scripted("a", [])), Rung(Scripted("b", ["Three."]))]).stream(QUESTION, never)) == [
        "Three."
    ]


def test_after_the_first_word_a_failure_is_a_failure() -> None:
    second = Scripted("b", ["Three days."])
    draft = Ladder([Rung(Scripted("a", ["Three ", failing("dropped")])), Rung(second)]).stream(QUESTION, never)
    assert next(draft) == "Three "
    with pytest.raises(EngineFailed, match="broke"):
        list(draft)
    assert draft.writer == "a:a"
    assert second.asked == 0


def test_when_all_fail_the_last_failure_is_told() -> None:
    ladder = Ladder([Rung(Scripted("a", [failing("connect")])), Rung(Scripted("b", [failing("busy")]))])
    with pytest.raises(EngineFailed) as failure:
        list(ladder.stream(QUESTION, never))
    assert failure.value.kind == "busy"


def test_a_broken_rung_is_left_alone_until_a_health_check_and_a_reply_succeed() -> None:
    clock, health = Clock(), [False, True]
    first = Scripted("a", [failing()], [failing()], ["Back."])
    breaker = Breaker(failures=2, rest=1, clock=clock)
    attempts: list[Attempt] = []
    ladder = Ladder(
        [Rung(first, breaker, healthy=lambda: health.pop(0)), Rung(Scripted("b", ["Three."]))], attempts.append
    )
    for _ in range(4):
        assert list(ladder.stream(QUESTION, never)) == ["Three."]
    assert first.asked == 2
    clock.now = 1  # the health check fails: no customer waits for it
    assert list(ladder.stream(QUESTION, never)) == ["Three."]
    assert (first.asked, breaker.state) == (2, "open")
    clock.now = 3
    assert list(ladder.stream(QUESTION, never)) == ["Back."]
    assert (breaker.state, health) == ("closed", [])
    results = [(a.result, a.breaker) for a in attempts if a.engine == "a:a"]
    assert results == [("connect", "closed"), ("connect", "open"), *[("open", "open")] * 3, ("written", "closed")]


@pytest.mark.parametrize("kind", ["busy", "context", "refused", "empty"])
def test_an_engine_that_answers_at_all_is_not_broken(kind: Kind) -> None:
    breaker = Breaker(failures=1)
    ladder = Ladder([Rung(Scripted("a", [failing(kind)]), breaker), Rung(Scripted("b", ["Three."]))])
    list(ladder.stream(QUESTION, never))
    assert breaker.state == "closed"


def test_who_is_too_many_gets_the_next_rung_and_room_comes_back() -> None:
    limit = Limit(2)
    ladder = Ladder([Rung(Scripted("a", ["A ", "good one."]), limit=limit), Rung(Scripted("b", ["Three."]))])
    running = [ladder.stream(QUESTION, never) for _ in range(3)]
    assert [next(draft) for draft in running] == ["A ", "A ", "Three."]
    assert [draft.degraded for draft in running] == [False, False, True]
    running[0].close()
    assert list(running[1]) == ["good one."]
    assert limit.used == 0
    assert list(ladder.stream(QUESTION, never)) == ["A ", "good one."]


def test_a_refusal_for_load_lowers_the_limit() -> None:
    limit = Limit(10)
    ladder = Ladder([Rung(Scripted("a", [failing("busy")]), limit=limit), Rung(Scripted("b", ["Three."]))])
    list(ladder.stream(QUESTION, never))
    assert (limit.now, limit.used) == (7, 0)


@pytest.mark.parametrize(("left", "writer"), [(60.0, "a:a"), (3.0, "b:b"), (-1.0, "b:b")])
def test_a_slow_engine_is_not_asked_when_little_time_is_left(left: float, writer: str) -> None:
    ladder = Ladder([Rung(Scripted("a", ["A."]), seconds=5.0), Rung(Scripted("b", ["B."]), seconds=-float("inf"))])
    prompt = Prompt("How long?", QUESTION.question_vector, (), "en", deadline=time.monotonic() + left)
    draft = ladder.stream(prompt, never)
    assert list(draft)
    assert draft.writer == writer


def test_who_is_cancelled_gets_no_other_engine_and_proves_nothing() -> None:
    gone = threading.Event()
    clock = Clock(1.0)
    breaker = Breaker(failures=1, rest=1, clock=clock)
    breaker.failed()
    clock.now = 2.0
    limit, second, attempts = Limit(4), Scripted("b", ["Three."]), list[Attempt]()
    ladder = Ladder([Rung(Scripted("a", [gone.set, "Three."]), breaker, limit), Rung(second)], attempts.append)
    assert list(ladder.stream(QUESTION, gone.is_set)) == []
    assert second.asked == 0
    assert (breaker.state, breaker.admits(), limit.used) == ("open", True, 0)
    assert [a.result for a in attempts] == ["cancelled"]


@pytest.mark.parametrize("broken", [Breaker(failures=1), None])
def test_an_unexpected_error_gives_its_place_back(broken: Breaker | None) -> None:
    limit = Limit(4)
    ladder = Ladder([Rung(Scripted("a", [lambda: 1 / 0]), broken, limit)])
    with pytest.raises(ZeroDivisionError):
        list(ladder.stream(QUESTION, never))
    assert limit.used == 0


def probing() -> Breaker:
    """A breaker that lets one caller find out."""
    clock = Clock(1.0)
    breaker = Breaker(failures=1, rest=1, clock=clock)
    breaker.failed()
    clock.now = 2.0
    return breaker


@pytest.mark.parametrize("words", [[], ["Three "]])
def test_an_unexpected_error_is_a_failure(words: list[str]) -> None:
    attempts, breaker = list[Attempt](), probing()
    ladder = Ladder([Rung(Scripted("a", [*words, lambda: 1 / 0]), breaker)], attempts.append)
    with pytest.raises(ZeroDivisionError):
        list(ladder.stream(QUESTION, never))
    assert [a.result for a in attempts] == ["failed"]
    assert breaker.state != "half-open"


@pytest.mark.parametrize(("left", "result"), [(False, "cut"), (True, "cancelled")])
def test_a_reply_ended_by_who_reads_it_is_no_customer_gone(left: bool, result: str) -> None:
    gone, attempts, breaker = threading.Event(), list[Attempt](), probing()
    ladder = Ladder([Rung(Scripted("a", ["Three ", "days."]), breaker)], attempts.append)
    draft = ladder.stream(QUESTION, gone.is_set)
    assert next(draft) == "Three "
    if left:
        gone.set()
    draft.close()
    assert ([a.result for a in attempts], breaker.state) == ([result], "closed")


def test_a_reply_that_began_before_the_engine_broke_does_not_prove_it_whole() -> None:
    breaker = Breaker(failures=1)
    draft = Ladder([Rung(Scripted("a", ["Three ", "days."]), breaker)]).stream(QUESTION, never)
    next(draft)
    breaker.failed()
    assert list(draft) == ["days."]
    assert breaker.state == "open"


def test_a_health_check_that_breaks_gives_its_place_and_the_probe_back() -> None:
    breaker, limit = probing(), Limit(4)
    ladder = Ladder([Rung(Scripted("a", ["A."]), breaker, limit, healthy=lambda: bool(1 / 0))])
    with pytest.raises(ZeroDivisionError):
        list(ladder.stream(QUESTION, never))
    assert (breaker.state, limit.used) == ("open", 0)


@pytest.mark.parametrize("so", [False, True])
def test_what_the_engine_tells_of_its_reply_goes_through(so: bool) -> None:
    engine = Scripted("a", ["Three ", "da"])
    engine.cut = engine.bounded = so
    draft = Ladder([Rung(Scripted("b", [failing()])), Rung(engine)]).stream(QUESTION, never)
    next(draft)
    assert draft.bounded == so
    list(draft)
    assert draft.cut == so


def test_closing_closes_all() -> None:
    engines = [Scripted("a", ["A."]), Scripted("b", ["B."])]
    Ladder([Rung(engine) for engine in engines]).close()
    assert all(engine.closed for engine in engines)


def test_every_customer_gets_a_reply_while_the_server_stalls_drops_and_errs() -> None:
    def stalling(exchange: Exchange) -> None:
        exchange.start()
        exchange.wait()

    gate = threading.Event()

    def good(exchange: Exchange) -> None:
        gate.wait(PATIENCE)
        saying("Three ", "days [1].")(exchange)

    scripts = [stalling, lambda e: e.reply(500), Exchange.drop, lambda e: e.reply(429, Retry_After="9"), good]
    attempts: list[Attempt] = []
    with EngineServer(*scripts).running() as server:
        engine = OpenAIEngine(server.url, "deepseek", patience=Patience(*[2 * PATIENCE] * 4))
        ladder = Ladder(
            [Rung(engine, Breaker(failures=50), Limit(4), healthy=engine.healthy), Rung(ExtractiveEngine())],
            attempts.append,
        )
        leaving = [threading.Event() for _ in range(12)]
        with ThreadPoolExecutor(12) as pool:
            drafts = [ladder.stream(QUESTION, gone.is_set) for gone in leaving]
            replies = [pool.submit(list, draft) for draft in drafts]
            until(lambda: sum(reply.done() for reply in replies) >= 8)  # no room for these: quoted at once
            gate.set()
            until(lambda: sum(reply.done() for reply in replies) >= 11)
            for gone in leaving:  # the one before whom the server stalls
                gone.set()
            texts = ["".join(reply.result(PATIENCE)) for reply in replies]
        ladder.close()
    assert sum(not text for text in texts) == 1
    assert {"Three days [1].", "Refunds take three days [1]."} >= {text for text in texts if text}
    assert all(draft.degraded == draft.writer.startswith("extractive") for draft in drafts)
    assert {"written", "full", "cancelled"} <= {attempt.result for attempt in attempts}


def test_what_an_engine_did_is_counted() -> None:
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, {"engine": "played:one", **labels}) or 0.0

    metrics.count_attempt(Attempt("played:one", "written", 0.2, prompt_tokens=7, reply_tokens=3, limit=5))
    metrics.count_attempt(Attempt("played:one", "open", breaker="open", limit=4))
    assert (
        count("kefu_engine_replies_total", result="written") == count("kefu_engine_replies_total", result="open") == 1
    )
    assert count("kefu_engine_first_text_seconds_count") == 1
    assert (count("kefu_engine_tokens_total", kind="read"), count("kefu_engine_tokens_total", kind="written")) == (7, 3)
    assert (count("kefu_engine_open"), count("kefu_engine_limit")) == (1, 4)
