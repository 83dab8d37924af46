"""Documents come: taken in, made ready, published; cancelled, tried again, found again after a crash.

Taking a file in stores it and is quick; making it (stages.py) takes what it takes, here or in the desk worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from knowledge import parsing, releases, stages, storage
from knowledge.models import Document, DocumentVersion, KnowledgeBase, Release, ReleaseItem
from knowledge.reasons import wording
from knowledge.releases import Conflict, GateClosed
from knowledge.stages import Stage, documents_folder

MOST_DOCUMENTS = 20_000
"""Of one base."""

FILE_DAYS = 1
"""A file that no version names is deleted after so long: whoever stored it died before it said so."""


@dataclass(frozen=True)
class Taken:
    """What came of a file at the door.

    `state` is "stored" (then `version` is to be made), "unchanged", "duplicate" (`reason` names the other document) or
    "refused" (with its `reason`).
    """

    document: str
    state: str
    version: DocumentVersion | None = None
    reason: str = ""


def unpacked(name: str, data: bytes) -> list[tuple[str, bytes]]:
    """The files to be taken in one by one: those of a .zip, else the file itself. Raises Unreadable."""
    if PurePosixPath(name).suffix.lower() == ".zip":
        return list(parsing.members(name, data))
    return [(name, data)]


def take_in(
    base_slug: str,
    name: str,
    data: bytes,
    *,
    then: str = "",
    twice: bool = False,
    made_with: str = "",
    author: str = "",
    note: str = "",
    held: bool = False,
) -> Taken:
    """Store a file as a new version of the document of that name; the base is made if need be.

    then: "draft" leaves it in the draft once it is ready, "publish" publishes the draft as soon as the golden questions
    allow it, "urgent" publishes this document alone at once, "" does what the base does by itself. twice: import it
    though another document says the same. made_with: where given, a file that was made with anything else is made anew
    though it has not changed. held: the caller makes it (`stages.make`), nobody else is to begin.
    """
    base = KnowledgeBase.objects.get_or_create(slug=base_slug, defaults={"name": base_slug})[0]
    then = wish(base, then)
    name = " ".join(name.replace("\0", " ").encode("utf-8", "replace").decode().split())[-500:] or "document"
    if len(data) > parsing.DEFAULT.bytes_in:
        return Taken(name, "refused", None, wording("too_large", str(parsing.DEFAULT.bytes_in // 2**20)))
    content_hash = storage.keep(documents_folder(), data)
    with transaction.atomic():
        base = KnowledgeBase.objects.select_for_update().get(pk=base.pk)
        document = Document.objects.filter(base=base, name=name).first()
        if document is None:
            if base.documents.count() >= MOST_DOCUMENTS:
                return Taken(name, "refused", None, wording("too_many", str(MOST_DOCUMENTS)))
            document = Document(base=base, name=name)
        else:
            same = _in_use(document, content_hash, made_with)
            if same is not None:
                if then and same.stage in (*DocumentVersion.UNFINISHED, Stage.READY):
                    DocumentVersion.objects.filter(pk=same.pk).update(then=then)
                return Taken(name, "unchanged", same)
        twin = None if twice else stages.twin_of(document, Q(content_hash=content_hash))
        if twin is not None:
            return Taken(name, "duplicate", None, wording("duplicate", twin.name))
        if document.pk is None:
            document.save()
        version = add_version(
            document,
            content_hash=content_hash,
            bytes=len(data),
            then=then,
            twice=twice,
            author=author,
            note=note,
            **_held() if held else {},
        )
    return Taken(name, "stored", version)


def wish(base: KnowledgeBase, then: str) -> str:
    """What is to be done with a version of the base once it is ready, as `DocumentVersion.then` has it."""
    return {"draft": "", "": "publish" if base.publishes_itself else ""}.get(then, then)


def add_version(document: Document, **fields: object) -> DocumentVersion:
    """Add a version under the document's next number. Within a transaction that holds the base's row."""
    document.refresh_from_db(fields=["versions_made"])
    document.versions_made += 1
    document.save(update_fields=["versions_made"])
    return DocumentVersion.objects.create(document=document, number=document.versions_made, **fields)


def _held() -> dict[str, object]:
    return {"holder": uuid4().hex, "beat": timezone.now(), "attempts": 1}


def _in_use(document: Document, content_hash: str, made_with: str) -> DocumentVersion | None:
    """The version of this very file that is in the draft, or on its way there."""
    newest = document.versions.filter(stage__in=DocumentVersion.UNFINISHED).order_by("number").last()
    found = newest or current_version(document)
    if found is None or found.content_hash != content_hash:
        return None
    if found.stage == Stage.READY and made_with and found.made_with != made_with:
        return None
    return found


def current_version(document: Document) -> DocumentVersion | None:
    """The version that is in the draft; where there is no draft, in what is published."""
    draft = Release.objects.filter(base=document.base_id, state=Release.State.DRAFT).first()
    return _version_in(document, [draft.pk]) if draft is not None else live_version(document)


def live_version(document: Document) -> DocumentVersion | None:
    """The version that answers now."""
    return _version_in(document, KnowledgeBase.objects.filter(pk=document.base_id).values("published"))


def _version_in(document: Document, releases_: Any) -> DocumentVersion | None:
    items = ReleaseItem.objects.filter(release__in=releases_, document=document)
    return DocumentVersion.objects.filter(pk__in=items.values("version")).first()


def next_version(but: Sequence[int] = ()) -> DocumentVersion | None:
    """Claim the version that has waited longest, `but` none of these; None when nobody waits."""
    for version_id in stages.waiting(timezone.now()):
        version = stages.claim(version_id) if version_id not in but else None
        if version is not None:
            return version
    return None


def publish_due() -> list[str]:
    """Publish what is ready and was to be published; return the bases whose golden questions do not allow it yet.

    What the gate holds back stays due: it is published once the golden questions were put to it and it passes.
    """
    due = DocumentVersion.objects.filter(stage=Stage.READY).exclude(then="")
    by_base: dict[str, list[DocumentVersion]] = {}
    for version in due.select_related("document__base").order_by("pk"):
        by_base.setdefault(version.document.base.slug, []).append(version)
    closed = []
    for slug, versions in by_base.items():
        urgent = [one for one in versions if one.then == "urgent"]
        try:
            with transaction.atomic():
                if urgent:
                    releases.publish_only(slug, [one.document for one in urgent])
                    _published(urgent)
                if len(urgent) < len(versions):
                    releases.publish(slug)
                    _published(versions)
        except GateClosed:
            if urgent:
                with transaction.atomic():
                    releases.publish_only(slug, [one.document for one in urgent])
                    _published(urgent)
            closed.append(slug)
    return closed


def _published(versions: Sequence[DocumentVersion]) -> None:
    DocumentVersion.objects.filter(pk__in=[one.pk for one in versions]).update(then="")


def cancel(version: DocumentVersion) -> bool:
    """Stop making a version; whoever makes it ends within a second. False when it is finished."""
    with transaction.atomic():
        unfinished = DocumentVersion.objects.filter(pk=version.pk, stage__in=DocumentVersion.UNFINISHED)
        if not unfinished.update(
            stage=Stage.CANCELLED,
            reason_code="cancelled",
            reason=wording("cancelled"),
            holder="",
            beat=None,
            parsed=None,
            then="",
            finished=timezone.now(),
        ):
            return False
    version.refresh_from_db()
    return True


def retry(version: DocumentVersion, *, twice: bool | None = None, then: str = "") -> DocumentVersion:
    """Make a refused or cancelled version anew: from its file, an edit from its chunks.

    Raises Conflict when it is neither, or there is a newer one.
    """
    with transaction.atomic():
        KnowledgeBase.objects.select_for_update().get(pk=version.document.base_id)
        version.refresh_from_db()
        newest = version.document.versions.aggregate(newest=Max("number"))["newest"]
        if version.stage not in (Stage.REFUSED, Stage.CANCELLED):
            raise Conflict(f"version {version.number} is {version.stage}")
        if version.number != newest:
            raise Conflict(f"there is a newer version, {newest}")
        version.reason_code = version.reason = version.holder = ""
        version.attempts, version.beat, version.finished = 0, None, None
        version.then = wish(version.document.base, then)
        if version.parent_id is not None and version.chunks.exists():
            version.stage = Stage.CHUNKED
        else:
            version.chunks.all().delete()
            version.stage = Stage.STORED
            version.findings, version.edits, version.notices, version.parsed = [], [], [], None
        version.twice = version.twice if twice is None else twice
        version.save()
    return version


def retire(document: Document, *, urgent: bool = False) -> bool:
    """Take a document out of the draft, `urgent` out of all answers at once; its versions stay.

    False when it is in neither.
    """
    with transaction.atomic():
        KnowledgeBase.objects.select_for_update().get(pk=document.base_id)
        for version in document.versions.filter(stage__in=DocumentVersion.UNFINISHED):
            cancel(version)
        was_live = live_version(document) is not None
        taken = releases.take_out(document)
        if urgent and was_live:
            releases.publish_only(document.base.slug, [document])
    return taken or (urgent and was_live)


def tidy(days: float = FILE_DAYS) -> int:
    """Delete files that no version names; return how many."""
    count = 0
    for name in storage.old(documents_folder(), days * 86_400):
        if not DocumentVersion.objects.filter(content_hash=name).exists():
            count += storage.remove(documents_folder(), name)
    return count
