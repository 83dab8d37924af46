"""`knowledge radar, gaps`: what is wrong in the documents, and what is missing from them."""

from collections.abc import Iterator
from dataclasses import asdict

from django.core.management.base import CommandParser
from django.utils import timezone

from chatbot import worker_wiring
from config.jsonlines import Row, RowError
from desk import gap_services, looking, radar_findings, radar_services
from desk.commands import Options, Subcommand, base_named
from knowledge.models import RadarFinding


def radar(options: Options) -> Iterator[Row]:
    """Scan what answers, list the findings, or say that one is nothing."""
    base, todo = base_named(options), options["todo"]
    if todo == "scan":
        model = worker_wiring.embedder().model_id
        yield asdict(radar_services.scan(base.slug, model_id=model, today=timezone.localdate()))
    elif todo == "list":
        for one in radar_findings.findings(base.slug, kind=options["kind"]):
            yield {"finding": one.pk, "kind": one.kind, "touched": one.touched, **one.detail}
    else:
        found = RadarFinding.objects.filter(base=base, pk=options["finding"]).exists()
        if not found or not radar_findings.dismiss(options["finding"], "shell"):
            raise RowError("there is no such finding")
        yield {"finding": options["finding"], "status": "dismissed"}


def gaps(options: Options) -> Iterator[Row]:
    """Collect the questions that nobody could answer from the documents, or list them."""
    base = base_named(options)
    if options["todo"] == "collect":
        yield asdict(looking.collect_gaps(base.slug))
    else:
        for one in gap_services.gaps(base.slug):
            yield {
                "gap": one.pk,
                "question": one.question,
                "conversations": one.conversations,
                "questions": [asked["text"] for asked in one.questions],
                "draft": one.draft,
            }


def _radar_arguments(parser: CommandParser) -> None:
    parser.add_argument("todo", choices=("scan", "list", "dismiss"))
    parser.add_argument("finding", nargs="?", type=int, help="which to dismiss")
    parser.add_argument("--kind", choices=("", *RadarFinding.Kind.values), default="", help="list this kind alone")


def _gaps_arguments(parser: CommandParser) -> None:
    parser.add_argument("todo", choices=("collect", "list"))


SUBCOMMANDS = (
    Subcommand("radar", "duplicates, contradictions, past dates, documents without use", radar, _radar_arguments),
    Subcommand("gaps", "what customers asked and the documents do not answer", gaps, _gaps_arguments),
)
