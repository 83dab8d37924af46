"""`manage.py snapshot BASE`: writes the files that large bases are searched from. Workers ask for it by themselves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot import worker_wiring
from knowledge.embedding import ModelMissing
from knowledge.errors import BaseMissing, VectorsMissing


class Command(BaseCommand):
    help = "Write the snapshot of a knowledge base's published release, if it is large enough to need one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("base", help="slug of the knowledge base")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = worker_wiring.knowledge_loader().make_snapshot(options["base"])
        except (ModelMissing, BaseMissing, VectorsMissing) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("done" if made else "another process is writing it")
