"""Websocket to websocket: how soon does a customer see text, alone and among a hundred, and where does it end?

usage: bench/chat.py [URL [PID]] — of a running Kefu; PID is the process whose children are measured.
Without a URL it starts one of its own (embedded default, temporary folder).
"""

import argparse
import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.client import Customer, percentile
from bench.processes import Usage, usage_of

QUESTIONS = Path(__file__).resolve().parent.parent / "demo" / "bench_questions.jsonl"
LIMIT_SECONDS = 0.5


@dataclass
class Result:
    name: str
    first: list[float]
    whole: list[float]
    asked: int
    faults: list[str]
    seconds: float
    usage: dict[str, Usage]

    def row(self) -> str:
        first = " / ".join(f"{percentile(self.first, q) * 1000:.0f}" for q in (50, 95, 99))
        whole = " / ".join(f"{percentile(self.whole, q) * 1000:.0f}" for q in (50, 95, 99))
        lost = self.asked - len(self.whole)
        cpu = ", ".join(f"{name} {u.cpu_seconds * 1000 / max(1, self.asked):.1f}" for name, u in self.usage.items())
        return f"| {self.name} | {first} | {whole} | {self.asked} | {lost} | {len(self.faults)} | {cpu} |"


def questions() -> list[dict[str, str]]:
    return [json.loads(line) for line in QUESTIONS.read_text().splitlines() if line.strip()]


async def one_customer(url: str, key: str, pid: int | None) -> Result:
    """One customer asks every question, one after the other; in each language on a socket of its own."""
    rows, before, start = questions(), usage_of(pid), time.perf_counter()
    customers = {language: Customer(url, key, language) for language in ("zh", "en")}
    for customer in customers.values():
        await customer.connect()
    for row in rows[:5]:  # the first questions warm caches and are not counted
        await customers[row["language"]].answer(await customers[row["language"]].ask(row["question"]))
    for customer in customers.values():
        customer.asked.clear()
    for row in rows:
        customer = customers[row["language"]]
        await customer.answer(await customer.ask(row["question"]))
    return await _finish("one customer, 200 questions", list(customers.values()), before, start, pid)


async def many_customers(url: str, key: str, pid: int | None, *, sockets: int, rate: float, seconds: float) -> Result:
    """Open loop: `rate` questions a second in all, spread over the sockets, each measured from when it was due."""
    rows = questions()
    random.Random(7).shuffle(rows)
    customers = [Customer(url, key, rows[n % len(rows)]["language"]) for n in range(sockets)]
    for batch in range(0, sockets, 20):
        await asyncio.gather(*(c.connect() for c in customers[batch : batch + 20]))
    before, start = usage_of(pid), time.perf_counter()
    total = int(rate * seconds)
    tasks = []
    for n in range(total):
        due = start + n / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(customers[n % sockets].ask(rows[n % len(rows)]["question"], due)))
    await asyncio.gather(*tasks)
    pending = [asked for customer in customers for asked in customer.asked if asked.whole is None]
    if pending:
        await asyncio.wait([asyncio.create_task(asked.done.wait()) for asked in pending], timeout=30)
    return await _finish(f"{sockets} sockets, {rate:g}/s, {seconds:g} s", customers, before, start, pid)


async def _finish(
    name: str, customers: list[Customer], before: dict[str, Usage], start: float, pid: int | None
) -> Result:
    after, seconds = usage_of(pid), time.perf_counter() - start
    for customer in customers:
        await customer.close()
    asked = [a for c in customers for a in c.asked]
    return Result(
        name,
        [a.first for a in asked if a.first is not None],
        [a.whole for a in asked if a.whole is not None],
        len(asked),
        [fault for c in customers for fault in c.faults],
        seconds,
        {name: after[name] - before[name] for name in after if name in before},
    )


async def main(url: str, key: str, pid: int | None, *, quick: bool) -> int:
    """Print the table; return 1 when anything was lost, doubled or out of order."""
    print("| run | first text p50 / p95 / p99 ms | whole answer ms | asked | lost | faults | CPU ms a question |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    results = [await one_customer(url, key, pid)]
    print(results[-1].row(), flush=True)
    seconds = 15 if quick else 60
    results.append(await many_customers(url, key, pid, sockets=100, rate=20, seconds=seconds))
    print(results[-1].row(), flush=True)
    rate = 25.0
    while not quick and percentile(results[-1].first, 95) <= LIMIT_SECONDS and rate <= 120:
        results.append(await many_customers(url, key, pid, sockets=100, rate=rate, seconds=20))
        print(results[-1].row(), flush=True)
        rate += 5
    print("\nmemory, MB (proportional share): " + ", ".join(f"{n} {u.megabytes:.0f}" for n, u in usage_of(pid).items()))
    faults = sorted({fault for result in results for fault in result.faults})
    lost = sum(result.asked - len(result.whole) for result in results)
    print(f"lost {lost}, faults {faults or 'none'}")
    return 1 if faults or lost else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("pid", nargs="?", type=int)
    parser.add_argument("--key", default="demo")
    parser.add_argument("--quick", action="store_true", help="15 s at 20/s, no rising rates")
    options = parser.parse_args()
    if options.url is None:
        from bench.server import running

        with running({"KEFU_MESSAGES_PER_MINUTE": "100000"}) as server:
            sys.exit(asyncio.run(main(server.socket_url, options.key, server.pid, quick=options.quick)))
    sys.exit(asyncio.run(main(options.url, options.key, options.pid, quick=options.quick)))
