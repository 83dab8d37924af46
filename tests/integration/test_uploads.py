"""Files on a running Kefu: the whole path of one, and what a hostile client must not get or take."""

import http.client
import json
import os
import socket
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench.server import Server, running
from tests.attachments.samples import SECRET, picture
from tests.integration.customer import Customer
from tests.patience import PATIENCE

pytestmark = pytest.mark.integration

XSS = '"><img src=x onerror=alert(1)>13912345678.jpg'


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def customer(server: Server) -> Iterator[Customer]:
    customer = Customer(server.socket_url)
    yield customer
    customer.close()


@pytest.fixture
def stranger(server: Server) -> Iterator[Customer]:
    customer = Customer(server.socket_url)
    yield customer
    customer.close()


def request(
    server: Server, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=PATIENCE)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()


def form(name: str, data: bytes) -> bytes:
    name = name.replace('"', "%22")
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: a/b\r\n\r\n'
    return head.encode() + data + b"\r\n--edge--\r\n"


def headers(server: Server, customer: Customer) -> dict[str, str]:
    return {
        "Origin": server.address,
        "Authorization": f"Bearer {customer.token}",
        "X_Kefu_Key": "demo",
        "Content_Type": "multipart/form-data; boundary=edge",
    }


def upload(server: Server, customer: Customer, name: str, data: bytes) -> str:
    status, _, body = request(server, "POST", "/files/", form(name, data), **headers(server, customer))
    assert status == 201, body
    return str(json.loads(body)["id"])


def say(customer: Customer, text: str, *files: str) -> str:
    identity = str(uuid.uuid4())
    customer.send({"type": "say", "id": identity, "text": text, "files": list(files)})
    return identity


def own_message(customer: Customer, identity: str) -> dict[str, Any]:
    customer.until(lambda: customer.confirmed(identity) or customer.errors)
    return next(m for m in customer.transcript.values() if m["client_id"] == identity)


def test_a_picture_is_uploaded_sealed_handed_over_and_shown(server: Server, customer: Customer) -> None:
    photo = picture("JPEG", (640, 480), comment=SECRET)
    identity = say(customer, "", upload(server, customer, XSS, photo))
    [file] = own_message(customer, identity)["files"]
    assert file["name"] == "_22__img src=x onerror=alert(1)_13912345678.jpg", "the customer sees their own data"
    customer.until(customer.answers)
    assert [(a["outcome"], a["reason"]) for a in customer.answers()] == [("handed_off", "file")]

    status, told, shown = request(server, "GET", file["url"])
    assert status == 200
    assert told["content-type"] == "image/jpeg"
    assert told["content-disposition"].startswith("inline")
    assert told["content-security-policy"] == "default-src 'none'; sandbox"
    assert told["x-content-type-options"] == "nosniff"
    assert told["cache-control"] == "private, no-store"
    assert len(shown) == file["size"]
    assert SECRET not in shown

    [sealed] = [path for path in (server.var / "attachments").rglob("*") if path.is_file()]
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in (sealed.parent, sealed.parent.parent)} == {0o700}
    assert shown[:200] not in sealed.read_bytes()
    for word in (SECRET, b"13912345678"):
        assert not [path for path in server.var.rglob("*") if path.is_file() and word in path.read_bytes()]


def test_a_widget_that_reconnects_gets_a_fresh_link(server: Server, customer: Customer) -> None:
    identity = say(customer, "look", upload(server, customer, "a.png", picture("PNG")))
    before = own_message(customer, identity)["files"][0]
    again = Customer.__new__(Customer)
    again.__dict__.update(customer.__dict__, transcript={}, streaming={}, seq=0)
    again._connect()
    after = own_message(again, identity)["files"][0]
    assert after["id"] == before["id"]
    assert request(server, "GET", after["url"])[0] == 200
    again.close()


def test_nobody_sends_or_sees_a_strangers_file(server: Server, customer: Customer, stranger: Customer) -> None:
    theirs = upload(server, stranger, "secret.txt", b"for my eyes")
    for stolen in (theirs, str(uuid.uuid4())):
        say(customer, "mine now", stolen)
    customer.until(lambda: len(customer.errors) == 2)
    assert {error["code"] for error in customer.errors} == {"files_gone"}
    assert not customer.transcript
    mine = own_message(stranger, say(stranger, "here", theirs))["files"][0]
    changed = mine["url"].replace(mine["url"][10], "A" if mine["url"][10] != "A" else "B", 1)
    for url in (
        changed,
        f"/files/{theirs}/",
        f"/files/{customer.token}/",
        mine["url"].replace(":", "%3A", 1)[:-5] + "/",
    ):
        status, _, body = request(server, "GET", url)
        assert (status, body) == (404, b"")
    status, told, body = request(server, "GET", mine["url"])
    assert (status, body) == (200, b"for my eyes")
    assert told["content-disposition"] == 'attachment; filename="secret.txt"'


def test_another_page_can_neither_ask_nor_send(server: Server, customer: Customer) -> None:
    evil = headers(server, customer) | {"Origin": "https://evil.example"}
    status, told, _ = request(server, "POST", "/files/", form("a.png", picture("PNG")), **evil)
    assert status == 403
    assert "access-control-allow-origin" not in told
    asked = {"Origin": "https://evil.example", "Access_Control_Request_Method": "POST"}
    assert "access-control-allow-origin" not in request(server, "OPTIONS", "/files/", **asked)[1]
    status, told, _ = request(server, "OPTIONS", "/files/", **asked | {"Origin": server.address})
    assert (status, told["access-control-allow-origin"]) == (204, server.address)


@pytest.mark.parametrize("path", ["/files/", "/", "/staff/login/"])
@pytest.mark.parametrize("with_token", [True, False])
def test_an_endless_body_takes_neither_memory_nor_disk(
    server: Server, customer: Customer, path: str, with_token: bool
) -> None:
    """Chunked, so that no length is declared; whoever sends is cut off within what an upload may have."""
    address, web = urlsplit(server.address), server.pids()["web"]
    before, sent = resident(web), 0
    known = headers(server, customer) if with_token else {"Origin": server.address, "X_Kefu_Key": "demo"}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in known.items()]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE) as line:
        head = [f"POST {path} HTTP/1.1", f"Host: {address.netloc}", "Transfer-Encoding: chunked", *lines]
        line.sendall("\r\n".join([*head, "", ""]).encode())
        chunk = b"%x\r\n" % 65_536 + bytes(65_536) + b"\r\n"
        deadline = time.monotonic() + PATIENCE
        try:
            while sent < 200_000_000 and time.monotonic() < deadline:
                line.sendall(chunk)
                sent += 65_536
        except OSError:
            pass
    assert sent < 60_000_000, "what lies in the socket's buffers counts, too"
    assert resident(web) - before < 60_000_000
    assert request(server, "GET", "/healthz")[0] == 200


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
