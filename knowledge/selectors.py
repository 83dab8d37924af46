"""Reads knowledge: which version, which documents, and the index made of them."""

from django.db.models import QuerySet

from knowledge.loading import BaseMissing, VectorsMissing, current_version, load_index
from knowledge.models import Document

__all__ = ["BaseMissing", "VectorsMissing", "current_version", "documents", "load_index"]


def documents(base_slug: str) -> QuerySet[Document]:
    """The documents of a base by name, live or not."""
    return Document.objects.filter(base__slug=base_slug).order_by("name")
