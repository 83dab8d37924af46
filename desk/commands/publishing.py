"""`knowledge publish, rollback`."""

from collections.abc import Iterator

from django.core.management.base import CommandParser

from config.jsonlines import Row, RowError
from desk import examination, making
from desk.commands import Options, Subcommand, base_named
from knowledge import releases
from knowledge.models import Release
from knowledge.releases import GateClosed


def publish(options: Options) -> Iterator[Row]:
    """Let the draft answer; status 1 when the golden questions, which are put to it if need be, do not allow it."""
    base = base_named(options)
    try:
        if not options["urgent"] and making.unexamined([base.slug]) and base.golden.filter(active=True).exists():
            examination.examine_draft(base.slug)
        published = releases.publish(base.slug, urgent=options["urgent"], author="shell")
    except GateClosed as error:
        yield {"error": f"not published: {error}", "code": error.code, "lost": error.lost}
        return
    if published is None:
        yield {"status": "unchanged", "release": base.published.number if base.published else None}
        return
    changes = releases.changes(published, published.parent)
    yield {"status": "published", "release": published.number, "documents": [one.document for one in changes]}


def rollback(options: Options) -> Iterator[Row]:
    """Let an earlier release answer again."""
    base = base_named(options)
    left = base.published
    try:
        target = releases.rollback(base.slug, options["number"])
    except Release.DoesNotExist as error:
        raise RowError(
            str(error) if options["number"] is None else f"there is no release {options['number']}"
        ) from None
    changes = releases.changes(target, left)
    yield {"status": "published", "release": target.number, "documents": [one.document for one in changes]}


def _publish_arguments(parser: CommandParser) -> None:
    parser.add_argument("--urgent", action="store_true", help="at once; the golden questions are put to it afterwards")


def _rollback_arguments(parser: CommandParser) -> None:
    parser.add_argument("number", nargs="?", type=int, metavar="NUMBER", help="of the release; default: the one before")


SUBCOMMANDS = (
    Subcommand("publish", "let the draft answer from now on", publish, _publish_arguments),
    Subcommand("rollback", "let an earlier release answer again", rollback, _rollback_arguments),
)
