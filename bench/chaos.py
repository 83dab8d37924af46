"""Everything breaks at random while customers ask: is anything lost, doubled, out of order, or left without an end?

usage: bench/chaos.py [--minutes 10] [--customers 50] [--agents 3] [--web 2] [--engine E] [--seed N] [--keep FOLDER]
Real processes (embedded default, temporary folder) that are killed as the kernel kills them, or frozen; sockets that a
proxy cuts at any byte. Then a quiet minute; then all histories are compared with one that is read afresh.
Exits with 1 on any fault; --keep saves database and logs then.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.agents import Agent, session_cookie
from bench.proxy import Proxy
from bench.server import Server, running
from bench.tab import HISTORY, Tab, Visit

QUESTIONS = Path(__file__).resolve().parent.parent / "demo" / "bench_questions.jsonl"
KINDS = ("web", "worker", "desk", "redis")
QUIET_SECONDS = 60.0
PAUSE_SECONDS = 12.0  # between what one customer does, on average
CUT_SECONDS = 0.7
FROZEN_SECONDS = (0.5, 12.0)  # longer than a lease
BURST_SECONDS = (0.1, 0.5, 2.0)  # longest pause within a burst
SAME = ("id", "client_id", "role", "text", "at", "outcome", "reason", "reply_to")
SHOWN = ("lost", "doubled", "order", "back", "late", "changed", "unanswered")
PERSON = {"zh": "转人工", "en": "I want to talk to a person"}
CONTACT = {
    "zh": "我的手机号是13812345678，请问退款多久到账？",
    "en": "Mail me at jo@example.org: how long is a refund?",
}


@dataclass
class Customer:
    """One person with a tab or two; asks through the first."""

    visit: Visit
    tabs: list[Tab]
    asked: dict[str, tuple[str, float]] = field(default_factory=dict)  # text and monotonic time, in the order of asking
    seconds: dict[str, float] = field(default_factory=dict)  # until its outcome, by id of the question

    def ask(self, text: str) -> None:
        self.asked[self.tabs[0].ask(text)] = (text, time.monotonic())

    def on_event(self, event: dict[str, Any]) -> None:
        """Note how long everything took that this answer ends."""
        message = event.get("message")
        if message is not None and message["role"] in ("bot", "agent"):
            at = {m["id"]: m["at"] for m in self.tabs[0].history}.get(message["reply_to"], "")
            for question in self.tabs[0].history:
                id_ = question["client_id"]
                if id_ in self.asked and id_ not in self.seconds and question["at"] <= at:
                    self.seconds[id_] = time.monotonic() - self.asked[id_][1]


@dataclass(frozen=True)
class Fault:
    kind: str  # one of SHOWN
    text: str


async def arrive(url: str, language: str, tabs: int) -> Customer:
    """Open the first tab, then the others under its token."""
    customer = Customer(Visit(url, "demo", language), [])
    customer.tabs.append(Tab(customer.visit, customer.on_event))
    await customer.tabs[0].welcomed.wait()
    customer.tabs += [Tab(customer.visit) for _ in range(tabs - 1)]
    return customer


async def behave(customer: Customer, texts: list[str], dice: random.Random, until: float) -> None:
    """Ask, in bursts too, stop, reload and reconnect, until the time is up."""
    supply = itertools.cycle(texts)
    while True:
        await asyncio.sleep(dice.expovariate(1 / PAUSE_SECONDS))
        if time.monotonic() > until:
            return
        match dice.choices(["ask", "burst", "person", "contact", "reconnect", "reload"], [60, 15, 3, 6, 10, 6])[0]:
            case "ask":
                customer.ask(next(supply))
            case "burst":
                await burst(customer, supply, dice)
            case "person":
                customer.ask(PERSON[customer.visit.language])
            case "contact":
                customer.ask(CONTACT[customer.visit.language])
            case "reconnect":
                await dice.choice(customer.tabs).reconnect()
            case "reload":
                await customer.tabs[-1].reconnect(reload=True)
        if dice.random() < 0.06:
            await asyncio.sleep(dice.uniform(0, 0.2))
            await customer.tabs[0].stop_answer()


async def burst(customer: Customer, supply: Iterator[str], dice: random.Random) -> None:
    """Ask several things without waiting for an answer."""
    longest = dice.choice(BURST_SECONDS)
    for _ in range(dice.randint(2, 5)):
        customer.ask(next(supply))
        await asyncio.sleep(dice.uniform(0, longest))


async def harm(
    server: Server, customers: list[Customer], each: int, dice: random.Random, start: float, until: float
) -> Counter[str]:
    """Kill each kind of process so many times, and freeze it half as often, at random moments; in its start, too.

    What was frozen goes on as if nothing had happened, when others may have taken its work long since.
    """
    harmed: Counter[str] = Counter()
    meanwhile: list[asyncio.Task[None]] = []
    ways = [signal.SIGKILL] * each + [signal.SIGSTOP] * (each // 2)
    for due, kind, way in sorted((dice.uniform(start + 5, until - 3), kind, way) for kind in KINDS for way in ways):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        pids: list[int] = []
        while not pids and time.monotonic() < until:
            named = await asyncio.to_thread(server.pids)
            pids = [pid for name, pid in named.items() if name.split("_")[0] == kind and pid > 0]
            await asyncio.sleep(0 if pids else 0.1)
        for pid in pids and [dice.choice(pids)]:
            with suppress(ProcessLookupError):
                os.kill(pid, way)
                harmed[kind if way == signal.SIGKILL else f"{kind} frozen"] += 1
                for customer in dice.sample(customers, len(customers) // 5):  # some are always just talking
                    supply = itertools.repeat(CONTACT[customer.visit.language])
                    meanwhile.append(asyncio.create_task(burst(customer, supply, dice)))
                if way == signal.SIGSTOP:
                    meanwhile.append(asyncio.create_task(_thaw(pid, dice.uniform(*FROZEN_SECONDS))))
    await asyncio.gather(*meanwhile)
    return harmed


async def _thaw(pid: int, seconds: float) -> None:
    await asyncio.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


async def cut(proxy: Proxy, until: float) -> None:
    """Cut a line every now and then."""
    while time.monotonic() < until:
        await asyncio.sleep(CUT_SECONDS)
        proxy.cut()


async def read_afresh(customer: Customer) -> Tab:
    """Read the history as a new tab with the customer's token, until nothing more has come for two seconds."""
    seen = customer.visit
    tab = Tab(Visit(seen.url, seen.key, seen.language, seen.token, seen.conversation))
    await asyncio.wait_for(tab.welcomed.wait(), 30)
    count = -1
    while count < len(tab.history):
        count = len(tab.history)
        await asyncio.sleep(2)
    return tab


def judge(customer: Customer, fresh: Tab) -> list[Fault]:
    """Return everything that is wrong with one customer's conversation."""
    faults = [Fault(kind, text) for tab in [*customer.tabs, fresh] for kind, text in tab.faults]
    first, told = customer.tabs[0], fresh.history
    ids = [message["client_id"] for message in told]
    if len(told) < HISTORY:  # else the beginning is cut off for a fresh reader
        faults += [Fault("lost", f"question {id_} is not in the history") for id_ in customer.asked if id_ not in ids]
    faults += [Fault("lost", f"question {id_} was never confirmed") for id_ in first.outbox]
    faults += [Fault("doubled", f"question {id_}") for id_, n in Counter(ids).items() if id_ and n > 1]
    own = [id_ for id_ in customer.asked if id_ in ids and id_ not in first.refused]
    if own != [id_ for id_ in ids if id_ in own]:
        faults.append(Fault("order", f"own questions: {_moved(own, [id_ for id_ in ids if id_ in own])}"))
    for message in told:
        if message["client_id"] in customer.asked and message["text"] != customer.asked[message["client_id"]][0]:
            faults.append(Fault("changed", f"own question {message['client_id']}: {message['text']!r}"))
    for number, tab in enumerate(customer.tabs):
        faults += _compare(number, tab, told)
    return faults + _speakers(told) + _outcomes(told)


def said_by_agents(var: Path) -> Counter[str]:
    """Count agents' replies in the database by the id under which they were sent."""
    with sqlite3.connect(f"file:{var / 'kefu.sqlite3'}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT client_id FROM chatbot_message WHERE role = 'agent'")
        return Counter(row[0].partition(":")[2] for row in rows)


def judge_agent(agent: Agent, found: Counter[str]) -> list[Fault]:
    """What an agent was told is sent stands in the database, once; the tabs are compared with histories elsewhere."""
    faults = [Fault(kind, text) for kind, text in agent.faults]
    for id_, sent in agent.replies.items():
        if sent.done and not found[id_]:
            faults.append(Fault("lost", f"{agent.name}'s reply {id_} in {sent.conversation}"))
        if found[id_] > 1:
            faults.append(Fault("doubled", f"{agent.name}'s reply {id_} in {sent.conversation}"))
    return faults


def hire(server: Server, url: str, count: int, dice: random.Random) -> list[Agent]:
    """Make accounts and log them in."""
    names = [f"bench{number}" for number in range(count)]
    agents = []
    for name in names:
        made = json.loads(server.command("staff", "add", name, "--role", "agent", "--site", "demo"))
        cookie = session_cookie(server.address, name, made["password"])
        others = [other for other in names if other != name]
        agents.append(Agent(url, name, cookie, random.Random(dice.random()), others))
    return agents


def _compare(number: int, tab: Tab, told: list[dict[str, Any]]) -> list[Fault]:
    """What one tab shows against what a fresh reader is told (the last messages, when those are many)."""
    shown = tab.history[-len(told) :] if len(told) >= HISTORY else tab.history
    told = told[-len(shown) :] if len(shown) >= HISTORY else told
    ours, theirs = [m["id"] for m in shown], [m["id"] for m in told]
    faults = [Fault("lost", f"{m['role']} {m['id']} is not in tab {number}") for m in told if m["id"] not in ours]
    faults += [Fault("lost", f"{m['role']} {m['id']} is in tab {number} alone") for m in shown if m["id"] not in theirs]
    common = [id_ for id_ in theirs if id_ in ours]
    if common != [id_ for id_ in ours if id_ in theirs]:
        moved = _moved(common, [id_ for id_ in ours if id_ in theirs])
        faults.append(Fault("order", f"tab {number} against the history: {moved}"))
    by_id = {message["id"]: message for message in told}
    for message in shown:
        other = by_id.get(message["id"], message)
        if any(message[name] != other[name] for name in SAME):
            faults.append(Fault("changed", f"{message['role']} {message['id']} in tab {number}"))
    return faults + [Fault("unanswered", f"reply {reply} never ended in tab {number}") for reply in tab.streaming]


def _outcomes(told: list[dict[str, Any]]) -> list[Fault]:
    """Every question ends once: a reply answers everything that came up to the message that it replies to."""
    faults, answered_to = [], ""
    at = {message["id"]: message["at"] for message in told}
    seen: set[str] = set()
    for message in told:
        seen.add(message["id"])
        if message["role"] not in ("bot", "agent"):
            continue
        to = message["reply_to"]
        if to in at and to not in seen:
            faults.append(Fault("order", f"reply {message['id']} comes before its question {to}"))
        if message["role"] == "bot" and at.get(to, "") <= answered_to:
            faults.append(Fault("doubled", f"reply {message['id']}: {to} was answered before"))
        answered_to = max(answered_to, at.get(to, "") if message["role"] == "bot" else message["at"])
    for message in told:
        if message["role"] == "customer" and message["at"] > answered_to:
            faults.append(Fault("unanswered", f"question {message['id']} of {message['at']}"))
    return faults


def _speakers(told: list[dict[str, Any]]) -> list[Fault]:
    """The bot says nothing while an agent has the conversation."""
    faults, agent = [], False
    for message in told:
        if message["role"] == "system" and message["reason"] in ("joined", "transferred", "left", "ended", "expired"):
            agent = message["reason"] in ("joined", "transferred")
        elif message["role"] == "bot" and agent:
            faults.append(Fault("order", f"the bot's {message['id']} while an agent had the conversation"))
    return faults


def _moved(expected: list[str], found: list[str]) -> str:
    place = next(n for n, (a, b) in enumerate(zip(expected, found, strict=True)) if a != b)
    return f"{found[place]} instead of {expected[place]} at place {place}"


def open_in_database(var: Path) -> list[Fault]:
    """What the database knows of and no reader can see: questions without outcome, messages never announced."""
    with sqlite3.connect(f"file:{var / 'kefu.sqlite3'}?mode=ro", uri=True) as database:
        questions = "SELECT id FROM chatbot_message WHERE role = 'customer' AND outcome = ''"
        silent = "SELECT id FROM chatbot_message WHERE sequence IS NULL"
        faults = [Fault("unanswered", f"in the database: {row[0]}") for row in database.execute(questions)]
        return faults + [Fault("lost", f"never announced: {row[0]}") for row in database.execute(silent)]


async def main(server: Server, options: argparse.Namespace) -> int:
    """Break everything for a while, wait, compare, print; return 1 on any fault."""
    dice = random.Random(options.seed)
    address = urlsplit(server.address)
    proxy = Proxy(str(address.hostname), int(address.port or 0), options.seed)
    url = f"ws://127.0.0.1:{await proxy.start()}/ws/chat/"
    rows = [json.loads(line) for line in QUESTIONS.read_text().splitlines() if line.strip()]
    texts = {key: [row["question"] for row in rows if row["language"] == key] for key in ("zh", "en")}
    languages = [("zh", "en")[n % 2] for n in range(options.customers)]
    customers = await asyncio.gather(*(arrive(url, language, dice.randint(1, 2)) for language in languages))
    start = time.monotonic()
    until = start + options.minutes * 60
    cast: list[Coroutine[Any, Any, Any]] = [cut(proxy, until)]
    for customer in customers:
        shuffled = dice.sample(texts[customer.visit.language], len(texts[customer.visit.language]))
        cast.append(behave(customer, shuffled, random.Random(dice.random()), until))
    agents = hire(server, url.replace("/ws/chat/", "/ws/staff/"), options.agents, dice)
    cast += [agent.work(until) for agent in agents]
    each = max(3, round(options.minutes * 0.8))
    harmed, *_ = await asyncio.gather(harm(server, customers, each, dice, start, until), *cast)
    proxy.settle()
    await asyncio.gather(*(agent.hand_all_back() for agent in agents))  # transfers may have crossed
    await asyncio.sleep(QUIET_SECONDS)
    faults = open_in_database(server.var)
    afresh = await asyncio.gather(*map(read_afresh, customers))
    for customer, fresh in zip(customers, afresh, strict=True):
        name = customer.visit.conversation
        faults += [Fault(fault.kind, f"{name}: {fault.text}") for fault in judge(customer, fresh)]
    said = said_by_agents(server.var)  # a fresh reader is told the last messages alone
    faults += [fault for agent in agents for fault in judge_agent(agent, said)]
    show(customers, agents, harmed, proxy.cuts, faults)
    await asyncio.gather(*(agent.close() for agent in agents))
    await asyncio.gather(*(tab.close() for tab in [*afresh, *(tab for customer in customers for tab in customer.tabs)]))
    await proxy.close()
    if faults and options.keep:
        await asyncio.to_thread(keep, server.var, options.keep, customers)
    return 1 if faults else 0


def show(
    customers: list[Customer], agents: list[Agent], harmed: Counter[str], cuts: Counter[str], faults: list[Fault]
) -> None:
    """Print the table, then every fault."""
    replies = [m for c in customers for m in c.tabs[0].history if m["role"] in ("bot", "agent")]
    outcomes = Counter(f"{m['outcome']}{' (' + m['reason'] + ')' if m['reason'] else ''}" for m in replies)
    errors: Counter[str] = sum((customer.visit.errors for customer in customers), Counter())
    seconds = sorted(s for customer in customers for s in customer.seconds.values())
    found = Counter(fault.kind for fault in faults)
    rows = {
        "kills": _counts(harmed),
        "cuts": _counts(cuts),
        "welcomes": str(sum(customer.visit.lines for customer in customers)),
        "error frames": _counts(errors),
        "asked": f"{sum(len(customer.asked) for customer in customers)} by {len(customers)} customers",
        "outcomes": _counts(outcomes),
        "agents": f"{len(agents)}: {_counts(sum((agent.acts for agent in agents), Counter()))}",
        "agents' errors": _counts(sum((agent.errors for agent in agents), Counter())),
        "slowest outcome": f"{seconds[-1]:.1f} s (median {seconds[len(seconds) // 2]:.2f} s)" if seconds else "none",
        **{kind: str(found[kind]) for kind in SHOWN},
    }
    print("| what | how many |\n| --- | --- |")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    for fault in faults:
        print(f"{fault.kind}: {fault.text}")
    sys.stdout.flush()


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common()) or "none"


def keep(var: Path, folder: Path, customers: list[Customer]) -> None:
    """Save database, logs and what the tabs saw."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in [*var.glob("kefu.sqlite3*"), *(var / "logs").glob("*.log*")]:
        shutil.copy(file, folder)
    tabs = [
        {
            "conversation": customer.visit.conversation,
            "asked": customer.asked,
            "tabs": [list(zip(tab.seqs, tab.history, strict=True)) for tab in customer.tabs],
        }
        for customer in customers
    ]
    (folder / "tabs.json").write_text(json.dumps(tabs, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--customers", type=int, default=50)
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--web", type=int, default=2, help="web processes")
    parser.add_argument("--engine", default="extractive", help="transformers: SmolLM2, whose answers take seconds")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, help="folder for database and logs of a run with faults")
    given = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"seed {given.seed}", flush=True)
    settings = {"KEFU_MESSAGES_PER_MINUTE": "100000", "KEFU_WEB_PROCESSES": str(given.web), "KEFU_ENGINE": given.engine}
    with running(settings | ({"KEFU_MODEL": "smollm2"} if given.engine == "transformers" else {})) as own:
        sys.exit(asyncio.run(main(own, given)))
