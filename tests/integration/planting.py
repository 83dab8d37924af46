"""Values to plant, and the grep that looks for every spelling of them in everything that Kefu keeps or says."""

import base64
import json
import random
import re
import socket
import sqlite3
import threading
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus
from urllib.request import urlopen

import psycopg
import redis
from ahocorasick_rs import BytesAhoCorasick

from bench.personal_data import values
from bench.server import Server
from guardrails.personal_data.detector import Detector
from guardrails.personal_data.finding import ENTITIES
from tests.patience import PATIENCE

__all__ = ["ENTITIES", "Garden", "Leaks", "Monitor", "Plant", "compact", "database", "files", "metrics", "redis_now"]

SENTENCES = (
    ("CN_ID_CARD", "zh", "我的身份证号是{}，谢谢"),
    ("CN_MOBILE", "zh", "我的手机号是{}，谢谢"),
    ("CN_LANDLINE", "zh", "我家的座机电话是{}，谢谢"),
    ("CN_PASSPORT", "zh", "我的护照号码是{}，谢谢"),
    ("CN_LICENSE_PLATE", "zh", "我的车牌号是{}，谢谢"),
    ("BANK_CARD", "zh", "我的银行卡号是{}，谢谢"),
    ("CREDIT_CARD", "en", "My credit card is {}, thanks"),
    ("WECHAT_ID", "zh", "我的微信号是{}，谢谢"),
    ("PERSON", "zh", "我叫{}，谢谢"),
    ("PERSON", "en", "My name is {}, thanks"),
    ("ADDRESS", "zh", "收货地址是{}，谢谢"),
    ("ADDRESS", "en", "I live at {}, thanks"),
    ("EMAIL", "en", "My e-mail is {}, thanks"),
    ("US_PHONE", "en", "My phone number is {}, thanks"),
    ("INTL_PHONE", "en", "My phone number is {}, thanks"),
    ("US_SSN", "en", "My social security number is {}, thanks"),
    ("IBAN", "en", "My IBAN is {}, thanks"),
    ("IP_ADDRESS", "en", "My IP address is {}, thanks"),
)
SHORTEST = 8
"""Bytes of a spelling that is looked for: shorter ones stand everywhere."""


@dataclass(frozen=True)
class Plant:
    """A value that goes in through a door, alone or in a sentence."""

    door: str
    entity: str
    value: str
    text: str


class Garden:
    """Makes values that no other door has, in sentences in which the recognisers find them.

    What they miss is what bench.masking measures; here a value that is found must not leak on its way.
    """

    def __init__(self, seed: int = 5) -> None:
        assert {entity for entity, _, _ in SENTENCES} == set(ENTITIES)
        self.plants: list[Plant] = []
        self._find = Detector().find
        self._dice, self._used = random.Random(seed), set[str]()

    def plants_for(self, door: str, wrap: str = "{}") -> list[Plant]:
        """A plant an entity (two of names and addresses); `wrap` is what the sentence stands in."""
        made = [self.plant(door, entity, language, wrap.format(sentence)) for entity, language, sentence in SENTENCES]
        self.plants += made
        return made

    def plant(self, door: str, entity: str, language: str, sentence: str) -> Plant:
        """One of them."""
        for _ in range(200):
            value = values.make(entity, self._dice, language)
            text = sentence.format(value)
            start = sentence.index("{}")
            hidden = {at for f in self._find(text) for at in range(f.start, f.end)}
            whole = hidden.issuperset(range(start, start + len(value)))
            if whole and "\n" not in value and len(value.encode()) > SHORTEST and compact(value) not in self._used:
                self._used.add(compact(value))
                return Plant(door, entity, value, text)
        raise AssertionError(f"the recognisers find no {entity} in {sentence!r}")


def compact(value: str) -> str:
    """A value without width, separators and case."""
    return "".join(c for c in unicodedata.normalize("NFKC", value) if c.isalnum()).lower()


def spellings(value: str) -> set[bytes]:
    """How a value may stand in a store: plain, without separators, and encoded in the usual ways."""
    folded = unicodedata.normalize("NFKC", value)
    bare = "".join(c for c in folded if c.isalnum())
    plain = {form for text in (value, folded, bare) for form in (text, text.lower(), text.upper())}
    found = set[bytes]()
    for text in plain:
        raw = text.encode()
        percent = {quote(text, safe=""), quote(text), quote_plus(text), quote(text, safe="@:+")}
        escaped = json.dumps(text)[1:-1]
        twice = escaped.replace("\\", "\\\\")  # JSON in JSON
        found |= {raw, raw.hex().encode(), raw.hex().upper().encode(), escaped.encode(), twice.encode()}
        found |= {each.encode() for each in percent} | {each.lower().encode() for each in percent}
        for shift in range(3):
            coded = base64.b64encode(bytes(shift) + raw).rstrip(b"=")
            inner = coded[(0, 2, 3)[shift] : -1 if (len(raw) + shift) % 3 else None]
            found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {each for each in found if len(each) >= SHORTEST}


class Monitor:
    """Hears every command that redis is given, from now on: what was there for a moment only is heard, too."""

    def __init__(self, server: Server) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(server.sockets / "redis.sock"))
        self._line.sendall(b"MONITOR\r\n")
        self._heard = bytearray()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(OSError):
            while some := self._line.recv(1 << 20):
                self._heard += some

    def close(self) -> bytes:
        """Return all that was heard, its escapes undone."""
        self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._line.close()
        unescaped = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), bytes(self._heard))
        return unescaped.replace(b'\\"', b'"').replace(b"\\\\", b"\\")


Place = tuple[str, str, bytes]
"""Store, place in it, and what stands there."""


def database(server: Server) -> Iterator[Place]:
    """Every column of every table, the vault's sealed ones too: what is sealed cannot be found."""
    url = server.environment.get("KEFU_DATABASE_URL", "")
    connection: Any = (
        psycopg.connect(url) if url else sqlite3.connect(f"file:{server.var / 'kefu.sqlite3'}?mode=ro", uri=True)
    )
    listed = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        if url
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    with closing(connection), closing(connection.cursor()) as cursor:
        tables = [row[0] for row in cursor.execute(listed).fetchall()]
        assert "chatbot_message" in tables
        for table in tables:
            rows = cursor.execute(f'SELECT * FROM "{table}"').fetchall()
            for number, column in enumerate(cursor.description):
                cells = (row[number] for row in rows)
                yield "database", f"{table}.{column[0]}", b"\n".join(map(as_bytes, cells))


def as_bytes(value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return (json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)).encode()


def redis_now(server: Server) -> Iterator[Place]:
    """Every key, and what is under it."""
    client: Any = redis.Redis(unix_socket_path=str(server.sockets / "redis.sock"))
    with closing(client):
        for key in client.scan_iter(count=1000):
            read = {
                b"string": lambda key: client.get(key),
                b"list": lambda key: client.lrange(key, 0, -1),
                b"set": client.smembers,
                b"zset": lambda key: client.zrange(key, 0, -1),
                b"hash": client.hgetall,
                b"stream": client.xrange,
            }.get(client.type(key))
            yield "redis", key.decode(errors="replace"), key + b"\n" + b"\n".join(leaves(read(key) if read else b""))


def leaves(value: Any) -> Iterator[bytes]:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set):
        for each in value:
            yield from leaves(each)
    else:
        yield as_bytes(value)


def files(server: Server) -> Iterator[Place]:
    """Every file below KEFU_VAR with its name: the database as it lies on the disk, index, uploads; logs and output."""
    for path in sorted(server.var.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = str(path.relative_to(server.var))
            store = "logs" if name.startswith("logs/") or name == "run.log" else "files"
            yield store, name, name.encode() + b"\n" + path.read_bytes()


def metrics(server: Server) -> Iterator[Place]:
    """What /metrics says."""
    with urlopen(f"{server.address}/metrics") as reply:
        yield "metrics", "/metrics", reply.read()


class Leaks:
    """Which plant was found in which store, and where."""

    def __init__(self, plants: Sequence[Plant]) -> None:
        self.plants = plants
        self.stores: list[str] = []
        self._found: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._owners, patterns = list[Plant](), list[bytes]()
        for plant in plants:
            for spelling in spellings(plant.value):
                self._owners.append(plant)
                patterns.append(spelling)
        self._automaton = BytesAhoCorasick(patterns)

    def look(self, places: Iterator[Place]) -> None:
        """Grep these places."""
        for store, place, content in places:
            if store not in self.stores:
                self.stores.append(store)
            for number, _, _ in self._automaton.find_matches_as_indexes(content, overlapping=True):
                plant = self._owners[number]
                self._found[plant.door, store][place].add(plant.entity)

    def of(self, door: str) -> dict[str, dict[str, set[str]]]:
        """What leaked from a door: entities by place, by store."""
        return {store: dict(self._found[door, store]) for store in self.stores if self._found.get((door, store))}

    def table(self) -> str:
        """Doors by stores: how many places of the store have something of the door; then what is in each place."""
        doors = dict.fromkeys(plant.door for plant in self.plants)
        rows = [f"| {'door':40} | {' | '.join(self.stores)} |", f"| --- |{' --- |' * len(self.stores)}"]
        told = []
        for door in doors:
            found = self.of(door)
            cells = [str(len(found[store])) if store in found else "-" for store in self.stores]
            rows.append(
                f"| {door:40} | {' | '.join(c.center(len(s)) for c, s in zip(cells, self.stores, strict=True))} |"
            )
            told += [
                f"{door} → {store}, {place}: {', '.join(sorted(entities))}"
                for store, where in found.items()
                for place, entities in where.items()
            ]
        return "\n".join(["", *rows, "", *told])
