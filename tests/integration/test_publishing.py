"""What is published counts in every process soon, while all of them search without pause; and a maker of snapshots may
be killed. bench.scale says how soon: here the machine may be slow.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parent.parent.parent
PREPARED = """
import django; django.setup()
from knowledge import loading, releases
from knowledge.models import KnowledgeBase
from knowledge.services import import_document, retire_document
from tests.knowledge.fakes import FakeEmbedder, pass_all
def bring(name, text):
    import_document("shop", name, text.encode(), embedder=FakeEmbedder(), judge=pass_all, guard_version="g1")
"""
KILLED_BEFORE_IT_IS_THERE = """
import os, pathlib, signal
pathlib.Path.rename = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("KEFU_") or k == "KEFU_MODELS"}
    environment = inherited | {"KEFU_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    return environment


def do(environment: dict[str, str], script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PREPARED + script]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture
def watchers(environment: dict[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
    pages = "".join(f"## Part {n}\\n\\nRefund number {n} takes {n} days.\\n\\n" for n in range(300))
    assert do(environment, f'bring("a.md", "# Refunds\\n\\n{pages}")').returncode == 0
    command = [sys.executable, "-m", "tests.integration.watcher", "shop"]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in started:
        assert hear(one) == "ready"
    yield started
    for one in started:
        one.kill()
        one.wait()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait_for(watchers: list[subprocess.Popen[str]], word: str) -> None:
    for one in watchers:
        assert one.stdin is not None
        one.stdin.write(f"{word}\n")
        one.stdin.flush()


def test_what_is_published_retired_and_rolled_back_counts_in_two_processes_that_go_on_searching(
    environment: dict[str, str], watchers: list[subprocess.Popen[str]]
) -> None:
    changes = {
        "KX-77310": 'bring("new.md", "The spare pole KX-77310 fits every tent.")',
        "-KX-77310": 'retire_document("shop", "new.md")',
        "KX-77310 ": 'releases.rollback("shop")',
    }
    for word, script in changes.items():
        wait_for(watchers, word)
        done = do(environment, f"{script}\nimport time; print(time.time())")
        assert done.returncode == 0, done.stderr
        published = float(done.stdout)
        for one in watchers:
            heard: dict[str, Any] = json.loads(hear(one))
            assert heard["found"] - published <= PATIENCE, heard
            assert heard["slowest"] <= PATIENCE, heard


def test_a_maker_of_snapshots_that_is_killed_leaves_nothing_half_live_and_the_next_one_finishes(
    environment: dict[str, str], tmp_path: Path
) -> None:
    make = 'bring("a.md", "Tents have poles.")\nloading.Loader("fake@1", config().var / "index").make_snapshot("shop")'
    make = f"from config.environment import config\nloading.IN_MEMORY = 0\n{make}"
    assert do(environment, KILLED_BEFORE_IT_IS_THERE + make).returncode == -signal.SIGKILL
    [folder] = (tmp_path / "index").iterdir()
    assert [path.name for path in folder.iterdir() if path.name.isdecimal()] == []
    assert len(list(folder.glob(".making-*"))) == 1
    began = time.monotonic()
    assert do(environment, make).returncode == 0
    assert time.monotonic() - began < 2 * PATIENCE
    assert sorted(path.name for path in folder.iterdir()) == ["1", "lock"]
