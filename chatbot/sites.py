"""What a site decides: hours, language, the bot's manner of speaking, and the secret with which it signs its users.

The secret is sealed by the master key and shown once, when it is made.
"""

import logging
import secrets

from chatbot import hours
from chatbot.hours import Hours
from chatbot.models import Site
from chatbot.turn import Language
from guardrails import sealing
from guardrails.sealing import MasterKey

logger = logging.getLogger(__name__)


def hours_of(site: Site) -> Hours | None:
    """Return when people answer, None for always. Hours that cannot be read (nobody checked them) count as none."""
    try:
        return hours.parse(site.hours)
    except ValueError as error:
        logger.error("the hours of site %s cannot be read: %s", site.pk, error)
        return None


def spoken(site: Site, language: Language) -> Language:
    """Return the language if the site speaks it, else the one that it prefers."""
    if language in site.languages or not site.languages:
        return language
    return "zh" if site.languages[0] == "zh" else "en"


def persona(site: Site) -> str:
    """Return what the engines are told of the site's manner of speaking, "" for nothing."""
    name = f"Your name is {site.bot_name}." if site.bot_name else ""
    return f"{name}\n{site.persona}".strip()


def new_user_secret(site: Site, *, master_key: MasterKey) -> str:
    """Give the site a new secret and return it. From now on nothing that was signed with the old one is accepted."""
    secret = secrets.token_urlsafe(32)
    site.user_secret = sealing.seal_secret(secret, _place(site), master_key)
    site.save(update_fields=["user_secret"])
    return secret


def user_secret(site: Site, *, master_key: MasterKey) -> str:
    """Return the site's secret, "" when it has none. Raises guardrails' VaultError when the master key is another."""
    sealed = bytes(site.user_secret or b"")
    return sealing.open_secret(sealed, _place(site), master_key) if sealed else ""


def _place(site: Site) -> str:
    return f"site {site.pk} user secret"
