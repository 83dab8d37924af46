"""How often a door may be tried: django-axes, with a limit for addresses of its own."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from chatbot.peers import client_network

ADDRESS_FACTOR = 5
"""An address stands for a whole office: it may fail so many times as often as a name."""


def address_of(request: HttpRequest) -> str | None:
    """Return the client's address as the widget's limits see it; of IPv6 the network (/64). None when unknown."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    peer = request.META.get("REMOTE_ADDR") or ""
    network = client_network(peer, [forwarded] if forwarded else [], settings.TRUSTED_PROXIES)
    return network.partition("/")[0] or None


def name_of(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """Return the name under which failures are counted: an account's own, else a digest of what was typed.

    What is no account's name may be a mistyped password, or anybody's number: it is not kept.
    """
    name = (credentials or request.POST).get("username")
    if not name or get_user_model().objects.filter(username=name).exists():
        return name
    return salted_hmac("kefu.sign-in", name, algorithm="sha256").hexdigest()


class Throttle(AxesDatabaseHandler):  # type: ignore[misc]  # it has no types
    """Counts failures of a name as they are, and those of an address by `ADDRESS_FACTOR`."""

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        name, address = (
            sum(attempts.values_list("failures_since_start", flat=True))
            for attempts in self.get_user_attempts(request, credentials)
        )
        failures: int = max(name, address // ADDRESS_FACTOR if request.axes_ip_address else 0)
        return failures
