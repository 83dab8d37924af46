"""Labels, utterances and models of intents: edit, import, train, activate, roll back. Every change says who made it.

What ships is read from its files until somebody changes something; then it is copied into the tables first. So an
upgrade never touches what staff have edited: they import the new files if they want them.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Max, QuerySet

from understanding import models, shipped
from understanding.errors import CannotTrain, ModelUnreadable, UnderstandingError
from understanding.intents import routing
from understanding.intents.classifier import IntentClassifier
from understanding.intents.decision import OOS
from understanding.intents.letters import Floats
from understanding.intents.routing import Understanding

logger = logging.getLogger(__name__)

SHIPPED = 0
"""The number that stands for the model that ships."""
SOURCE = "shipped"
LONGEST = 500
PAGE = 50
_SHOWN = ("id", "text", "label", "language", "source", "active", "version")
_HAN = re.compile(r"[\u3400-\u9fff]")
_PLACEHOLDER = re.compile(r"<[A-Z_]+_\d+>")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_BATCH = 2_000

Row = dict[str, Any]
Embed = Callable[[Sequence[str]], Floats]
"""Texts to sentence vectors, (n, d)."""


class Stale(UnderstandingError):
    """Somebody else has changed the row meanwhile: look at it again."""


@dataclass(frozen=True)
class Imported:
    """What became of the rows of an import; `rejected` counts by reason."""

    added: int
    duplicates: int
    rejected: dict[str, int]


@dataclass(frozen=True)
class Page:
    """Rows of `utterances`: of `total` those of page `number`, counted from 1, of `pages`."""

    rows: list[Row]
    total: int
    number: int
    pages: int


# --- reading


def newest() -> int:
    """Return a number that grows with every change; cheap enough to ask every half second."""
    try:
        return models.IntentChange.objects.aggregate(Max("pk"))["pk__max"] or 0
    except DatabaseError:
        connection.close_if_unusable_or_obsolete()  # a thread that only asks has nobody else to do this
        raise


def load(encoder: str) -> Understanding:
    """Return what understands messages now, for vectors made by `encoder`.

    An active model that cannot be read, or that needs other vectors, is reported, and the shipped one steps in. Raises
    ModelUnreadable when that is of no use either.
    """
    behaviours = {row["slug"]: shipped.behaviour(row) for row in labels()}
    active = models.IntentModel.objects.filter(active=True).first()
    if active is not None:
        try:
            return Understanding(_usable(parse(active), encoder), behaviours, str(active.number))
        except ModelUnreadable as error:
            logger.error("Intent model %d is left aside for the shipped one: %s", active.number, error)
    ships = shipped.understanding()
    return Understanding(_usable(ships.classifier, encoder), behaviours, ships.version)


def parse(model: models.IntentModel) -> IntentClassifier:
    """Return the classifier of a row. Raises ModelUnreadable."""
    return IntentClassifier.parse(model.about, bytes(model.weights))


def labels() -> list[Row]:
    """Return the labels with all their settings; `version` is 0 while nobody has changed anything."""
    if not _own():
        return [{"version": 0, "reply_zh": "", "reply_en": "", "filter": {}, **row} for row in shipped.labels()]
    return list(models.Label.objects.order_by("slug").values(*_FIELDS, "version"))


def utterances() -> list[Row]:
    """Return all utterances, those that are not trained on as well; `id` is None while what ships is not copied."""
    if not _own():
        return [{"id": None, "source": SOURCE, "active": True, "version": 1, **row} for row in shipped.utterances()]
    return list(models.Utterance.objects.order_by("id").values(*_SHOWN))


def counted_labels() -> list[Row]:
    """Return `labels`, each with how many utterances are trained on (`zh`, `en`) and how many are not (`inactive`); at
    last a row of what is out of scope, which has a slug and counts alone.
    """
    counts: dict[str, dict[str, int]] = {}
    for row in utterances():
        of_label = counts.setdefault(row["label"], {"zh": 0, "en": 0, "inactive": 0})
        kind = row["language"] if row["active"] else "inactive"
        of_label[kind] = of_label.get(kind, 0) + 1
    none = {"zh": 0, "en": 0, "inactive": 0}
    return [{**row, **counts.get(row["slug"], none)} for row in [*labels(), {"slug": OOS}]]


def page_of(label: str, *, number: int = 1, search: str = "") -> Page:
    """Return a page of a label's utterances, the newest first: those that contain `search`, whatever its case. A page
    past the last is the last.
    """
    found = [row for row in utterances() if row["label"] == label and search.casefold() in row["text"].casefold()]
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(number, 1), pages)
    return Page(found[::-1][PAGE * (number - 1) : PAGE * number], len(found), number, pages)


def versions() -> list[Row]:
    """Return the models, newest first and the shipped one last, without their weights."""
    fields = ("number", "active", "trained", "trained_by", "report")
    rows = list(models.IntentModel.objects.order_by("-number").values(*fields))
    active = not any(row["active"] for row in rows)
    return [*rows, {"number": SHIPPED, "active": active, "trained_by": "kefu", "report": shipped.report()}]


def report(number: int) -> Row:
    """Return what a model can do on utterances that it had not seen. Raises UnderstandingError."""
    if number == SHIPPED:
        return shipped.report()
    found: Row = _model(number).report
    return found


def history() -> QuerySet[models.IntentChange]:
    """Return what was done, newest first."""
    return models.IntentChange.objects.order_by("-id")


# --- labels


_FIELDS = ("slug", "name_zh", "name_en", "route", "reply_zh", "reply_en", "filter", "tone", "temperature")


@transaction.atomic
def put_label(slug: str, *, who: str, version: int | None = None, **settings: Any) -> None:
    """Make a label (version None), or change settings of the one of that version. Raises UnderstandingError."""
    _check_settings(slug, settings)
    _own_first()
    if version is None:
        if models.Label.objects.filter(slug=slug).exists():
            raise UnderstandingError(f"there is a label {slug} already")
        models.Label.objects.create(slug=slug, **({"route": "search"} | settings))
    else:
        _change(models.Label.objects.filter(slug=slug), version, settings)
    _record("label", slug, who)


@transaction.atomic
def delete_label(slug: str, *, who: str, version: int) -> None:
    """Delete a label that no utterance has; a model that still knows it searches then. Raises UnderstandingError."""
    _own_first()
    if models.Utterance.objects.filter(label=slug).exists():
        raise UnderstandingError(f"label {slug} still has utterances")
    _delete(models.Label.objects.filter(slug=slug), version)
    _record("delete", slug, who)


def _check_settings(slug: str, settings: Mapping[str, Any]) -> None:
    if not _SLUG.fullmatch(slug) or slug == OOS:
        raise UnderstandingError(f"{slug!r} cannot name a label: lower-case letters, digits, _ and -, and not {OOS}")
    if unknown := settings.keys() - {*_FIELDS} - {"slug"}:
        raise UnderstandingError(f"a label has no {', '.join(sorted(unknown))}")
    for name, allowed in (("route", routing.ROUTES), ("tone", routing.TONES)):
        if name in settings and settings[name] not in allowed:
            raise UnderstandingError(f"{name} is one of {', '.join(allowed)}")
    if not 0 <= settings.get("temperature", 0.3) <= 1:
        raise UnderstandingError("temperature lies between 0 and 1")
    wanted = settings.get("filter", {})
    if not isinstance(wanted, dict) or not all(isinstance(each, str) for pair in wanted.items() for each in pair):
        raise UnderstandingError("filter maps keys of metadata to values, both strings")


# --- utterances


@transaction.atomic
def own(text: str) -> Row:
    """Return the utterance of that text with its id, as `edit` and `delete` want it; copies what ships first. Raises
    UnderstandingError.
    """
    _own_first()
    found = models.Utterance.objects.filter(key=_key(text)).values(*_SHOWN).first()
    if found is None:
        raise UnderstandingError("there is no such utterance")
    return dict(found)


@transaction.atomic
def add(rows: Iterable[Row], *, who: str, source: str, make_labels: bool = False) -> Imported:
    """Add utterances: rows of text, label and perhaps language. What is there stays as it is, also if it is inactive.

    make_labels: labels that are not known are made, with the search as their route; else their rows are rejected.
    """
    _own_first()
    known = {OOS, *models.Label.objects.values_list("slug", flat=True)}
    keys = set(models.Utterance.objects.values_list("key", flat=True))
    fresh: list[models.Utterance] = []
    duplicates = 0
    rejected: dict[str, int] = {}
    for row in rows:
        text, label = str(row.get("text", "")).strip(), str(row.get("label", ""))
        if make_labels and label not in known and _SLUG.fullmatch(label):
            models.Label.objects.create(slug=label, route="search")
            known.add(label)
        if reason := _refused(text, label, known):
            rejected[reason] = rejected.get(reason, 0) + 1
        elif (key := _key(text)) in keys:
            duplicates += 1
        else:
            keys.add(key)
            language = row.get("language") or ("zh" if _HAN.search(text) else "en")
            fresh.append(models.Utterance(text=text, key=key, label=label, language=language, source=source))
    models.Utterance.objects.bulk_create(fresh, batch_size=_BATCH)
    _record("import", f"{len(fresh)} utterances from {source}", who)
    return Imported(len(fresh), duplicates, rejected)


@transaction.atomic
def edit(pk: int, *, who: str, version: int, **changes: Any) -> None:
    """Change text, label, language or active of the utterance of that version. Raises UnderstandingError."""
    if unknown := changes.keys() - {"text", "label", "language", "active"}:
        raise UnderstandingError(f"of an utterance cannot be changed: {', '.join(sorted(unknown))}")
    row = models.Utterance.objects.filter(pk=pk).first()
    if row is None:
        raise UnderstandingError("there is no such utterance")
    text, label = changes.get("text", row.text).strip(), changes.get("label", row.label)
    if reason := _refused(text, label, {OOS, *models.Label.objects.values_list("slug", flat=True)}):
        raise UnderstandingError(reason)
    key = _key(text)
    if models.Utterance.objects.filter(key=key).exclude(pk=pk).exists():
        raise UnderstandingError("the same text is there already")
    _change(models.Utterance.objects.filter(pk=pk), version, {**changes, "text": text, "key": key})
    _record("edit", text[:200], who)


@transaction.atomic
def delete(pk: int, *, who: str, version: int) -> None:
    """Delete an utterance; one that ships becomes inactive, or the next import would bring it back.

    Raises UnderstandingError.
    """
    rows = models.Utterance.objects.filter(pk=pk)
    if rows.filter(source=SOURCE).exists():
        _change(rows, version, {"active": False})
    else:
        _delete(rows, version)
    _record("delete", f"utterance {pk}", who)


def export() -> Iterator[Row]:
    """Yield the active utterances as rows that `add` takes."""
    for row in utterances():
        if row["active"]:
            yield {"text": row["text"], "label": row["label"], "language": row["language"]}


def _refused(text: str, label: str, known: set[str]) -> str | None:
    if not text:
        return "no text"
    if len(text) > LONGEST:
        return f"longer than {LONGEST} characters"
    if _PLACEHOLDER.search(text):
        return "holds a placeholder of personal data"
    return None if label in known else f"no label {label[:64]}"


def _key(text: str) -> str:
    return hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8", "replace")).hexdigest()


# --- models


def train(embed: Embed, encoder: str, *, who: str) -> models.IntentModel:
    """Train on the active utterances and keep the model, not active yet. Takes seconds. Raises CannotTrain.

    embed: as `encoder`, whose name the model keeps, makes vectors of customers' questions.
    """
    from understanding.intents import training  # 100 MB of scikit-learn, which no worker needs

    rows = list(export())
    if not rows:
        raise CannotTrain("there are no utterances")
    behaviours = {row["slug"]: shipped.behaviour(row) for row in labels()}
    texts = [row["text"] for row in rows]
    classifier, found = training.train(
        texts, [row["label"] for row in rows], embed(texts), encoder, routing.groups(behaviours)
    )
    about, weights = classifier.dump({})
    with transaction.atomic():
        number = (models.IntentModel.objects.aggregate(Max("number"))["number__max"] or 0) + 1
        model = models.IntentModel.objects.create(
            number=number, about=about, weights=weights, report=asdict(found), trained_by=who
        )
        _record("train", "", who, number)
    return model


@transaction.atomic
def activate(number: int, encoder: str, *, who: str) -> None:
    """Make a model the one that understands customers; `SHIPPED` is one, too. Raises UnderstandingError, also for a
    model that needs other vectors than those of `encoder`.
    """
    _activate(number, encoder)
    _record("activate", "", who, number)


@transaction.atomic
def rollback(encoder: str, *, who: str) -> int:
    """Make the model active that was so before, and return its number. Raises UnderstandingError as `activate` does."""
    before = [SHIPPED]
    for change in history().filter(action__in=("activate", "rollback")).reverse():
        if change.action == "rollback":
            before = before[:-1]
        elif change.number is not None and change.number != before[-1]:
            before.append(change.number)
    if len(before) < 2:
        raise UnderstandingError("no other model was active before")
    _activate(before[-2], encoder)
    _record("rollback", "", who, before[-2])
    return before[-2]


def _activate(number: int, encoder: str) -> None:
    # What cannot be read or used must not become active.
    _usable(shipped.understanding().classifier if number == SHIPPED else parse(_model(number)), encoder)
    models.IntentModel.objects.filter(active=True).update(active=False)
    models.IntentModel.objects.filter(number=number).update(active=True)


def _model(number: int) -> models.IntentModel:
    found = models.IntentModel.objects.filter(number=number).first()
    if found is None:
        raise UnderstandingError(f"there is no model {number}")
    return found


def _usable(classifier: IntentClassifier, encoder: str) -> IntentClassifier:
    if classifier.encoder != encoder:
        raise ModelUnreadable(f"it was trained on vectors of {classifier.encoder}, not of {encoder}")
    return classifier


# --- all of them


def _own() -> bool:
    """Whether the tables hold the labels; else the files do."""
    return models.Label.objects.exists()


def _own_first() -> None:
    """Copy what ships into the tables, if nobody has changed anything before."""
    if _own():
        return
    models.Label.objects.bulk_create(models.Label(**row) for row in shipped.labels())
    models.Utterance.objects.bulk_create(
        (models.Utterance(key=_key(row["text"]), source=SOURCE, **row) for row in shipped.utterances()),
        batch_size=_BATCH,
    )
    _record("import", "what ships", "kefu")


def _change(rows: QuerySet[Any], version: int, values: Mapping[str, Any]) -> None:
    if not rows.filter(version=version).update(**values, version=F("version") + 1):
        raise Stale("it was changed or deleted meanwhile")


def _delete(rows: QuerySet[Any], version: int) -> None:
    if not rows.filter(version=version).delete()[0]:
        raise Stale("it was changed or deleted meanwhile")


def _record(action: str, what: str, who: str, number: int | None = None) -> None:
    # The database's own numbers may be committed out of order, and whoever has seen the higher one would miss the
    # other: who records waits until those before are through, and counts on from them.
    changes = models.IntentChange.objects
    changes.select_for_update().order_by("pk").first()
    try:
        with transaction.atomic():
            changes.create(pk=newest() + 1, action=action, what=what[:200], who=who, number=number)
    except IntegrityError:  # of the very first change there is no row to wait for
        raise Stale("somebody else has just changed what is understood; look at it again") from None
    logger.info("Intents: %s %s by %s", action, number if number is not None else "", who)
