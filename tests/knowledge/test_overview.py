import pytest

from knowledge.overview import documents
from knowledge.services import import_document
from tests.knowledge.fakes import FakeEmbedder, pass_all


@pytest.mark.django_db
def test_the_documents_of_a_base_come_by_name() -> None:
    for base, name in (("shop", "b.md"), ("shop", "a.md"), ("other", "c.md")):
        import_document(base, name, name.encode(), embedder=FakeEmbedder(), judge=pass_all, guard_version="g1")
    assert [document.name for document in documents("shop")] == ["a.md", "b.md"]
