"""What addresses and forms say, read without trust: bounded, and nothing that a database refuses."""

from datetime import datetime

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

MOST = 2**31 - 1


def number(text: str | None, *, most: int = MOST) -> int | None:
    """Return the whole number that a text is; None for anything else, and for more than `most`."""
    if not text or not text.isascii() or not text.isdecimal() or len(text) > 10 or int(text) > most:
        return None
    return int(text)


def moment(text: str | None) -> datetime | None:
    """Return the time that a text is, with its zone; None for anything else."""
    try:
        found = parse_datetime(text or "")
    except ValueError:  # it looks like one
        return None
    return found if found is not None and timezone.is_aware(found) else None


def page_number(request: HttpRequest) -> int:
    """Return the page of a list that is asked for, from 1."""
    return number(request.GET.get("page"), most=100_000) or 1


def text(asked: QueryDict, name: str, most: int = 200) -> str:
    """Return a field without blanks around it, cut to `most` characters; "" when it is not there."""
    return asked.get(name, "").replace("\0", "").strip()[:most]
