from typing import Any

import pytest

from knowledge import services
from knowledge.loading import current_version, load_index
from knowledge.models import Chunk, DocumentVersion, Embedding, KnowledgeBase
from knowledge.overview import documents
from knowledge.services import ImportReport, import_document, retire_document
from knowledge.stages import Tools
from tests.knowledge.fakes import PASS, FakeEmbedder, pass_all

pytestmark = pytest.mark.django_db

FAQ = "id,question,answer\nF1,多久到账？,三天到账。周末顺延。\nF2,运费谁出？,我们承担。\n"


def bring(data: str = FAQ, name: str = "faq.csv", embedder: FakeEmbedder | None = None, **parts: Any) -> ImportReport:
    given = {"embedder": embedder or FakeEmbedder(), "judge": pass_all, "guard_version": "g1"} | parts
    return import_document("shop", name, data.encode(), **given)


def test_an_import_stores_chunks_sentences_and_vectors_and_raises_the_version() -> None:
    assert bring() == ImportReport("faq.csv", 2, "live")
    assert current_version("shop") == 1
    first = Chunk.objects.get(ref="F1")
    assert (first.question, first.text, first.language, first.guard_version) == (
        "多久到账？",
        "三天到账。周末顺延。",
        "zh",
        "g1",
    )
    assert first.sentences == [{"start": 0, "end": 5, "verdict": PASS}, {"start": 5, "end": 10, "verdict": PASS}]
    assert Embedding.objects.count() == 2 + 2 + 3


def test_the_same_file_again_changes_nothing() -> None:
    embedder = FakeEmbedder()
    bring(embedder=embedder)
    chunks = list(Chunk.objects.values_list("pk", flat=True))
    done = len(embedder.embedded)
    assert bring(embedder=embedder) == ImportReport("faq.csv", 2, "unchanged")
    assert list(Chunk.objects.values_list("pk", flat=True)) == chunks
    assert len(embedder.embedded) == done
    assert current_version("shop") == 1


def test_a_changed_file_replaces_its_chunks_and_embeds_only_what_is_new() -> None:
    embedder = FakeEmbedder()
    bring(embedder=embedder)
    embedder.embedded.clear()
    assert bring(FAQ + "F3,在哪里？,杭州。\n", embedder=embedder).chunks == 3
    assert sorted(embedder.embedded) == ["passage: 在哪里？\n杭州。", "passage: 杭州。", "query: 在哪里？"]
    assert [chunk.ref for chunk in Chunk.objects.filter(version__number=2)] == ["F1", "F2", "F3"]
    assert [chunk.ref for chunk in Chunk.objects.filter(version__number=1)] == ["F1", "F2"]
    assert current_version("shop") == 2


def test_other_guards_or_another_model_make_the_chunks_anew() -> None:
    bring()
    assert bring(guard_version="g2").state == "live"
    assert set(Chunk.objects.filter(version__number=2).values_list("guard_version", flat=True)) == {"g2"}
    assert bring(guard_version="g2", embedder=FakeEmbedder("fake@2")).state == "live"
    assert current_version("shop") == 3


def test_nothing_is_embedded_twice_across_documents() -> None:
    embedder = FakeEmbedder()
    bring(embedder=embedder)
    before = Embedding.objects.count()
    embedder.embedded.clear()
    tools = Tools(embedder=embedder, judge=pass_all, guard_version="g1")
    assert services.bring("shop", "copy.csv", FAQ.encode(), tools, twice=True).state == "live"
    assert embedder.embedded == []
    assert Embedding.objects.count() == before


def test_an_unreadable_file_is_kept_as_refused_with_its_reason() -> None:
    report = bring("", name="empty.md")
    assert (report.state, report.chunks, report.reason) == ("refused", 0, "the file is empty")
    version = DocumentVersion.objects.get(document__name="empty.md")
    assert (version.stage, version.reason) == ("refused", "the file is empty")
    assert current_version("shop") == 0


def test_a_broken_replacement_leaves_the_live_document_alone() -> None:
    bring()
    report = bring("id,question,answer\nF1,多久？,\n")
    assert (report.state, report.chunks) == ("refused", 2)
    assert "row 2" in report.reason
    assert len(load_index("shop", "fake@1")) == 2


def test_a_refused_file_that_is_mended_becomes_live() -> None:
    bring("")
    assert bring().state == "live"
    assert len(load_index("shop", "fake@1")) == 2


def test_a_failing_guard_changes_nothing_that_is_live_and_the_file_is_refused_at_its_second_failure() -> None:
    bring()

    def fail(_: list[str]) -> list[dict[str, Any]]:
        raise RuntimeError("no guard")

    changed = FAQ + "F3,在哪里？,杭州。\n"
    with pytest.raises(RuntimeError, match="no guard"):
        bring(changed, judge=fail)
    assert DocumentVersion.objects.get(number=2).stage == "chunked"
    with pytest.raises(ValueError, match="verdicts"):
        bring(changed, judge=lambda _: [])
    version = DocumentVersion.objects.get(number=2)
    assert (version.stage, version.reason_code) == ("refused", "failed")
    assert current_version("shop") == 1
    assert services.live_version(version.document) == DocumentVersion.objects.get(number=1)


def test_a_file_whose_guard_failed_once_goes_on_where_it_stopped() -> None:
    def fail(_: list[str]) -> list[dict[str, Any]]:
        raise RuntimeError("no guard")

    with pytest.raises(RuntimeError, match="no guard"):
        bring(judge=fail)
    assert bring(read=lambda *_: pytest.fail("it was read already")).state == "live"


def test_sentences_that_the_guards_stop_are_there_but_not_quotable() -> None:
    bring(judge=lambda sentences: [PASS | {"action": "block" if "周末" in one else "pass"} for one in sentences])
    passage = load_index("shop", "fake@1").passages[0]
    assert [(one.text, one.quotable) for one in passage.sentences] == [("三天到账。", True), ("周末顺延。", False)]


def test_a_retired_document_answers_no_more_and_can_come_back() -> None:
    bring()
    assert retire_document("shop", "faq.csv")
    assert not retire_document("shop", "faq.csv")
    assert len(load_index("shop", "fake@1")) == 0
    assert current_version("shop") == 2
    assert [document.name for document in documents("shop")] == ["faq.csv"]
    assert bring().state == "live"
    assert len(load_index("shop", "fake@1")) == 2


def test_bases_do_not_see_each_others_documents() -> None:
    bring()
    import_document("other", "a.md", b"# A\nText.", embedder=FakeEmbedder(), judge=pass_all, guard_version="g1")
    assert KnowledgeBase.objects.count() == 2
    assert [passage.document for passage in load_index("other", "fake@1").passages] == ["a.md"]
