import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from knowledge import releases
from knowledge.examining import drop_question, examine_draft, examine_release, golden_questions, keep_question
from knowledge.golden import Golden, Search
from knowledge.models import Document, DocumentVersion, Examination, KnowledgeBase, Release
from knowledge.passages import Passage, Retrieved

pytestmark = pytest.mark.django_db


@pytest.fixture
def base() -> KnowledgeBase:
    return KnowledgeBase.objects.create(slug="shop", name="Shop")


class Bench:
    """Answers a question when a document of its name is in the release; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, release: Release) -> Search:
        names = set(release.items.values_list("document__name", flat=True))

        def search(question: str) -> Retrieved:
            self.asked.append(question)
            vectors = np.zeros((0, 4), np.float32)
            passages = tuple(
                Passage(0, name, "", "", name, "", "en", (), vectors) for name in names if name == question
            )
            return Retrieved(question, np.zeros(4, np.float32), passages, bool(passages), 0.5, False, release.number)

        return search


def bring(base: KnowledgeBase, name: str) -> Release:
    document = Document.objects.create(base=base, name=name, versions_made=1)
    return releases.put(DocumentVersion.objects.create(document=document, number=1, stage="ready", content_hash="0"))


def run(bench: Bench | None = None) -> Examination:
    found = examine_draft("shop", searcher=bench or Bench(), answer=lambda found: found.passages[0].text)
    assert found is not None
    return found


def test_a_release_that_loses_a_golden_question_is_not_published(base: KnowledgeBase) -> None:
    keep_question("shop", Golden("returns"))
    keep_question("shop", Golden("shipping"))
    bring(base, "returns")
    assert (run().right, run().lost, run().gained) == (1, 0, 0)
    releases.publish("shop")
    releases.take_out(Document.objects.get(name="returns"))
    bring(base, "shipping")
    examined = run()
    assert (examined.right, examined.lost, examined.gained) == (1, 1, 1)
    with pytest.raises(releases.GateClosed, match="1 golden"):
        releases.publish("shop")


def test_an_urgent_release_is_examined_afterwards(base: KnowledgeBase) -> None:
    keep_question("shop", Golden("returns"))
    bring(base, "returns")
    releases.publish("shop", urgent=True)
    releases.take_out(Document.objects.get(name="returns"))
    published = releases.publish("shop", urgent=True)
    assert published is not None
    after = examine_release(published, published.parent, searcher=Bench(), answer=lambda _: "")
    assert (after.right, after.lost) == (0, 1)


def test_what_is_published_is_not_examined_again_for_questions_that_it_has_had(base: KnowledgeBase) -> None:
    keep_question("shop", Golden("returns"))
    bring(base, "returns")
    run()
    releases.publish("shop")
    bring(base, "shipping")
    keep_question("shop", Golden("shipping"))
    bench = Bench()
    assert run(bench).gained == 1
    assert sorted(bench.asked) == ["returns", "shipping", "shipping"]


def test_there_may_be_no_draft(base: KnowledgeBase) -> None:
    assert examine_draft("shop", searcher=Bench(), answer=lambda _: "") is None


def test_a_question_is_kept_once_changed_and_dropped(base: KnowledgeBase) -> None:
    assert keep_question("shop", Golden("returns"))
    assert not keep_question("shop", Golden("returns"))
    assert keep_question("shop", Golden("returns", answered=False))
    assert golden_questions(base) == [Golden("returns", answered=False)]
    assert drop_question("shop", "returns")
    assert not drop_question("shop", "returns")
    assert golden_questions(base) == []
    assert keep_question("shop", Golden("returns"))
    assert golden_questions(base) == [Golden("returns")]


def test_a_question_that_somebody_else_brings_changes_none_that_is_there(base: KnowledgeBase) -> None:
    keep_question("shop", Golden("returns"), author="mei")
    keep_question("shop", Golden("old"))
    drop_question("shop", "old")
    for question in ("returns", "old", "new"):
        kept = keep_question("shop", Golden(question, answered=False), origin="correction", author="tom")
        assert kept == (question == "new")
    assert golden_questions(base) == [Golden("returns"), Golden("new", answered=False)]


def test_a_hundred_questions_take_no_more_queries_than_one(
    base: KnowledgeBase, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bring(base, "returns")
    for number in range(100):
        keep_question("shop", Golden(f"returns {number}"))
    with django_assert_num_queries(5):
        run()
