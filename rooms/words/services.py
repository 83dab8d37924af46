"""What staff do to word lists and levels: done and written into the audit log, all or nothing.

Whoever looked at something older than what there is now is refused, and told what the other did.
"""

from collections.abc import Mapping, Sequence

from django.db import transaction

from chatbot import levelling
from console import audit
from console.services import Actor
from guardrails import lists, models
from guardrails.levels import Levelled, Levels
from guardrails.levels import services as levels
from guardrails.lists import Changed, ListError, Row
from rooms.words import selectors


class Stale(Exception):
    """Somebody has changed it meanwhile; `change` is the last one, None where none is kept."""

    def __init__(self, change: models.WordListChange | None) -> None:
        super().__init__("stale")
        self.change = change


@transaction.atomic
def put(actor: Actor, name: str, text: str, level: str, category: str, note: str, *, seen: str | None = None) -> None:
    """Add a word or change it. seen: "level category" as the page had it, "" for a new one; None does not compare.

    Raises ListError, Stale.
    """
    _lock(name)
    _compare(name, text, seen)
    lists.put(name, text, level, category, who=_who(actor), note=note)
    _audit(actor, "words_put", name, level=level)


@transaction.atomic
def remove(actor: Actor, name: str, text: str, note: str, *, seen: str | None = None) -> None:
    """Take a word out. Raises ListError, Stale."""
    _lock(name)
    _compare(name, text, seen)
    lists.remove(name, text, who=_who(actor), note=note)
    _audit(actor, "words_remove", name)


@transaction.atomic
def keep(actor: Actor, name: str, rows: Sequence[Row], what: str, *, live: bool) -> Changed:
    """Bring rows into a list, which is made if need be. Raises ListError."""
    changed = lists.add(name, rows, who=_who(actor), what=what, live=live)
    _audit(actor, "words_import", name, version=changed.version, added=changed.added, live=live)
    return changed


@transaction.atomic
def switch(actor: Actor, name: str, act: str, number: int | None, *, seen: int) -> Changed:
    """Activate a version, deactivate a list, or roll it back. seen: the last change that the page had.

    Raises ListError, Stale.
    """
    _lock(name)
    last = lists.history(name).first()
    if (last.pk if last else 0) != seen:
        raise Stale(last)
    match act:
        case "activate":
            changed = lists.activate(name, number, who=_who(actor))
        case "deactivate":
            changed = lists.deactivate(name, who=_who(actor))
        case "rollback":
            changed = lists.rollback(name, who=_who(actor))
        case _:
            raise ListError(act)
    _audit(actor, f"words_{act}", name, version=changed.version)
    return changed


@transaction.atomic
def move_levels(actor: Actor, wanted: Mapping[Levelled, tuple[float, float]], why: str, *, version: int) -> Levels:
    """Move the classifiers' levels as far as people's decisions bear it. Raises LevelError, Stale."""
    if levels.load().version != version:
        raise Stale(None)
    live, _ = levelling.apply(wanted, who=_who(actor), why=why)
    _audit(actor, "levels_apply", "levels", version=live.version)
    return live


@transaction.atomic
def levels_back(actor: Actor, number: int, why: str, *, version: int) -> Levels:
    """Make an earlier version of the levels live again, 0 for what ships. Raises LevelError, Stale."""
    if levels.load().version != version:
        raise Stale(None)
    live = levels.rollback(number, who=_who(actor), why=why)
    _audit(actor, "levels_rollback", "levels", version=number)
    return live


def _compare(name: str, text: str, seen: str | None) -> None:
    if seen is None:
        return
    now = selectors.entry(name, text)
    if now and not seen:
        raise ListError("it is there")
    if (f"{now.level} {now.category}" if now else "") != seen:
        raise Stale(lists.history(name).first())


def _lock(name: str) -> None:
    models.WordList.objects.select_for_update().filter(name=name).first()


def _who(actor: Actor) -> str:
    return actor.user.get_username()


def _audit(actor: Actor, action: str, name: str, **details: str | int | bool) -> None:
    audit.record(actor.user, action, target=("word_list", name), details=details, address=actor.address)
