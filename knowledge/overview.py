"""How documents are doing, in a few queries however many there are. Loads no index, so web may use it."""

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery

from knowledge.models import Chunk, Document, DocumentVersion, KnowledgeBase, Release

NONE: tuple[int, int | None] = (0, None)


def documents(base_slug: str) -> QuerySet[Document]:
    """The documents of a base by name, live or not."""
    return Document.objects.filter(base__slug=base_slug).order_by("name")


def states(base: KnowledgeBase, offset: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
    """How each document of a base is doing, by name, in a few queries however many there are.

    Of each: {id, name, live, draft, newest, stage, done, total, reason, chunks}: numbers of the versions that answers,
    that is in the draft, and that came last; how that one is doing; how many chunks answer.
    """
    draft = base.releases.filter(state=Release.State.DRAFT).first() or base.published
    last = DocumentVersion.objects.filter(document=OuterRef("pk")).order_by("-number").values("pk")[:1]
    rows = list(documents(base.slug).annotate(last=Subquery(last))[offset : None if limit is None else offset + limit])
    ids = [row.pk for row in rows]
    live, drafted = (_items(release, ids) if release is not None else {} for release in (base.published, draft))
    newest = DocumentVersion.objects.defer("parsed", "findings", "edits").in_bulk(
        [row.last for row in rows if row.last is not None]
    )
    counts = dict(
        Chunk.objects.filter(version__in=[version for version, _ in live.values()], enabled=True)
        .order_by()
        .values_list("version")
        .annotate(Count("pk"))
    )
    return [
        _state(row, newest.get(row.last), live.get(row.pk, NONE)[1], drafted.get(row.pk, NONE)[1])
        | {"chunks": counts.get(live[row.pk][0], 0) if row.pk in live else 0}
        for row in rows
    ]


def _items(release: Release, documents: list[int]) -> dict[int, tuple[int, int]]:
    """By document: id and number of its version."""
    rows = release.items.filter(document__in=documents).values_list("document_id", "version_id", "version__number")
    return {document: (version, number) for document, version, number in rows}


def _state(document: Document, newest: DocumentVersion | None, live: int | None, draft: int | None) -> dict[str, Any]:
    return {
        "id": document.pk,
        "name": document.name,
        "live": live,
        "draft": draft,
        "newest": newest.number if newest is not None else 0,
        "stage": newest.stage if newest is not None else "",
        "done": newest.done if newest is not None else 0,
        "total": newest.total if newest is not None else 0,
        "reason": newest.reason if newest is not None else "",
    }
