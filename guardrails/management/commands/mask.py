"""`mask`: replaces personal data in JSON lines by placeholders, numbered within each line. Needs no vault."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.jsonlines import Row, run_lines, text_of
from guardrails.personal_data.masking import cut, numbered_within


class Command(BaseCommand):
    """Reads lines of `{"id", "text"}`, writes `{"id", "masked", "findings"}`; offsets are code points of the text."""

    help = "Mask personal data: JSON lines with id and text in, with masked and findings out."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the longest answer."""
        parser.add_argument("--bytes", type=int, help="cut the masked text to so many bytes of UTF-8")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run over standard input; exit with 1 when a line could not be processed."""
        from guardrails.personal_data.detector import Detector  # loads models that --help does not need

        detector = Detector()

        def answer(row: Row) -> Row:
            text = text_of(row)
            findings = detector.find(text)
            masked = numbered_within(text, findings)
            if options["bytes"] is not None:
                masked = cut(masked, options["bytes"])
            return {"masked": masked, "findings": [asdict(finding) for finding in findings]}

        if status := run_lines(answer):
            sys.exit(status)
