"""deploy.host: what it says of machines that cannot run Kefu."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.host import disk_line, index_answers, platform_line, python_line
from tests.patience import PATIENCE


@pytest.mark.parametrize(
    ("system", "machine", "said"),
    [
        ("Linux", "x86_64", None),
        ("Linux", "AMD64", None),
        ("Linux", "aarch64", "not on aarch64"),
        ("Darwin", "arm64", "not on macOS"),
        ("Darwin", "x86_64", "not on macOS"),
        ("Windows", "AMD64", "WSL"),
        ("FreeBSD", "amd64", "FreeBSD"),
    ],
)
def test_a_machine_that_cannot_run_kefu_gets_one_line_that_says_what_to_do(
    system: str, machine: str, said: str | None
) -> None:
    line = platform_line(system, machine)
    assert (line is None) if said is None else (said in str(line) and "\n" not in str(line))


@pytest.mark.parametrize(
    ("version", "fine"),
    [((3, 10), False), ((3, 11), True), ((3, 12), True), ((3, 13), True), ((3, 14), False), ((2, 7), False)],
)
def test_only_supported_pythons_pass(version: tuple[int, int], fine: bool) -> None:
    assert (python_line(version) is None) == fine


def test_a_full_disk_is_named_with_what_is_free_and_what_is_needed(tmp_path) -> None:
    assert disk_line(tmp_path, needed=10, free=10) is None
    assert disk_line(tmp_path, needed=0) is None
    line = disk_line(tmp_path, needed=2_400_000_000, free=1_000_000_000)
    assert line is not None
    assert "1.0 GB free" in line
    assert "2.4 GB" in line


class Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/good/torch/" else 404)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_index_that_answers_is_taken_and_one_without_the_page_is_not(index: str) -> None:
    assert index_answers(f"{index}/good")
    assert not index_answers(f"{index}/bad")


def test_an_index_that_accepts_but_never_answers_costs_only_the_time_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        assert not index_answers(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.2)
        assert time.monotonic() - started < PATIENCE


def test_an_index_that_refuses_or_talks_nonsense_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def nonsense() -> None:
            connection, _ = server.accept()
            connection.sendall(b"\x00nonsense\r\n\r\n")
            connection.close()

        threading.Thread(target=nonsense, daemon=True).start()
        assert not index_answers(f"http://127.0.0.1:{port}")
    assert not index_answers(f"http://127.0.0.1:{port}")
