"""Settings made from the environment: what is refused, and the secret that is made at the first start."""

import runpy
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import ROOT, config

Load = Callable[..., dict[str, Any]]
SAFE = {"KEFU_PRODUCTION": "1", "KEFU_SECRET_KEY": "s" * 50, "KEFU_ALLOWED_HOSTS": "shop.example"}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Load]:
    """Run settings.py again, with these options."""

    def run(**options: str) -> dict[str, Any]:
        config.cache_clear()
        for name, value in {"KEFU_VAR": str(tmp_path / "var"), **options}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "config" / "settings.py"))

    yield run
    monkeypatch.undo()
    config.cache_clear()


def test_a_secret_is_made_once_and_for_the_owner_alone(load: Load, tmp_path: Path) -> None:
    secret = load()["SECRET_KEY"]
    assert len(secret) >= 50
    assert load()["SECRET_KEY"] == secret
    assert stat.S_IMODE((tmp_path / "var" / "secret.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == ["secret.key", "static", "static-small"]


def test_processes_that_start_at_once_share_the_secret(load: Load, tmp_path: Path) -> None:
    keep = load()["_kept_secret"]
    for n in range(20):
        path = tmp_path / f"secret{n}"
        with ThreadPoolExecutor(8) as pool:
            secrets = set(pool.map(lambda _, path=path: keep(path), range(8)))
        assert len(secrets) == 1
        assert len(secrets.pop()) >= 50


def test_safe_production_options_start(load: Load) -> None:
    settings = load(**SAFE)
    assert settings["ALLOWED_HOSTS"] == ["shop.example"]
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["LANGUAGE_COOKIE_SECURE"]
    assert not settings["DEBUG"]


def test_sessions_are_short_and_out_of_reach_of_scripts_and_other_sites(load: Load) -> None:
    settings = load()
    assert settings["SESSION_COOKIE_AGE"] == 12 * 3600
    assert settings["SESSION_COOKIE_HTTPONLY"] is settings["CSRF_COOKIE_HTTPONLY"] is True
    assert settings["SESSION_COOKIE_SAMESITE"] == settings["CSRF_COOKIE_SAMESITE"] == "Lax"


@pytest.mark.parametrize(
    ("options", "required"),
    [
        ({}, False),
        ({"KEFU_TWO_FACTOR": "optional"}, False),
        ({"KEFU_TWO_FACTOR": "required"}, True),
        (SAFE, True),
        ({**SAFE, "KEFU_TWO_FACTOR": "optional"}, False),
    ],
)
def test_production_requires_a_second_factor_unless_told_otherwise(
    options: dict[str, str], required: bool, load: Load
) -> None:
    assert load(**options)["TWO_FACTOR_REQUIRED"] is required


def test_former_signing_keys_are_given_with_commas(load: Load) -> None:
    assert load(KEFU_SECRET_KEY_FALLBACKS="old, older")["SECRET_KEY_FALLBACKS"] == ["old", "older"]


@pytest.mark.parametrize(
    ("name", "value"), [("KEFU_DEBUG", "1"), ("KEFU_SECRET_KEY", ""), ("KEFU_ALLOWED_HOSTS", "shop.example,*")]
)
def test_unsafe_production_options_refuse_to_start(name: str, value: str, load: Load) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        load(**{**SAFE, name: value})


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///run/kefu/redis.sock", "redis+socket:///run/kefu/redis.sock"),
        ("redis://:secret@redis.internal:6379/2", "redis://:secret@redis.internal:6379/2"),
        ("rediss://redis.internal/0", "rediss://redis.internal/0"),
    ],
)
def test_the_broker_is_the_same_redis(url: str, broker: str, load: Load) -> None:
    settings = load(KEFU_REDIS_URL=url)
    assert (settings["REDIS_URL"], settings["CELERY_BROKER_URL"]) == (url, broker)


def test_the_default_redis_is_a_socket_in_var(load: Load, tmp_path: Path) -> None:
    assert load()["CELERY_BROKER_URL"] == f"redis+socket://{tmp_path}/var/redis.sock"


def test_only_json_travels_through_the_broker(load: Load) -> None:
    settings = load()
    assert settings["CELERY_ACCEPT_CONTENT"] == ["json"]
    assert settings["CELERY_TASK_SERIALIZER"] == "json"


def test_postgres_is_taken_from_its_url(load: Load) -> None:
    database = load(KEFU_DATABASE_URL="postgres://kefu:pw@db.internal:5433/shop")["DATABASES"]["default"]
    assert (database["ENGINE"], database["HOST"], database["PORT"]) == (
        "django.db.backends.postgresql",
        "db.internal",
        5433,
    )
