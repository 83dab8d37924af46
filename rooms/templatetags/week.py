"""Filters for templates that look things up by a name they hold in a variable."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def word(texts: Any, code: str) -> Any:
    """Return `texts[code]` (a mapping, or an object's attribute), "" when there is none."""
    return texts.get(code, "") if hasattr(texts, "get") else getattr(texts, code, "")


@register.filter
def lines(items: list[str]) -> str:
    """Return a list as it is typed, one item a line."""
    return "\n".join(items)


@register.filter
def parts(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()
