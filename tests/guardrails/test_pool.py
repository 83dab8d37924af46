import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from guardrails.personal_data import pool as pool_module
from guardrails.personal_data.pool import MaskingPool, MaskingUnavailable
from tests.patience import PATIENCE

pytestmark = pytest.mark.integration

TEXT = "我叫张伟，手机13812345678"


@pytest.fixture(scope="module")
def pool() -> Iterator[MaskingPool]:
    pool = MaskingPool(processes=1, queue=8, seconds=PATIENCE)
    pool.warm()
    yield pool
    pool.close()


def child(pool: MaskingPool) -> int:
    """Return the process id of the pool's only, idle child."""
    (idle,) = pool._idle.queue
    (pid,) = idle.start()._processes
    return int(pid)


def test_many_threads_get_each_their_own_findings(pool: MaskingPool) -> None:
    wrong: list[str] = []

    def ask(worker: int) -> None:
        for turn in range(10):
            text = "嗯" * worker + "，13812345678" + "哦" * turn
            if [(finding.start, finding.end) for finding in pool.find(text)] != [(worker + 1, worker + 12)]:
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(1, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_killed_child_is_replaced_and_the_text_asked_again(pool: MaskingPool) -> None:
    before = child(pool)
    os.kill(before, signal.SIGKILL)
    assert {finding.entity for finding in pool.find(TEXT)} == {"PERSON", "CN_MOBILE"}
    assert child(pool) != before


def test_a_child_stopped_in_the_middle_is_given_up_in_time_and_replaced(pool: MaskingPool) -> None:
    before = child(pool)
    os.kill(before, signal.SIGSTOP)
    began = time.monotonic()
    pool._seconds = 0.5
    with pytest.raises(MaskingUnavailable, match="timed out"):
        pool.find(TEXT)
    pool._seconds = PATIENCE
    assert time.monotonic() - began < PATIENCE
    assert pool.find(TEXT)
    assert child(pool) != before


def test_a_child_that_is_still_loading_is_not_given_up() -> None:
    pool = MaskingPool(processes=1, queue=0, seconds=0.01)
    with pytest.raises(MaskingUnavailable, match="timed out"):
        pool.find(TEXT)
    loading = child(pool)
    pool._seconds = PATIENCE
    assert pool.find(TEXT)
    assert child(pool) == loading
    pool.close()


def test_a_full_pool_refuses_at_once_and_recovers(pool: MaskingPool) -> None:
    small = MaskingPool(processes=1, queue=0, seconds=PATIENCE)
    small._places.acquire()
    began = time.monotonic()
    with pytest.raises(MaskingUnavailable, match="full"):
        small.find(TEXT)
    assert time.monotonic() - began < PATIENCE
    small._places.release()
    assert small.find(TEXT)
    small.close()


def test_an_interrupt_from_the_terminal_does_not_end_a_child(pool: MaskingPool) -> None:
    before = child(pool)
    os.kill(before, signal.SIGINT)
    assert pool.find(TEXT)
    assert child(pool) == before


def test_lone_surrogates_and_nul_are_masked_like_any_text(pool: MaskingPool) -> None:
    assert len(pool.find("\ud800\x00" + TEXT)) == 2


PARENT = """
import sys
from guardrails.personal_data.pool import MaskingPool
if __name__ == "__main__":
    pool = MaskingPool(1, 1, 60.0)
    pool.warm()
    (idle,) = pool._idle.queue
    print(*idle.start()._processes, flush=True)
    sys.stdin.read()
"""


def test_children_die_with_a_parent_that_was_killed(tmp_path: "os.PathLike[str]") -> None:
    program = os.path.join(tmp_path, "parent.py")
    with open(program, "w") as file:
        file.write(PARENT)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    parent = subprocess.Popen(
        [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + PATIENCE
    while _runs(pid):
        assert time.monotonic() < deadline, "the child outlived its parent"
        os.sched_yield()
    parent.stdin.close()
    parent.stdout.close()


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_has_neither_torch_nor_django(pool: MaskingPool) -> None:
    (idle,) = pool._idle.queue
    modules = set(idle.start().submit(_modules).result(PATIENCE))
    assert pool_module.__name__ in modules
    assert not {"torch", "transformers", "django"} & modules


def _modules() -> list[str]:
    return list(sys.modules)
