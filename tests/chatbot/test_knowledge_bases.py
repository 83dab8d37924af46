import threading
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chatbot import knowledge_bases, worker_wiring
from chatbot.knowledge_bases import KnowledgeBases
from knowledge import loading, releases
from knowledge.embedding import as_query
from knowledge.errors import BaseMissing
from knowledge.index import Index
from knowledge.loading import Loader, Published
from knowledge.models import Document, KnowledgeBase
from knowledge.passages import Vectors
from knowledge.retrieval import Retriever
from knowledge.services import describe, import_document, retire_document
from tests.fakes import until
from tests.knowledge.fakes import DIMENSION, FakeEmbedder, pass_all
from tests.knowledge.test_index import entry
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def _only_tests_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a search would look for itself after half a second."""
    monkeypatch.setattr(knowledge_bases, "LOOK_UNWATCHED_SECONDS", 10 * PATIENCE)


def embed(question: str) -> Vectors:
    return FakeEmbedder().embed([as_query(question)])[0]


def bring(name: str, text: str) -> None:
    import_document("shop", name, text.encode(), embedder=FakeEmbedder(), judge=pass_all, guard_version="g1")


def bases_over(loader: Loader, asked: list[str] | None = None) -> KnowledgeBases:
    return KnowledgeBases(
        lambda: loader,
        lambda index, threshold: Retriever(index, embed, threshold=threshold),
        asked.append if asked is not None else None,
    )


class SlowLoader(Loader):
    """Gives an index of one sentence that names its release; from the second on only when `may_load` is set."""

    def __init__(self) -> None:
        super().__init__("fake@1")
        self.may_load = threading.Event()
        self.loading = threading.Event()

    def load(self, base_slug: str, before: Index | None = None, *, number: int | None = None) -> Index:
        if before is not None:
            self.loading.set()
            assert self.may_load.wait(2 * PATIENCE)
        number = 1 if before is None else before.version + 1
        return Index([entry(0, f"release {number}")], version=number, dimension=DIMENSION)


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The last of these is published; no database is asked."""
    found = [1]
    monkeypatch.setattr(loading, "published_of", lambda _: Published(1, found[-1]))
    monkeypatch.setattr(loading, "published", lambda: {"shop": Published(1, found[-1])})
    monkeypatch.setattr(knowledge_bases, "close_old_connections", lambda: None)
    monkeypatch.setattr(releases, "contacts", lambda _: [])
    return found


def test_searches_go_on_while_a_release_is_loaded_and_find_it_soon_after(numbers: list[int]) -> None:
    loader = SlowLoader()
    bases = bases_over(loader)
    bases.retriever("shop")
    searches, stop = [0] * 4, threading.Event()

    def search(number: int) -> None:
        while not stop.is_set():
            bases.search("release", "shop")
            searches[number] += 1

    threads = [threading.Thread(target=search, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    watcher = bases.watch(stop)
    numbers.append(2)
    assert loader.loading.wait(PATIENCE)
    before = tuple(searches)
    until(lambda: all(now > then + 1 for now, then in zip(searches, before, strict=True)))
    assert bases.search("release", "shop").passages[0].text == "release 1"
    loader.may_load.set()
    until(lambda: bases.search("release", "shop").knowledge_version == 2)
    stop.set()
    for thread in [*threads, watcher]:
        thread.join()


@pytest.mark.django_db
def test_what_is_published_retired_and_rolled_back_counts_at_the_next_look() -> None:
    bring("a.md", "Tents have two poles.")
    bases = bases_over(Loader("fake@1"))

    def texts() -> set[str]:
        bases.look()
        return {passage.text for passage in bases.search("poles", "shop").passages}

    bases.retriever("shop")
    bring("b.md", "Stoves burn gas.")
    assert texts() == {"Tents have two poles.", "Stoves burn gas."}
    retire_document("shop", "a.md")
    assert texts() == {"Stoves burn gas."}
    releases.rollback("shop", 1)
    assert (texts(), bases.version("shop")) == ({"Tents have two poles."}, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("in_memory", [20_000, 0])
def test_what_is_said_of_a_document_counts_at_the_next_look_in_every_release(
    in_memory: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loading, "IN_MEMORY", in_memory)
    bring("a.md", "Tents have two poles.")
    bring("b.md", "Tents have three poles.")
    loader = Loader("fake@1", tmp_path)
    loader.make_snapshot("shop")
    bases = bases_over(loader)

    def texts(**filters: list[str]) -> set[str]:
        bases.look()
        return {passage.text for passage in bases.search("tent poles", "shop", filters=filters).passages}

    assert len(texts()) == 2
    assert texts(document=["b.md"]) == {"Tents have three poles."}
    assert texts(brand=["x"]) == set()
    describe(Document.objects.get(name="a.md"), {"brand": "x", "line": "light"})
    assert texts(brand=["x", "y"], line=["light"]) == {"Tents have two poles."}
    bring("a.md", "Tents have four poles.")
    assert texts(brand=["x"]) == {"Tents have four poles."}
    describe(Document.objects.get(name="a.md"), {"brand": "z", "line": ""})
    assert texts(brand=["x"]) == texts(line=["light"]) == set()
    assert texts(brand=["z"], language=["en"]) == {"Tents have four poles."}
    assert texts(brand=["z"], language=["zh"]) == set()
    releases.rollback("shop", 2)
    assert texts(brand=["z"]) == {"Tents have two poles."}


@pytest.mark.django_db
def test_a_base_that_is_deleted_answers_nothing_any_more() -> None:
    bring("a.md", "Tents have two poles.")
    bases = bases_over(Loader("fake@1"))
    assert bases.search("poles", "shop").passages
    KnowledgeBase.objects.update(published=None)
    KnowledgeBase.objects.all().delete()
    bases.look()
    with pytest.raises(BaseMissing):
        bases.search("poles", "shop")


@pytest.mark.django_db
def test_a_base_that_is_made_anew_under_the_slug_of_a_deleted_one_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    published = {"Tents have two poles.": ["139 0000 0000"], "Stoves burn gas.": ["138 0000 0000"]}
    bases = bases_over(Loader("fake@1"))
    stamps = set()
    for text, numbers in published.items():
        KnowledgeBase.objects.update(published=None)
        KnowledgeBase.objects.all().delete()
        bring("a.md", text)
        monkeypatch.setattr(releases, "contacts", lambda _, numbers=numbers: numbers)
        bases.look()  # nothing saw that there was no base in between
        assert [passage.text for passage in bases.search("poles", "shop").passages] == [text]
        assert bases.contacts("shop") == {*numbers}
        stamps.add(bases.stamp("shop"))
    assert [release for release, _ in stamps] == [1, 1]
    assert len(stamps) == 2
    KnowledgeBase.objects.update(published=None)
    KnowledgeBase.objects.all().delete()
    bring("a.md", "Lamps need oil.")
    loading.Embedding.objects.all().delete()
    bases.look()  # the new one cannot be loaded, and the old one must not answer in its place
    assert (bases.version("shop"), bases.contacts("shop")) == (0, frozenset())


@pytest.mark.django_db
def test_a_snapshot_is_asked_for_once_and_used_when_it_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loading, "IN_MEMORY", 0)
    bring("a.md", "Tents have two poles.")
    loader, asked = Loader("fake@1", tmp_path), list[str]()
    bases = bases_over(loader, asked)
    bases.retriever("shop")
    for _ in range(3):
        bases.look()
    assert asked == ["shop"]
    loader.make_snapshot("shop")
    bases.look()
    assert bases._indexes["shop"].parts[0].segment.snapshot == 1
    assert bases.search("poles", "shop").passages[0].text == "Tents have two poles."


@pytest.mark.django_db
def test_a_release_that_cannot_be_loaded_leaves_the_last_one_answering(monkeypatch: pytest.MonkeyPatch) -> None:
    bring("a.md", "Tents have two poles.")
    bases = bases_over(Loader("fake@1"))
    bases.retriever("shop")
    bring("b.md", "Stoves burn gas.")
    loading.Embedding.objects.all().delete()
    bases.look()
    assert bases.version("shop") == 1
    assert bases.search("poles", "shop").passages


@pytest.mark.django_db
def test_the_command_writes_the_snapshot_of_a_base(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "IN_MEMORY", 0)
    monkeypatch.setattr(worker_wiring, "knowledge_loader", lambda: Loader("fake@1", tmp_path))
    bring("a.md", "Tents have two poles.")
    call_command("snapshot", "shop")
    assert capsys.readouterr().out == "done\n"
    assert list(tmp_path.glob("*/1/snapshot.json"))
    with pytest.raises(CommandError, match="'nowhere'"):
        call_command("snapshot", "nowhere")


def test_a_new_threshold_counts_without_loading_anything(numbers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    loader = SlowLoader()
    bases = bases_over(loader)
    sure = bases.search("release", "shop")
    index = bases.retriever("shop")._index
    for threshold, answered in ((sure.confidence + 0.001, False), (sure.confidence - 0.001, True)):
        monkeypatch.setattr(loading, "published", lambda t=threshold: {"shop": Published(1, 1, t)})
        bases.look()
        assert bases.search("release", "shop").answerable is answered
    assert bases.retriever("shop")._index is index
    assert not loader.loading.is_set()
