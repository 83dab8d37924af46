"""The virus scanner's protocol, against a socket that speaks it, and against some that do not."""

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attachments.scanning import Clamd, ScannerUnavailable
from tests.patience import PATIENCE

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
Serve = Callable[[Callable[[socket.socket], None]], str]


def received(line: socket.socket) -> bytes:
    """Read an INSTREAM command whole."""
    file = line.makefile("rb")
    assert file.read(10) == b"zINSTREAM\0"
    data = b""
    while size := struct.unpack("!L", file.read(4))[0]:
        data += file.read(size)
    return data


def honest(line: socket.socket) -> None:
    """Answer as clamd does."""
    found = EICAR in received(line)
    line.sendall(b"stream: Eicar-Test-Signature FOUND\0" if found else b"stream: OK\0")


def saying(reply: bytes) -> Callable[[socket.socket], None]:
    def answer(line: socket.socket) -> None:
        received(line)
        line.sendall(reply)

    return answer


@pytest.fixture(params=["tcp", "unix"])
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serve]:
    servers: list[socketserver.BaseServer] = []

    def start(behave: Callable[[socket.socket], None]) -> str:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                behave(self.request)

        server: socketserver.BaseServer
        if request.param == "tcp":
            tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
            server, address = tcp, f"127.0.0.1:{tcp.server_address[1]}"
        else:
            address = str(tmp_path / "clamd.sock")
            server = socketserver.ThreadingUnixStreamServer(address, Handler)
        server.daemon_threads = True  # type: ignore[attr-defined]
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return address

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 1_000_000])
def test_a_clean_file_passes(serve: Serve, size: int) -> None:
    assert Clamd(serve(honest)).scan(bytes(size)) is None


def test_what_is_found_is_named(serve: Serve) -> None:
    assert Clamd(serve(honest)).scan(bytes(70_000) + EICAR) == "Eicar-Test-Signature"


@pytest.mark.parametrize(
    "reply",
    [
        b"", b"\0", b"OK\0", b"stream: OK", b"stream: OK\nelse\0", b"INSTREAM size limit exceeded. ERROR\0",
        b"HTTP/1.1 200 OK\r\n\r\n\0", b"\xff" * 100_000, b"UNKNOWN COMMAND\0", b"stream: Not OK\0",
    ],
)  # fmt: skip
def test_anything_but_ok_is_no_pass(serve: Serve, reply: bytes) -> None:
    with pytest.raises(ScannerUnavailable):
        Clamd(serve(saying(reply))).scan(b"file")


def test_a_scanner_that_hangs_up_gives_no_verdict(serve: Serve) -> None:
    with pytest.raises(ScannerUnavailable):
        Clamd(serve(lambda line: line.close())).scan(bytes(5_000_000))


def test_a_scanner_that_says_nothing_is_left(serve: Serve) -> None:
    done = threading.Event()
    started = time.monotonic()
    with pytest.raises(ScannerUnavailable):
        Clamd(serve(lambda line: done.wait(2 * PATIENCE) and None), seconds=0.1).scan(bytes(5_000_000))
    assert time.monotonic() - started < PATIENCE
    done.set()


def test_a_scanner_that_drips_its_answer_is_left(serve: Serve) -> None:
    done = threading.Event()

    def drip(line: socket.socket) -> None:
        received(line)
        while not done.wait(0.02):
            line.sendall(b"s")

    with pytest.raises(ScannerUnavailable):
        Clamd(serve(drip), seconds=0.2).scan(b"file")
    done.set()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.sock", "nonsense", "host:port"])
def test_where_nobody_listens_there_is_no_verdict(address: str) -> None:
    with pytest.raises(ScannerUnavailable):
        Clamd(address, seconds=0.5).scan(b"file")
