"""Staff's pages with a busy shop behind them: seconds of the server for every page, as a table.

`make bench-rooms`, or `python -m bench.rooms [--conversations 10000] [--chunks 5000]`. A real Kefu runs; the pages are
got as an administrator, each several times. Must hold: no page over one second. Exit status 1 when one is.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx

from bench.agents import session_cookie
from bench.server import ROOT, Server, running

MOST_SECONDS = 1.0
ROUNDS = 5
_FILL = """
from django.contrib.auth.models import User
from bench import rooms_data
from bench.rooms import routes
from chatbot.models import Site
from console import accounts
from knowledge.models import KnowledgeBase
site = Site.objects.get(key="demo")
second, _ = Site.objects.get_or_create(key="manual", defaults={{"name": "{name}", "knowledge_base": "manual"}})
base = KnowledgeBase.objects.create(slug="manual", name="Manual")
agents = list(User.objects.filter(username__in=("agent", "agent2")))
rooms_data.fill(site, agents, conversations={conversations})
rooms_data.fill_knowledge(base, documents={documents}, chunks={chunks})
accounts.add("bench", "{password}", roles=["administrator"], sites=[])
for name, address in routes("manual"):
    print(name, address, sep="\\t")
"""
PASSWORD = "a long pass word"


def filled(server: Server, *, conversations: int, chunks: int) -> dict[str, str]:
    """Fill the server's database; return the addresses of staff's pages by route."""
    code = _FILL.format(
        name="محمد 手册 Manual",
        conversations=conversations,
        documents=max(1, chunks // 50),
        chunks=chunks,
        password=PASSWORD,
    )
    run = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        cwd=ROOT, env=dict(server.environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode:
        raise RuntimeError(run.stderr[-3000:])
    return dict(line.split("\t") for line in run.stdout.splitlines() if "\t" in line)


def routes(base: str) -> Iterator[tuple[str, str]]:
    """Yield every staff page that can be looked at, with things that exist in place of its arguments."""
    from django.urls import URLPattern, get_resolver, reverse

    from chatbot.models import Conversation, LedgerEntry, Review, Site
    from knowledge.models import Document, DocumentVersion, Gap, GoldenQuestion, RadarFinding

    things = {
        "base": base, "slug": base, "site": Site.objects.get(key="demo").pk, "key": "demo",
        "message": LedgerEntry.objects.latest("created").pk, "conversation": Conversation.objects.latest("updated").pk,
        "document": Document.objects.filter(base__slug=base).latest("pk").pk, "number": 1,
        "version": DocumentVersion.objects.filter(document__base__slug=base).latest("pk").pk,
        "gap": Gap.objects.latest("pk").pk, "golden": GoldenQuestion.objects.latest("pk").pk,
        "review": Review.objects.order_by("decision").values_list("pk", flat=True)[0], "name": "kefu",
        "finding": RadarFinding.objects.latest("pk").pk, "user": 1, "step": "hours", "person": 1, "account": 1,
    }  # fmt: skip
    for space in ("staff", "rooms"):
        _, resolver = get_resolver().namespace_dict[space]
        for pattern in resolver.url_patterns:
            if not isinstance(pattern, URLPattern):
                continue
            wanted = re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))
            if all(name in things for name in wanted):
                name = f"{space}:{pattern.name}"
                yield name, reverse(name, kwargs={one: things[one] for one in wanted})


def timed(server: Server, pages: dict[str, str]) -> Iterator[tuple[str, int, float, float, int]]:
    """Yield route, status, median and slowest seconds, and kB of every page that answers a GET."""
    cookie = session_cookie(server.address, "bench", PASSWORD)
    with httpx.Client(base_url=server.address, headers={"Cookie": cookie}, timeout=60) as client:
        for name, address in sorted(pages.items()):
            if name in ("staff:logout",):
                continue
            seconds = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                answer = client.get(address)
                seconds.append(time.perf_counter() - start)
                if answer.status_code == 405:
                    break
            if answer.status_code != 405:
                yield name, answer.status_code, statistics.median(seconds), max(seconds), len(answer.content) // 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--chunks", type=int, default=5_000)
    options = parser.parse_args()
    slow = broken = 0
    with running() as server:
        pages = filled(server, conversations=options.conversations, chunks=options.chunks)
        print(f"{options.conversations} conversations, {options.chunks} chunks; {ROUNDS} rounds")
        print(f"{'page':32} status  median s  slowest s     kB")
        for name, status, median, slowest, size in timed(server, pages):
            print(f"{name:32} {status:6}  {median:8.3f}  {slowest:9.3f}  {size:5}", flush=True)
            slow += median > MOST_SECONDS
            broken += status >= 500
    print(f"{slow} over {MOST_SECONDS} s, {broken} broken")
    return int(bool(slow or broken))


if __name__ == "__main__":
    sys.exit(main())
