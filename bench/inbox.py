"""The lists of the agents' inbox with many conversations: milliseconds for each view, filter and search.

    python -m bench.inbox [--conversations 10000]

In a database of its own. Must hold: nothing over one second. Exit status 1 when something is.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

MOST_SECONDS = 1.0
ROUNDS = 5
BATCH = 1_000


def asked() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what agents ask for all day, by name."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from chatbot.models import Conversation, Site
    from console import selectors
    from console.customers import customer
    from console.selectors import Filters
    from console.team import team

    agent, sites = User.objects.get(username="mei"), list(Site.objects.values_list("pk", flat=True))

    def listed(view: Any, sort: Any = "newest", **filters: Any) -> Callable[[], Any]:
        return lambda: selectors.inbox(agent, sites, view, sort=sort, filters=Filters(**filters))

    for view in ("waiting", "mine", "taken", "message", "bot", "closed", "all"):
        yield f"view {view}", listed(view)
    yield "longest wait first", listed("all", "wait")
    narrowed: dict[str, dict[str, Any]] = {
        "mood": {"sentiment": "negative"},
        "topic": {"topic": "refund"},
        "tag": {"tag": "VIP"},
        "late": {"late": True},
        "language": {"language": "zh"},
        "a frequent word": {"query": "发票"},
        "a word that nobody said": {"query": "鲸鱼"},
        "three words": {"query": "boots exchange nobody"},
    }
    for name, filters in narrowed.items():
        yield name, listed("all", **filters)
    yield "counts of all views", lambda: selectors.counts(agent, sites)
    yield "the team", lambda: team(sites, present=frozenset(), now=timezone.now())
    last = Conversation.objects.latest("updated")
    yield "a customer", lambda: customer(last)
    changed = list(Conversation.objects.values_list("pk", flat=True)[:100])
    yield "100 rows that changed", lambda: selectors.rows(changed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kefu-") as folder:
        os.environ["KEFU_VAR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        from django.contrib.auth.models import User
        from django.core.management import call_command

        from bench import rooms_data
        from chatbot.models import Message, Site

        call_command("migrate", verbosity=0)
        site = Site.objects.create(key="shop", name="Shop", knowledge_base="shop")
        agents = [User.objects.create_user(name) for name in ("mei", "tom")]
        for seed in range(max(1, options.conversations // BATCH)):
            rooms_data.fill(site, agents, conversations=min(BATCH, options.conversations), seed=seed)
        print(f"{options.conversations} conversations, {Message.objects.count()} messages\n")
        print("| asked | median ms | worst ms |\n| --- | --- | --- |")
        worst = 0.0
        for name, ask in asked():
            times = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                ask()
                times.append(time.perf_counter() - began)
            worst = max(worst, *times)
            print(f"| {name} | {1000 * sorted(times)[ROUNDS // 2]:.0f} | {1000 * max(times):.0f} |")
    return int(worst >= MOST_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
