"""The system room: how everything is, what is set, what is kept, and programs' keys."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client
from pydantic import SecretStr

from api import tokens
from api.models import ApiToken
from chatbot import metrics, wiring
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Site
from config.environment import Config
from console import append_only, audit
from console.models import AuditEntry
from guardrails.personal_data.pool import MaskingUnavailable
from knowledge.models import KnowledgeBase
from rooms.system import selectors
from tests.conftest import RedisServer
from tests.console.conftest import log, site, staff  # noqa: F401  fixtures
from tests.console.pages import actions, signed_in
from tests.fakes import FakeFind

pytestmark = pytest.mark.django_db

FORM = {"name": "crm", "base": "shop", "scope": "edit", "days": ""}


@pytest.fixture
def root(site: Site) -> Client:  # noqa: F811
    return signed_in(staff("root", "administrator"))


@pytest.fixture
def base(site: Site) -> KnowledgeBase:  # noqa: F811
    return KnowledgeBase.objects.create(slug="shop", name="The Shop")


class Away:
    """A redis or a masker that does not answer."""

    def __getattr__(self, name: str) -> Any:
        def away(*args: Any, **options: Any) -> Any:
            raise MaskingUnavailable if name == "find" else LogUnavailable

        return away


@pytest.fixture
def running(log: EventLog, redis_running: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """All parts are there, but no worker."""
    monkeypatch.setattr(wiring, "event_log", lambda: log)
    monkeypatch.setattr(wiring, "masking", lambda: SimpleNamespace(find=FakeFind()))
    monkeypatch.setattr(settings, "REDIS_URL", redis_running.url)
    monkeypatch.setattr(selectors.celery_app.control, "broadcast", lambda *_, **__: [{"desk@host": {"ok": "pong"}}])


def states() -> dict[str, str]:
    return {part.name: part.state for part in selectors.parts()}


def test_each_part_says_how_it_is(running: None, log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    assert states() == {
        "web": "ok",
        "database": "ok",
        "redis": "ok",
        "masking": "ok",
        "worker": "bad",
        "desk": "ok",
        "disk": states()["disk"],
    }
    monkeypatch.setattr(log, "workers_alive", lambda: 2)
    monkeypatch.setattr(selectors.celery_app.control, "broadcast", lambda *_, **__: [])
    monkeypatch.setattr(wiring, "masking", Away)
    found = states()
    assert (found["worker"], found["desk"], found["masking"]) == ("ok", "warn", "bad")
    monkeypatch.setattr(wiring, "event_log", Away)
    found = states()
    assert (found["redis"], found["worker"], found["desk"]) == ("bad", "bad", "bad")
    assert dict(selectors.waiting())["queue_turns"] is None


def test_a_part_that_is_down_is_said_in_plain_words(
    root: Client, running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "masking", Away)
    page = root.get("/staff/system/health/").content.decode()
    assert "new messages are refused rather than stored unmasked" in page
    assert "Something does not work" in page
    assert "Traceback" not in page


def test_the_ladder_shows_what_the_workers_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "limits", lambda: SimpleNamespace(engine=["openai", "transformers", "extractive"]))
    samples = [
        ("kefu_engine_open", {"engine": "openai:m"}, 1.0),
        ("kefu_engine_limit", {"engine": "openai:m"}, 12.0),
        ("kefu_engine_replies_total", {"engine": "openai:m", "result": "written"}, 5.0),
        ("kefu_engine_replies_total", {"engine": "openai:m", "result": "connect"}, 3.0),
        ("kefu_engine_open", {"engine": "extractive:quotes"}, 0.0),
        ("kefu_swept_total", {"what": "x"}, 9.0),
    ]
    monkeypatch.setattr(selectors, "_samples", lambda: iter(samples))
    assert selectors.engines() == [
        selectors.Rung("openai:m", True, 12, 5, 3),
        selectors.Rung("extractive:quotes", False, None, 0, 0),
        selectors.Rung("transformers"),
    ]


def test_the_metrics_of_engines_have_the_names_that_the_ladder_reads() -> None:
    metrics.ENGINE_OPEN.labels("test:system").set(1)
    assert any(
        name == "kefu_engine_open" and labels["engine"] == "test:system" for name, labels, _ in selectors._samples()
    )
    metrics.ENGINE_OPEN.remove("test:system")


# --- options


SECRETS = {
    "secret_key": "sk-one",
    "secret_key_fallbacks": ["sk-two"],
    "engine_key": SecretStr("sk-three"),
    "database_url": "postgres://kefu:pg-pass@db.example:5432/kefu",
    "redis_url": "redis://:redis-pass@cache.example:6379/0",
    "engine_url": "http://user:engine-pass@gpu.example:8000/v1?key=query-secret",
    "milvus_url": "http://user:milvus-pass@vectors.example",
    "engine": ["openai", "extractive"],
    "engine_model": "m",
}


def test_no_secret_is_ever_shown(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "limits", lambda: Config(**SECRETS))
    page = root.get("/staff/system/options/").content.decode()
    for word in ("sk-one", "sk-two", "sk-three", "-pass", "query-secret", "user:"):
        assert word not in page, word
    for shown in ("KEFU_ENGINE_KEY", "set, not shown", "db.example:5432", "gpu.example:8000", "openai, extractive"):
        assert shown in page, shown


def test_every_option_is_shown_with_what_it_does_and_whether_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        wiring, "limits", lambda: Config(cache_hours=3.0, redis_url="unix:///run/redis.sock?password=p")
    )
    found = {one.name: one for one in selectors.options()}
    assert set(found) == {f"KEFU_{name.upper()}" for name in Config.model_fields}
    assert (found["KEFU_CACHE_HOURS"].value, found["KEFU_CACHE_HOURS"].changed) == ("3.0", True)
    assert not found["KEFU_REVIEW_SECONDS"].changed
    assert all(one.description for one in found.values())
    assert found["KEFU_REDIS_URL"].value == "unix://…"


# --- the audit log


def test_an_audit_log_that_was_changed_shows(root: Client, transactional_db: None) -> None:
    audit.record(None, "something", target=("thing", 1))
    assert "It holds" in root.post("/staff/system/records/").content.decode()
    from django.db import connection

    append_only.release(connection)
    try:
        AuditEntry.objects.filter(action="something").update(actor_name="somebody")
    finally:
        append_only.protect(connection)
    page = root.post("/staff/system/records/").content.decode()
    assert "It does not hold from entry" in page


# --- programs' keys


def test_a_token_is_made_shown_once_and_revoked(root: Client, base: KnowledgeBase) -> None:
    answer = root.post("/staff/system/programs/", FORM | {"days": "30"})
    token = re.search(r'id="token"[^>]*>([^<]+)<', answer.content.decode())
    assert token
    found = tokens.find(token[1])
    assert found is not None
    assert (found.name, found.scope, found.base, found.author_id is not None) == ("crm", "edit", base, True)
    assert found.expires is not None
    assert token[1] not in root.get("/staff/system/programs/").content.decode()
    root.post(f"/staff/system/programs/{found.pk}/revoke/")
    assert tokens.find(token[1]) is None
    assert {"make_token", "revoke_token"} <= set(actions())
    root.post(f"/staff/system/programs/{found.pk}/revoke/")
    assert actions().count("revoke_token") == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "required"),
        ({"base": "nowhere"}, "valid choice"),
        ({"scope": "everything"}, "valid choice"),
        ({"days": "0"}, "greater than"),
        ({"days": "x"}, "whole number"),
    ],
)
def test_a_token_that_cannot_be_is_refused(
    root: Client, base: KnowledgeBase, changes: dict[str, str], said: str
) -> None:
    answer = root.post("/staff/system/programs/", FORM | changes)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_two_tokens_have_two_names(root: Client, base: KnowledgeBase) -> None:
    root.post("/staff/system/programs/", FORM)
    assert "already a token of that name" in root.post("/staff/system/programs/", FORM).content.decode()
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_pages_render_in_every_language(root: Client, base: KnowledgeBase, running: None, language: str) -> None:
    root.cookies["django_language"] = language
    for where in ("", "health/", "options/", "records/", "programs/"):
        answer = root.get(f"/staff/system/{where}")
        assert answer.status_code == 200, where
        assert "style=" not in answer.content.decode()


def test_nobody_else_comes_here(site: Site, base: KnowledgeBase) -> None:  # noqa: F811
    boss = signed_in(staff("boss", "supervisor"))
    for where in ("", "health/", "options/", "records/", "programs/"):
        assert boss.get(f"/staff/system/{where}").status_code == 403
    assert boss.post("/staff/system/programs/", FORM).status_code == 403
    assert boss.post("/staff/system/records/").status_code == 403
    assert not ApiToken.objects.exists()


def test_nothing_here_reads_redis_beyond_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    real = redis.Redis.from_url

    def from_url(url: str, **options: Any) -> Any:
        asked.update(options)
        return real(url, **options)

    monkeypatch.setattr(redis.Redis, "from_url", from_url)
    selectors._redis()
    assert asked.get("socket_timeout", 0) <= 5
