"""The secret with which a site signs its users: sealed by the master key, shown once, when it is made."""

import secrets

from chatbot.models import Site
from guardrails import vault
from guardrails.vault import MasterKey


def new_user_secret(site: Site, *, master_key: MasterKey) -> str:
    """Give the site a new secret and return it. From now on nothing that was signed with the old one is accepted."""
    secret = secrets.token_urlsafe(32)
    site.user_secret = vault.seal_secret(secret, _place(site), master_key)
    site.save(update_fields=["user_secret"])
    return secret


def user_secret(site: Site, *, master_key: MasterKey) -> str:
    """Return the site's secret, "" when it has none. Raises guardrails' VaultError when the master key is another."""
    sealed = bytes(site.user_secret or b"")
    return vault.open_secret(sealed, _place(site), master_key) if sealed else ""


def _place(site: Site) -> str:
    return f"site {site.pk} user secret"
