"""Context processor: the side bar around staff's pages."""

from typing import Any

from django.http import HttpRequest

from console.rules import may
from rooms.navigation import rooms_for
from rooms.wording import WORDS

THEMES = ("auto", "light", "dark")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame needs; nothing for whoever has not signed in."""
    theme = request.COOKIES.get("kefu_theme", "")
    shown: dict[str, Any] = {"frame": WORDS.here(), "theme": theme if theme in THEMES else "auto"}
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return shown
    words = WORDS.here()
    rooms = [(room, words[room.key]) for room in rooms_for(request.user)]
    return shown | {"side": "rooms/side.html", "side_rooms": rooms, "may_see_audit": may(request.user, "see_audit")}
