"""What the pages of this room list: a few queries a page, however many documents a base has."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery

from desk import gap_services, radar_findings
from knowledge.models import (
    Chunk,
    Document,
    DocumentVersion,
    Gap,
    KnowledgeBase,
    Purge,
    RadarFinding,
    Release,
    ReleaseItem,
)
from knowledge.releases import only_in

Stage = DocumentVersion.Stage
ROWS = 50
ATTENTION = (Stage.QUARANTINED, Stage.REFUSED)
FILTERS = ("live", "changed", "working", "attention", "retired")


@dataclass(frozen=True)
class Base:
    """A base in the list: what it holds, what answers, what is not published yet and what waits for somebody."""

    slug: str
    name: str
    documents: int
    chunks: int
    release: int
    published_at: datetime | None
    author: str
    changed: int
    attention: int
    gaps: int
    radar: int


def bases(slugs: list[str]) -> list[Base]:
    """The bases of these slugs by name, those that nothing was put into yet as well. Six queries."""
    rows = list(KnowledgeBase.objects.filter(slug__in=slugs).select_related("published"))
    ids = [row.pk for row in rows]
    live = [row.published_id for row in rows if row.published_id]
    documents = _counts(Document.objects.filter(base__in=ids), "base")
    chunks = dict(
        Chunk.objects.filter(enabled=True, version__in=ReleaseItem.objects.filter(release__in=live).values("version"))
        .order_by()
        .values_list("version__document__base")
        .annotate(Count("pk"))
    )
    changed = _changed(ids)
    attention = _counts(_newest(Document.objects.filter(base__in=ids)).filter(stage__in=ATTENTION), "base")
    gaps = _counts(Gap.objects.filter(base__in=ids, state=gap_services.OPEN), "base")
    radar = _counts(RadarFinding.objects.filter(base__in=ids, dismissed="").exclude(chunks=[], detail={}), "base")
    found = [
        Base(
            slug=row.slug,
            name=row.name,
            documents=documents.get(row.pk, 0),
            chunks=chunks.get(row.pk, 0),
            release=row.published.number if row.published else 0,
            published_at=row.published.published_at if row.published else None,
            author=row.published.author if row.published else "",
            changed=changed.get(row.pk, 0),
            attention=attention.get(row.pk, 0),
            gaps=gaps.get(row.pk, 0),
            radar=radar.get(row.pk, 0),
        )
        for row in rows
    ]
    known = {row.slug for row in rows}
    found += [Base(slug, slug, 0, 0, 0, None, "", 0, 0, 0, 0) for slug in slugs if slug not in known]
    return sorted(found, key=lambda one: one.name.casefold())


def _counts(rows: Any, by: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(by).annotate(Count("pk")))


def _changed(bases: list[int]) -> dict[int, int]:
    """Documents that the drafts of bases change, by base. Two queries."""
    drafts = Release.objects.filter(base__in=bases, state=Release.State.DRAFT)
    published = KnowledgeBase.objects.filter(pk=OuterRef("release__base")).values("published")
    same = ReleaseItem.objects.filter(
        release=Subquery(KnowledgeBase.objects.filter(pk=OuterRef(OuterRef("release__base"))).values("published")[:1]),
        document=OuterRef("document"),
        version=OuterRef("version"),
    )
    came = ReleaseItem.objects.filter(~Exists(same), release__in=drafts)
    drafted = ReleaseItem.objects.filter(
        release__base=OuterRef("release__base"), release__state=Release.State.DRAFT, document=OuterRef("document")
    )
    gone = ReleaseItem.objects.filter(
        ~Exists(drafted), release=Subquery(published[:1]), release__base__in=drafts.values("base")
    )
    found = _counts(came, "release__base")
    for base, count in _counts(gone, "release__base").items():
        found[base] = found.get(base, 0) + count
    return found


def _newest(documents: Any) -> Any:
    newest = DocumentVersion.objects.filter(document=OuterRef("pk")).order_by("-number")
    return documents.annotate(newest=Subquery(newest.values("pk")[:1]), stage=Subquery(newest.values("stage")[:1]))


@dataclass(frozen=True)
class Frame:
    """What stands beside the tabs of a base."""

    draft: int
    gaps: int
    radar: int
    attention: int
    live: int

    @property
    def counts(self) -> dict[str, int]:
        """The numbers on the tabs that have one."""
        return {"draft": self.draft, "gaps": self.gaps, "radar": self.radar, "documents": self.attention}


def frame(base: KnowledgeBase) -> Frame:
    """What stands beside the tabs of a base. Six small queries."""
    return Frame(
        draft=changed_documents(base),
        gaps=gap_services.gaps(base.slug).count(),
        radar=radar_findings.findings(base.slug).count(),
        attention=_newest(base.documents.all()).filter(stage__in=ATTENTION).count(),
        live=base.published.number if base.published else 0,
    )


def draft_of(base: KnowledgeBase) -> Release | None:
    """The draft of a base, if there is one."""
    return base.releases.filter(state=Release.State.DRAFT).first()


def changed_documents(base: KnowledgeBase) -> int:
    """How many documents the draft changes."""
    draft = draft_of(base)
    if draft is None:
        return 0
    came = only_in(draft, base.published)
    gone = only_in(base.published, draft).exclude(document__in=came.values("document"))
    return came.count() + gone.count()


@dataclass(frozen=True)
class Row:
    """A document in the list. `where` is "answers", "changed" (it answers, and the draft has another version),
    "leaving", "draft" or "retired"; the rest is of its newest version.
    """

    id: int
    name: str
    where: str
    live: int | None
    chunks: int
    newest: DocumentVersion | None

    @property
    def working(self) -> bool:
        """Whether it is being made."""
        return self.newest is not None and self.newest.stage in DocumentVersion.UNFINISHED


def documents(
    base: KnowledgeBase, *, text: str = "", state: str = "", number: int | str = 1, ids: list[int] | None = None
) -> Page[Any]:
    """A page of a base's documents by name, as `Row`s. Six queries."""
    draft = draft_of(base)
    rows = _annotated(base, draft)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    if text:
        rows = rows.filter(name__icontains=text)
    rows = rows.filter(_FILTERS[state]) if state in _FILTERS else rows
    found = Paginator(rows.order_by("name"), ROWS if ids is None else max(1, len(ids))).get_page(number)
    found.object_list = _rows(list(found.object_list))
    return found


_DIFFERS = (
    ~Q(live_version=F("draft_version"))
    | Q(live_version=None, draft_version__isnull=False)
    | Q(live_version__isnull=False, draft_version=None)
)
_FILTERS = {
    "live": Q(live_version__isnull=False),
    "changed": _DIFFERS,
    "working": Q(stage__in=DocumentVersion.UNFINISHED),
    "attention": Q(stage__in=ATTENTION),
    "retired": Q(live_version=None, draft_version=None) & ~Q(stage__in=DocumentVersion.UNFINISHED),
}


def _annotated(base: KnowledgeBase, draft: Release | None) -> Any:
    def version_in(release: int | None) -> Subquery:
        items = ReleaseItem.objects.filter(release=release or 0, document=OuterRef("pk"))
        return Subquery(items.values("version")[:1])

    drafted = draft.pk if draft is not None else base.published_id
    return _newest(base.documents).annotate(
        live_version=version_in(base.published_id), draft_version=version_in(drafted)
    )


def _rows(documents: list[Any]) -> list[Row]:
    wanted = {one for row in documents for one in (row.newest, row.live_version) if one is not None}
    versions = DocumentVersion.objects.defer("parsed", "findings", "edits", "notices").in_bulk(wanted)
    counted = {one for row in documents if (one := row.live_version or row.draft_version or row.newest)}
    chunks = _counts(Chunk.objects.filter(version__in=counted, enabled=True), "version")
    return [
        Row(
            id=row.pk,
            name=row.name,
            where=where(row.live_version, row.draft_version),
            live=versions[row.live_version].number if row.live_version in versions else None,
            chunks=chunks.get(row.live_version or row.draft_version or row.newest, 0),
            newest=versions.get(row.newest),
        )
        for row in documents
    ]


def where(live: int | None, draft: int | None) -> str:
    """Where a document stands, by the ids of its versions that answer and that are in the draft."""
    if live is None:
        return "draft" if draft is not None else "retired"
    if draft is None:
        return "leaving"
    return "answers" if live == draft else "changed"


def where_is(document: Document) -> tuple[str, DocumentVersion | None, DocumentVersion | None]:
    """Where a document stands, the version that answers, and the one in the draft."""
    base = document.base
    draft = draft_of(base)
    releases = {base.published_id, draft.pk if draft is not None else base.published_id} - {None}
    items = ReleaseItem.objects.filter(release__in=releases, document=document)
    by_release = {item.release_id: item.version for item in items.select_related("version").defer("version__parsed")}
    live = by_release.get(base.published_id or 0)
    drafted = by_release.get(draft.pk) if draft is not None else live
    return where(live.pk if live else None, drafted.pk if drafted else None), live, drafted


def purges(base: KnowledgeBase) -> list[Purge]:
    """What was removed for good, the newest first."""
    return list(Purge.objects.filter(base=base).defer("hashes").order_by("-created")[:ROWS])
