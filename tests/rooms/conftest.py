"""Sites, staff and the event log for the rooms' tests."""

from tests.console.conftest import chat, log, other_site, queue, site

__all__ = ["chat", "log", "other_site", "queue", "site"]
