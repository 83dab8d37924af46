"""What `manage.py knowledge` can do: one function a subcommand, which yields the rows that are printed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandParser

from config.jsonlines import Row, RowError
from knowledge.models import Document, KnowledgeBase

Options = dict[str, Any]


@dataclass(frozen=True)
class Subcommand:
    """A subcommand: its arguments besides `--base`, and what it does.

    `run` yields rows, one JSON line each; a row with an "error" or the status "refused" makes the exit status 1. It may
    raise RowError, whose text is then the only row.
    """

    name: str
    help: str
    run: Callable[[Options], Iterable[Row]]
    arguments: Callable[[CommandParser], object] = lambda parser: None


def document_named(options: Options) -> Document:
    """Return the document that the options name. Raises RowError."""
    found = Document.objects.filter(base__slug=options["base"], name=options["name"]).select_related("base").first()
    if found is None:
        raise RowError(f"there is no document {options['name']!r} in base {options['base']!r}")
    return found


def base_named(options: Options) -> KnowledgeBase:
    """Return the base that the options name. Raises RowError."""
    found = KnowledgeBase.objects.filter(slug=options["base"]).select_related("published__base").first()
    if found is None:
        raise RowError(f"there is no knowledge base {options['base']!r}")
    return found
