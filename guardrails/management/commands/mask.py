"""`mask`: replaces personal data in JSON lines by placeholders, numbered within each line. Needs no vault."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from config.jsonlines import Row, run_lines, text_of
from guardrails.personal_data.masking import numbered_within


class Command(BaseCommand):
    """Reads lines of `{"id", "text"}`, writes `{"id", "masked", "findings"}`; offsets are code points of the text."""

    help = "Mask personal data: JSON lines with id and text in, with masked and findings out."
    requires_system_checks: tuple[str, ...] = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run over standard input; exit with 1 when a line could not be processed."""
        from guardrails.personal_data.detector import Detector  # loads models that --help does not need

        detector = Detector()

        def masked(row: Row) -> Row:
            text = text_of(row)
            findings = detector.find(text)
            return {"masked": numbered_within(text, findings), "findings": [asdict(finding) for finding in findings]}

        if status := run_lines(masked):
            sys.exit(status)
