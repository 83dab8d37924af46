"""The first steps of a shop: which there are, which are done, and where this browser is. Knows no page."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import HttpRequest

from chatbot.models import Message, Site
from chatbot.views import DEMO_SITE
from console.rules import may
from knowledge.models import KnowledgeBase

STEPS = ("shop", "hours", "documents", "people", "embed", "ask")
COOKIE = "kefu_welcome"
SKIPPED = "skipped"
YEAR = 365 * 86_400


@dataclass(frozen=True)
class Place:
    """Where a browser is on its way: the step, and the site that it sets up, if there is one by now."""

    step: str
    site: Site | None

    def cookie(self) -> str:
        """Return it as the browser keeps it."""
        return f"{self.step}.{self.site.pk if self.site else 0}"


def place(request: HttpRequest) -> Place:
    """Return where this browser was; at the beginning when it was nowhere, or its site is gone."""
    step, _, key = request.COOKIES.get(COOKIE, "").partition(".")
    number = int(key) if key.isascii() and key.isdecimal() and len(key) < 10 else 0
    found = Site.objects.filter(pk=number).first() or ours()
    return Place(step if step in STEPS and found else STEPS[0], found)


def ours() -> Site | None:
    """Return the first site that is not the demo's."""
    return Site.objects.exclude(key=DEMO_SITE).order_by("pk").first()


def is_wanted(request: HttpRequest) -> bool:
    """Say whether the reader should be invited: an administrator, while there is nothing but the demo."""
    if request.COOKIES.get(COOKIE) == SKIPPED or not may(request.user, "manage_sites"):
        return False
    return ours() is None


def done(site: Site | None) -> dict[str, bool]:
    """Return which steps are done, whoever did them."""
    if site is None:
        return dict.fromkeys(STEPS, False)
    base = KnowledgeBase.objects.filter(slug=site.knowledge_base).first()
    chats = Message.objects.filter(conversation__site=site, role=Message.Role.CUSTOMER)
    return {
        "shop": True,
        "hours": bool(site.hours),
        "documents": base is not None and base.published_id is not None,
        "people": User.objects.filter(is_active=True).count() > 1,
        "embed": bool(site.allowed_origins),
        "ask": chats.exists(),
    }
