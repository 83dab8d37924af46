"""Looks every night for what is wrong in the documents and for what is missing. Loads the model."""

import logging

from django.utils import timezone

from chatbot import worker_wiring
from desk import examination, gap_services, radar_services
from desk.gap_services import Collected
from knowledge.errors import VectorsMissing
from knowledge.models import KnowledgeBase

logger = logging.getLogger(__name__)


def collect_gaps(base_slug: str) -> Collected:
    """Collect the gaps of a base; those that its published release answers by now are closed."""
    base = KnowledgeBase.objects.select_related("published__base").get(slug=base_slug)
    search = examination.searcher(base.published) if base.published is not None else None
    return gap_services.collect(base_slug, embedder=worker_wiring.embedder(), search=search)


def look_at_all() -> None:
    """Scan every base that answers, and collect its gaps; one that fails is logged, and the others go on."""
    for slug in KnowledgeBase.objects.exclude(published=None).order_by("slug").values_list("slug", flat=True):
        try:
            model = worker_wiring.embedder().model_id
            found = radar_services.scan(slug, model_id=model, today=timezone.localdate())
            collected = collect_gaps(slug)
        except VectorsMissing:
            logger.error("base %s was embedded with another model: import its documents again", slug)
            continue
        logger.info("base %s: %d new findings, %d gaps", slug, found.new, collected.gaps)
