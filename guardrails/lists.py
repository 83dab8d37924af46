"""Word lists in the database: import, edit, activate, roll back, and what is live. Every change says who made it.

The list that ships with the project is read from its files until it is edited; then it is copied here first.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import cast

from django.db import DatabaseError, connection, transaction
from django.db.models import Max, Q, QuerySet

from guardrails import models
from guardrails.lexicon import Lexicon, Word, WordList
from guardrails.lexicon.matching import read_word
from guardrails.lexicon.words import IMPORTED, LEVELS, SHIPPED_NAME, Level, shipped
from guardrails.normalizer import ALL, Transforms

logger = logging.getLogger(__name__)

ALLOW = "allow"
LONGEST = 200
_BATCH = 2_000

Row = tuple[str, str, str]
"""Text, level (or `allow`), category."""


class ListError(Exception):
    """What is wrong with a change to a list; shown to whoever asked for it."""


@dataclass(frozen=True)
class Changed:
    """A list after a change: its newest version, and how many words were new or known before."""

    name: str
    version: int
    added: int = 0
    duplicates: int = 0


# --- reading


def newest() -> int:
    """Return a number that grows with every change to any list; cheap enough to ask every second."""
    try:
        return models.WordListChange.objects.aggregate(Max("pk"))["pk__max"] or 0
    except DatabaseError:
        connection.close_if_unusable_or_obsolete()  # a thread that only asks has nobody else to do this
        raise


def load(before: Lexicon | None = None) -> Lexicon:
    """Return the lexicon of all lists that are live. before: an earlier one, which may save work."""
    return Lexicon.of(active(), before)


class Loader:
    """Loads the live lists again and again; of those that have changed, the changed rows alone are read.

    Not to be called by two threads at once.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, WordList]] = {}

    def __call__(self, before: Lexicon | None = None) -> Lexicon:
        """Return the lexicon of all lists that are live. before: an earlier one, which may save work."""
        return Lexicon.of(active(self._known), before)


def active(known: dict[str, tuple[int, WordList]] | None = None) -> list[WordList]:
    """Return the live lists; the shipped one comes from its files unless it was edited or switched off.

    known: by name, the versions that were read before, which is brought up to date.
    """
    known = {} if known is None else known
    now = {name: (number, _read(name, number, known.get(name))) for name, number in _live_versions()}
    known.clear()
    known.update(now)
    return [words for _, words in now.values()]


def _read(name: str, number: int, known: tuple[int, WordList] | None) -> WordList:
    if known and known[0] == number:
        return known[1]
    if number == _FILES:
        return shipped()
    if known and known[0] != _FILES:
        return _changed(_existing(name), number, *known)
    return version(name, number)


_FILES = 0
"""Stands for the version of the shipped list that is in the files."""


def _live_versions() -> list[tuple[str, int]]:
    if models.WordList._meta.db_table not in connection.introspection.table_names():
        return [(SHIPPED_NAME, _FILES)]  # before the first migration there can be no other
    kept = list(models.WordList.objects.order_by("name").values_list("name", "active"))
    files = [] if any(name == SHIPPED_NAME for name, _ in kept) else [(SHIPPED_NAME, _FILES)]
    return files + [(name, number) for name, number in kept if number is not None]


def version(name: str, number: int) -> WordList:
    """Return one version of a list, live or not. Raises ListError."""
    return _as_list(_existing(name), number)


def entries(name: str, number: int | None = None) -> QuerySet[models.WordListEntry]:
    """Return the rows of a version of a list in the database, of the live or else the newest one unless named.

    Raises ListError.
    """
    words = _existing(name)
    return _at(words, number or _base(words))


def history(name: str) -> QuerySet[models.WordListChange]:
    """Return what was done to a list, newest first."""
    return models.WordListChange.objects.filter(name=name).order_by("-id")


def overview() -> list[dict[str, object]]:
    """Return, by list, its versions and which is live."""
    rows: list[dict[str, object]] = []
    kept = models.WordList.objects.prefetch_related("versions").order_by("name")
    if not any(each.name == SHIPPED_NAME for each in kept):
        files = shipped()
        rows.append({"list": SHIPPED_NAME, "active": "shipped", "words": len(files.words), "allowed": len(files.allow)})
    for each in kept:
        versions = sorted(each.versions.all(), key=lambda version: version.number)
        live = next((version for version in versions if version.number == each.active), None)
        rows.append({
            "list": each.name,
            "active": each.active,
            "words": live.size if live else 0,
            "transforms": live.transforms if live else [],
            "versions": [
                {"version": v.number, "words": v.size, "by": v.made_by, "at": v.made.isoformat(), "what": v.what}
                for v in versions
            ],
        })  # fmt: skip
    return rows


# --- writing


@transaction.atomic
def add(
    name: str, rows: Iterable[Row], *, who: str, what: str, transforms: Transforms | None = None, live: bool = True
) -> Changed:
    """Add rows to a list, which is made if need be, as one new version; a text that is there keeps its level.

    live: activate it. transforms: of the version; None keeps those there are. Raises ListError for a row that cannot
    be looked for; see `refused`.
    """
    words = _for_change(name, make=True)
    known = {_key(text) for text, _, _ in _rows(words, _base(words))}
    fresh: list[Row] = []
    duplicates = 0
    for text, level, category in rows:
        if reason := refused(text, level):
            raise ListError(f"{text!r}: {reason}")
        if (key := _key(text)) in known:
            duplicates += 1
            continue
        known.add(key)
        fresh.append((text, level, category))
    number = _next_version(words, fresh, (), who, what, transforms)
    if live:
        _activate(words, number, who, "import", what)
    else:
        _record(words, "draft", number, who, what)
    return Changed(name, number, len(fresh), duplicates)


@transaction.atomic
def put(name: str, text: str, level: str, category: str, *, who: str, note: str = "") -> Changed:
    """Add one word, or give it another level or category, as a new version, live if the list is. Raises ListError."""
    if reason := refused(text, level):
        raise ListError(f"{text!r}: {reason}")
    return _edit(name, [(text, level, category)], [text], who, _noted(f"{level} {text}", note))


@transaction.atomic
def remove(name: str, text: str, *, who: str, note: str = "") -> Changed:
    """Take one word or allowed phrase out, as a new version, live if the list is. Raises ListError."""
    words = _for_change(name)
    if not _at(words, _base(words)).filter(text=text).exists():
        raise ListError(f"{text!r} is not in list {name}")
    return _edit(name, (), [text], who, _noted(f"removed {text}", note))


@transaction.atomic
def see_through(name: str, transforms: Transforms, *, who: str) -> Changed:
    """Change which evasions are seen through for the words of a list, as a new version. Raises ListError."""
    return _edit(name, (), (), who, "transforms", transforms)


@transaction.atomic
def activate(name: str, number: int | None = None, *, who: str) -> Changed:
    """Make a version live, the newest unless named. Raises ListError."""
    words = _for_change(name)
    number = number or words.newest
    if not words.versions.filter(number=number).exists():
        raise ListError(f"list {name} has no version {number}")
    _activate(words, number, who, "activate")
    return Changed(name, number)


@transaction.atomic
def deactivate(name: str, *, who: str) -> Changed:
    """Switch a list off; its versions stay. Raises ListError."""
    words = _for_change(name)
    _activate(words, None, who, "deactivate")
    return Changed(name, words.newest)


@transaction.atomic
def rollback(name: str, *, who: str) -> Changed:
    """Make the version live that was live before. Raises ListError when there was none."""
    words = _for_change(name)
    live: list[int] = []
    for action, number in history(name).reverse().values_list("action", "version"):
        if action == "rollback":
            live = live[: max(1, len(live) - 1)]
        elif action in ("import", "edit", "activate") and number is not None and live[-1:] != [number]:
            live.append(number)
    if words.active is not None:
        live.pop()
    if not live:
        raise ListError(f"list {name} has no earlier live version")
    _activate(words, live[-1], who, "rollback")
    return Changed(name, live[-1])


def refused(text: str, level: str) -> str | None:
    """Return why a row cannot be looked for; None when it can."""
    if level not in (*LEVELS, ALLOW):
        return f"level is not one of {', '.join((*LEVELS, ALLOW))}"
    if len(text) > LONGEST:
        return f"longer than {LONGEST} characters"
    if not text.isprintable():
        return "unprintable characters"
    try:
        read_word(text)
    except ValueError:
        return "nothing to look for"
    return None


def _edit(
    name: str, rows: Sequence[Row], gone: Sequence[str], who: str, what: str, transforms: Transforms | None = None
) -> Changed:
    words = _for_change(name)
    number = _next_version(words, rows, gone, who, what, transforms)
    if words.active is None:
        _record(words, "draft", number, who, what)
    else:
        _activate(words, number, who, "edit", what)
    return Changed(name, number, added=len(rows))


def _noted(what: str, note: str) -> str:
    return (f"{what}: {note}" if note else what)[:LONGEST]


def _existing(name: str) -> models.WordList:
    words = models.WordList.objects.filter(name=name).first()
    if words is None:
        raise ListError(f"there is no list {name}")
    return words


def _for_change(name: str, make: bool = False) -> models.WordList:
    """Return the list, locked until the transaction ends (PostgreSQL); the shipped one is copied when first changed."""
    words = models.WordList.objects.select_for_update().filter(name=name).first()
    if words is None:
        if not make and name != SHIPPED_NAME:
            raise ListError(f"there is no list {name}")
        words = models.WordList.objects.create(name=name)
        if name == SHIPPED_NAME:
            files = shipped()
            rows: list[Row] = [(word.text, word.level, word.category) for word in files.words]
            rows += [(phrase, ALLOW, "") for phrase in files.allow]
            number = _next_version(words, rows, (), "kefu", "shipped with the project", files.transforms)
            _activate(words, number, "kefu", "activate")
    return words


def _base(words: models.WordList) -> int:
    """The version that a change begins with: the live one."""
    return words.active or words.newest


def _at(words: models.WordList, number: int) -> QuerySet[models.WordListEntry]:
    return words.entries.filter(Q(until__isnull=True) | Q(until__gt=number), since__lte=number)


def _rows(words: models.WordList, number: int) -> list[Row]:
    return list(_at(words, number).order_by("id").values_list("text", "level", "category"))


def _as_list(words: models.WordList, number: int | None) -> WordList:
    return WordList(words.name, *_split(words, _rows(words, number or 0)), _transforms(words, number))


def _changed(words: models.WordList, number: int, earlier: int, known: WordList) -> WordList:
    """Return a version, of which the rows alone are read that are not those of an `earlier` one, which is known."""
    new, gone = _at(words, number), _at(words, earlier)
    came = new.exclude(Q(until__isnull=True) | Q(until__gt=earlier), since__lte=earlier)
    went = gone.exclude(Q(until__isnull=True) | Q(until__gt=number), since__lte=number)
    fresh, allow = _split(words, list(came.order_by("id").values_list("text", "level", "category")))
    lost, forbidden_again = _split(words, list(went.values_list("text", "level", "category")))
    texts = {word.text for word in lost}
    kept = (word for word in known.words if word.text not in texts or word not in lost)
    return WordList(
        words.name,
        (*kept, *fresh),
        (*(phrase for phrase in known.allow if phrase not in forbidden_again), *allow),
        _transforms(words, number),
    )


def _split(words: models.WordList, rows: Iterable[Row]) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    """Return the words among rows, and the allowed phrases."""
    rows = list(rows)
    return (
        tuple(Word(text, cast(Level, level), category, words.name) for text, level, category in rows if level != ALLOW),
        tuple(text for text, level, _ in rows if level == ALLOW),
    )


def _transforms(words: models.WordList, number: int | None) -> Transforms:
    made = words.versions.filter(number=number or 0).first()
    if made is None:
        raise ListError(f"list {words.name} has no version {number}")
    return Transforms(**{each.name: each.name in made.transforms for each in fields(Transforms)})


def _next_version(
    words: models.WordList, rows: Sequence[Row], gone: Sequence[str], who: str, what: str, transforms: Transforms | None
) -> int:
    """Write the version after the newest: the live one without `gone` and with `rows`."""
    base, last, number = _base(words), words.newest, words.newest + 1
    made = words.versions.filter(number=base).first()
    names = [name for name, on in asdict(transforms or IMPORTED).items() if on]
    if made and transforms is None:
        names = list(made.transforms)
    back: list[Row] = []
    if base != last:  # a change after a roll-back: what came in between ends, what it had ended begins again
        later = set(_rows(words, last))
        earlier = _rows(words, base)
        back = [row for row in earlier if row not in later]
        kept = set(earlier)
        lost = [entry.pk for entry in _at(words, last) if (entry.text, entry.level, entry.category) not in kept]
        for start in range(0, len(lost), 500):
            words.entries.filter(pk__in=lost[start : start + 500]).update(until=number)
    if gone:
        words.entries.filter(text__in=gone, until__isnull=True).update(until=number)
        back = [row for row in back if row[0] not in set(gone)]
    entries = (
        models.WordListEntry(words=words, text=text, level=level, category=category, since=number)
        for text, level, category in (*back, *rows)
    )
    models.WordListEntry.objects.bulk_create(entries, batch_size=_BATCH)
    models.WordListVersion.objects.create(
        words=words,
        number=number,
        transforms=names,
        size=_at(words, number).exclude(level=ALLOW).count(),
        what=what[:LONGEST],
        made_by=who,
    )
    words.newest = number
    words.save(update_fields=["newest"])
    return number


def _activate(words: models.WordList, number: int | None, who: str, action: str, what: str = "") -> None:
    words.active = number
    words.save(update_fields=["active"])
    _record(words, action, number, who, what)


def _record(words: models.WordList, action: str, number: int | None, who: str, what: str) -> None:
    models.WordListChange.objects.create(name=words.name, action=action, version=number, who=who, what=what[:LONGEST])
    logger.info("Word list %s: %s, version %s, by %s", words.name, action, number, who)


def _key(text: str) -> tuple[str, bytes]:
    reading = read_word(text, ALL)
    return reading.text, reading.runs
