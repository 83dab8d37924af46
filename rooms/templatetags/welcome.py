"""`{% welcome %}`: the invitation to the first steps, where it is wanted."""

from typing import Any

from django import template

from rooms.welcome.steps import is_wanted
from rooms.welcome.wording import WORDS

register = template.Library()


@register.inclusion_tag("rooms/welcome/invite.html", takes_context=True)
def welcome(context: Any) -> dict[str, Any]:
    """Show it to administrators while there is nothing but the demo, unless this browser said no."""
    request = context["request"]
    return {"invited": is_wanted(request), "t": WORDS.here(), "csrf_token": context.get("csrf_token")}
