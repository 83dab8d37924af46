"""A site's hours as a form to fill in, and back. Pure: knows no page. What hours are, chatbot/hours.py says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatbot import hours
from chatbot.hours import WEEKDAYS

Lists = Callable[[str], Sequence[str]]
"""(name of a field) -> all that was typed into fields of that name, in order."""


@dataclass(frozen=True)
class Row:
    """One line of the form: from when until when, on a weekday (`day` is "") or on a date. Empty: closed."""

    begin: str = ""
    end: str = ""
    day: str = ""


@dataclass(frozen=True)
class Week:
    """The whole form. `always`: people answer at any time, whatever else is filled in."""

    always: bool
    zone: str
    days: Mapping[str, tuple[Row, ...]]
    dates: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Read:
    """What was filled in: as it will be kept, as it was typed, and what is wrong: (where, code of the wording)."""

    hours: dict[str, Any]
    week: Week
    problems: list[tuple[str, str]] = field(default_factory=list)


def shown(kept: Mapping[str, Any], zone: str) -> Week:
    """Return kept hours as a form; `zone` stands where there are none. Every day has a line to fill in."""
    week = kept.get("week", {}) if kept else {day: [["09:00", "18:00"]] for day in WEEKDAYS[:5]}
    days = {day: tuple(Row(*map(_typed, span)) for span in week.get(day, ())) or (Row(),) for day in WEEKDAYS}
    dates = [
        Row(_typed(span[0]), _typed(span[1]), day)
        for day, spans in sorted((kept.get("days") or {}).items())
        for span in (spans or [("", "")])
    ]
    return Week(not kept, str(kept.get("zone") or zone), days, tuple(dates))


def read(always: bool, zone: str, lists: Lists) -> Read:
    """Return what was filled in. Fields are called mon_begin, mon_end, …, day, day_begin and day_end."""
    problems: list[tuple[str, str]] = []
    days = {day: _rows(lists(f"{day}_begin"), lists(f"{day}_end")) for day in WEEKDAYS}
    dates = tuple(
        row for row in _rows(lists("day_begin"), lists("day_end"), lists("day")) if row.day or row.begin or row.end
    )
    week = Week(always, zone, {day: rows or (Row(),) for day, rows in days.items()}, dates)
    if always:
        return Read({}, week)
    kept: dict[str, Any] = {"zone": zone, "week": {}, "days": {}}
    for day, rows in days.items():
        if spans := list(_spans(rows, day, problems)):
            kept["week"][day] = spans
    for row in dates:
        if not row.day:
            problems.append(("dates", "date_missing"))
            continue
        kept["days"].setdefault(row.day, []).extend(_spans([row], row.day, problems))
    if not kept["week"] and not any(kept["days"].values()):
        problems.append(("week", "never_open"))
    if not kept["days"]:
        del kept["days"]
    if not problems:
        try:
            hours.parse(kept)
        except ValueError as error:  # a date or zone that is none: the fields themselves allow little else
            problems.append(("zone", "bad_zone") if str(error).startswith("zone") else ("dates", "bad_days"))
    return Read(kept, week, problems)


def _rows(begins: Sequence[str], ends: Sequence[str], days: Sequence[str] = ()) -> tuple[Row, ...]:
    dated = days or [""] * len(begins)
    return tuple(
        Row(b.strip()[:5], e.strip()[:5], d.strip()[:10]) for b, e, d in zip(begins, ends, dated, strict=False)
    )


def _spans(rows: Iterable[Row], where: str, problems: list[tuple[str, str]]) -> Iterable[list[str]]:
    for row in rows:
        if not row.begin and not row.end:
            continue
        if not row.begin or not row.end:
            problems.append((where, "half_span"))
        elif row.begin == row.end != "00:00":
            problems.append((where, "empty_span"))
        else:  # a field for times of the day knows no 24:00
            yield [row.begin, "24:00" if row.end == "00:00" else row.end]


def _typed(time: str) -> str:
    return "00:00" if time == "24:00" else time
