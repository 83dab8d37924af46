import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from knowledge import selectors
from knowledge.models import Chunk
from knowledge.selectors import BaseMissing, VectorsMissing, current_version, load_index
from knowledge.services import import_document
from tests.knowledge.fakes import FakeEmbedder, pass_all

pytestmark = pytest.mark.django_db

PAGE = "# Returns\n\n## Time\n\nWithin 7 days. Unworn only.\n\n## Cost\n\nFree.\n"


def bring(name: str = "returns.md", data: str = PAGE) -> None:
    import_document("shop", name, data.encode(), embedder=FakeEmbedder(), judge=pass_all, guard_version="g1")


def test_an_index_holds_what_was_imported_with_the_vectors_that_were_stored() -> None:
    bring()
    index = load_index("shop", "fake@1")
    first = index.passages[0]
    assert (first.document, first.ref, first.heading, first.text) == (
        "returns.md",
        "Time",
        "Returns › Time",
        "Within 7 days. Unworn only.",
    )
    assert [one.text for one in first.sentences] == ["Within 7 days.", "Unworn only."]
    expected = FakeEmbedder().embed(["passage: Within 7 days.", "passage: Unworn only."])
    np.testing.assert_allclose(first.sentence_vectors, expected, atol=2e-3)
    question = FakeEmbedder().embed(["query: Time"])[0]
    assert {one.row: one.title for one in index.find(question, [])}[0] == pytest.approx(1, abs=2e-3)


def test_loading_takes_the_same_few_queries_however_much_there_is(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    bring()
    with django_assert_num_queries(4):
        load_index("shop", "fake@1")
    for number in range(5):
        bring(f"{number}.md", PAGE + f"\n## More {number}\n\nText {number}.\n")
    with django_assert_num_queries(4):
        assert len(load_index("shop", "fake@1")) == 17


def test_disabled_chunks_are_left_out() -> None:
    bring()
    Chunk.objects.filter(ref="Cost").update(enabled=False)
    assert [passage.ref for passage in load_index("shop", "fake@1").passages] == ["Time"]


def test_a_change_during_loading_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    bring()
    versions = iter([1, 2, 2, 2])
    monkeypatch.setattr(selectors, "current_version", lambda _: next(versions))
    assert load_index("shop", "fake@1").version == 2


def test_an_unknown_base_is_named() -> None:
    with pytest.raises(BaseMissing, match="'nowhere'"):
        current_version("nowhere")


def test_a_base_embedded_with_another_model_says_so() -> None:
    bring()
    with pytest.raises(VectorsMissing, match="import them again"):
        load_index("shop", "fake@2")
