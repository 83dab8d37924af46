"""Real processes, killed as the kernel kills them: what the customer sees afterwards."""

import os
import time
from collections.abc import Iterator

import pytest

from bench.server import Server, running
from tests.integration.customer import Customer
from tests.patience import PATIENCE

pytestmark = pytest.mark.integration
LONG = "Do you ship to Canada and how much is it?"
ZH, EN = "退货运费由谁承担？", "How long does a refund take?"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running({"KEFU_MESSAGES_PER_MINUTE": "10000", "KEFU_CACHE_HOURS": "1"}) as server:
        yield server


@pytest.fixture(scope="module")
def writing_server() -> Iterator[Server]:
    """One whose answers take seconds: a real language model on the CPU."""
    with running({"KEFU_ENGINE": "transformers", "KEFU_MODEL": "smollm2"}) as server:
        yield server


def test_an_answer_comes_with_its_sources(server: Server) -> None:
    customer = Customer(server.socket_url, "zh")
    customer.say(ZH)
    customer.until(lambda: customer.answers())
    [answer] = customer.answers()
    assert answer["outcome"] in ("faq", "answered")
    assert answer["sources"]
    customer.close()


def test_who_asks_what_another_customer_asked_gets_the_same_without_a_search(server: Server) -> None:
    told = []
    for _ in range(2):
        customer = Customer(server.socket_url, "zh")
        customer.say(ZH)
        customer.until(lambda customer=customer: customer.answers())
        told.append((customer.answers()[0], customer.stages))
        customer.close()
    (first, _), (second, stages) = told
    assert (second["text"], second["sources"]) == (first["text"], first["sources"])
    assert stages == []


def test_a_message_sent_twice_is_received_once(server: Server) -> None:
    customer = Customer(server.socket_url)
    id_ = customer.say(EN)
    customer.until(lambda: customer.answers())
    customer.say(EN, id_)
    other = customer.say("Which payment methods do you take?")
    customer.until(lambda: customer.confirmed(other) and len(customer.answers()) == 2)
    assert len(customer.transcript) == 4
    customer.close()


def test_after_a_killed_redis_nothing_is_lost_or_repeated(server: Server) -> None:
    customer = Customer(server.socket_url)
    customer.say(EN)
    customer.until(lambda: len(customer.answers()) == 1)
    before = dict(customer.transcript)
    server.kill("redis")
    customer.until(lambda: "degraded" in customer.services)
    id_ = customer.say("Which payment methods do you take?")
    customer.until(lambda: customer.services[-1] == "ok")
    customer.until(lambda: customer.confirmed(id_) and len(customer.answers()) == 2)
    assert not customer.doubled
    assert all(customer.transcript[k]["text"] == m["text"] for k, m in before.items())
    customer.close()


def test_after_a_killed_web_the_widget_misses_nothing(server: Server) -> None:
    customer = Customer(server.socket_url, "zh")
    id_ = customer.say(ZH)
    customer.until(lambda: customer.confirmed(id_))
    server.kill("web")
    customer.until(lambda: customer.reconnects == 1 and customer.answers())
    assert len(customer.answers()) == 1
    assert not customer.doubled
    late = Customer.__new__(Customer)
    late.__dict__.update(customer.__dict__, transcript={}, streaming={}, seq=0, reconnects=-1)
    late._connect()
    late.until(lambda: late.answers())
    assert late.transcript == customer.transcript
    customer.close()
    late.close()


def test_a_worker_killed_in_the_middle_of_an_answer_leaves_one_answer_or_one_apology(writing_server: Server) -> None:
    customer = Customer(writing_server.socket_url)
    customer.say(LONG)
    # Whether a sentence is shown already, the model decides.
    customer.until(lambda: "writing" in customer.stages, 2 * PATIENCE)
    writing_server.kill("worker")
    seconds = customer.until(lambda: customer.answers(), 2 * PATIENCE)
    print(f"answered {seconds:.1f} s after the kill: {customer.answers()[0]['outcome']}")
    for _ in range(40):  # two sweeps: nothing more may come
        customer.read(0.25)
    assert len(customer.answers()) == 1
    assert not customer.doubled
    customer.close()


def test_stop_ends_the_answer(writing_server: Server) -> None:
    customer = Customer(writing_server.socket_url)
    customer.say(LONG)
    customer.until(lambda: "writing" in customer.stages, 2 * PATIENCE)
    customer.send({"type": "stop"})
    customer.until(lambda: customer.answers())
    assert customer.answers()[0]["reason"] == "stopped"
    customer.close()


def test_a_killed_desk_worker_leaves_no_process_behind(server: Server) -> None:
    children = _children(server.pids()["desk"])
    assert children, "its clock is a process of its own"
    server.kill("desk")
    deadline = time.monotonic() + PATIENCE
    while any(_runs(child) for child in children):
        assert time.monotonic() < deadline, children
        time.sleep(0.1)


def test_torch_is_in_neither_web_nor_maskers_nor_the_extractive_worker(server: Server) -> None:
    for name in ("web", "worker"):
        for pid in [server.pids()[name], *_children(server.pids()[name])]:
            assert "libtorch" not in _maps(pid), f"{name} {pid}"


def _children(pid: int) -> list[int]:
    return [int(p) for t in os.listdir(f"/proc/{pid}/task") for p in _read(f"/proc/{pid}/task/{t}/children").split()]


def _runs(pid: int) -> bool:
    try:
        return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] != "Z"  # nobody may be there to bury it
    except OSError:
        return False


def _maps(pid: int) -> str:
    return _read(f"/proc/{pid}/maps")


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()
