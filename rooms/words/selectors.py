"""What the lexicon desk shows: lists, their words, their past, and recent texts to try changes on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from chatbot.models import Message
from console.rules import sites_of
from guardrails import lists, models
from guardrails.lexicon.words import LEVELS, SHIPPED_NAME, shipped

PAGE = 100
MOST_TEXTS = 1_000
"""Recent messages that a change is tried on."""

ALL_LEVELS = (*LEVELS, lists.ALLOW)
_WORDS_OF_VERSION = Q(until__isnull=True) | Q(until__gt=F("shown"))


@dataclass(frozen=True)
class Row:
    """A word or allowed phrase; `list` is where it stands."""

    list: str
    text: str
    level: str
    category: str


@dataclass(frozen=True)
class Summary:
    """A list: the live version (0: the one that ships, None: off), the newest, and how many rows of which level."""

    name: str
    active: int | None
    newest: int
    counts: dict[str, int] = field(default_factory=dict)
    transforms: Sequence[str] = ()
    change: int = 0
    changed: datetime | None = None
    who: str = ""
    what: str = ""

    @property
    def drafted(self) -> bool:
        """Whether there is a version that came after the live one."""
        return self.active is not None and self.newest > self.active

    @property
    def levels(self) -> list[tuple[str, int]]:
        """How many rows there are, level by level."""
        return [(level, self.counts.get(level, 0)) for level in ALL_LEVELS]


def summaries(name: str = "") -> list[Summary]:
    """Return all lists, or the one of that name; the shipped one too, which is in no database until it is changed."""
    if "\0" in name:
        return []
    last = models.WordListChange.objects.filter(name=OuterRef("name")).order_by("-id")
    version = models.WordListVersion.objects.filter(words=OuterRef("pk"), number=OuterRef("shown"))
    found = models.WordList.objects.annotate(shown=Coalesce("active", "newest")).annotate(
        transforms=Subquery(version.values("transforms")[:1]),
        change=Subquery(last.values("pk")[:1]),
        changed=Subquery(last.values("at")[:1]),
        who=Subquery(last.values("who")[:1]),
        what=Subquery(last.values("what")[:1]),
    )
    entries = _current(models.WordListEntry.objects.all())
    if name:
        found, entries = found.filter(name=name), entries.filter(words__name=name)
    counts: dict[int, dict[str, int]] = {}
    for words, level, count in entries.order_by().values_list("words", "level").annotate(count=Count("pk")):
        counts.setdefault(words, {})[level] = count
    rows = [
        Summary(
            each.name, each.active, each.newest, counts.get(each.pk, {}), each.transforms or (),
            each.change or 0, each.changed, each.who or "", each.what or "",
        )
        for each in found.order_by("name")
    ]  # fmt: skip
    if name in ("", SHIPPED_NAME) and not models.WordList.objects.filter(name=SHIPPED_NAME).exists():
        levels = Counter(row.level for row in _shipped_rows())
        rows.insert(0, Summary(SHIPPED_NAME, 0, 0, dict(levels)))
    return rows


def rows(name: str = "", *, search: str = "", level: str = "", page: int = 1) -> tuple[list[Row], bool]:
    """Return a page of the words of a list, or of all lists that are live, and whether there is more."""
    start, end = PAGE * (page - 1), PAGE * page + 1
    files = [] if models.WordList.objects.filter(name=SHIPPED_NAME).exists() else _shipped_rows()
    kept = [
        row
        for row in (files if name in ("", SHIPPED_NAME) else ())
        if search.casefold() in row.text.casefold() and level in ("", row.level)
    ]
    found = [*kept[start:end]]
    if len(found) < end - start and not (name == SHIPPED_NAME and files):
        entries = _current(models.WordListEntry.objects.all())
        entries = entries.filter(words__name=name) if name else entries.filter(words__active__isnull=False)
        if search:
            entries = entries.filter(text__icontains=search)
        if level:
            entries = entries.filter(level=level)
        first = max(0, start - len(kept))
        page_of = entries.order_by("words__name", "-since", "id")[first : first + end - start - len(found)]
        found += [Row(*values) for values in page_of.values_list("words__name", "text", "level", "category")]
    return found[:PAGE], len(found) > PAGE


def entry(name: str, text: str) -> Row | None:
    """Return a row of a list as it is now."""
    if not models.WordList.objects.filter(name=name).exists():
        return next((row for row in _shipped_rows() if name == SHIPPED_NAME and row.text == text), None)
    found = lists.entries(name).filter(text=text).order_by("-since").first()
    return Row(name, found.text, found.level, found.category) if found else None


def versions(name: str) -> list[models.WordListVersion]:
    """Return the last versions of a list, newest first."""
    return list(models.WordListVersion.objects.filter(words__name=name).order_by("-number")[:PAGE])


def changes(name: str = "", page: int = 1) -> tuple[list[models.WordListChange], bool]:
    """Return what was done to a list, or to all, newest first, and whether there is more."""
    found = lists.history(name) if name else models.WordListChange.objects.order_by("-id")
    rows = list(found[PAGE * (page - 1) : PAGE * page + 1])
    return rows[:PAGE], len(rows) > PAGE


def recent_texts(user: User, most: int = MOST_TEXTS) -> list[str]:
    """Return what customers and the bot have said last on the reader's sites; masked."""
    said = Message.objects.filter(conversation__site__in=sites_of(user), deleted=None).exclude(text="")
    said = said.filter(role__in=(Message.Role.CUSTOMER, Message.Role.BOT))
    keys = list(said.order_by("-created").values_list("pk", flat=True)[:most])  # sorting whole texts takes longer
    return list(Message.objects.filter(pk__in=keys).order_by("-created", "-id").values_list("text", flat=True))


def _current(entries: QuerySet[models.WordListEntry]) -> QuerySet[Any]:
    """Rows of the version that each list shows: the live one, or the newest of a list that is off."""
    shown = entries.annotate(shown=Coalesce("words__active", "words__newest"))
    return shown.filter(_WORDS_OF_VERSION, since__lte=F("shown"))


@cache
def _shipped_rows() -> tuple[Row, ...]:
    files = shipped()
    words: Iterable[Row] = (Row(SHIPPED_NAME, word.text, word.level, word.category) for word in files.words)
    return (*words, *(Row(SHIPPED_NAME, phrase, lists.ALLOW, "") for phrase in files.allow))
