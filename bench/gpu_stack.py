"""vLLM alone against all of Kefu over the same running vLLM: websocket, web, worker, pipeline, guards, release, engine.

usage: python -m bench.gpu_stack [--engines bitsandbytes fp8] [--customers 1 32 100] [--memory GB] [--played RATE]
Needs CUDA and vLLM; `bench/gpu_pack.sh` packs what a machine without network lacks. The model has DeepSeek-LLM-7B's
shape, random weights and an invented vocabulary (bench/gpu_engine.py), so what it says is chance and the guards would
refuse it: the bench's own release runs all of them and acts on nothing (bench/gpu_worker.py). Every customer asks one
question in a conversation of its own; who has an answer makes room for the next one at once. What Kefu asked the engine
is then asked again, byte for byte, by a plain HTTP client. `--played` tries all this without a GPU.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import redis

from bench.chance import LETTERS
from bench.chat import questions
from bench.client import Asked, Customer, percentile
from bench.engine_stamps import BEGINNING, Written
from bench.processes import usage_of
from bench.server import ROOT, Server, running

NAME = "measured"
START_SECONDS = 400.0
ANSWER_SECONDS = 60.0
LEAVE_SECONDS = 1.0
ENDING_SECONDS = 10.0
MUST_SPEED, MUST_FIRST_MS, MUST_WASTE, MUST_MIB = 0.90, 60.0, 20.0, 24_564
"""The last: what a card of 24 GB has."""


# --- the engine


@dataclass(frozen=True)
class Engine:
    """A running engine; its middleware writes to `stamps`."""

    url: str
    stamps: Path

    def post(self, path: str) -> None:
        request = urllib.request.Request(self.url + path, method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def tokens(self) -> float:
        """How many tokens it has written since it started."""
        return sample(self.url + "/metrics", "vllm:generation_tokens_total")

    def written(self) -> list[Written]:
        """All replies that have ended so far."""
        return [Written(**json.loads(line)) for line in self.stamps.read_text(encoding="utf-8").splitlines()]


def sample(url: str, name: str) -> float:
    """The sum of a metric's samples."""
    with urllib.request.urlopen(url, timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{re.escape(name)}(?:{{| )", line))


@contextlib.contextmanager
def started(command: Sequence[str], environment: dict[str, str], port: int, log: Path) -> Iterator[Engine]:
    """The server that `command` starts; it may not answer yet."""
    engine = Engine(f"http://127.0.0.1:{port}", log.with_suffix(".stamps"))
    engine.stamps.touch()
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, "KEFU_BENCH_STAMPS": str(engine.stamps)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield engine
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):  # vLLM's children outlive it now and then, with the GPU's memory
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until_it_answers(engine: Engine) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(engine.url + "/health"):
        if time.monotonic() > deadline:
            raise RuntimeError("the engine did not start: see its log")
        time.sleep(0.2)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def vllm(model: Path, quantization: str, options: argparse.Namespace) -> tuple[list[str], dict[str, str]]:
    """The command line of vLLM's server, which takes about `memory` GB of the card, and its environment."""
    share = options.memory * 1e9 / (float(card("memory.total")) * 2**20)
    command = [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)),
        *("--served-model-name", NAME, "--quantization", quantization, "--dtype", "bfloat16"),
        *("--max-model-len", "4096", "--max-num-seqs", "256", "--gpu-memory-utilization", f"{share:.4f}"),
        *("--middleware", "bench.engine_stamps.Stamps", "--host", "127.0.0.1", "--port", str(options.port)),
        *("--generation-config", "vllm", *options.vllm.split()),
    ]
    environment = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_USE_FLASHINFER_SAMPLER": "0"}
    return command, environment | {"VLLM_SERVER_DEV_MODE": "1"}  # dev: its prefix cache can be emptied


def played(rate: float, port: int) -> tuple[list[str], dict[str, str]]:
    """The command line of an engine that is played."""
    return [sys.executable, "-m", "bench.paced_engine", str(port), str(rate)], {}


# --- customers


@dataclass
class Said:
    """One answer: when it was asked for, when its first text and its end were there, how it began."""

    start: float
    first: float
    end: float
    beginning: str
    outcome: str = ""


@dataclass
class Phase:
    """So many customers at once: their answers, and the engine's tokens a second in the middle of it."""

    customers: int
    rate: float = 0.0
    said: list[Said] = field(default_factory=list)

    def milliseconds(self, what: str, q: float) -> float:
        return percentile([(getattr(one, what) - one.start) * 1e3 for one in self.said], q)


def known(text: str) -> str:
    """By what a reply is known again."""
    return " ".join(text.split())[: BEGINNING // 2]


async def crowd(
    engine: Engine, customers: int, seconds: float, ramp: float, serve: Callable[[Phase, int], Awaitable[bool]]
) -> Phase:
    """So many customers, one after the other in each place; they arrive within `ramp` seconds, then it counts."""
    phase = Phase(customers)
    begin = time.monotonic()

    async def place(number: int) -> None:
        await asyncio.sleep(ramp * number / customers)
        while time.monotonic() < begin + 2 * ramp + seconds and await serve(phase, number):
            pass

    places = [asyncio.create_task(place(number)) for number in range(customers)]
    await asyncio.sleep(2 * ramp)
    before, start = await asyncio.to_thread(engine.tokens), time.monotonic()
    await asyncio.sleep(seconds)
    after, end = await asyncio.to_thread(engine.tokens), time.monotonic()
    phase.rate = (after - before) / (end - start)
    await asyncio.gather(*places)
    return phase


class Person(Customer):
    """A customer who asks one question, and remembers how the answer was worded."""

    text = shown = ""

    def __init__(self, url: str) -> None:
        super().__init__(url, "demo", "en")
        self.spoken_to = asyncio.Event()

    def _take(self, event: dict[str, Any]) -> None:
        if event["type"] == "reply":
            self.shown = event["text"] if event["replace"] else self.shown + event["text"]
            self.spoken_to.set()
        super()._take(event)

    def _answered(self, message: dict[str, Any], now: float) -> None:
        self.text = message["text"]
        self.spoken_to.set()
        super()._answered(message, now)

    async def stop(self) -> None:
        await self._socket.send(json.dumps({"type": "stop"}))


class Persons:
    """Asks Kefu. Each place has the next customer at the door already, so that only answers take time."""

    def __init__(self, url: str, asked: Sequence[str]) -> None:
        self._url, self._questions = url, asked
        self._next: dict[int, asyncio.Task[Person]] = {}
        self._number = 0
        self.faults: list[str] = []

    async def come(self) -> Person:
        person = Person(self._url)
        await person.connect()
        return person

    def question(self) -> str:
        """The next question; none is asked twice in the same words."""
        self._number += 1
        return f"{self._questions[self._number % len(self._questions)]} [{''.join(random.choices(LETTERS, k=4))}]"

    async def serve(self, phase: Phase, place: int) -> bool:
        """One question and its answer."""
        waiting = self._next.get(place) or asyncio.create_task(self.come())
        self._next[place] = asyncio.create_task(self.come())
        person = await waiting
        asked = await person.ask(self.question())
        await asyncio.wait_for(asked.done.wait(), ANSWER_SECONDS)
        self._take(phase, person, asked)
        await person.close()
        return True

    def _take(self, phase: Phase, person: Person, asked: Asked) -> None:
        self.faults += person.faults
        assert asked.first is not None
        assert asked.whole is not None
        due = asked.due
        phase.said.append(Said(due, due + asked.first, due + asked.whole, known(person.text), asked.outcome))

    async def leave(self) -> None:
        """Nobody is left at the doors."""
        for task in self._next.values():
            await (await task).close()
        self._next.clear()


async def stopped(persons: Persons, customers: int, *, leave: bool) -> list[tuple[str, float]]:
    """(how it began, when the rest was not wanted any more) of answers that are stopped, or left, at the first text."""

    async def one(number: int) -> tuple[str, float]:
        await asyncio.sleep(0.01 * number)
        person = await persons.come()
        asked = await person.ask(persons.question())
        await asyncio.wait_for(person.spoken_to.wait(), ANSWER_SECONDS)
        text = person.shown or person.text
        if leave:
            await person.close()
            return known(text), time.monotonic() + LEAVE_SECONDS
        await person.stop()
        moment = time.monotonic()
        await asyncio.wait_for(asked.done.wait(), ANSWER_SECONDS)
        await person.close()
        return known(text), moment

    return await asyncio.gather(*(one(number) for number in range(customers)))


class Plain:
    """Asks the engine itself, with what Kefu asked it, one connection a reply."""

    def __init__(self, engine: Engine, bodies: Sequence[bytes]) -> None:
        self._port, self._bodies, self._next = int(engine.url.rsplit(":", 1)[1]), bodies, 0
        self.tokens = 0

    async def serve(self, phase: Phase, place: int) -> bool:
        """One reply; whether there is another one to ask for."""
        if self._next == len(self._bodies):
            return False
        body, self._next = self._bodies[self._next], self._next + 1
        start = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        head = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
        writer.write(f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n\r\n".encode() + body)
        written = Written()
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"the engine said {status!r}: {(await reader.read(2000))!r}")
        while chunk := await reader.read(1 << 16):
            written.take(chunk)
        writer.close()
        self.tokens += len(written.times)
        first = written.sentence or written.times[-1]
        phase.said.append(Said(start, first, written.times[-1], known(written.text), f"{written.times[0] - start}"))
        return True


# --- the table


def tell(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


@dataclass(frozen=True)
class Measured:
    """What stands in a table's row, and whether it holds."""

    what: str
    found: str
    must: str = ""
    holds: bool | None = None

    def __str__(self) -> str:
        mark = {True: "yes", False: "NO", None: ""}[self.holds]
        return f"| {self.what} | {self.found} | {self.must} | {mark} |"


class Bench:
    """One engine under all crowds."""

    def __init__(self, title: str, engine: Engine, server: Server, folder: Path, options: argparse.Namespace) -> None:
        self.title, self.engine, self.server, self.folder, self.options = title, engine, server, folder, options
        self.failed = 0

    def tell(self, what: str, found: str, must: str = "", holds: bool | None = None) -> None:
        self.failed += holds is False
        print(Measured(f"{self.title}: {what}", found, must, holds), flush=True)

    def bodies(self) -> list[bytes]:
        """What Kefu has asked the engine, in no order."""
        lines = [line for file in sorted(self.folder.glob("asked-*")) for line in file.read_bytes().splitlines()]
        random.Random(7).shuffle(lines)
        return lines

    def forget(self) -> None:
        for file in self.folder.glob("asked-*"):
            os.truncate(file, 0)  # workers append

    async def run(self) -> None:
        asked = await self.written_by_the_engine()
        for customers in self.options.customers:
            await self.compare(customers, asked)
        await self.waste(asked)

    async def written_by_the_engine(self) -> list[str]:
        """Those of the demo's questions that lead to the engine; asking all of them warms everything up."""
        await asyncio.wait_for(self.used(), START_SECONDS)
        rows = [row["question"] for row in questions() if row["language"] == "en"]
        persons = Persons(self.server.socket_url, rows)
        lead: list[str] = []

        async def one(question: str) -> None:
            person = await persons.come()
            asked = await person.ask(f"{question} [{LETTERS[:4]}]")
            await asyncio.wait_for(asked.done.wait(), ANSWER_SECONDS)
            if asked.outcome == "answered":
                lead.append(question)
            await person.close()

        for start in range(0, len(rows), 25):
            await asyncio.gather(*(one(question) for question in rows[start : start + 25]))
        self.tell("questions of the demo that lead to the engine", f"{len(lead)} of {len(rows)}")
        return sorted(lead)

    async def used(self) -> None:
        """Return once workers use the engine: their breakers may have found it starting."""
        persons = Persons(self.server.socket_url, [row["question"] for row in questions() if row["language"] == "en"])
        phase = Phase(1)
        while sum(one.outcome == "answered" for one in phase.said) < 2 * self.options.workers:
            await persons.serve(phase, 0)
        await persons.leave()

    async def compare(self, customers: int, asked: Sequence[str]) -> None:
        ramp = min(self.options.ramp, 0.05 * customers)
        crowded = partial(crowd, self.engine, customers, ramp=ramp)
        self.engine.post("/reset_prefix_cache")
        self.forget()
        before, judged = usage_of(self.server.pid), Judged.of(self.server)
        earlier = len(self.engine.written())
        persons = Persons(self.server.socket_url, asked)
        stack = await crowded(self.options.seconds * 1.2, serve=persons.serve)
        await persons.leave()
        used = usage_of(self.server.pid)
        bodies, written = self.bodies(), self.engine.written()[earlier:]
        self.engine.post("/reset_prefix_cache")
        plain = Plain(self.engine, bodies)
        bare = await crowded(self.options.seconds, serve=plain.serve)
        for name in self.options.without if customers == max(self.options.customers) else ():
            self.engine.post("/reset_prefix_cache")
            less = [json.dumps({k: v for k, v in json.loads(body).items() if k != name}).encode() for body in bodies]
            other = await crowded(self.options.seconds, serve=Plain(self.engine, less).serve)
            self.tell(f"{customers} customers, tokens a second, alone and without {name}", f"{other.rate:.0f}")
        share = stack.rate / bare.rate
        must = customers == max(self.options.customers)
        self.tell(
            f"{customers} customers, tokens a second, alone / Kefu",
            f"{bare.rate:.0f} / {stack.rate:.0f} = {share:.1%}",
            f"≥ {MUST_SPEED:.0%}" if must else "",
            share >= MUST_SPEED if must else None,
        )
        self.delays(customers, stack, bare, written)
        wrong = [one for one in stack.said if one.outcome != "answered"]
        cpu = ", ".join(
            f"{name} {(used[name] - before[name]).cpu_seconds * 1e3 / len(stack.said):.0f}" for name in used
        )
        self.tell(
            f"{customers} customers, answers",
            f"{len(stack.said)} by Kefu, {len(wrong)} not by the engine, {len(persons.faults)} faults "
            f"{sorted(set(persons.faults))[:3]}; {len(bare.said)} alone, {plain.tokens / max(1, len(bare.said)):.0f} "
            f"tokens each; CPU ms an answer: {cpu}",
        )
        self.tell(f"{customers} customers, guards", Judged.of(self.server).since(judged))

    def delays(self, customers: int, stack: Phase, bare: Phase, written: Sequence[Written]) -> None:
        """How much later than the engine's first sentence text is there."""
        sentences = {known(one.text): one.sentence for one in written if one.sentence}
        late = [(one.first - sentences[one.beginning]) * 1e3 for one in stack.said if one.beginning in sentences]
        p50, p95 = percentile(late, 50), percentile(late, 95)
        waits = [
            next((at - one.sentence for at in one.times if at > one.sentence), 0.0) for one in written if one.sentence
        ]
        step = percentile(waits, 50) * 1e3
        self.tell(
            f"{customers} customers, first text after the engine's first sentence, p50 / p95",
            f"{p50:.0f} / {p95:.0f} ms ({len(late)} of {len(stack.said)} known again); the engine's next token, "
            f"without which no sentence is known to end, comes {step:.0f} ms after it",
            f"≤ {MUST_FIRST_MS:.0f} ms",
            p50 <= MUST_FIRST_MS,
        )
        self.legs(stack, sentences)
        first = percentile([float(one.outcome) * 1e3 for one in bare.said], 50)
        self.tell(
            f"{customers} customers, asked to first text / whole answer, p50 (p95)",
            f"{stack.milliseconds('first', 50):.0f} ({stack.milliseconds('first', 95):.0f}) / "
            f"{stack.milliseconds('end', 50):.0f} ({stack.milliseconds('end', 95):.0f}) ms; the engine alone: "
            f"token {first:.0f}, sentence {bare.milliseconds('first', 50):.0f}, end {bare.milliseconds('end', 50):.0f}",
        )

    def memory(self) -> int:
        """Tell how much of the card is in use; 1 when that is too much."""
        if self.options.played:
            return 0
        used, must = int(card("memory.used")), self.options.memory * 1e9 < MUST_MIB * 2**20
        self.tell(
            "memory of the card, engine and guards",
            f"{used:,} MiB, vLLM's limit {self.options.memory:g} GB",
            f"≤ {MUST_MIB:,} MiB" if must else "",
            used <= MUST_MIB if must else None,
        )
        return int(must and used > MUST_MIB)

    def legs(self, stack: Phase, sentences: dict[str, float]) -> None:
        """Where the time from the engine's first sentence to the customer's first text goes."""
        lines = [line for file in self.folder.glob("units-*") for line in file.read_bytes().splitlines()]
        units = {known(text)[:16]: (came, left) for text, came, left in map(json.loads, lines)}
        found = [
            (came - sentence, left - came, one.first - left)
            for one in stack.said
            if (sentence := sentences.get(one.beginning)) and (unit := units.get(one.beginning[:16]))
            for came, left in [unit]
        ]
        legs = [f"{percentile([leg[n] * 1e3 for leg in found], 50):.0f}" for n in range(3)]
        self.tell(
            f"{stack.customers} customers, of which until a unit may be there / is judged and known / is shown",
            " / ".join(legs),
        )

    def ended(self, number: int) -> list[Written]:
        """What the engine has written, once so many replies have ended, or no more of them do."""
        deadline = time.monotonic() + ENDING_SECONDS
        while len(written := self.engine.written()) < number and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)  # its counters follow
        return written

    async def waste(self, asked: Sequence[str]) -> None:
        """Tokens that the engine writes after a customer has stopped it, or has been gone for a second."""
        for what, leave in (("stopped at the first text", False), (f"left, {LEAVE_SECONDS:.0f} s later", True)):
            customers = max(self.options.customers)
            before, known_before = self.engine.tokens(), len(self.engine.written())
            moments = dict(await stopped(Persons(self.server.socket_url, asked), customers, leave=leave))
            written = (await asyncio.to_thread(self.ended, known_before + customers))[known_before:]
            wanted = whole = found = 0
            for one in written:
                moment = moments.get(known(one.text))
                found += moment is not None
                wanted += sum(at <= moment for at in one.times) if moment is not None else len(one.times)
                whole += len(one.times) >= self.options.tokens
            wasted = (self.engine.tokens() - before - wanted) / max(1, found)
            self.tell(
                f"{customers} answers {what}, tokens written afterwards",
                f"{wasted:.1f} an answer ({found} known again, {whole} were whole before it counted)",
                f"≤ {MUST_WASTE:.0f}",
                wasted <= MUST_WASTE,
            )


@dataclass(frozen=True)
class Judged:
    """What guards have done so far: seconds and units of each, verdicts by (guard, action, category)."""

    seconds: dict[str, float]
    units: dict[str, float]
    verdicts: dict[tuple[str, str, str], float]

    @classmethod
    def of(cls, server: Server) -> "Judged":
        with urllib.request.urlopen(server.address + "/metrics", timeout=30) as reply:
            text = reply.read().decode()
        seconds, units = (
            {name: float(n) for name, n in re.findall(rf'kefu_bench_guard_seconds_{what}{{guard="(\w+)"}} (\S+)', text)}
            for what in ("sum", "count")
        )
        said = re.findall(r'kefu_bench_verdicts_total{action="(\w+)",category="(\w*)",guard="(\w+)"} (\S+)', text)
        return cls(seconds, units, {(guard, action, category): float(n) for action, category, guard, n in said})

    def since(self, before: "Judged") -> str:
        """Milliseconds a unit, and what was not a pass."""
        parts = []
        for name in sorted(self.units):
            units = self.units[name] - before.units.get(name, 0.0)
            milliseconds = (self.seconds[name] - before.seconds.get(name, 0.0)) * 1e3 / max(1.0, units)
            said = {key[1:]: n - before.verdicts.get(key, 0) for key, n in self.verdicts.items() if key[0] == name}
            words = ", ".join(f"{n:.0f} {' '.join(key)}" for key, n in sorted(said.items()) if n and key[0] != "pass")
            parts.append(f"{name} {milliseconds:.1f} ms" + f" ({words})" * bool(words))
            failed = sum(n for (_, category), n in said.items() if category == "guard_failed")
            assert not failed, f"{name} failed {failed:.0f} times"
        return f"{units:.0f} units: " + "; ".join(parts)


def card(what: str, of: str = "gpu") -> str:
    """What nvidia-smi says of the card; sizes in MiB."""
    command = ["nvidia-smi", "--format=csv,noheader,nounits", f"--query-{of}={what}"]
    return "; ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def model_folder(named: str) -> Path:
    """The checkpoint; a random one is made where there is none."""
    folder = Path(named or Path(tempfile.gettempdir()) / "deepseek7b-random")
    if not (folder / "config.json").exists():
        command = "from bench.gpu_engine import random_checkpoint; import sys, pathlib"
        command += "; random_checkpoint(pathlib.Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", command, str(folder)], cwd=ROOT, check=True)
    return folder


def main(options: argparse.Namespace) -> int:
    logs = Path(options.logs)
    logs.mkdir(parents=True, exist_ok=True)
    engines: dict[str, tuple[list[str], dict[str, str]]] = {}
    if options.played:
        engines[f"played, {options.played:g} tokens a second each"] = played(options.played, options.port)
    else:
        model = model_folder(options.model)
        engines = {name: vllm(model, name, options) for name in options.engines}
    if options.serve:
        command, environment = engines[options.engines[0]]
        stamps = str(logs / f"{options.port}.stamps")
        os.execvpe(command[0], command, {**os.environ, **environment, "KEFU_BENCH_STAMPS": stamps})
    print("| what | found | must hold | holds |\n| --- | --- | --- | --- |")
    if not options.played:
        versions()
    failed = 0
    for title, (command, environment) in engines.items():
        if options.attach:
            engine = Engine(f"http://127.0.0.1:{options.port}", logs / f"{options.port}.stamps")
            failed += sum(under(title, guards, engine, options) for guards in options.guards)
            continue
        with started(command, environment, options.port, logs / f"{re.sub(r'[^a-z0-9]', '_', title)}.log") as engine:
            failed += sum(under(title, guards, engine, options) for guards in options.guards)
    return 1 if failed else 0


def under(title: str, guards: str, engine: Engine, options: argparse.Namespace) -> int:
    """All crowds on one engine and a Kefu over it; how many figures fall short."""
    with tempfile.TemporaryDirectory(prefix="asked-") as name, stack_of(engine, guards, Path(name), options) as kefu:
        try:
            bench = Bench(f"{title}, guards {guards}", engine, kefu, Path(name), options)
            asyncio.run(bench.run())
            return bench.failed + bench.memory()
        finally:
            shutil.copytree(kefu.var / "logs", Path(options.logs) / "kefu", dirs_exist_ok=True)


@contextlib.contextmanager
def stack_of(engine: Engine, guards: str, folder: Path, options: argparse.Namespace) -> Iterator[Server]:
    """Kefu over that engine, once all its workers are ready; its models run on the `cuda` or the `cpu`."""
    settings = {
        "KEFU_ENGINE": "openai",
        "KEFU_ENGINE_URL": engine.url + "/v1",
        "KEFU_ENGINE_MODEL": NAME,
        "KEFU_REPLY_TOKENS": str(options.tokens),
        "KEFU_WEB_PROCESSES": str(options.web),
        "KEFU_MASKING_PROCESSES": str(options.maskers),
        "KEFU_WORKER_THREADS": str(options.threads),
        "KEFU_LEAVE_SECONDS": str(LEAVE_SECONDS),
        "KEFU_BENCH_FOLDER": str(folder),
        "KEFU_WORKER_PROCESSES": str(options.workers),
        "KEFU_BENCH_SEED": options.seed,
        "KEFU_DEVICE": guards,
        **({"CUDA_VISIBLE_DEVICES": ""} if guards == "cpu" else {}),
    }
    began = time.monotonic()
    with running(settings, "bench.gpu_run") as server:
        client = redis.Redis(unix_socket_path=str(server.sockets / "redis.sock"))
        while client.zcount("kefu:workers", time.time(), "+inf") < options.workers:
            time.sleep(0.1)
        until_it_answers(engine)
        found = f"{time.monotonic() - began:.0f} s, {options.workers} workers"
        print(Measured("engine and Kefu: start", found), flush=True)
        yield server


def versions() -> None:
    from importlib.metadata import version

    names = ("vllm", "torch", "transformers", "bitsandbytes", "sentence-transformers")
    found = ", ".join(f"{name} {version(name)}" for name in names) + f", driver {card('driver_version')}"
    print(Measured(card("name"), found + time.strftime(", %Y-%m-%d")), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", default=["bitsandbytes", "fp8"], help="vLLM's --quantization")
    parser.add_argument(
        "--guards", nargs="+", choices=["cpu", "cuda"], default=["cpu", "cuda"], help="where Kefu's models run"
    )
    parser.add_argument("--serve", action="store_true", help="be the engine and nothing else")
    parser.add_argument("--attach", action="store_true", help="to an engine that was started by --serve, same --logs")
    parser.add_argument("--without", nargs="*", default=[], help="also ask the engine alone without this parameter")
    parser.add_argument("--customers", nargs="+", type=int, default=[1, 32, 100])
    parser.add_argument("--seconds", type=float, default=15.0, help="that are counted")
    parser.add_argument("--ramp", type=float, default=4.0, help="seconds in which a crowd arrives, at most")
    parser.add_argument("--tokens", type=int, default=128, help="of each reply")
    parser.add_argument("--memory", type=float, default=84.0, help="GB of the card that vLLM may take")
    parser.add_argument("--model", default="", help="folder of the checkpoint; empty: a random one is made")
    parser.add_argument("--vllm", default="", help="more options of vLLM's, in one word")
    parser.add_argument("--played", type=float, help="no vLLM: an engine that writes so many tokens a second")
    parser.add_argument("--web", type=int, default=3)
    parser.add_argument("--maskers", type=int, default=2)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--threads", type=int, default=40)
    parser.add_argument("--seed", default="", help="folder of a database that is ready (KEFU_VAR of another run)")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--logs", default="", help="folder for logs")
    arguments = parser.parse_args()
    arguments.logs = arguments.logs or tempfile.mkdtemp(prefix="gpu-stack-")
    sys.exit(main(arguments))
