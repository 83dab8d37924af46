"""`knowledge purge, prove-gone`."""

from collections.abc import Iterator
from hashlib import sha256

from django.core.management.base import CommandParser

from chatbot import worker_wiring
from chatbot.wiring import answer_store, event_log
from config.jsonlines import Row, RowError
from desk import purging
from desk.commands import Options, Subcommand, document_named
from knowledge.models import Purge
from knowledge.releases import Conflict


def purge(options: Options) -> Iterator[Row]:
    """Remove a document for good; with --yes also one that is published, which is retired first."""
    document = document_named(options)
    name = document.name
    try:
        store = worker_wiring.vector_store()
        gone = purging.purge(
            document, log=event_log(), answers=answer_store(), store=store, author="shell", force=options["yes"]
        )
    except Conflict as error:
        raise RowError(f"{name}: {error} (--yes)") from None
    yield {"document": name, "status": "purged", **gone, "note": "backups still hold it"}


def prove_gone(options: Options) -> Iterator[Row]:
    """Search every store for a purged document and say what was found; status 1 when something is left."""
    name = sha256(options["name"].encode()).hexdigest()
    purged = Purge.objects.filter(base__slug=options["base"], document=name).first()
    if purged is None:
        raise RowError(f"no document {options['name']!r} of base {options['base']!r} was purged")
    yield {"purged": purged.created.isoformat(), **{kind: len(hashes) for kind, hashes in purged.hashes.items()}}
    left = 0
    for searched in purging.prove_gone(purged, client=purging.reachable_redis()):
        left += len(searched.found)
        row: Row = {"store": searched.store, "entries": searched.entries, "found": list(searched.found)}
        yield row | ({"note": searched.note} if searched.note else {})
    yield {"gone": True} if not left else {"gone": False, "error": f"{left} places still hold something of it"}


def _purge_arguments(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the document")
    parser.add_argument("--yes", action="store_true", help="also when it is published: it is retired first")


def _name(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the document, as it was")


SUBCOMMANDS = (
    Subcommand("purge", "remove a document for good: text, vectors, files, copies", purge, _purge_arguments),
    Subcommand("prove-gone", "search every store for a purged document", prove_gone, _name),
)
