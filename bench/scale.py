"""Measures knowledge at size: search, memory, building, recall, and from publishing to counting in answers.

    KEFU_BENCH_DATA=FOLDER python -m bench.scale [--sizes 10000 100000] [--indexed 150] [--models FOLDER]

The folder holds retrieval/{esun,stackfaq}.faq.jsonl.gz and stackfaq.queries.jsonl.gz; bench/scale_set.py makes bases of
them. Searches are those of a worker, without embedding the question: one after the other, then from two processes of
four threads while something is published. Needs about 3 kB of disk a chunk; a million take half an hour to make. Status
1 when something that must hold does not.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import django
import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {10_000: 20.0, 100_000: 40.0, 1_000_000: 80.0}
"""Milliseconds that the 95th percentile of a search may take, by chunks."""
RECALL = 0.95
PUBLISH_SECONDS = 2.0
THROUGHPUT = 0.8
CHUNKS_A_DOCUMENT = 55
"""So that a million are fewer documents than a base may have, and one more can come."""
CODE = "KX-77310"
FILTERS = {"hundredth": ["7"]}
"""Lets through one document in a hundred."""
PASS: dict[str, Any] = {"action": "pass", "tier": None, "categories": []}
AT_ONCE = 5000
"""Chunks that are made and written at once; none of their documents goes on after them."""
_WATCHED_BEFORE = 1.5


@dataclass
class Figures:
    """What came out of one size; milliseconds are of each question."""

    size: int
    find_ms: list[float] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    build_s: float = 0.0
    build_mb: float = 0.0
    load_s: float = 0.0
    disk_mb: float = 0.0
    mb: list[float] = field(default_factory=list)
    recall: float = 0.0
    filtered_recall: float = 0.0
    filtered_ms: list[float] = field(default_factory=list)
    publish_s: list[float] = field(default_factory=list)
    slowest_ms: float = 0.0
    median_ms: float = 0.0

    @property
    def limit(self) -> float:
        """What the 95th percentile may be: that of the next size up."""
        return next((limit for size, limit in LIMITS.items() if self.size <= size), max(LIMITS.values()))

    def holds(self) -> dict[str, bool]:
        """What must hold, and whether it does."""
        p95 = float(np.quantile(self.search_ms, 0.95))
        return {
            f"p95 <= {self.limit:.0f} ms": p95 <= self.limit,
            f"recall >= {RECALL}": self.recall >= RECALL,
            f"recall of the hundredth that a filter leaves >= {RECALL}": self.filtered_recall >= RECALL,
            f"publish <= {PUBLISH_SECONDS:.0f} s": max(self.publish_s) <= PUBLISH_SECONDS,
        }


def fill(slug: str, size: int, source: Any, model: str, dice: np.random.Generator) -> tuple[Any, Any]:
    """Writes a base of made chunks and publishes it; the vectors of its texts and of its titles."""
    from bench.scale_set import how_far, many_moved
    from knowledge import releases, vectors
    from knowledge.embedding import as_passage
    from knowledge.models import Chunk, Document, DocumentVersion, Embedding, KnowledgeBase, ReleaseItem

    base = KnowledgeBase.objects.create(slug=slug, name=slug)
    pairs = np.empty(size, np.int64)
    hashes: list[list[bytes]] = [[], []]
    made = source.chunks(size, dice)
    for number in range(0, size, AT_ONCE):
        rows: list[Chunk] = []
        some = list(islice(made, AT_ONCE))
        for start in range(0, len(some), CHUNKS_A_DOCUMENT):
            said = {"hundredth": str((number + start) // CHUNKS_A_DOCUMENT % 100)}
            name = f"{number + start}.csv"
            document = Document.objects.create(base=base, name=name, versions_made=1, metadata=said)
            version = DocumentVersion.objects.create(
                document=document, number=1, stage=DocumentVersion.Stage.READY, content_hash=document.name
            )
            for position, one in enumerate(some[start : start + CHUNKS_A_DOCUMENT]):
                ends = len(one.text) - len(one.kept), len(one.text)
                rows.append(
                    Chunk(
                        version=version,
                        position=position,
                        ref=str(position),
                        text=one.text,
                        question=one.question,
                        language=source.pairs[one.pair].language,
                        sentences=[{"start": ends[0], "end": ends[1], "verdict": PASS}] if one.kept else [],
                        guard_version="bench",
                    )
                )
        Chunk.objects.bulk_create(rows, batch_size=1000)
        pairs[number : number + len(some)] = [one.pair for one in some]
        for row in rows:
            texts = vectors.embedded_texts(row)
            hashes[0].append(vectors.text_hash(texts[0]))
            hashes[1].append(vectors.text_hash(texts[1]) if row.question else b"")
    stored: dict[bytes, bytes] = {}
    kinds = []
    for keys, real in zip(hashes, (source.texts, source.titles), strict=True):
        kind = many_moved(real, pairs, how_far(real, size, dice), dice)
        stored.update((key, vector.tobytes()) for key, vector in zip(keys, kind, strict=True) if key)
        kinds.append(kind)
    stored |= {
        vectors.text_hash(as_passage(kept)): vector.astype(np.float16).tobytes()
        for kept, vector in zip(source.kept, source.texts, strict=True)
    }
    ordered = iter(sorted(stored.items()))  # in the order of the table's index, which is then written front to back
    while some_rows := list(islice(ordered, AT_ONCE)):
        Embedding.objects.bulk_create(
            [Embedding(model=model, text_hash=key, vector=vector) for key, vector in some_rows], ignore_conflicts=True
        )
    draft = releases.draft(slug)
    versions = DocumentVersion.objects.filter(document__base=base).values_list("document_id", "pk")
    ReleaseItem.objects.bulk_create(
        [ReleaseItem(release=draft, document_id=document, version_id=version) for document, version in versions],
        batch_size=2000,
    )
    releases.publish(slug, urgent=True)
    return kinds[0], kinds[1]


def build(figures: Figures, slug: str) -> None:
    """Has the snapshot made as a worker would; a base that is held in memory has none."""
    from knowledge.loading import IN_MEMORY

    if figures.size <= IN_MEMORY:
        return
    started = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "bench.scale_worker", slug], cwd=ROOT)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit("the snapshot could not be made")
    figures.build_s, figures.build_mb = time.monotonic() - started, usage.ru_maxrss / 1024
    from config.environment import config

    files = [path for path in (config().var / "index").rglob("*") if path.is_file()]
    figures.disk_mb = sum(path.stat().st_size for path in files) / 2**20


def recall_of(slug: str, model: str, asked: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The share of the ten nearest texts that the index finds among its fifty: of all, of the filter's hundredth."""
    from config.environment import config
    from knowledge.loading import Loader
    from knowledge.nearest import Allowed, exact_nearest

    index = Loader(model, config().var / "index").load(slug)
    field = index.parts[0].segment.texts
    few = index._chosen(frozenset((key, frozenset(some)) for key, some in FILTERS.items())).vectors["texts"][0]
    every = Allowed(np.arange(len(field.vectors)), len(field.vectors))
    found = []
    for allowed, only in ((every, None), (few, few)):
        exact = exact_nearest(field.vectors[allowed.numbers], asked, 10)
        shares = []
        for query, want in zip(asked, exact, strict=True):
            numbers = field.near.search(query, 50, only)[1]
            scores = field.vectors[numbers].astype(np.float32) @ query
            best = numbers[np.argsort(-scores)[:10]].tolist()
            shares.append(len(set(allowed.numbers[want].tolist()) & set(best)) / len(want))
        found.append(float(np.mean(shares)))
    return found[0], found[1]


class Worker:
    """A process of bench/scale_worker.py."""

    def __init__(self, slug: str, questions: Path) -> None:
        command = [sys.executable, "-m", "bench.scale_worker", slug, str(questions), CODE]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.load_s: float = self.hear()["load_s"]

    def say(self, word: str) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """What it answers."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a searching process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Let it go."""
        self.say("end")
        self._process.wait()


def search(figures: Figures, slug: str, questions: Path, embedder: Any) -> None:
    """Search, then publish something while two processes search without pause."""
    from knowledge.services import import_document

    workers = [Worker(slug, questions) for _ in range(2)]
    figures.load_s = workers[0].load_s
    for worker in workers:
        worker.say("measure")
        heard = worker.hear()
        figures.find_ms, figures.search_ms, figures.cpu_ms = heard["find_ms"], heard["search_ms"], heard["cpu_ms"]
        figures.filtered_ms = heard["filtered_ms"]
    for worker in workers:  # memory when both have it mapped
        worker.say("measure")
        heard = worker.hear()
        figures.mb = [heard["mb"][0], heard["mb"][1], heard["before_mb"]]
    for worker in workers:
        worker.say("watch")
        worker.hear()
    time.sleep(_WATCHED_BEFORE)
    text = f"The spare pole {CODE} fits every tent that we have sold since spring."
    report = import_document(
        slug, "new.md", text.encode(), embedder=embedder, judge=lambda s: [PASS] * len(s), guard_version="bench"
    )
    published = time.time()
    if report.state != "live":
        raise SystemExit(f"nothing was published: the file is {report.state}, {report.reason}")
    taken = []
    for worker in workers:
        heard = worker.hear()
        if heard["found"] is None:
            raise SystemExit("a searching process never found what was published")
        figures.publish_s.append(heard["found"] - published)
        taken += [1000 * seconds for _, seconds in heard["searches"]]
        worker.end()
    figures.median_ms, figures.slowest_ms = float(np.median(taken)), max(taken)


def indexing(data: Path, models: Path, count: int) -> tuple[float, float, int]:
    """Texts a second: chunked, embedded and stored by an import; encoded by sentence-transformers alone; how many."""
    from bench.scale_set import rows_of
    from chatbot.encoder import search_encoder
    from knowledge.models import Chunk
    from knowledge.services import import_document
    from knowledge.vectors import embedded_texts

    rows = [
        {"question": one["question"], "answer": one["answer"]} for one in rows_of(data / "esun.faq.jsonl.gz")[:count]
    ]
    file = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    embedder = search_encoder(models)
    started = time.monotonic()
    import_document(
        "indexed", "faq.jsonl", file, embedder=embedder, judge=lambda s: [PASS] * len(s), guard_version="bench"
    )
    ours = time.monotonic() - started
    texts = sorted(
        {text for one in Chunk.objects.filter(version__document__base__slug="indexed") for text in embedded_texts(one)}
    )
    from sentence_transformers import SentenceTransformer

    bare = SentenceTransformer(str(models / "e5-small"), device="cpu", model_kwargs={"dtype": "float32"})  # the fastest
    bare.encode(texts[:8], prompt="", show_progress_bar=False)
    started = time.monotonic()
    bare.encode(texts, prompt="", normalize_embeddings=True, show_progress_bar=False)
    return len(texts) / ours, len(texts) / (time.monotonic() - started), len(texts)


def show(figures: Figures) -> None:
    """One size."""
    find, whole, few = (
        np.quantile(one, [0.5, 0.95]) for one in (figures.find_ms, figures.search_ms, figures.filtered_ms)
    )
    print(
        f"{figures.size:>9}{find[0]:10.1f}{find[1]:7.1f}{whole[0]:11.1f}{whole[1]:7.1f}{few[1]:9.1f}"
        f"{np.quantile(figures.cpu_ms, 0.95):8.1f}{figures.load_s:8.1f}"
        f"{figures.build_s:9.1f}{figures.build_mb:9.0f}{figures.disk_mb:9.0f}"
        f"{figures.mb[0]:9.0f}{figures.mb[1]:9.0f}{figures.mb[2]:8.0f}{figures.recall:9.3f}{figures.filtered_recall:9.3f}"
        f"{max(figures.publish_s):9.2f}{figures.median_ms:9.1f}{figures.slowest_ms:9.1f}",
        flush=True,
    )


HEADER = (
    f"{'chunks':>9}{'index p50':>10}{'p95':>7}{'search p50':>11}{'p95':>7}{'1 % p95':>9}{'CPU p95':>8}{'load s':>8}"
    f"{'build s':>9}{'build MB':>9}{'disk MB':>9}{'PSS MB':>9}{'own MB':>9}{'before':>8}{'recall':>9}{'of 1 %':>9}"
    f"{'counts s':>9}{'loaded p50':>11}{'max ms':>7}"
)


def quantiles(values: npt.NDArray[np.float64]) -> str:
    """Five quantiles in words."""
    return "  ".join(f"{one:.3f}" for one in np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]))


def main() -> int:
    """Print the tables; 1 when something that must hold does not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--indexed", type=int, default=150, help="FAQ pairs that are imported; 0: none")
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("KEFU_MODELS", ROOT / "models")))
    options = parser.parse_args()
    if not (data := os.environ.get("KEFU_BENCH_DATA")):
        parser.error("KEFU_BENCH_DATA names no folder")
    held = True
    with tempfile.TemporaryDirectory(prefix="kefu-scale-") as folder:
        for foreign in [name for name in os.environ if name.startswith("KEFU_") and name != "KEFU_BENCH_DATA"]:
            del os.environ[foreign]
        os.environ |= {"KEFU_VAR": folder, "KEFU_MODELS": str(options.models.resolve())}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        if options.sizes:
            held = all(list(tables(Path(data) / "retrieval", options.models, options.sizes, Path(folder))))
        if options.indexed:
            ours, bare, count = indexing(Path(data) / "retrieval", options.models, options.indexed)
            fine = ours >= THROUGHPUT * bare
            held &= fine
            print(f"\nindexing, {count} texts: {ours:.1f} a second; sentence-transformers alone {bare:.1f}; ", end="")
            print(f"share {ours / bare:.2f} (>= {THROUGHPUT}: {'yes' if fine else 'NO'})")
    return 0 if held else 1


def tables(data: Path, models: Path, sizes: list[int], folder: Path) -> Iterator[bool]:
    """Measures and prints every size; whether all of it holds."""
    from bench.scale_set import Source, neighbours
    from chatbot.encoder import search_encoder

    embedder = search_encoder(models)
    source = Source(data, embedder)
    questions = folder / "questions.npz"
    np.savez(questions, questions=np.asarray(source.questions), vectors=source.asked)
    real = {"texts": neighbours(source.texts, source.texts), "titles": neighbours(source.titles, source.titles)}
    for kind, cosines in real.items():
        print(f"nearest neighbours, real {kind:6} ({len(cosines)}): 5, 25, 50, 75, 95 %: {quantiles(cosines)}")
    everything: list[Figures] = []
    for size in sizes:
        figures, slug = Figures(size), f"scale-{size}"
        dice = np.random.default_rng(int(sha256(slug.encode()).hexdigest()[:8], 16))
        made = dict(zip(real, fill(slug, size, source, embedder.model_id, dice), strict=True))
        for kind, vectors in made.items():
            some = dice.choice(size, 300, replace=False)
            print(
                f"nearest neighbours, made {kind:6} ({size}): {quantiles(neighbours(vectors, vectors[some]))}",
                flush=True,
            )
        del made
        build(figures, slug)
        figures.recall, figures.filtered_recall = recall_of(slug, embedder.model_id, source.asked)
        search(figures, slug, questions, embedder)
        print(f"\n{HEADER}", flush=True)
        show(figures)
        for name, fine in figures.holds().items():
            print(f"{'':9} {name}: {'yes' if fine else 'NO'}")
        everything.append(figures)
        yield all(figures.holds().values())
    print(f"\n{HEADER}")
    for figures in everything:
        show(figures)


if __name__ == "__main__":
    sys.exit(main())
