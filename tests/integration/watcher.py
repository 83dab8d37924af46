"""A process that searches a base without pause, with the tests' embedder: `python -m tests.integration.watcher BASE`.

For each word on standard input it searches until a passage holds the word, or until none does when "-" leads it, and
prints a JSON line: when that was, and the slowest and the median search since the word before.
"""

import json
import os
import statistics
import sys
import threading
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from chatbot.knowledge_bases import KnowledgeBases  # noqa: E402
from config.environment import config  # noqa: E402
from knowledge.embedding import as_query  # noqa: E402
from knowledge.loading import Loader  # noqa: E402
from knowledge.retrieval import Retriever  # noqa: E402
from tests.knowledge.fakes import FakeEmbedder  # noqa: E402


def main() -> None:
    """Search from four threads."""
    base = sys.argv[1]
    loader, embedder = Loader("fake@1", config().var / "index"), FakeEmbedder()
    bases = KnowledgeBases(
        lambda: loader, lambda index, _: Retriever(index, lambda question: embedder.embed([as_query(question)])[0])
    )
    bases.retriever(base)
    bases.watch()
    taken: list[float] = []

    def search() -> None:
        while True:
            started = time.monotonic()
            bases.search("how long does a refund take", base)
            taken.append(time.monotonic() - started)

    for _ in range(4):
        threading.Thread(target=search, daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        word = line.strip()
        while word.startswith("-") == any(
            word.lstrip("-") in passage.text for passage in bases.search(word.lstrip("-"), base).passages
        ):
            time.sleep(0.01)
        found = time.time()
        row = {"word": word, "found": found, "slowest": max(taken), "median": statistics.median(taken)}
        taken.clear()
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
