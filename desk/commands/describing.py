"""`knowledge describe`: what a search may be narrowed by."""

from collections.abc import Iterator

from django.core.management.base import CommandParser

from config.jsonlines import Row, RowError
from desk.commands import Options, Subcommand, document_named
from knowledge import services
from knowledge.filters import parsed


def describe(options: Options) -> Iterator[Row]:
    """Say KEY=VALUE of a document, KEY= takes it back; tell what is said of it."""
    document = document_named(options)
    try:
        wanted = {key: values[-1] for key, values in parsed(options["pairs"]).items()}
        said = services.describe(document, wanted) if wanted else document.metadata
    except ValueError as error:
        raise RowError(str(error)) from None
    yield {"document": document.name, "metadata": said}


def _arguments(parser: CommandParser) -> None:
    parser.add_argument("name", help="of the document")
    parser.add_argument("pairs", nargs="*", metavar="KEY=VALUE", help="said of it from now on; KEY= takes it back")


SUBCOMMANDS = (
    Subcommand("describe", "what is said of a document, for searches to be narrowed by", describe, _arguments),
)
