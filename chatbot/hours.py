"""When people answer: a site's weekly hours in its own zone, and days that differ. Knows nothing of sites or queues.

    {"zone": "Asia/Shanghai", "week": {"mon": [["09:00", "12:00"], ["13:00", "18:00"]], "fri": [["22:00", "02:00"]]},
     "days": {"2026-10-01": [], "2026-10-10": [["10:00", "14:00"]]}}

An empty dict is always open. A span that ends at or before its beginning ends on the next day, 24:00 is midnight; a day
in `days` replaces the spans that begin on that weekday. A clock that is put forward moves a beginning or end that it
skips by as much; where it is put back, a span lasts until its end for the second time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 10
MOST_DAYS = 1000
_DAY = timedelta(days=1)

Span = tuple[timedelta, timedelta]
"""Beginning and end, counted from the midnight on which the span's day begins, by the clock on the wall."""


@dataclass(frozen=True)
class Hours:
    """Parsed hours; see the module."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    days: Mapping[date, tuple[Span, ...]]

    def is_open(self, at: datetime) -> bool:
        """Return whether people answer at that moment (aware)."""
        return self._opening(at.astimezone(UTC)) == at.astimezone(UTC)

    def next_opening(self, at: datetime) -> datetime | None:
        """Return `at` when people answer then, else when they do next, in the site's zone; None: never."""
        opening = self._opening(at.astimezone(UTC))
        return None if opening is None else opening.astimezone(self.zone)

    def _opening(self, at: datetime) -> datetime | None:
        best: datetime | None = None
        for day in self._candidates(at.astimezone(self.zone).date()):
            for begin, end in self._spans(day):
                if end > at:
                    best = min(best or begin, begin)
            if best is not None:  # whatever a later day brings begins later, if not before `at` as well
                break
        return None if best is None else max(best, at)

    def _candidates(self, today: date) -> Iterator[date]:
        """Return the days on which the next opening can begin, in order: a week, longer where days are closed."""
        near = [today + n * _DAY for n in range(-2, len(self.days) + 9)]
        yield from near
        yield from sorted(day for day in self.days if day > near[-1])

    def _spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for begin, end in self.days.get(day, self.week[day.weekday()]):
            yield self._moment(day, begin), max(self._moment(day, end), self._moment(day, end, fold=1))

    def _moment(self, day: date, offset: timedelta, fold: int = 0) -> datetime:
        wall = datetime.combine(day, time()) + offset
        return wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)


def parse(hours: object) -> Hours | None:
    """Return the hours, None when they are empty: always open. Raises ValueError, which says what is wrong where."""
    if not isinstance(hours, dict):
        raise ValueError("hours: not an object")
    if not hours:
        return None
    if unknown := sorted(map(str, set(hours) - {"zone", "week", "days"})):
        raise ValueError(f"hours: unknown {', '.join(unknown)}; allowed are zone, week, days")
    week, days = _object(hours, "week"), _object(hours, "days")
    if unknown := sorted(set(week) - set(WEEKDAYS)):
        raise ValueError(f"week: unknown {', '.join(unknown)}; the days are {', '.join(WEEKDAYS)}")
    if len(days) > MOST_DAYS:
        raise ValueError(f"days: more than {MOST_DAYS}")
    return Hours(
        _zone(hours.get("zone")),
        tuple(_parse_spans(week.get(day, []), day) for day in WEEKDAYS),
        {_date(day): _parse_spans(spans, day) for day, spans in days.items()},
    )


def is_open(hours: Mapping[str, Any], at: datetime) -> bool:
    """Return whether people answer at that moment (aware). Raises ValueError as `parse`."""
    parsed = parse(hours)
    return parsed is None or parsed.is_open(at)


def next_opening(hours: Mapping[str, Any], at: datetime) -> datetime | None:
    """Return `at` when people answer then, else when they do next, in the site's zone; None: never.

    Raises ValueError as `parse`.
    """
    parsed = parse(hours)
    return at if parsed is None else parsed.next_opening(at)


def _object(hours: dict[str, Any], name: str) -> dict[str, Any]:
    value = hours.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{name}: not an object")
    return value


def _zone(name: object) -> ZoneInfo:
    try:
        if isinstance(name, str) and name:
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, or the name of a folder
        pass
    raise ValueError(f"zone: {name!r} is no time zone; an example is Asia/Shanghai")


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 2000 <= day.year < 2200 or day.isoformat() != text:
        raise ValueError(f"days: {text!r} is no date such as 2026-10-01")
    return day


def _parse_spans(spans: object, day: str) -> tuple[Span, ...]:
    if not isinstance(spans, list) or len(spans) > MOST_SPANS:
        raise ValueError(f"{day}: not a list of at most {MOST_SPANS} spans")
    return tuple(sorted(_parse_span(span, day) for span in spans))


def _parse_span(span: object, day: str) -> Span:
    if not isinstance(span, list) or len(span) != 2:
        raise ValueError(f'{day}: {span!r} is no span such as ["09:00", "18:00"]')
    begin, end = (_time(text, day) for text in span)
    if begin == end:
        raise ValueError(f'{day}: {span!r} is empty; a whole day is ["00:00", "24:00"]')
    if begin >= _DAY:
        raise ValueError(f"{day}: {span!r} begins at 24:00; say 00:00 on the next day")
    return begin, end if end > begin else end + _DAY


def _time(text: object, day: str) -> timedelta:
    hours, colon, minutes = text.partition(":") if isinstance(text, str) else ("", "", "")
    right = len(hours) == len(minutes) == 2 and colon and (hours + minutes).isascii() and (hours + minutes).isdigit()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) if right else 2 * _DAY
    if offset > _DAY or int(minutes) > 59:
        raise ValueError(f"{day}: {text!r} is no time such as 09:00")
    return offset
