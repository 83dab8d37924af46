import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from knowledge.loading import current_version, load_index
from knowledge.models import Chunk, DocumentVersion, ReleaseItem

OLD = [("knowledge", "0001_initial")]


@pytest.mark.django_db(transaction=True)
def test_documents_from_before_releases_answer_as_before() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(OLD)  # what depends on it goes back, too
    old = executor.loader.project_state(OLD).apps
    base = old.get_model("knowledge", "KnowledgeBase").objects.create(slug="shop", name="Shop", version=7)
    for name, state in (("live.md", "live"), ("gone.md", "retired"), ("bad.md", "refused")):
        document = old.get_model("knowledge", "Document").objects.create(
            base=base, name=name, content_hash="0" * 64, made_with="m", state=state
        )
        old.get_model("knowledge", "Chunk").objects.create(
            document=document,
            position=0,
            ref="1",
            text="Text.",
            language="en",
            guard_version="g",
            enabled=name != "live.md",
        )
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert current_version("shop") == 7
    stages = DocumentVersion.objects.values_list("document__name", "stage", "number")
    assert sorted(stages) == [("bad.md", "refused", 1), ("gone.md", "ready", 1), ("live.md", "ready", 1)]
    assert [one.version.document.name for one in ReleaseItem.objects.all()] == ["live.md"]
    assert Chunk.objects.count() == 3
    assert len(load_index("shop", "any")) == 0  # its only chunk is not enabled
