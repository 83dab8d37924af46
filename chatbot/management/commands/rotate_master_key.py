"""`rotate_master_key`: wraps every key of the vault, and every site's user secret, by a new master key.

Kefu must not run meanwhile. Killed in the middle it is called again with the same files and goes on.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from chatbot import sites
from chatbot.models import Site
from guardrails import sealing, vault
from guardrails.sealing import MasterKey, VaultError


class Command(BaseCommand):
    """Prints a JSON line for each step, then one that says what is left to do by hand."""

    help = "Wrap the vault's keys by a new master key. Stop Kefu first; it can be killed and called again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the files of the two keys."""
        parser.add_argument("--old", type=Path, required=True, help="file of the master key in use")
        parser.add_argument("--new", type=Path, required=True, help="file of the next one; made when it is missing")
        parser.add_argument("--batch", type=int, default=500, help="keys a transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate; exit with 1 when something opens with neither key. Nothing that opens is lost then."""
        try:
            old = sealing.load_or_create_master_key(options["old"], vault_is_empty=False)
            new = sealing.load_or_create_master_key(options["new"], vault_is_empty=True)
        except VaultError as error:
            raise CommandError(str(error)) from None
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1")
        try:
            for count in vault.rewrap(old, new, batch=options["batch"]):
                self._say({"step": "vault keys", "rewrapped": count})
        except VaultError as error:
            self._say({"step": "vault keys", "error": str(error)})
        lost = [site.key for site in _resealed(old, new)]
        if lost:
            self._say({"step": "user secrets", "error": "they open with neither key: make new ones", "sites": lost})
        others = vault.wrapped_by_others(new)
        done = not others and not lost
        self._say({"step": "done" if done else "not done", "master_key": new.id, "keys_of_other_master_keys": others})
        if not done:
            sys.exit(1)
        self._say(
            {
                "next": f"put {options['new']} where KEFU_MASTER_KEY points (master.key in KEFU_VAR), then start Kefu",
                "backups": "backups made before now open with the old key alone; without it their values are gone",
            }
        )

    def _say(self, line: dict[str, Any]) -> None:
        self.stdout.write(orjson.dumps(line).decode())
        self.stdout.flush()


def _resealed(old: MasterKey, new: MasterKey) -> Iterator[Site]:
    """Seal each site's user secret by the new key, if the old one seals it; yield the sites that neither opens."""
    for pk in Site.objects.exclude(user_secret=b"").values_list("pk", flat=True):
        with transaction.atomic():
            site = Site.objects.select_for_update(of=("self",)).get(pk=pk)
            if not _opens(site, new) and not _opens(site, old):
                yield site
            elif not _opens(site, new):
                secret = sites.user_secret(site, master_key=old)
                site.user_secret = sealing.seal_secret(secret, sites._place(site), new)
                site.save(update_fields=["user_secret"])


def _opens(site: Site, master_key: MasterKey) -> bool:
    try:
        sites.user_secret(site, master_key=master_key)
    except VaultError:
        return False
    return True
