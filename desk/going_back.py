"""Takes acts of a moment ago back, for who looked at the result: a release, a retired document. Loads no model."""

from django.db import transaction

from knowledge import importing, releases
from knowledge.models import Document, DocumentVersion, KnowledgeBase, Release
from knowledge.releases import Conflict


def to_release(base_slug: str, number: int, *, looked_at: int) -> Release:
    """Let release `number` answer again; `looked_at` is the one that answered when somebody decided so.

    Raises Conflict when another one answers by now, Release.DoesNotExist.
    """
    with transaction.atomic():
        base = KnowledgeBase.objects.select_for_update(of=("self",)).select_related("published").get(slug=base_slug)
        now = base.published.number if base.published is not None else 0
        if now != looked_at:
            raise Conflict(f"release {now} answers by now")
        return releases.rollback(base_slug, number)


def bring_back(document: Document, *, urgent: bool = False, author: str = "") -> DocumentVersion | None:
    """Put the newest ready version of a retired document into the draft again, `urgent` into the answers at once.

    None when it is in the draft, or there is no such version.
    """
    with transaction.atomic():
        base = KnowledgeBase.objects.select_for_update().get(pk=document.base_id)
        version = document.versions.filter(stage=DocumentVersion.Stage.READY).order_by("number").last()
        if version is None or importing.current_version(document) is not None:
            return None
        releases.put(version)
        if urgent:
            releases.publish_only(base.slug, [document], author=author)
        return version
