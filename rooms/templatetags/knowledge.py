"""Filters for the knowledge room's templates."""

from collections.abc import Iterable, Sized
from typing import Any

from django import template

from knowledge.models import DocumentVersion
from rooms.knowledge import reach, selectors

register = template.Library()


@register.filter
def fill(text: str, value: object) -> str:
    """Put a value in place of the first {} of a text."""
    return text.replace("{}", str(value), 1)


@register.filter
def counted(text: str, things: Sized) -> str:
    """Put how many there are in place of the first {} of a text."""
    return fill(text, len(things))


@register.filter
def lines(texts: Iterable[str]) -> str:
    """One text a line, for a field."""
    return "\n".join(texts)


@register.filter
def percent(share: float) -> str:
    """A share of one as a percentage."""
    return f"{100 * share:.0f}%"


@register.filter
def of(words: dict[str, Any], code: str) -> Any:
    """The word of a code that is only known when the page is made; the code itself where there is none."""
    return words.get(code, code)


@register.filter
def found_in(things: dict[str, Any], name: str) -> Any:
    """What goes by that name, or nothing."""
    return things.get(name)


@register.filter
def wrongly(words: dict[str, str], why: str) -> str:
    """What was not right in the treatment of a golden question."""
    return words.get(f"why_{why}", "")


@register.filter
def named(codes: str) -> list[str]:
    """Codes that stand in a template."""
    return codes.split()


@register.filter
def working(rows: Iterable[selectors.Row]) -> str:
    """The ids of the documents that are being made, with commas."""
    return ",".join(str(row.id) for row in rows if row.working)


@register.filter
def making(version: DocumentVersion) -> bool:
    """Whether a version is being made."""
    return version.stage in DocumentVersion.UNFINISHED


@register.filter
def why(version: DocumentVersion) -> str:
    """Why a version was refused."""
    return reach.reason_of(version)


@register.filter
def notices(codes: list[list[str]]) -> list[str]:
    """What a manager should know of a file that was read."""
    return reach.noticed(codes)


@register.filter
def place(source: str) -> str:
    """Where in its file a chunk stands."""
    return reach.place_of(source)
