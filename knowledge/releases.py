"""Releases of a base: what is in the draft, what is published, and the way back.

Every change of a base takes its row first, so changes of one base happen one after the other. Releases are copied and
compared by the database, which hands out what differs: a change of a few documents reads a few rows, however many
documents the base has. Knows nothing of how a version is made or examined.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from knowledge.models import Document, DocumentVersion, GoldenQuestion, KnowledgeBase, Release, ReleaseItem

READY = DocumentVersion.Stage.READY
_AT_ONCE = 2000


class Conflict(Exception):
    """Somebody else has changed it meanwhile: look at it again. Nothing was changed."""


class GateClosed(Exception):
    """The draft may not be published: `code` is "not_examined" or "lost" (then `lost` golden questions)."""

    def __init__(self, code: str, lost: int = 0) -> None:
        super().__init__(
            f"{lost} golden questions would be lost" if lost else "the golden questions were not put to this draft"
        )
        self.code, self.lost = code, lost


@dataclass(frozen=True)
class Change:
    """A document whose version differs: numbers of the versions, None where it is not there."""

    document: str
    before: int | None
    after: int | None


def put(version: DocumentVersion) -> Release:
    """Put a ready version into its base's draft, in place of any other version of the document.

    Raises ValueError when it is not ready.
    """
    if version.stage != READY:
        raise ValueError(f"version {version.number} of {version.document.name} is {version.stage}")
    with transaction.atomic():
        draft = _draft(_locked(version.document.base_id))
        ReleaseItem.objects.update_or_create(
            release=draft, document_id=version.document_id, defaults={"version": version}
        )
        return _changed(draft)


def take_out(document: Document) -> bool:
    """Take a document out of its base's draft; its versions stay. False when it is not in it."""
    with transaction.atomic():
        draft = _draft(_locked(document.base_id))
        if not ReleaseItem.objects.filter(release=draft, document=document).delete()[0]:
            return False
        _changed(draft)
    return True


def draft(base_slug: str) -> Release:
    """Return the draft of a base, made from what is published if there is none. Raises KnowledgeBase.DoesNotExist."""
    with transaction.atomic():
        return _draft(_locked(KnowledgeBase.objects.values_list("pk", flat=True).get(slug=base_slug)))


def changes(release: Release, against: Release | None) -> list[Change]:
    """Return what the release changes against another one (None: against nothing), by document."""
    after, before = _numbers(release, against), _numbers(against, release)
    return [Change(name, before.get(name), after.get(name)) for name in sorted(after.keys() | before.keys())]


def only_in(release: Release | None, other: Release | None) -> QuerySet[ReleaseItem]:
    """What a release holds and another one does not: documents that it alone has, or has in another version."""
    same = ReleaseItem.objects.filter(release=other, document=OuterRef("document"), version=OuterRef("version"))
    return ReleaseItem.objects.filter(~Exists(same), release=release)


def publish(base_slug: str, *, revision: int | None = None, urgent: bool = False, author: str = "") -> Release | None:
    """Let the draft answer from now on; return it, or None when it differs in nothing from what is published.

    `revision` is the draft that was looked at: raises Conflict when it has changed since. Raises GateClosed unless the
    golden questions, where there are any, were put to this very draft and it loses no more of them than the base
    allows; an `urgent` one is examined afterwards.
    """
    with transaction.atomic():
        base = _locked(KnowledgeBase.objects.values_list("pk", flat=True).get(slug=base_slug))
        new = base.releases.filter(state=Release.State.DRAFT).first()
        if new is None or not changes(new, base.published):
            return None
        if revision is not None and new.revision != revision:
            raise Conflict(f"the draft is at revision {new.revision}")
        if not urgent:
            pass_gate(base, new)
        new.state, new.urgent, new.author = Release.State.PUBLISHED, urgent, author
        new.parent, new.published_at = base.published, timezone.now()
        new.save(update_fields=["state", "urgent", "author", "parent", "published_at"])
        return _switched(base, new)


def publish_only(base_slug: str, documents: Sequence[Document], *, author: str = "") -> Release | None:
    """Let these documents answer as they are in the draft (or not at all, if they are not in it), and nothing else of
    the draft; at once, unexamined. Return what is published now, None when it differs in nothing.
    """
    wanted = {document.pk for document in documents}
    with transaction.atomic():
        base = _locked(KnowledgeBase.objects.values_list("pk", flat=True).get(slug=base_slug))
        changed = _changes(_draft(base), base.published)
        if changed.keys() <= wanted:
            return publish(base_slug, urgent=True, author=author)
        mine = {key: version for key, version in changed.items() if key in wanted}
        if not mine:
            return None
        base.releases_made += 1
        new = Release.objects.create(
            base=base,
            number=base.releases_made,
            parent=base.published,
            state=Release.State.PUBLISHED,
            urgent=True,
            author=author,
            published_at=timezone.now(),
        )
        _copy(base.published, new)
        _put(new, mine)
        return _switched(base, new)


def rollback(base_slug: str, number: int | None = None) -> Release:
    """Let an earlier release answer again, the one before by default; return it. Raises Release.DoesNotExist.

    What the draft has only from the release that is left goes back with it, so that the next publication does not bring
    it in again; documents that were changed since then stay as they are in the draft.
    """
    with transaction.atomic():
        base = _locked(KnowledgeBase.objects.values_list("pk", flat=True).get(slug=base_slug))
        left = base.published
        if left is None:
            raise Release.DoesNotExist("nothing is published")
        if number is None and left.parent_id is None:
            raise Release.DoesNotExist("nothing was published before")
        wanted = {"number": number} if number is not None else {"pk": left.parent_id}
        target = base.releases.get(state=Release.State.PUBLISHED, **wanted)
        base.published = target
        base.save(update_fields=["published"])
        open_draft = base.releases.filter(state=Release.State.DRAFT).first()
        if open_draft is not None:
            _take_back(open_draft, left, target)
        return target


def contacts(base_slug: str) -> list[str]:
    """What looks like personal data in the published documents and is the shop's own: shown, and nobody's secret."""
    found = KnowledgeBase.objects.filter(slug=base_slug).values_list("published__contacts", flat=True).first()
    return list(found or [])


def _switched(base: KnowledgeBase, new: Release) -> Release:
    findings = DocumentVersion.objects.filter(pk__in=new.items.values("version")).exclude(findings=[])
    new.contacts = sorted(
        {
            row["value"]
            for rows in findings.values_list("findings", flat=True)
            for row in rows
            if row["kind"] == "personal_data" and row["shown"] and row["entity"] != "PERSON"
        }
    )
    new.save(update_fields=["contacts"])
    base.published = new
    base.save(update_fields=["published", "releases_made"])
    return new


def _changes(release: Release, against: Release | None) -> dict[int, int | None]:
    """The versions, by document, that the release has where it differs from the other; None where it has none."""
    gone = only_in(against, release).values_list("document_id", flat=True)
    came = only_in(release, against).values_list("document_id", "version_id")
    return dict.fromkeys(gone) | dict(came)


def _copy(source: Release | None, target: Release) -> None:
    """All of a release into one that is empty."""
    if source is None:
        return
    table = connection.ops.quote_name(ReleaseItem._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (release_id, document_id, version_id) "  # noqa: S608
            f"SELECT %s, document_id, version_id FROM {table} WHERE release_id = %s",
            [target.pk, source.pk],
        )


def _put(release: Release, versions: Mapping[int, int | None]) -> None:
    """Those versions of documents in place of others, None: none."""
    documents = list(versions)
    for start in range(0, len(documents), _AT_ONCE):
        release.items.filter(document__in=documents[start : start + _AT_ONCE]).delete()
    rows = [
        ReleaseItem(release=release, document_id=one, version_id=version)
        for one, version in versions.items()
        if version is not None
    ]
    ReleaseItem.objects.bulk_create(rows, batch_size=_AT_ONCE)


def _locked(base_id: int) -> KnowledgeBase:
    return KnowledgeBase.objects.select_for_update().get(pk=base_id)


def _draft(base: KnowledgeBase) -> Release:
    found = base.releases.filter(state=Release.State.DRAFT).first()
    if found is not None:
        return found
    base.releases_made += 1
    base.save(update_fields=["releases_made"])
    new = Release.objects.create(base=base, number=base.releases_made, parent=base.published)
    _copy(base.published, new)
    return new


def _changed(release: Release) -> Release:
    Release.objects.filter(pk=release.pk).update(revision=F("revision") + 1)
    release.refresh_from_db(fields=["revision"])
    return release


def _numbers(release: Release | None, but: Release | None) -> dict[str, int]:
    return dict(only_in(release, but).values_list("document__name", "version__number"))


def pass_gate(base: KnowledgeBase, new: Release) -> None:
    """Raise GateClosed unless the release may be published without urgency."""
    if not GoldenQuestion.objects.filter(base=base, active=True).exists():
        return
    last = new.examinations.filter(revision=new.revision).order_by("pk").last()
    if last is None:
        raise GateClosed("not_examined")
    if last.lost > base.losses_allowed:
        raise GateClosed("lost", last.lost)


def _take_back(open_draft: Release, left: Release, target: Release) -> None:
    kept = _changes(open_draft, left).keys()
    back = {key: version for key, version in _changes(target, left).items() if key not in kept}
    if back:
        _put(open_draft, back)
        _changed(open_draft)
