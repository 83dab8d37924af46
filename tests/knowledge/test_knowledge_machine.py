"""Any order of uploads, edits, retiring, restoring, publishing, going back and purging, with makers that die,
against a model of what must hold.

KEFU_MACHINE_EXAMPLES sets how many orders are tried.
"""

import contextlib
import os
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from knowledge import editing, importing, purging, releases, stages
from knowledge.editing import Edit
from knowledge.models import Chunk, Document, DocumentVersion, Embedding, KnowledgeBase, PinnedEdit, Purge, Release
from knowledge.pins import Content
from knowledge.releases import Conflict
from tests.knowledge.fakes import FakeEmbedder
from tests.knowledge.test_stages import Killed
from tests.knowledge.tooling import expire_leases, texts, tools

EXAMPLES = int(os.environ.get("KEFU_MACHINE_EXAMPLES", "12"))
NAMES = ("a.md", "b.md")
SECTIONS = ("Parcels go out on Mondays", "Letters need two days", "Cards are valid for a year", "Shops open at nine")
BODIES = st.lists(st.sampled_from(SECTIONS), min_size=1, max_size=4, unique=True)
WHICH = st.integers(0, 30)


@dataclass
class Model:
    """What is expected: texts of the draft and of every published release, by document."""

    draft: dict[str, list[str]] = field(default_factory=dict)
    published: list[tuple[int, dict[str, list[str]]]] = field(default_factory=list)
    live: dict[str, list[str]] = field(default_factory=dict)


class Knowledge(RuleBasedStateMachine):
    """One base with two documents."""

    def __init__(self) -> None:
        super().__init__()
        KnowledgeBase.objects.update(published=None)
        for model in (Release, Document, Embedding, Purge, KnowledgeBase):
            model.objects.all().delete()
        KnowledgeBase.objects.create(slug="shop", name="Shop")
        self.model = Model()
        self.embedder = FakeEmbedder()
        self.edits = 0
        self.frozen: dict[int, list[str]] = {}
        self.purged: set[str] = set()

    def document(self, name: str) -> Document | None:
        return Document.objects.filter(base__slug="shop", name=name).select_related("base").first()

    def make(self, version: DocumentVersion, dies: int) -> None:
        """Make a version by makers of which the first dies at its `dies`-th verdict or embedding (0: none does)."""
        left = dies

        class Frail(FakeEmbedder):
            def embed(self, texts: object) -> object:  # type: ignore[override]
                step()
                return super().embed(texts)  # type: ignore[arg-type]

        def step() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        def judge(sentences: list[str]) -> object:
            step()
            return tools().judge(sentences)

        frail = Frail()
        frail.embedded = self.embedder.embedded
        for _ in range(2):
            claimed = stages.claim(version.pk)
            if claimed is None:
                break
            with contextlib.suppress(Killed):
                stages.make(claimed, tools(frail, judge=judge))
            expire_leases()
        version.refresh_from_db()
        if version.stage == "ready":
            self.frozen[version.pk] = texts(version)
            if importing.current_version(version.document) == version:
                self.model.draft[version.document.name] = self.frozen[version.pk]

    @rule(name=st.sampled_from(NAMES), body=BODIES, dies=st.integers(0, 3))
    def a_file_comes(self, name: str, body: list[str], dies: int) -> None:
        page = "# Page\n\n" + "".join(f"## {one.split()[0]}\n\n{one}.\n\n" for one in body)
        taken = importing.take_in("shop", name, page.encode(), twice=True)
        if taken.state == "unchanged":
            return
        assert taken.version is not None
        document = taken.version.document
        pinned = [one["text"] for pin in document.edits.all() for one in pin.replacement]
        self.make(taken.version, dies)
        assert taken.version.stage == "ready"
        for text in pinned:
            assert text in self.frozen[taken.version.pk], "an edit was lost"

    @rule(
        name=st.sampled_from(NAMES), which=WHICH, what=st.sampled_from(["change", "split", "off", "merge"]), dies=WHICH
    )
    def a_manager_edits(self, name: str, which: int, what: str, dies: int) -> None:
        document = self.document(name)
        head = editing.head(document) if document is not None else None
        if document is None or head is None:
            return
        chunks = list(head.chunks.order_by("position"))
        at = which % len(chunks)
        self.edits += 1
        mine = Content(f"Edit number {self.edits} of the passage.", chunks[at].heading)
        contents = {"change": (mine,), "split": (mine, Content(chunks[at].text)), "merge": (mine,)}
        off = Content(**{**vars(editing.content_of(chunks[at])), "enabled": False})
        last = min(at + 1, len(chunks) - 1) if what == "merge" else at
        edit = Edit(at, last, contents.get(what, (off,)))
        with pytest.raises(Conflict):
            editing.edit(document, head.number + 1, [edit])
        self.make(editing.edit(document, head.number, [edit]), dies % 3)

    @rule(name=st.sampled_from(NAMES))
    def it_is_retired(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            assert importing.retire(document) == (name in self.model.draft)
            self.model.draft.pop(name, None)

    @rule(name=st.sampled_from(NAMES), which=WHICH)
    def an_old_version_comes_back(self, name: str, which: int) -> None:
        document = self.document(name)
        ready = list(document.versions.filter(stage="ready").order_by("number")) if document is not None else []
        if document is None or not ready:
            return
        old = ready[which % len(ready)]
        version = editing.restore(document, old.number)
        self.make(version, 0)
        assert texts(version) == self.frozen[old.pk]

    @rule()
    def the_draft_is_published(self) -> None:
        published = releases.publish("shop")
        assert (published is not None) == (self.model.draft != self.model.live or published is not None)
        if published is not None:
            self.model.live = dict(self.model.draft)
            self.model.published.append((published.number, dict(self.model.live)))

    @precondition(lambda self: len(self.model.published) > 1)
    @rule(which=WHICH)
    def an_earlier_release_answers_again(self, which: int) -> None:
        number, live = self.model.published[which % len(self.model.published)]
        releases.rollback("shop", number)
        self.model.live = dict(live)
        draft = releases.draft("shop")
        self.model.draft = {
            item.document.name: self.frozen[item.version_id] for item in draft.items.select_related("document")
        }

    @rule(name=st.sampled_from(NAMES))
    def it_is_purged(self, name: str) -> None:
        document = self.document(name)
        if document is None:
            return
        if name in self.model.live:
            with pytest.raises(Conflict):
                purging.mark(document)
        own = {text for pk in document.versions.values_list("pk", flat=True) for text in self.frozen.get(pk, [])}
        files = set(document.versions.values_list("content_hash", flat=True))
        purge = purging.mark(document, force=True)
        purging.remove(document, purge)
        others = set(Chunk.objects.values_list("text", flat=True))
        self.purged = {text for text in self.purged | own if text not in others}
        for content_hash in files:
            there = (stages.documents_folder() / content_hash).exists()
            assert there == DocumentVersion.objects.filter(content_hash=content_hash).exists()
        self.model.draft.pop(name, None)
        self.model.live.pop(name, None)
        number = KnowledgeBase.objects.get().published
        self.model.published = [
            (one, {key: value for key, value in said.items() if key != name}) for one, said in self.model.published
        ]
        if number is not None and number.number not in [one for one, _ in self.model.published]:
            self.model.published.append((number.number, dict(self.model.live)))

    @invariant()
    def what_answers_is_what_was_published(self) -> None:
        base = KnowledgeBase.objects.select_related("published").get()
        items = base.published.items.select_related("document") if base.published is not None else ()
        assert {item.document.name: texts(item.version) for item in items} == self.model.live

    @invariant()
    def the_draft_is_what_was_put_there(self) -> None:
        base = KnowledgeBase.objects.select_related("published").get()
        release = base.releases.filter(state="draft").first() or base.published
        items = release.items.select_related("document") if release is not None else ()
        assert {item.document.name: texts(item.version) for item in items} == self.model.draft

    @invariant()
    def what_is_ready_never_changes(self) -> None:
        for version in DocumentVersion.objects.filter(stage="ready"):
            assert texts(version) == self.frozen[version.pk]

    @invariant()
    def every_edit_of_the_newest_stands_in_its_version(self) -> None:
        for pin in PinnedEdit.objects.select_related("document__base"):
            newest = pin.document.versions.filter(stage="ready").order_by("number").last()
            assert newest is not None
            said = texts(newest)
            assert all(one["text"] in said for one in pin.replacement)


@pytest.mark.django_db
def test_whatever_happens_in_whatever_order_nothing_is_lost_or_half_live() -> None:
    run_state_machine_as_test(
        Knowledge,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
