"""A verdict comes from a worker in time, or there is none."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from kombu.exceptions import OperationalError

from chatbot import asking, judging, queueing
from chatbot.judging import GuardsUnavailable, Judging
from guardrails.verdict import PASS, Verdict
from tests.conftest import RedisServer
from tests.fakes import until
from tests.patience import PATIENCE

SHORT = 0.15
REVIEW = Verdict("review", "classifier", ("toxicity",), 0.7)


def client_of(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, socket_timeout=2 * PATIENCE, retry=None)


@pytest.fixture(autouse=True)
def _verdicts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "SECONDS", PATIENCE)


def judging_by(client: redis.Redis, queue: Callable[[str], None], seconds: float = PATIENCE, **options: Any) -> Judging:
    return Judging(client, queue, queue_name="q", seconds=seconds, **options)


class Worker:
    """Judges what is queued, in threads of its own; `before` runs ahead of each verdict."""

    def __init__(self, client: redis.Redis, verdict: Verdict = PASS, before: Callable[[], None] = lambda: None) -> None:
        self.client, self.verdict, self.before = client, verdict, before
        self.ids: list[str] = []
        self.seen: list[str] = []
        self.answered: list[bool] = []
        self.threads: list[threading.Thread] = []

    def __call__(self, id_: str) -> None:
        self.ids.append(id_)
        self.threads.append(threading.Thread(target=self.work, args=(id_,)))
        self.threads[-1].start()

    def work(self, id_: str) -> None:
        self.before()

        def judge(text: str) -> Verdict:
            self.seen.append(text)
            return self.verdict

        self.answered.append(judging.answer(id_, judge, client=self.client))

    def join(self) -> None:
        for thread in self.threads:
            thread.join(PATIENCE)


@contextmanager
def refused(why: str) -> Iterator[None]:
    """Without waiting for as long as a verdict may take, unless that is short."""
    started = time.monotonic()
    with pytest.raises(GuardsUnavailable) as error:
        yield
    assert error.value.why == why
    assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("verdict", [PASS, REVIEW, Verdict("block", "leak", ("canary",), 1.0)])
def test_a_worker_gives_its_verdict_and_nothing_stays_in_redis(redis_client: redis.Redis, verdict: Verdict) -> None:
    worker, results = Worker(redis_client, verdict), []
    judge = judging_by(redis_client, worker, report=lambda result, _: results.append(result))
    assert judge.ask("早上好 \ud800 <CN_MOBILE_1>") == verdict
    worker.join()
    assert worker.seen == ["早上好 ? <CN_MOBILE_1>"]
    assert (worker.answered, results) == ([True], [verdict.action])
    assert redis_client.keys() == []


def test_only_a_random_id_is_queued(redis_client: redis.Redis) -> None:
    worker = Worker(redis_client)
    judge = judging_by(redis_client, worker)
    for _ in range(2):
        judge.ask("What I say.")
    worker.join()
    assert [len(id_) for id_ in worker.ids] == [32, 32]
    assert len(set(worker.ids)) == 2


def test_a_dead_worker_is_no_verdict_and_the_text_is_gone(redis_client: redis.Redis) -> None:
    ids: list[str] = []
    with refused("late"):
        judging_by(redis_client, ids.append, SHORT).ask("Hello.")
    assert redis_client.keys() == []
    assert judging.answer(ids[0], lambda text: PASS, client=redis_client) is False


def test_a_slow_workers_verdict_comes_too_late_and_fades(redis_client: redis.Redis) -> None:
    go = threading.Event()
    judged = threading.Event()
    worker = Worker(redis_client)

    def judge(text: str) -> Verdict:
        judged.set()
        go.wait(PATIENCE)
        return PASS

    def queue(id_: str) -> None:
        worker.ids.append(id_)
        redis_client.persist(f"kefu:question:{id_}")  # however late the thread begins
        threading.Thread(target=lambda: worker.answered.append(answer(id_))).start()
        judged.wait(PATIENCE)

    def answer(id_: str) -> bool:
        return judging.answer(id_, judge, client=redis_client)

    with refused("late"):
        judging_by(redis_client, queue, 1.0).ask("Hello.")
    assert judged.is_set()
    go.set()
    until(lambda: worker.answered)
    [left] = redis_client.keys()
    assert 0 < redis_client.pttl(left) <= 1000 * PATIENCE


def test_a_guard_that_failed_in_the_worker_is_no_verdict(redis_client: redis.Redis) -> None:
    worker = Worker(redis_client, Verdict("block", None, ("guard_failed",)))
    with refused("failed"):
        judging_by(redis_client, worker).ask("Hello.")
    worker.join()


def test_without_redis_there_is_no_verdict(redis_client: redis.Redis, redis_running: RedisServer) -> None:
    judge = judging_by(client_of(redis_running), lambda id_: None)
    redis_running.kill()
    try:
        with refused("redis"):
            judge.ask("Hello.")
    finally:
        redis_running.start()


def test_a_redis_that_dies_while_one_waits_is_no_verdict(redis_client: redis.Redis, redis_running: RedisServer) -> None:
    judge = judging_by(client_of(redis_running), lambda id_: redis_running.kill())
    try:
        with refused("redis"):
            judge.ask("Hello.")
    finally:
        redis_running.start()


@pytest.mark.parametrize("failure", [OperationalError("away"), redis.ConnectionError("away")])
def test_a_broker_that_is_away_is_no_verdict(redis_client: redis.Redis, failure: Exception) -> None:
    def queue(id_: str) -> None:
        raise failure

    with refused("redis"):
        judging_by(redis_client, queue).ask("Hello.")
    assert redis_client.keys() == []


def test_nobody_asks_while_too_many_wait(redis_client: redis.Redis) -> None:
    redis_client.rpush("q", *range(asking.MOST_WAITING))
    worker = Worker(redis_client)
    with refused("busy"):
        judging_by(redis_client, worker).ask("Hello.")
    assert (worker.ids, redis_client.keys()) == ([], [b"q"])


def test_the_log_says_that_a_text_was_not_judged_but_not_the_text(
    redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    results: list[str] = []
    judge = judging_by(redis_client, lambda id_: None, 0.01, report=lambda result, _: results.append(result))
    with refused("late"):
        judge.ask("My own words.")
    assert "late" in caplog.text
    assert "own words" not in caplog.text
    assert results == ["late"]


def test_what_is_queued_is_an_id_on_the_workers_own_queue_and_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []

    class Broker:
        def send_task(self, name: str, arguments: object, **options: object) -> None:
            sent.append((name, arguments, options))

    monkeypatch.setattr(queueing, "current_app", Broker())
    queueing.queue_judging("ab12", seconds=2.0)
    options = {"queue": "judging", "retry": False, "expires": 2.0}
    assert sent == [("chatbot.tasks.judge_text", ("ab12",), options)]
