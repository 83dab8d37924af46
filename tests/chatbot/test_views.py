"""What operators and their machines ask."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from chatbot import metrics, views, wiring
from chatbot.events import EventLog
from chatbot.models import Site
from guardrails.personal_data.pool import MaskingUnavailable
from tests.conftest import RedisServer
from tests.fakes import FakeFind, until
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db


@pytest.fixture
def find(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> FakeFind:
    """A web process whose parts all work, and a worker that has reported."""
    find = FakeFind()
    cache.clear()
    monkeypatch.setattr(wiring, "event_log", lambda: log)
    monkeypatch.setattr(wiring, "masking", lambda: SimpleNamespace(find=find))
    log.report_worker("w1", seconds=60)
    return find


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_a_process_that_runs_is_healthy_whatever_else_is_broken(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_it_is_ready_when_every_part_is(client: Client, find: FakeFind) -> None:
    parts = {"ready": True, "database": "ok", "redis": "ok", "worker": "ok", "masking": "ok"}
    assert ready(client) == (200, parts)


def test_asking_again_soon_costs_nothing_and_soon_after_is_asked_anew(
    client: Client, find: FakeFind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "READY_SECONDS", 2 * PATIENCE)
    assert [ready(client)[0] for _ in range(3)] == [200, 200, 200]
    assert len(find.asked) == 1
    cache.clear()
    monkeypatch.setattr(views, "READY_SECONDS", 0.3)
    # Asked all the time: that must not keep the old answer alive.
    until(lambda: ready(client) and len(find.asked) == 3)


def test_without_a_worker_it_is_not_ready(client: Client, find: FakeFind, log: EventLog) -> None:
    log._redis.flushall()
    status, parts = ready(client)
    assert (status, parts["ready"], parts["redis"]) == (503, False, "ok")
    assert "worker" in parts["worker"]


def test_without_redis_it_is_not_ready(client: Client, find: FakeFind, redis_running: RedisServer) -> None:
    redis_running.kill()
    try:
        status, parts = ready(client)
    finally:
        redis_running.start()
    assert (status, parts["ready"], parts["database"], parts["masking"]) == (503, False, "ok", "ok")
    assert parts["redis"] == parts["worker"] == "ConnectionError"


def test_without_masking_it_is_not_ready(client: Client, find: FakeFind) -> None:
    find.failure = MaskingUnavailable("full")
    status, parts = ready(client)
    assert (status, parts["masking"], parts["worker"]) == (503, "unavailable", "ok")


def test_without_its_tables_it_is_not_ready(client: Client, find: FakeFind, monkeypatch: pytest.MonkeyPatch) -> None:
    real = connection.cursor

    class Broken:
        def __enter__(self) -> "Broken":
            self.cursor = real()
            return self

        def __exit__(self, *_: object) -> None:
            self.cursor.close()

        def execute(self, sql: str) -> None:
            self.cursor.execute("SELECT 1 FROM no_such_table")

    monkeypatch.setattr(connection, "cursor", Broken)
    status, parts = ready(client)
    assert (status, parts["redis"]) == (503, "ok")
    assert parts["database"] in ("OperationalError", "ProgrammingError")  # SQLite's name for it, and PostgreSQL's


def test_what_is_wrong_is_said_without_secrets(client: Client, find: FakeFind, redis_running: RedisServer) -> None:
    redis_running.kill()
    try:
        text = client.get("/readyz").content.decode()
    finally:
        redis_running.start()
    assert str(redis_running.socket) not in text
    assert "Traceback" not in text


def test_every_metric_is_served_in_prometheus_format(client: Client, find: FakeFind, log: EventLog) -> None:
    log._redis.rpush("turns", "a", "b", "c")
    answer = client.get("/metrics")
    assert answer["Content-Type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(answer.content.decode())}
    assert {metric.describe()[0].name for metric in metrics.ALL} <= families.keys()
    lengths = {s.labels["queue"]: s.value for s in families["kefu_queue_length"].samples}
    assert lengths == {"turns": 3, "judging": 0, "desk": 0, "sweep": 0}


def test_metrics_are_served_without_redis(client: Client, find: FakeFind, redis_running: RedisServer) -> None:
    redis_running.kill()
    try:
        assert client.get("/metrics").status_code == 200
    finally:
        redis_running.start()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/"])
def test_pages_are_read_only(path: str, client: Client, find: FakeFind) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.parametrize(
    ("query", "language"), [("", "zh"), ("?lang=en", "en"), ("?lang=zh-CN", "zh"), ("?lang=<x>", "en")]
)
def test_the_demo_page_carries_the_widget_in_its_language(query: str, language: str, client: Client) -> None:
    Site.objects.create(key="demo", name="Demo", knowledge_base="demo")
    page = client.get(f"/{query}").content.decode()
    assert 'data-key="demo"' in page
    assert f'lang="{language}' in page
    assert "<x>" not in page


def test_the_demo_page_without_its_shop_is_no_error(client: Client) -> None:
    assert client.get("/").status_code == 200


def test_a_page_learns_how_its_chat_looks(client: Client, db: None) -> None:
    Site.objects.create(
        key="shop", name="Shop", knowledge_base="shop",
        widget={"colour": "#1f6b54", "side": "left", "launcher": {"zh": "联系客服", "en": "Chat"}, "csat": False},
    )  # fmt: skip
    answer = client.get("/look/shop/?language=en")
    assert answer.json() == {"colour": "#1f6b54", "side": "left", "launcher": "Chat"}
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in answer["Cache-Control"]
    assert client.get("/look/shop/?language=zh-hant").json()["launcher"] == "聯繫客服"
    assert client.get("/look/nobody/").json() == {}
    assert client.get("/look/shop%00/").json() == {}  # PostgreSQL takes no NUL
