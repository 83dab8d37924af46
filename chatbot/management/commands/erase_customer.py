"""`erase_customer`: erases everything that Kefu holds of one customer, and says what it cannot reach."""

import sys
import uuid
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from chatbot import services, users, wiring
from chatbot.events import LogUnavailable
from chatbot.models import Conversation, LedgerEntry, Message, Site
from guardrails.placeholders import PLACEHOLDER
from knowledge.purging import kept_words

BACKUPS = (
    "Backups of the database made before now still hold these conversations: masked texts, and values sealed by keys "
    "that the master key opens. They are beyond reach when those backups are deleted, or when rotate_master_key has "
    "run and the old master key is destroyed."
)


class Command(BaseCommand):
    """Prints a JSON line for each conversation, then one for the whole. May be called again after a failure.

    `kept` are sentences of the conversation that a manager has made golden questions or answers of: without personal
    data they are the shop's own by now, and theirs to drop.
    """

    help = "Erase a customer's conversations: messages, vault, files, events. Name a visitor, a conversation or a user."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take exactly one way of naming the customer."""
        customer = parser.add_mutually_exclusive_group(required=True)
        customer.add_argument("--visitor", type=uuid.UUID, help="the visitor's id")
        customer.add_argument("--conversation", type=uuid.UUID, help="one conversation's id; its visitor's others too")
        customer.add_argument("--user", help="the known user's `sub`, as the site signs it; needs --site")
        parser.add_argument("--site", help="key of the site, with --user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase; exit with 1 when something is still there."""
        found = list(
            Conversation.objects.filter(self._customer(options)).order_by("created").values_list("pk", flat=True)
        )
        if options["conversation"] and options["conversation"] not in found:
            found.append(options["conversation"])  # what an erasure left half done has no row any more
        erased = failed = 0
        for conversation in found:
            kept = _kept(conversation)
            try:
                services.erase_conversation(
                    conversation, log=wiring.event_log(), also=[wiring.answer_store().drop_conversation]
                )
            except LogUnavailable:
                failed += 1
                self._say({"conversation": str(conversation), "error": "redis cannot be reached: call it again"})
            else:
                erased += 1
                self._say({"conversation": str(conversation), "erased": True} | ({"kept": kept} if kept else {}))
        self._say({"erased": erased, "failed": failed, "backups": BACKUPS})
        if failed:
            sys.exit(1)

    def _customer(self, options: dict[str, Any]) -> Q:
        if options["conversation"]:
            visitor = Conversation.objects.filter(pk=options["conversation"]).values_list("visitor", flat=True).first()
            return Q(pk=options["conversation"]) if visitor is None else Q(visitor=visitor)
        if options["visitor"]:
            return Q(visitor=options["visitor"])
        site = Site.objects.filter(key=options["site"]).first()
        if site is None:
            raise CommandError("--user needs --site with the key of a site")
        return Q(site=site, visitor=users.visitor_id(site.pk, options["user"], secret=wiring.secret("users")))

    def _say(self, line: dict[str, Any]) -> None:
        self.stdout.write(orjson.dumps(line).decode())
        self.stdout.flush()


def _kept(conversation: uuid.UUID) -> list[dict[str, str]]:
    """What knowledge keeps of the customer's words."""
    said = Message.objects.filter(conversation=conversation, role=Message.Role.CUSTOMER).values_list("text", flat=True)
    asked = LedgerEntry.objects.filter(message__conversation=conversation).values_list("question", flat=True)
    base = Site.objects.filter(conversations=conversation).values_list("knowledge_base", flat=True).first()
    texts = [part.strip() for text in (*said, *asked) for part in PLACEHOLDER.sub("\n", text).splitlines()]
    return kept_words(base, texts) if base else []
