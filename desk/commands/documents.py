"""`knowledge import, preview, documents, versions, diff, restore, retire`."""

import time
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import CommandParser
from django.db.models import Count

from config.jsonlines import Row, RowError
from desk import making, wiring
from desk.commands import Options, Subcommand, base_named, document_named
from desk.doing import as_json
from knowledge import editing, importing, stages
from knowledge import services as knowledge
from knowledge.blocks import Unreadable
from knowledge.differences import differences
from knowledge.models import Document, DocumentVersion
from knowledge.overview import states
from knowledge.pins import Content
from knowledge.releases import Conflict
from knowledge.services import ImportReport

Waiting = list[tuple[DocumentVersion | None, Row]]


def import_all(options: Options) -> Iterator[Row]:
    """Make every file ready, then publish: together, at least every few seconds, because a release lists everything."""
    tools = wiring.tools(options["base"])
    then = "draft" if options["draft"] else "urgent"
    rows: list[Row] = []
    published = time.monotonic()
    for name, data in _files(options["paths"]):
        if isinstance(data, str):
            rows.append({"document": name, "status": "refused", "chunks": 0, "reason": data})
            continue
        report = knowledge.bring(
            options["base"], name, data, tools, then=then, twice=options["again"], publish=False, author="shell"
        )
        rows.append(_row(report))
        if time.monotonic() - published > making.PUBLISH_SECONDS:
            yield from _published(rows, options)
            rows, published = [], time.monotonic()
    yield from _published(rows, options)


def _published(rows: list[Row], options: Options) -> list[Row]:
    if not options["draft"]:
        importing.publish_due()
        for row in rows:
            if row["status"] == "draft":
                row["status"] = "live"
    return rows


def _row(report: ImportReport) -> Row:
    return {
        "document": report.document,
        "status": report.state,
        "chunks": report.chunks,
        "reason": report.reason or None,
    }


def _files(paths: list[Path]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each file's name below the folder (or .zip) that was given, and its bytes, or why it cannot be read."""
    for path, name in _paths(paths):
        try:
            yield from importing.unpacked(name, path.read_bytes())
        except OSError as error:
            yield name, error.strerror or type(error).__name__
        except Unreadable as error:
            yield name, str(error)


def _paths(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith("."))
            yield from ((file, file.relative_to(path).as_posix()) for file in inside)
        else:
            yield path, path.name


def preview(options: Options) -> Iterator[Row]:
    """What a file would become, chunk by chunk, and what was found in it; nothing is stored."""
    base, path = base_named(options), options["path"]
    document = base.documents.filter(name=path.name).first() or Document(base=base, name=path.name)
    try:
        shown = as_json(document, stages.preview(document, path.read_bytes(), wiring.tools(base.slug)))
    except OSError as error:
        raise RowError(f"{path.name}: {error.strerror or type(error).__name__}") from None
    except Unreadable as error:
        raise RowError(f"{path.name}: {error}") from None
    for one in shown.pop("chunks"):
        yield {"chunk": one.pop("position"), **one}
    for one in shown.pop("findings"):
        yield {"finding": one.pop("id"), **one}
    yield shown


def documents(options: Options) -> Iterator[Row]:
    """Every document: what answers, what is in the draft, and how its newest version is doing."""
    base = base_named(options)
    for one in states(base):
        row: Row = {"document": one.pop("name"), **one}
        yield {name: value or None if name in ("newest", "stage", "reason") else value for name, value in row.items()}


def versions(options: Options) -> Iterator[Row]:
    """Every version of a document, the newest first."""
    document = document_named(options)
    live = importing.live_version(document)
    drafted = importing.current_version(document)
    rows = document.versions.annotate(chunk_count=Count("chunks")).select_related("parent").order_by("-number")
    for version in rows.defer("parsed", "edits"):
        undecided = [row for row in version.findings if not row["decision"]]
        yield {
            "version": version.number,
            "stage": version.stage,
            "live": version == live,
            "draft": version == drafted,
            "chunks": version.chunk_count,
            "made_from": version.parent.number if version.parent else None,
            "undecided": len(undecided),
            "author": version.author or None,
            "note": version.note or None,
            "reason": version.reason or None,
            "created": version.created.isoformat(),
        }


def diff(options: Options) -> Iterator[Row]:
    """What differs between two versions, chunk by chunk; what is the same is left out."""
    document = document_named(options)
    before, after = (_contents(document, options[name]) for name in ("before", "after"))
    for one in differences(before, after):
        if one.change == "same":
            continue
        text = before[one.before].text if one.after is None and one.before is not None else ""
        text = after[one.after].text if one.before is None and one.after is not None else text
        yield {
            "change": one.change,
            "before": one.before,
            "after": one.after,
            "text": [list(piece) for piece in one.text] if one.change == "changed" else text,
        }


def _contents(document: Document, number: int) -> list[Content]:
    version = document.versions.filter(number=number).first()
    if version is None:
        raise RowError(f"there is no version {number}")
    return [editing.content_of(chunk) for chunk in version.chunks.order_by("position")]


def restore(options: Options) -> Iterator[Row]:
    """Make an old version the newest again, in the draft or, unless told otherwise, live."""
    document = document_named(options)
    then = "draft" if options["draft"] else "urgent"
    try:
        version = editing.restore(document, options["number"], author="shell", then=then)
    except (Conflict, ValueError) as error:
        raise RowError(str(error)) from None
    yield _row(finish(version))


def finish(version: DocumentVersion) -> ImportReport:
    """Make a new version ready here and now, and publish it if that was asked for."""
    claimed = stages.claim(version.pk)
    if claimed is not None:
        stages.make(claimed, wiring.tools(version.document.base.slug))
        importing.publish_due()
    return knowledge.report(version)


def retire(options: Options) -> Iterator[Row]:
    """Take a document out of the draft and, unless told otherwise, of all answers; its versions stay."""
    document = document_named(options)
    gone = importing.retire(document, urgent=not options["draft"])
    yield {"document": document.name, "status": "retired" if gone else "unchanged"}


def _import_arguments(parser: CommandParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--draft", action="store_true", help="leave it in the draft; nothing is published")
    parser.add_argument("--again", action="store_true", help="import it though another document says the same")


def _path(parser: CommandParser) -> None:
    parser.add_argument("path", type=Path, metavar="FILE")


def _name(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the document")


def _diff_arguments(parser: CommandParser) -> None:
    _name(parser)
    parser.add_argument("before", type=int, metavar="A", help="number of a version")
    parser.add_argument("after", type=int, metavar="B", help="number of another")


def _restore_arguments(parser: CommandParser) -> None:
    _name(parser)
    parser.add_argument("number", type=int, metavar="N", help="number of the version")
    parser.add_argument("--draft", action="store_true", help="leave it in the draft; nothing is published")


def _retire_arguments(parser: CommandParser) -> None:
    _name(parser)
    parser.add_argument("--draft", action="store_true", help="out of the draft alone; nothing is published")


SUBCOMMANDS = (
    Subcommand(
        "import", "bring files, all files of folders, or those of a .zip, into a base", import_all, _import_arguments
    ),
    Subcommand("preview", "what a file would become; nothing is stored", preview, _path),
    Subcommand("documents", "every document and how it is doing", documents),
    Subcommand("versions", "every version of a document", versions, _name),
    Subcommand("diff", "what differs between two versions of a document", diff, _diff_arguments),
    Subcommand("restore", "make an old version of a document the newest again", restore, _restore_arguments),
    Subcommand("retire", "take a document out of all answers; its versions stay", retire, _retire_arguments),
)
