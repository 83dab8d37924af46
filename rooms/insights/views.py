"""The insights room: one page, and the same figures as files."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from chatbot.models import Site
from console.rules import may, sites_of
from console.spreadsheets import Cell, lines
from knowledge.models import KnowledgeBase
from rooms.insights import charts, report
from rooms.insights.figures import Facts, Scope, Visits, facts
from rooms.insights.options import prices
from rooms.insights.report import Figure
from rooms.insights.wording import WORDS
from rooms.pages import needs, page, person

DAYS = (7, 30, 90)
LONGEST = 366
MOST_BASES = 20
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKLY = 62
"""From so many days on, the chart shows weeks."""
_EPOCH = date(1970, 1, 1)
_FIRST = date(2000, 1, 1)
"""No figures are older, and what is compared with must be a date, too."""


@dataclass(frozen=True)
class Wanted:
    """What the reader asked for, as the form shows it."""

    scope: Scope
    sites: list[Site]
    site: str = ""
    days: int = 30
    since: str = ""
    until: str = ""
    zone: str = "UTC"
    refused: bool = False
    query: str = ""


@dataclass(frozen=True)
class Shown:
    """A figure in the reader's words."""

    figure: Figure
    name: str
    definition: str
    text: str
    before: str
    change: str
    good: bool | None = field(default=None)


@require_GET
@needs("see_insights")
def first(request: HttpRequest) -> HttpResponse:
    """All figures, with charts."""
    wanted = _wanted(request)
    now, before = facts(wanted.scope), facts(wanted.scope.before())
    t = WORDS.here()
    cost = prices()
    most = max(now.hours.values(), default=0)
    return page(
        request,
        "insights/first.html",
        "insights",
        WORDS,
        wanted=wanted,
        now=now,
        groups=[
            (t[f"group_{group.code}"], [_shown(figure, t, cost.currency) for figure in group.figures])
            for group in report.groups(now, before, cost)
        ],
        priced=bool(cost.prompt or cost.reply),
        gaps=_gaps(wanted),
        may_manage_sites=may(request.user, "manage_sites"),
        **_by_day(wanted, now, t),
        hours=[
            (
                t[name],
                [(now.hours.get((day, hour), 0), _shade(now.hours.get((day, hour), 0), most)) for hour in range(24)],
            )
            for day, name in enumerate(WEEKDAYS)
        ],
        handoffs=_bars(now.handoffs, "reason", t),
        outcomes=_bars(_by_outcome(now), "outcome", t),
        thumbs=_bars({k: n for k, n in now.thumbs.items() if k not in ("up", "down")}, "thumb", t),
        scores=[
            (score, n, charts.bar(n, max(now.ratings.scores.values())))
            for score, n in sorted(now.ratings.scores.items())
        ],
        verdicts=[
            (_word(t, f"tier_{tier}", tier), _word(t, f"action_{action}", action), action, n)
            for (tier, action), n in sorted(now.verdicts.items(), key=lambda row: -row[1])
        ],
    )


@require_GET
@needs("see_insights")
def export(request: HttpRequest, form: str) -> HttpResponse:
    """The same figures for programs and spreadsheets: shares are 0 to 1, times in seconds."""
    wanted = _wanted(request)
    now, before = facts(wanted.scope), facts(wanted.scope.before())
    rows = [figure for group in report.groups(now, before, prices()) for figure in group.figures]
    name = f"kefu-{wanted.since}-{wanted.until}"
    if form == "json":
        answer: HttpResponse = JsonResponse(_document(wanted, rows, now), json_dumps_params={"ensure_ascii": False})
    else:
        answer = HttpResponse(lines(_table(wanted, rows, now)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def _wanted(request: HttpRequest) -> Wanted:
    """Read the form. Of sites that the reader may not see, nothing counts, and nothing says that they exist."""
    sites = list(sites_of(person(request)).order_by("name"))
    key = request.GET.get("site", "")
    chosen = [site for site in sites if site.key == key] if key else sites
    zones = {str(site.hours.get("zone", "UTC")) if isinstance(site.hours, dict) else "UTC" for site in chosen}
    zone = _zone(zones.pop() if len(zones) == 1 else "UTC")
    now = timezone.now()
    today = now.astimezone(zone).date()
    days = request.GET.get("days", "30")
    since, until, refused = today - timedelta(days=29), today, False
    if days == "custom":
        try:
            asked = [date.fromisoformat(request.GET.get(name, "")) for name in ("since", "until")]
            since, until = asked[0], min(asked[1], today)
            refused = not 0 <= (asked[1] - since).days < LONGEST or since > until or since < _FIRST
        except ValueError:
            refused = True
        if refused:
            days, since, until = "30", today - timedelta(days=29), today
    if days != "custom":
        length = int(days) if days in map(str, DAYS) else 30
        days, since = str(length), today - timedelta(days=length - 1)
    language = request.GET.get("language", "")
    scope = Scope(
        [site.pk for site in chosen],
        datetime.combine(since, time(), zone).astimezone(UTC),
        datetime.combine(until + timedelta(days=1), time(), zone).astimezone(UTC),
        language if language in ("zh", "en") else "",
        int((now.astimezone(zone).utcoffset() or timedelta()).total_seconds()),
        now,
    )
    return Wanted(
        scope,
        sites,
        key if chosen != sites else "",
        0 if days == "custom" else int(days),
        since.isoformat(),
        until.isoformat(),
        str(zone),
        refused,
        request.GET.urlencode(),
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # hours that nobody checked
        return ZoneInfo("UTC")


def _shown(figure: Figure, t: Mapping[str, str], currency: str) -> Shown:
    change = figure.change
    unit = t["points"] if figure.unit == "share" else "%"
    return Shown(
        figure,
        t[figure.code],
        t[f"{figure.code}_is"],
        _number(figure, figure.now.number, t, currency) if figure.sure else "",
        _number(figure, figure.before.number, t, currency) if figure.before.sure else "",
        "" if change is None else f"{change:+.1f} {unit}".replace(" %", "%"),
        figure.good,
    )


def _number(figure: Figure, number: float | None, t: Mapping[str, str], currency: str) -> str:
    if number is None:
        return ""
    match figure.unit:
        case "share":
            return f"{100 * number:.1f}%"
        case "count":
            return f"{number:,.0f}"
        case "score":
            return f"{number:,.2f}" if number < 100 else f"{number:,.0f}"
        case "money":
            return f"{number:,.4f}".rstrip("0").rstrip(".") + f" {currency}"
        case "seconds":
            return _duration(number, t)


def _duration(seconds: float, t: Mapping[str, str]) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.0f} {t['ms']}"
    for limit, size, name in ((90, 1, "s"), (5400, 60, "min")):
        if seconds < limit:
            return f"{seconds / size:.1f} {t[name]}"
    return f"{seconds / 3600:.1f} {t['h']}"


def _by_day(wanted: Wanted, now: Facts, t: Mapping[str, str]) -> dict[str, Any]:
    """Return the chart of visits and its table, by day, or by week where days would be too many."""
    begin = (date.fromisoformat(wanted.since) - _EPOCH).days
    end = (date.fromisoformat(wanted.until) - _EPOCH).days
    weekly = end - begin >= WEEKLY
    rows = []
    for day in range(begin, end + 1, 7 if weekly else 1):
        counted = sum((now.days.get(d, Visits()) for d in range(day, day + (7 if weekly else 1))), Visits())
        parts = (counted.alone, counted.cases - counted.alone, counted.visits - counted.cases)
        rows.append((_EPOCH + timedelta(days=day), parts))
    title = t["by_week" if weekly else "by_day"]
    names = (t["alone"], t["with_person"], t["rest"])
    made = [charts.Column(f"{day.month}-{day.day:02}", parts) for day, parts in rows]
    return {"chart": charts.columns(made, names, title), "chart_title": title, "chart_names": names, "days": rows}


def _gaps(wanted: Wanted) -> QuerySet[Any]:
    """Return the knowledge bases of these sites, with how many open gaps each has."""
    slugs = {site.knowledge_base for site in wanted.sites if site.pk in wanted.scope.sites}
    open_ones = Count("gaps", filter=Q(gaps__state="open"))
    return KnowledgeBase.objects.filter(slug__in=slugs).annotate(open=open_ones).order_by("name")[:MOST_BASES]


def _by_outcome(now: Facts) -> dict[str, int]:
    counted: dict[str, int] = {}
    for (outcome, _), n in now.outcomes.items():
        counted[outcome] = counted.get(outcome, 0) + n
    return counted


def _bars(counts: Mapping[str, int], prefix: str, t: Mapping[str, str]) -> list[tuple[str, int, str]]:
    most = max(counts.values(), default=0)
    return [(_word(t, f"{prefix}_{name}", name), n, charts.bar(n, most)) for name, n in report.ranked(counts)]


def _word(t: Mapping[str, str], code: str, otherwise: str) -> str:
    return t.get(code, otherwise)


def _shade(n: int, most: int) -> int:
    """Return how dark a cell is, 0 to 5."""
    return -(-5 * n // most) if most else 0


def _document(wanted: Wanted, rows: list[Figure], now: Facts) -> dict[str, Any]:
    return {
        "sites": [site.key for site in wanted.sites if site.pk in wanted.scope.sites],
        "language": wanted.scope.language,
        "since": wanted.since,
        "until": wanted.until,
        "zone": wanted.zone,
        "figures": [
            {
                "figure": one.code,
                "definition": WORDS.texts[f"{one.code}_is"][1],
                "unit": one.unit,
                "value": one.now.number,
                "n": one.now.n,
                "enough": one.sure,
                "before": one.before.number,
                "before_n": one.before.n,
            }
            for one in rows
        ],
        "days": {(_EPOCH + timedelta(days=day)).isoformat(): asdict(counted) for day, counted in now.days.items()},
        "handoffs": now.handoffs,
        "outcomes": [{"outcome": o, "reason": r, "n": n} for (o, r), n in sorted(now.outcomes.items())],
        "ratings": now.ratings.scores,
        "thumbs": now.thumbs,
        "engines": [asdict(one) for one in now.engines],
        "verdicts": [{"tier": tier, "action": a, "n": n} for (tier, a), n in sorted(now.verdicts.items())],
    }


def _table(wanted: Wanted, rows: list[Figure], now: Facts) -> Iterator[list[Cell]]:
    """Yield the figures, then everything that was counted one by one."""
    period: list[Cell] = [wanted.since, wanted.until]
    yield ["what", "name", "value", "n", "before", "before_n", "since", "until"]
    for one in rows:
        yield ["figure", one.code, one.now.number, one.now.n, one.before.number, one.before.n, *period]
    counted: list[tuple[str, str, int]] = [
        *(("handoff", reason, n) for reason, n in report.ranked(now.handoffs)),
        *(("reply", f"{o} {r}".strip(), n) for (o, r), n in sorted(now.outcomes.items())),
        *(("rating", str(score), n) for score, n in sorted(now.ratings.scores.items())),
        *(("thumb", name, n) for name, n in report.ranked(now.thumbs)),
        *(("engine", one.name, one.replies) for one in now.engines),
        *(("verdict", f"{tier} {a}".strip(), n) for (tier, a), n in sorted(now.verdicts.items())),
        *(("visits", (_EPOCH + timedelta(days=day)).isoformat(), c.visits) for day, c in sorted(now.days.items())),
    ]
    for what, name, n in counted:
        yield [what, name, n, n, None, None, *period]
