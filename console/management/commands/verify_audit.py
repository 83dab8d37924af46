"""`manage.py verify_audit`: whether the audit log is whole. Exit status 1, and the first entry that does not fit."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console import audit
from console.models import AuditHead


class Command(BaseCommand):
    help = "Check the audit log's chain. Keep the digest it prints elsewhere: only with it does a cut-off end show."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--contains", default="", metavar="DIGEST", help="a digest that was printed earlier")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = audit.verify(contains=options["contains"])
        if broken:
            self.stdout.write(f"entry {broken.entry}: {broken.why}")
            sys.exit(1)
        head = AuditHead.objects.filter(pk=AuditHead.ONLY).first()
        self.stdout.write(f"whole up to entry {head.entry}, digest {head.digest}" if head else "empty")
